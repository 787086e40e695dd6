"""The live end of the log: ``record`` returns when the event is on disk, and many callers share one disk flush.

When the disk fails, the callers of that flush get :class:`AuditUnavailable`, what was half written is cut back, and
the next call tries again. Nothing is acknowledged that is not on disk.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from securevec.audit import files
from securevec.audit.abandoned import Abandoned, abandoned_intents
from securevec.audit.checkpoint import Head, Signer, Signers, sign_note
from securevec.audit.directory import WriterDirectory, recover_crashed
from securevec.audit.event import Event
from securevec.audit.group import GroupCommit, Ticket
from securevec.audit.keeping import Announce, Keeper
from securevec.audit.ocsf import encode, to_ocsf
from securevec.audit.scan import LINK
from securevec.audit.succession import Succession
from securevec.audit.tree import Frontier, leaf_hash
from securevec.audit.vocabulary import SEALING
from securevec.audit.writers import Happening, OnHead, WriterLog, origin_of
from securevec.clock import Clock
from securevec.errors import AuditUnavailable

CHECKPOINT_EVENTS: Final = 10_000
CHECKPOINT_AGE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class AuditRef:
    """Where a record stands: its writer and its index there, from 0. For ``wait=False`` the index holds unless a
    write before it fails."""

    writer: str
    index: int


class AuditWriter:
    """Appends events to a writer directory of its own. Thread-safe; after a fork the child gets its own directory.

    Make one with :meth:`open`. ``on_head`` runs under the lock of the log of writers, so :meth:`record` must not be
    called from inside a transaction that ``on_head`` needs to write.
    """

    def __init__(self, log_directory: Path, *, log_id: str, clock: Clock, writers: WriterLog) -> None:
        self._log_directory = log_directory
        self._log_id = log_id
        self._clock = clock
        self._writers = writers
        self._version = version("securevec")
        self._closed = False
        # Taken in a forked child only, which has none of the parent's threads.
        self._fork_guard = threading.Lock()
        self._start()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        log_id: str,
        signing_key: Signers,
        clock: Clock,
        on_head: OnHead | None = None,
        anchor: Head | None = None,
        kept: Keeper | None = None,
        announce: Announce | None = None,
    ) -> AuditWriter:
        """A writer under ``directory`` (``home/audit``), after recording the recovery of crashed ones.

        ``on_head(size, base64 root, note)`` is called whenever the head of the log of writers advances; ``anchor``
        is the head it was last given, and ``kept`` tells it at any time: one that is missing there is given again.
        ``announce`` is told before each line of that log how long it will be; with ``kept``, both are to be given.
        Raises :class:`AuditUnavailable` when the log cannot be written, :class:`AuditTampered` when the log of writers
        is behind or beside the anchor (going on would replace the evidence), and :class:`HomeRefused` when it is longer
        than was announced, as after an older copy of what keeps its head was put back.
        """
        log_directory = directory / log_id
        try:
            files.make_directory(log_directory)
        except OSError as error:
            raise AuditUnavailable("The audit log cannot be written.") from error
        writers = WriterLog(
            log_directory,
            log_id=log_id,
            signers=signing_key,
            clock=clock,
            on_head=on_head,
            anchor=anchor,
            kept=kept,
            announce=announce,
        )
        return cls(log_directory, log_id=log_id, clock=clock, writers=writers)

    @property
    def writer(self) -> str:
        """Id of this process's writer directory."""
        self._follow_fork()
        return self._files.name

    def abandoned(self) -> list[Abandoned]:
        """Intents of crashed writers that nobody answered: for this process to answer, before it does anything else.

        Raises :class:`AuditUnavailable`.
        """
        return abandoned_intents(self._log_directory, self.writer, self._writers.recovered_by)

    def record(self, event: Event, *, wait: bool = True) -> AuditRef:
        """Log ``event``; with ``wait`` (the rule) return when it is on disk.

        Without ``wait`` the event is queued and flushed with the next one, at the latest by the first call made
        :data:`~securevec.audit.group.FLUSH_AGE_MS` later, or by :meth:`checkpoint` or :meth:`close`; a crash before
        that loses it. Destructive and administrative events (:data:`~securevec.audit.vocabulary.SEALING`) always
        wait, and their results return under a new signed checkpoint. Raises :class:`AuditUnavailable`: the operation
        must then not go on. The record may still stand in the log when only its checkpoint failed: one record too
        many, never an answer without one.
        """
        ticket = Ticket(event, self._clock.now_ms(), waits=wait or event.action in SEALING)
        self._submit(ticket)
        return AuditRef(self._files.name, ticket.index)

    def checkpoint(self) -> None:
        """Flush what is queued and sign the head. Raises :class:`AuditUnavailable`."""
        self._submit(Ticket(None, self._clock.now_ms(), waits=True))

    def exchange_key(self, new: Signer, *, compromised: bool) -> Succession:
        """Hand the log over to another signing key, unless it is in force already; every process signs with it from
        here on. Crashed writers are recorded before, under the old key. Raises :class:`AuditUnavailable`."""
        self._follow_fork()
        try:
            with self._writers.locked():
                done = self._writers.chain.successions
                if done and done[-1].new == new.public:
                    return done[-1]
                recover_crashed(self._log_directory, self._log_id, self._writers)
                return self._writers.exchange(new, compromised=compromised)
        except OSError as error:
            raise AuditUnavailable("The audit log cannot be written.") from error

    def close(self) -> None:
        """Flush, sign, and record ``closed``. Raises :class:`AuditUnavailable`; the writer is closed all the same,
        and the next one records it as recovered. Closing twice is allowed."""
        if os.getpid() != self._pid:
            # Forked and never used here: the parent's writer is not this process's to close.
            self._closed = True
            self._files.close()
            return
        if self._closed:
            return
        self._closed = True
        try:
            self._group.submit(Ticket(None, self._clock.now_ms(), waits=True, closing=True))
        finally:
            self._files.close()

    def _start(self) -> None:
        """Begin a writer directory: at open, and in a forked child."""
        self._group = GroupCommit(self._commit, lambda: self._frontier.size)
        self._frontier = Frontier()
        self._link = ""
        self._sealed_size = 0
        now = self._clock.now_ms()
        self._sealed_ms = now
        try:
            with self._writers.locked():
                recover_crashed(self._log_directory, self._log_id, self._writers)
                begun = WriterDirectory(self._log_directory, now)
                try:
                    self._writers.append("opened", begun.name, 0, self._frontier.root())
                except BaseException:
                    begun.close()
                    raise
                self._files = begun
        except OSError as error:
            raise AuditUnavailable("The audit log cannot be written.") from error
        self._pid = os.getpid()

    def _follow_fork(self) -> None:
        if os.getpid() == self._pid or self._closed:
            return
        # The parent's queue and its lock stay behind: a thread that is not here may have held it at the fork.
        with self._fork_guard:
            if os.getpid() != self._pid:
                self._files.close()
                self._start()

    def _submit(self, ticket: Ticket) -> None:
        if self._closed:
            raise AuditUnavailable("The audit log of this process is closed.", next_step="Open the store again.")
        self._follow_fork()
        self._group.submit(ticket)

    def _commit(self, batch: list[Ticket]) -> None:
        """Write one batch: rotate if due, encode in order, one write, one flush, a checkpoint if due."""
        now = self._clock.now_ms()
        if self._files.rotation_due(now) and any(ticket.event is not None for ticket in batch):
            self._seal("head")
            self._files.rotate(now)
        self._write(batch)
        if any(ticket.closing for ticket in batch):
            self._seal("closed")
        elif any(ticket.sealing for ticket in batch) or self._checkpoint_due(now):
            self._seal("head")

    def _write(self, batch: list[Ticket]) -> None:
        frontier, link = self._frontier.copy(), self._link
        log_name = f"audit/{self._log_id}/{self._files.name}"
        lines: list[bytes] = []
        for ticket in batch:
            if ticket.event is None:
                continue
            ticket.index = frontier.size
            line = encode(
                to_ocsf(
                    ticket.event,
                    sequence=frontier.size,
                    time_ms=ticket.time_ms,
                    log_name=log_name,
                    version=self._version,
                    prev=link,
                )
            )
            leaf = leaf_hash(line)
            frontier.append(leaf)
            link = leaf.hex()[:LINK]
            lines.append(line)
        if not lines:
            return
        lines.append(b"")
        self._files.cut_unaccepted()
        self._files.append(b"\n".join(lines))
        self._files.accept()
        self._frontier, self._link = frontier, link
        for ticket in batch:
            ticket.written = True

    def _checkpoint_due(self, now_ms: int) -> bool:
        unsealed = self._frontier.size - self._sealed_size
        return unsealed >= CHECKPOINT_EVENTS or (unsealed > 0 and now_ms - self._sealed_ms >= CHECKPOINT_AGE_MS)

    def _seal(self, happening: Happening) -> None:
        """Sign the head, first in the log of writers, then in the writer's directory.

        In this order a key that is given up in between has signed nothing that the log of writers did not know before.
        """
        size, root = self._frontier.size, self._frontier.root()
        if size == self._sealed_size and happening == "head":
            return
        with self._writers.locked():
            self._writers.append(happening, self._files.name, size, root)
            signer = self._writers.signer
        if size:
            self._files.publish(sign_note(origin_of(self._log_id, self._files.name), size, root, signer))
        self._sealed_size, self._sealed_ms = size, self._clock.now_ms()

    def __enter__(self) -> AuditWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "AuditWriter(<closed>)" if self._closed else "AuditWriter(<open>)"
