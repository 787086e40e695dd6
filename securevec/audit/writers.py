"""The log of writers: one small log, shared by every process, that says which writers exist and how far they got.

A line is ``{"event": "opened"|"head"|"closed"|"recovered", "root": base64, "size": int, "time": ms, "v": 1,
"writer": id}``. Lines are appended under ``flock`` on the file ``lock``, each followed by a signed checkpoint. The
checkpoint is the commit: a line without one was never issued, and the next process to take the lock removes it.
A line of its own says that the signing key was exchanged (:mod:`securevec.audit.succession`).
Its head goes to ``on_head`` (the store keeps it in the control store), so that cutting this log back shows too.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import orjson

from securevec.audit import files
from securevec.audit.checkpoint import Checkpoint, Head, Signer, Signers, decode_root, sign_note
from securevec.audit.keeping import Announce, Keeper, Kept, lags
from securevec.audit.scan import parse_line
from securevec.audit.succession import Keychain, Succession, line_of, open_succession, sign_succession, succession_in
from securevec.audit.tree import Frontier, leaf_hash
from securevec.clock import Clock
from securevec.errors import AuditTampered, AuditUnavailable, KeyRejected, KeyUnavailable

NAME: Final = "log-of-writers"
LOCK: Final = "lock"
LOCK_SECONDS: Final = 10.0
Happening = Literal["opened", "head", "closed", "recovered"]
OnHead = Callable[[int, str, bytes], None]
HAPPENINGS: Final = frozenset({"opened", "head", "closed", "recovered"})


@dataclass(frozen=True, slots=True)
class Standing:
    """The last thing the log of writers says of one writer: ``size`` lines with the base64 ``root``."""

    event: str
    size: int
    root: str


def origin_of(log_id: str, writer: str) -> str:
    """Origin and key name of a writer's checkpoints."""
    return f"securevec/{log_id}/{writer}"


