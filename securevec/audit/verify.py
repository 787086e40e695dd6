"""Offline verification of a whole audit log.

What it catches, naming writer and index: a flipped, dropped, swapped, inserted or duplicated record, a cut tail, a
missing segment or writer, a segment moved between writers, a log of writers cut back, a log whose hashes were all
computed anew (signatures cannot be), checkpoints of another key, and files that do not belong there.

What it cannot catch: lines a writer wrote after its last checkpoint (every 60 s, every 10,000 events, after each
destructive or administrative event, and at close) can be cut from a writer that is alive or crashed, until its next
checkpoint or the recovery line of the next writer; they are counted as ``uncheckpointed``. Who holds the signing key
and can also rewrite the anchor can rewrite history: keep anchors on another machine.

Keys change (:mod:`securevec.audit.succession`): each head must be under the key of its place, and the pinned key one of
the chain. A key that was given up signs nothing further than the log had got by then.

A writer that ended without ``closed`` crashed; that is reported and is not tampering.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

from securevec.audit import files
from securevec.audit.checkpoint import Checkpoint, Head, decode_root
from securevec.audit.directory import WRITER
from securevec.audit.reading import find_open_intents, read_tail
from securevec.audit.scan import Scanner
from securevec.audit.succession import MARK, Keychain, Succession, succession_in
from securevec.audit.tree import EMPTY_ROOT, Frontier, leaf_hash
from securevec.audit.writers import LOCK, NAME, origin_of, standing_of, take_lock
from securevec.errors import AuditTampered, AuditUnavailable

__all__ = ["AuditReport", "Head", "WriterReport", "find_open_intents", "read_tail", "verify_log"]

State = Literal["live", "crashed", "closed", "recovered", "unused"]
_OWN_FILES: Final = frozenset({files.CHECKPOINT, files.CHECKPOINT_NEW, files.CHECKPOINTS_LOG})
_MAX_TORN_NOTE: Final = 1024


@dataclass(frozen=True, slots=True)
class WriterReport:
    """One writer: records on disk, how many a signed checkpoint covers, bytes of an unfinished write after them."""

    writer: str
    state: State
    records: int
    checkpointed: int
    torn_bytes: int

    @property
    def uncheckpointed(self) -> int:
        return self.records - self.checkpointed


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A log that holds. ``head`` is that of the log of writers: keep it elsewhere as the next anchor. ``chain`` are the
    keys it was signed with."""

    writers: tuple[WriterReport, ...]
    head: Head
    chain: Keychain

    @property
    def successions(self) -> tuple[Succession, ...]:
        """Exchanges of the signing key, oldest first."""
        return tuple(self.chain.successions)

    @property
    def records(self) -> int:
        return sum(writer.records for writer in self.writers)

    @property
    def checkpointed(self) -> int:
        return sum(writer.checkpointed for writer in self.writers)

    @property
    def uncheckpointed(self) -> int:
        return self.records - self.checkpointed

    @property
    def crashed(self) -> tuple[str, ...]:
        """Writers that ended without closing and were not recovered yet."""
        return self._in_state("crashed")

    @property
    def recovered(self) -> tuple[str, ...]:
        return self._in_state("recovered")

    @property
    def live(self) -> tuple[str, ...]:
        return self._in_state("live")

    def _in_state(self, state: State) -> tuple[str, ...]:
        return tuple(writer.writer for writer in self.writers if writer.state == state)


@dataclass(slots=True)
class _Known:
    """What the log of writers says of a writer: every size with its root, and whether it ended."""

    roots: dict[int, bytes]
    size: int = 0
    ended: Literal["closed", "recovered"] | None = None


def verify_log(directory: Path, *, log_id: str, public_key: bytes, anchor: Head | None) -> AuditReport:
    """Check everything under ``directory / log_id`` with the 32-byte ``public_key``.

    ``anchor`` is a head of the log of writers kept outside it. The check runs beside live writers. Raises
    :class:`AuditTampered` with ``position`` = ``<writer>:<index>`` of the first wrong place, and
    :class:`AuditUnavailable` when the log cannot be read or does not exist (with an anchor, a missing log is
    tampering).
    """
    root = directory / log_id
    while True:
        before = _exchanges(root / NAME)
        try:
            return _verify(root, log_id, public_key, anchor)
        except AuditTampered:
            # A live writer signs on with a key that was handed to while this looked: then it looks again.
            if _exchanges(root / NAME) == before:
                raise


