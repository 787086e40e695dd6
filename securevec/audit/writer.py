"""The live end of the log: ``record`` returns when the event is on disk, and many callers share one disk flush.

Group commit without a thread of its own: the first caller leads, writes everything queued so far, flushes once, wakes
the others, and hands the lead to one that queued meanwhile. A caller alone pays one flush; 32 callers share it.

When the disk fails, the callers of that flush get :class:`AuditUnavailable`, what was half written is cut back, and
the next call tries again. Nothing is acknowledged that is not on disk.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from securevec.audit import files
from securevec.audit.checkpoint import Head, Signer, sign_note
from securevec.audit.directory import WriterDirectory, recover_crashed
from securevec.audit.event import Event
from securevec.audit.ocsf import encode, to_ocsf
from securevec.audit.scan import LINK
from securevec.audit.tree import Frontier, leaf_hash
from securevec.audit.vocabulary import SEALING
from securevec.audit.writers import Happening, OnHead, WriterLog, origin_of
from securevec.clock import Clock
from securevec.errors import AuditUnavailable, SecurevecError

CHECKPOINT_EVENTS: Final = 10_000
CHECKPOINT_AGE_MS: Final = 60_000
FLUSH_AGE_MS: Final = 1_000
"""An event recorded with ``wait=False`` is on disk at the latest with the first call made this long after it."""
MAX_UNFLUSHED: Final = 256


@dataclass(frozen=True, slots=True)
class AuditRef:
    """Where a record stands: its writer and its index there, from 0. For ``wait=False`` the index holds unless a
    write before it fails."""

    writer: str
    index: int


class _Ticket:
    """One caller's place in the queue. Without an event it only waits for what was queued before it."""

    __slots__ = ("closing", "error", "event", "gate", "gone", "index", "lead", "sealing", "time_ms", "waits", "written")

    def __init__(self, event: Event | None, time_ms: int, *, waits: bool, closing: bool = False) -> None:
        self.event = event
        self.time_ms = time_ms
        self.waits = waits
        self.closing = closing
        self.sealing = event is None or (event.action in SEALING and event.phase != "intent")
        self.index = 0
        self.written = False
        self.error: BaseException | None = None
        self.lead = False
        self.gone = False
        self.gate = threading.Lock()
        self.gate.acquire()