def take_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> None:
    """``flock``, exclusive or of another ``kind``; a process that was stopped while holding it must not stop every
    other for good. Raises :class:`AuditUnavailable` after :data:`LOCK_SECONDS`."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise AuditUnavailable("Another process keeps the log of audit writers locked.") from error
            time.sleep(0.002)


def standing_of(raw: bytes) -> tuple[str, Standing] | None:
    """Writer and standing of a raw line, or nothing when it is not a line of this log."""
    line = parse_line(raw)
    if line is None:
        return None
    event, writer, size, root = line.get("event"), line.get("writer"), line.get("size"), line.get("root")
    if (
        not isinstance(event, str)
        or event not in HAPPENINGS
        or not isinstance(writer, str)
        or type(size) is not int
        or not isinstance(root, str)
    ):
        return None
    return writer, Standing(event, size, root)


class WriterLog:
    """Appends to the log of writers. Holds no descriptor between calls, so a fork needs no care here."""

    def __init__(
        self,
        log_directory: Path,
        *,
        log_id: str,
        signers: Signers,
        clock: Clock,
        on_head: OnHead | None,
        anchor: Head | None,
        kept: Keeper | None = None,
        announce: Announce | None = None,
    ) -> None:
        self._directory = log_directory / NAME
        self._origin = origin_of(log_id, NAME)
        self._log_id = log_id
        self._signers = signers
        self.signer: Signer = self._held(None)
        """The key in force, as of the last time the lock was taken."""
        self.chain = Keychain(log_id, self.signer.public)
        """The keys of this log, as of then."""
        self._clock = clock
        self._on_head = on_head
        self._anchor = anchor
        self._kept = kept
        self._announce = announce
        self._frontier = Frontier()
        self._segment = 0
        self._offset = 0
        self.standings: dict[str, Standing] = {}
        self.recovered_by: dict[str, list[str]] = {}
        """Writers, each with the crashed ones it recorded as recovered before it opened."""
        self._recovered: list[str] = []

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Hold the lock of this log, with what other processes appended read in.

        Raises :class:`AuditTampered` when the log is shorter than, or differs from, what this process or the anchor
        has seen, :class:`HomeRefused` when what keeps its head was put back from a copy, and :class:`AuditUnavailable`
        when it cannot be read or repaired.
        """
        try:
            files.make_directory(self._directory)
            descriptor = os.open(self._directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise AuditUnavailable("The log of audit writers cannot be opened.") from error
        try:
            take_lock(descriptor)
            try:
                self._load()
            except OSError as error:
                raise AuditUnavailable("The log of audit writers cannot be read.") from error
            self._take_key()
            if self._kept is not None and lags(self._head_kept(self._kept), self._frontier.size):
                self._keep(files.newest_issued(self._directory))
            yield
        finally:
            # Unlocking by name, since a child forked meanwhile holds a copy of the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def append(self, event: Happening, writer: str, size: int, root: bytes) -> None:
        """Add a line, sign the new head and hand it to ``on_head``. Call within :meth:`locked`.

        Raises :class:`AuditUnavailable`; the line then is either gone or complete, never half.
        """
        root_text = base64.b64encode(root).decode()
        standing = Standing(event, size, root_text)
        entry = {
            "event": event,
            "root": root_text,
            "size": size,
            "time": self._clock.now_ms(),
            "v": 1,
            "writer": writer,
        }
        self._issue(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS), lambda: self._take(writer, standing))

    def exchange(self, new: Signer, *, compromised: bool) -> Succession:
        """Hand over to another key: what comes after this line is signed with it. Call within :meth:`locked`.

        Raises :class:`AuditUnavailable` as :meth:`append`; the same call is then made again.
        """
        now_ms, number = self._clock.now_ms(), len(self.chain.successions) + 1
        note = sign_succession(
            self._log_id,
            number=number,
            old=self.signer,
            new=new,
            size=self._frontier.size,
            root=self._frontier.root(),
            time_ms=now_ms,
            compromised=compromised,
        )
        succession = open_succession(note)
        self.chain.copy().extend(succession)  # before anything is written
        self._issue(line_of(note, time_ms=now_ms), lambda: self.chain.extend(succession, self._sizes()))
        self._take_key()
        return succession

    def _issue(self, line: bytes, take: Callable[[], None]) -> None:
        frontier = self._frontier.copy()
        frontier.append(leaf_hash(line))
        note = sign_note(self._origin, frontier.size, frontier.root(), self.signer)
        if self._announce is not None:
            try:
                self._announce(frontier.size)
            except Exception as error:
                # As in _keep: whatever it raises, nothing is written.
                raise AuditUnavailable("The next line of the audit log cannot be announced.") from error
        try:
            offset = self._write(line + b"\n", note)
        except OSError as error:
            raise AuditUnavailable("The log of audit writers cannot be written.") from error
        self._frontier, self._offset = frontier, offset
        take()
        self._keep(note)

    def _head_kept(self, kept: Keeper) -> Kept:
        try:
            return kept()
        except Exception as error:
            # As in _keep: whatever somebody else's code raises, nothing is appended.
            raise AuditUnavailable("The head of the audit log that is kept outside it cannot be read.") from error

    def _keep(self, note: bytes) -> None:
        try:
            files.replace_checkpoint(self._directory, note)
            if self._on_head is not None:
                self._on_head(self._frontier.size, base64.b64encode(self._frontier.root()).decode(), note)
        except Exception as error:
            # The anchor is somebody else's code; whatever it raises, the head is not safe outside this log.
            raise AuditUnavailable("The head of the audit log cannot be kept.") from error

    def _take_key(self) -> None:
        """Whatever signs from here on is the key that the log names. One that is not held signs nothing."""
        self.signer = self._held(self.chain.current if self.chain.successions else None)
        if not self.chain.successions:
            self.chain = Keychain(self._log_id, self.signer.public)

    def _held(self, public: bytes | None) -> Signer:
        try:
            return self._signers.in_force(public)
        except (KeyRejected, KeyUnavailable) as error:
            raise AuditUnavailable(
                "The key that signs the audit log is not at hand.", next_step=error.next_step
            ) from error

    def _take(self, writer: str, standing: Standing) -> None:
        self.standings[writer] = standing
        if standing.event == "recovered":
            self._recovered.append(writer)
        elif standing.event == "opened":
            self.recovered_by[writer], self._recovered = self._recovered, []

    def _write(self, line: bytes, note: bytes) -> int:
        segment = files.AppendFile(self._directory / files.segment_name(self._segment))
        try:
            before = segment.size
            segment.append(line)
            log = files.AppendFile(self._directory / files.CHECKPOINTS_LOG)
            try:
                log.append(note + b"\n")
            except OSError:
                segment.cut(before)
                raise
            finally:
                log.close()
            return segment.size
        finally:
            segment.close()

    def _load(self) -> None:
        """Read what others appended since the last call, up to the newest signed head; drop what is unsigned."""
        files.cut_torn_note(self._directory)
        path = self._directory / files.segment_name(self._segment)
        newest = self._newest(self._ahead(path))
        if newest.size < self._frontier.size:
            raise self._tampered(newest.size, "was cut back while it was in use")
        marks = {newest.size: newest.root}
        if self._anchor is not None:
            marks[self._anchor.size] = decode_root(self._anchor.root)
            if newest.size < self._anchor.size:
                raise self._tampered(newest.size, "is shorter than the head kept outside it")
            if self._anchor.size == newest.size and marks[newest.size] != newest.root:
                raise self._tampered(newest.size, "differs from the head kept outside it")
        if not path.exists():
            if newest.size:
                raise self._tampered(0, "lacks its segment")
            return
        with files.open_plain(path) as file:
            file.seek(self._offset)
            while self._frontier.size < newest.size:
                raw = file.readline(files.MAX_LINE)
                succession, standing = succession_in(raw), standing_of(raw)
                if succession is not None:
                    self._follow(succession)
                elif standing is not None:
                    self._take(*standing)
                else:
                    raise self._tampered(self._frontier.size, "lacks a line that was signed")
                self._frontier.append(leaf_hash(raw[:-1]))
                self._offset += len(raw)
                expected = marks.get(self._frontier.size)
                if expected is not None and expected != self._frontier.root():
                    raise self._tampered(self._frontier.size - 1, "does not give its signed root")
            if newest.size and self._frontier.root() != newest.root:
                raise self._tampered(self._frontier.size - 1, "does not give its signed root")
            unsigned = file.read(2 * files.MAX_LINE)
        self._anchor = None
        if unsigned:
            self._drop_unsigned(path, unsigned)
        issued = files.newest_issued(self._directory)
        if issued != files.read_checkpoint(self._directory):
            files.replace_checkpoint(self._directory, issued)

    def _ahead(self, path: Path) -> Keychain:
        """The chain with what was appended since the last call: the newest head may be under a key named there."""
        chain = self.chain.copy()
        if path.exists():
            with files.open_plain(path) as file:
                file.seek(self._offset)
                while raw := file.readline(files.MAX_LINE):
                    succession = succession_in(raw)
                    if succession is not None:
                        chain.extend(succession)
        return chain

    def _follow(self, succession: Succession) -> None:
        if (succession.size, succession.root) != (self._frontier.size, self._frontier.root()):
            raise self._tampered(self._frontier.size, "has an exchange of keys that belongs elsewhere")
        self.chain.extend(succession, self._sizes())

    def _sizes(self) -> dict[str, int]:
        return {name: standing.size for name, standing in self.standings.items()}

    def _newest(self, chain: Keychain) -> Checkpoint:
        """The newest signed head, from ``checkpoints.log`` (written first) and ``checkpoint``."""
        heads = [
            chain.open_head(note, self._origin)
            for note in (files.newest_issued(self._directory), files.read_checkpoint(self._directory))
            if note
        ]
        if not heads:
            return Checkpoint(self._origin, 0, Frontier().root())
        if len(heads) == 2 and heads[1].size > heads[0].size:
            raise self._tampered(heads[0].size, "has a checkpoint that was never issued")
        return heads[0]

    def _drop_unsigned(self, path: Path, unsigned: bytes) -> None:
        """One unsigned line is what a crash between line and checkpoint leaves. More is somebody else's doing."""
        if unsigned.count(b"\n") > 1:
            raise self._tampered(self._frontier.size, "has lines that were never signed")
        segment = files.AppendFile(path)
        try:
            segment.cut(self._offset)
        finally:
            segment.close()

    def _tampered(self, index: int, what: str) -> AuditTampered:
        return AuditTampered(
            f"The log of audit writers {what} (line {index}).",
            position=f"{NAME}:{index}",
            next_step="Nothing is written to it any more; run: securevec audit verify.",
        )