def _verify(root: Path, log_id: str, public_key: bytes, anchor: Head | None) -> AuditReport:
    try:
        if not root.is_dir():
            if anchor is not None and anchor.size > 0:
                _tampered(NAME, 0, "The audit log is gone.")
            raise AuditUnavailable("There is no audit log here.")
        with _shared_lock(root / NAME / LOCK):
            chain = Keychain(log_id, public_key)
            known, head = _check_log_of_writers(root / NAME, log_id, chain, anchor)
            names = _writer_names(root)
            states: dict[str, State] = {name: _state(root / name, known.get(name)) for name in names}
        for name, writer in known.items():
            if name not in states:
                _tampered(name, 0, f"Writer {name} is gone; {writer.size} or more records went with it.")
        return AuditReport(
            tuple(_check_writer(root / name, name, log_id, chain, known, states[name]) for name in names), head, chain
        )
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error


def _check_writer(
    path: Path, name: str, log_id: str, chain: Keychain, known: dict[str, _Known], state: State
) -> WriterReport:
    # Notes are read before lines: a live writer adds lines first, so what is read here is never ahead of them.
    _foreign_files(path, name, _OWN_FILES)
    signed = _check_notes(path, name, lambda note: chain.open_writers_head(note, origin_of(log_id, name), name))
    expected = known[name] if name in known else _Known({})
    for size, root in expected.roots.items():
        if signed.get(size, root) != root:
            _tampered(name, size, f"Two signed heads of writer {name} disagree.")
    ended = state in ("closed", "recovered")
    scanner = Scanner(path, writer=name, log_id=log_id, roots={**signed, **expected.roots})
    scanned = scanner.run(may_be_torn=not ended)
    if ended and scanned.size != expected.size:
        _tampered(name, expected.size, f"Records were added to writer {name} after it ended.")
    if state == "unused" and (scanned.size or scanned.torn):
        _tampered(name, 0, f"Writer {name} has records and was never opened.")
    checkpointed = max([*signed, *expected.roots, 0])
    return WriterReport(name, state, scanned.size, min(checkpointed, scanned.size), scanned.torn)


def _check_notes(path: Path, name: str, open_head: Callable[[bytes], Checkpoint]) -> dict[int, bytes]:
    """Signed roots by size. Notes only grow, and ``checkpoint`` is the newest or (a crash) the one before."""
    notes, torn = files.read_notes(path)
    signed: dict[int, bytes] = {0: EMPTY_ROOT}
    newest = 0
    for note in notes:
        try:
            head = open_head(note)
        except AuditTampered as error:
            raise AuditTampered(f"{error.message} It belongs to {name}.", position=f"{name}:{newest}") from error
        if head.size < newest or signed.setdefault(head.size, head.root) != head.root:
            _tampered(name, head.size, f"The checkpoints of {name} are not in order.")
        newest = head.size
    current = files.read_checkpoint(path)
    # A live writer may have issued one between the two reads, and a crash may have come between log and rename.
    known = current in notes[-2:] or current in files.read_notes(path)[0][-2:]
    if not known and (current or len(notes) > 1):
        _tampered(name, newest, f"The checkpoint of {name} is not the newest one issued.")
    if len(torn) > _MAX_TORN_NOTE:
        _tampered(name, newest, f"The checkpoints of {name} hold something that is not a checkpoint.")
    return signed