class AuditWriter:
    """Appends events to a writer directory of its own. Thread-safe; after a fork the child gets its own directory.

    Make one with :meth:`open`. ``on_head`` runs under the lock of the log of writers, so :meth:`record` must not be
    called from inside a transaction that ``on_head`` needs to write.
    """

    def __init__(
        self, log_directory: Path, *, log_id: str, signing_key: Signer, clock: Clock, writers: WriterLog
    ) -> None:
        self._log_directory = log_directory
        self._log_id = log_id
        self._signer = signing_key
        self._clock = clock
        self._writers = writers
        self._version = version("securevec")
        self._closed = False
        self._fork_guard = threading.Lock()
        self._start()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        log_id: str,
        signing_key: Signer,
        clock: Clock,
        on_head: OnHead | None = None,
        anchor: Head | None = None,
    ) -> AuditWriter:
        """A writer under ``directory`` (``home/audit``), after recording the recovery of crashed ones.

        ``on_head(size, base64 root, note)`` is called whenever the head of the log of writers advances; ``anchor``
        is the head it was last given. Raises :class:`AuditUnavailable` when the log cannot be written and
        :class:`AuditTampered` when the log of writers is behind or beside the anchor: going on would replace the
        evidence.
        """
        log_directory = directory / log_id
        try:
            files.make_directory(log_directory)
        except OSError as error:
            raise AuditUnavailable("The audit log cannot be written.") from error
        writers = WriterLog(
            log_directory, log_id=log_id, signer=signing_key, clock=clock, on_head=on_head, anchor=anchor
        )
        return cls(log_directory, log_id=log_id, signing_key=signing_key, clock=clock, writers=writers)

    @property
    def writer(self) -> str:
        """Id of this process's writer directory."""
        self._follow_fork()
        return self._files.name

    def record(self, event: Event, *, wait: bool = True) -> AuditRef:
        """Log ``event``; with ``wait`` (the rule) return when it is on disk.

        Without ``wait`` the event is queued and flushed with the next one, at the latest by the first call made
        :data:`FLUSH_AGE_MS` later, or by :meth:`checkpoint` or :meth:`close`; a crash before that loses it.
        Results of destructive and administrative events (:data:`~securevec.audit.vocabulary.SEALING`) wait, and
        return under a new signed checkpoint. Raises :class:`AuditUnavailable`: the event must then be treated as
        not logged, and the operation as not allowed.
        """
        ticket = _Ticket(event, self._clock.now_ms(), waits=wait or event.action in SEALING)
        self._submit(ticket)
        return AuditRef(self._files.name, ticket.index)

    def checkpoint(self) -> None:
        """Flush what is queued and sign the head. Raises :class:`AuditUnavailable`."""
        self._submit(_Ticket(None, self._clock.now_ms(), waits=True))

    def close(self) -> None:
        """Flush, sign, and record ``closed``. Raises :class:`AuditUnavailable`; the writer is closed all the same,
        and the next one records it as recovered. Closing twice is allowed."""
        if os.getpid() != self._pid:
            # Forked and never used here: the parent's writer is not this process's to close.
            self._closed = True
            self._files.close()
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            self._submit(_Ticket(None, self._clock.now_ms(), waits=True, closing=True))
        finally:
            self._files.close()

    def _start(self) -> None:
        """Begin a writer directory: at open, and in a forked child."""
        self._lock = threading.Lock()
        self._queue: deque[_Ticket] = deque()
        self._leading = False
        self._frontier = Frontier()
        self._link = ""
        self._next_index = 0
        self._sealed_size = 0
        now = self._clock.now_ms()
        self._sealed_ms = now
        try:
            with self._writers.locked():
                recover_crashed(self._log_directory, self._log_id, self._writers, self._signer)
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
        if os.getpid() == self._pid:
            return
        # Only a forked child comes here, once; its other locks may have been held by threads it does not have.
        with self._fork_guard:
            if os.getpid() != self._pid and not self._closed:
                self._files.close()
                self._start()

    def _submit(self, ticket: _Ticket) -> None:
        self._follow_fork()
        with self._lock:
            if self._closed and not ticket.closing:
                raise AuditUnavailable("The audit log of this process is closed.")
            if ticket.event is not None:
                ticket.index = self._next_index
                self._next_index += 1
            self._queue.append(ticket)
            if not ticket.waits and self._may_stay_queued(ticket):
                return
            ticket.waits = True
            lead = not self._leading
            self._leading = True
        if not lead:
            lead = self._await(ticket)
        if lead:
            self._lead()
        if ticket.error is not None:
            raise AuditUnavailable(
                "The audit record could not be written, so the operation was not carried out.",
                next_step="Check the space and permissions of the audit directory; the next call tries again.",
            ) from ticket.error

    def _may_stay_queued(self, ticket: _Ticket) -> bool:
        return len(self._queue) < MAX_UNFLUSHED and ticket.time_ms - self._queue[0].time_ms < FLUSH_AGE_MS

    def _await(self, ticket: _Ticket) -> bool:
        """Sleep until the leader wrote this ticket (False) or made it the next leader (True)."""
        try:
            ticket.gate.acquire()
        except BaseException:
            # A signal broke the wait. A lead handed over in this moment must not be lost with it.
            with self._lock:
                ticket.gone = True
                inherited = ticket.lead
            if inherited:
                self._hand_over()
            raise
        return ticket.lead

    def _lead(self) -> None:
        with self._lock:
            batch = list(self._queue)
            self._queue.clear()
        failure: BaseException | None = None
        try:
            self._commit(batch)
        except (OSError, SecurevecError) as error:
            failure = error
        except BaseException as error:
            failure = error
            raise
        finally:
            if failure is not None:
                self._give_back(batch, failure)
            self._hand_over()
            for ticket in batch:
                # A caller that a signal took away may have left its gate open.
                if ticket.gate.locked():
                    ticket.gate.release()

    def _give_back(self, batch: list[_Ticket], failure: BaseException) -> None:
        """Tell the waiting callers; keep queued what nobody waits for and is not on disk yet."""
        with self._lock:
            kept = [ticket for ticket in batch if not ticket.waits and not ticket.written]
            for ticket in batch:
                if ticket.waits:
                    ticket.error = failure
            self._queue.extendleft(reversed([self._again(ticket) for ticket in kept]))
            self._next_index = self._frontier.size
            for ticket in self._queue:
                if ticket.event is not None:
                    ticket.index = self._next_index
                    self._next_index += 1

    @staticmethod
    def _again(ticket: _Ticket) -> _Ticket:
        """A fresh ticket for the same event: the old one's gate opens with its batch."""
        return _Ticket(ticket.event, ticket.time_ms, waits=False)

    def _hand_over(self) -> None:
        """Give the lead to the first caller that waits in the queue, or to nobody."""
        with self._lock:
            for ticket in self._queue:
                if ticket.waits and not ticket.gone:
                    ticket.lead = True
                    ticket.gate.release()
                    return
            self._leading = False

    def _commit(self, batch: list[_Ticket]) -> None:
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

    def _write(self, batch: list[_Ticket]) -> None:
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
        """Sign the head, first in the writer's directory, then in the log of writers."""
        size, root = self._frontier.size, self._frontier.root()
        if size == self._sealed_size and happening == "head":
            return
        if size:
            self._files.publish(sign_note(origin_of(self._log_id, self._files.name), size, root, self._signer))
        with self._writers.locked():
            self._writers.append(happening, self._files.name, size, root)
        self._sealed_size, self._sealed_ms = size, self._clock.now_ms()

    def __enter__(self) -> AuditWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "AuditWriter(<closed>)" if self._closed else "AuditWriter(<open>)"