def _check_log_of_writers(
    path: Path, log_id: str, chain: Keychain, anchor: Head | None
) -> tuple[dict[str, _Known], Head]:
    if not path.is_dir():
        _tampered(NAME, 0, "The log of writers is gone.")
    _foreign_files(path, NAME, _OWN_FILES | {LOCK})
    # Whoever signed an exchange decides who signs after it, so all are read before the first head is checked.
    ahead = chain.copy()
    for raw in files.read_lines(path, files.segment_numbers(path)):
        succession = succession_in(raw)
        if succession is not None:
            ahead.extend(succession)
    ahead.require_pinned()
    origin = origin_of(log_id, NAME)
    signed = _check_notes(path, NAME, lambda note: ahead.open_head(note, origin))
    newest = max(signed)
    if anchor is not None:
        if newest < anchor.size:
            _tampered(NAME, newest, "The log of writers is shorter than the head kept outside it.")
        if signed.setdefault(anchor.size, decode_root(anchor.root)) != decode_root(anchor.root):
            _tampered(NAME, anchor.size, "The log of writers differs from the head kept outside it.")
    known: dict[str, _Known] = {}
    frontier = Frontier()
    lines = files.read_lines(path, files.segment_numbers(path))
    for raw in lines:
        index = frontier.size
        if index == newest:
            # One line without its checkpoint is a crash between the two; it was never issued.
            if next(lines, None) is not None:
                _tampered(NAME, index, "The log of writers has lines that were never signed.")
            break
        before = frontier.root()
        frontier.append(leaf_hash(raw[:-1]))
        if not raw.endswith(b"\n") or signed.get(index + 1, frontier.root()) != frontier.root():
            _tampered(NAME, index, f"Line {index} of the log of writers was edited.")
        succession = succession_in(raw)
        if succession is None:
            _take(raw, index, known)
        elif (succession.size, succession.root) == (index, before):
            chain.extend(succession, {name: writer.size for name, writer in known.items()})
        else:
            _tampered(NAME, index, f"Line {index} of the log of writers hands over keys elsewhere.")
    if frontier.size < newest:
        _tampered(NAME, frontier.size, "The log of writers is shorter than a signed checkpoint.")
    return known, Head(newest, base64.b64encode(frontier.root()).decode(), files.read_checkpoint(path))


def _take(raw: bytes, index: int, known: dict[str, _Known]) -> None:
    """Fold one signed line into what is known, refusing a story that no writer tells."""
    entry = standing_of(raw)
    if entry is None:
        _tampered(NAME, index, f"Line {index} of the log of writers is not one of its lines.")
    name, standing = entry
    writer = known.get(name)
    if (writer is None) != (standing.event == "opened"):
        _tampered(NAME, index, f"Line {index} of the log of writers does not follow the lines before it.")
    if writer is None:
        writer = known[name] = _Known({})
    root = decode_root(standing.root)
    if writer.ended or standing.size < writer.size or writer.roots.setdefault(standing.size, root) != root:
        _tampered(NAME, index, f"Line {index} of the log of writers does not follow the lines before it.")
    writer.size = standing.size
    if standing.event == "closed":
        writer.ended = "closed"
    elif standing.event == "recovered":
        writer.ended = "recovered"


def _exchanges(path: Path) -> int:
    with contextlib.suppress(OSError):
        lines = files.read_lines(path, files.segment_numbers(path))
        return sum(MARK in raw for raw in lines)
    return 0


def _state(path: Path, known: _Known | None) -> State:
    if known is None:
        return "unused"
    if known.ended:
        return known.ended
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return "live"
    finally:
        os.close(descriptor)
    return "crashed"


def _writer_names(root: Path) -> list[str]:
    names: list[str] = []
    with os.scandir(root) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name == NAME:
            continue
        if WRITER.match(entry.name) is None or not entry.is_dir(follow_symlinks=False):
            _tampered("foreign", 0, "Something that is not a writer lies in the audit log.")
        names.append(entry.name)
    return names


def _foreign_files(path: Path, name: str, own: frozenset[str]) -> None:
    with os.scandir(path) as found:
        entries = list(found)
    for entry in entries:
        regular = entry.is_file(follow_symlinks=False)
        if not regular or (entry.name not in own and files.SEGMENT.match(entry.name) is None):
            _tampered(name, 0, f"A foreign file lies among those of {name}.")


@contextlib.contextmanager
def _shared_lock(path: Path) -> Generator[None]:
    """Keep appenders of the log of writers out for a moment. A copy without the lock file has none to keep out."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield
        return
    try:
        take_lock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _tampered(name: str, index: int, message: str) -> NoReturn:
    raise AuditTampered(message, position=f"{name}:{index}")
