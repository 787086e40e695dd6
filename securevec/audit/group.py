"""Group commit by leader and followers: many callers, one disk flush, no thread of its own.

The first caller leads: it takes everything queued so far, commits it, and wakes the others. Before it wakes them it
hands the lead to one that queued meanwhile, so the next flush starts at once and each caller wakes exactly once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from securevec.audit.event import Event
from securevec.audit.vocabulary import SEALING
from securevec.errors import AuditUnavailable, SecurevecError

FLUSH_AGE_MS: Final = 1_000
"""An event nobody waits for is flushed at the latest by the first call made this long after it."""

MAX_UNFLUSHED: Final = 256
"""So many events nobody waits for are flushed at once."""


class Ticket:
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
        self.gone = False
        self.gate = threading.Lock()
        self.gate.acquire()


class GroupCommit:
    """The queue. ``commit`` writes a batch, sets ``written`` on what is on disk, and raises when something failed;
    only one thread is ever in it. ``size`` is the number of events on disk."""

    def __init__(self, commit: Callable[[list[Ticket]], None], size: Callable[[], int]) -> None:
        self.lock = threading.Lock()
        self._commit = commit
        self._size = size
        self._queue: deque[Ticket] = deque()
        self._leader: Ticket | None = None
        self._in_hand: list[Ticket] = []
        self._next_index = 0
        self._closed = False

    def submit(self, ticket: Ticket) -> None:
        """Return when the ticket's event is committed, or, if it does not wait, when it is queued.

        Raises :class:`AuditUnavailable` when its commit failed or the queue is closed.
        """
        try:
            with self.lock:
                if self._closed:
                    raise AuditUnavailable(
                        "The audit log of this process is closed.", next_step="Open the store again."
                    )
                self._closed = ticket.closing
                self._number(ticket)
                self._queue.append(ticket)
                if not ticket.waits and self._may_stay_queued(ticket):
                    return
                ticket.waits = True
                leads = self._leader is None
                if leads:
                    self._leader = ticket
            if leads or self._await(ticket):
                self._lead(ticket)
        finally:
            # Nothing is left to settle, but where a signal came between two lines of whoever led: then nobody would
            # lead again, and the next caller wait for ever, be it the one that closes.
            self._settle(ticket, _broken_off())
        if ticket.error is not None:
            raise AuditUnavailable(
                "The audit record could not be written, so the operation ended there.",
                next_step="Check the space and permissions of the audit directory; the next call tries again.",
            ) from ticket.error

    def _number(self, ticket: Ticket) -> None:
        if ticket.event is not None:
            ticket.index = self._next_index
            self._next_index += 1

    def _may_stay_queued(self, ticket: Ticket) -> bool:
        return len(self._queue) < MAX_UNFLUSHED and ticket.time_ms - self._queue[0].time_ms < FLUSH_AGE_MS

    def _await(self, ticket: Ticket) -> bool:
        """Sleep until a leader committed this ticket (False) or made it the next leader (True)."""
        try:
            ticket.gate.acquire()
        except BaseException:
            with self.lock:
                ticket.gone = True
            raise
        with self.lock:
            return self._leader is ticket

    def _lead(self, leader: Ticket) -> None:
        with self.lock:
            batch = self._in_hand = list(self._queue)
            self._queue.clear()
        failure: BaseException | None = _broken_off()
        try:
            self._commit(batch)
            failure = None
        except (OSError, SecurevecError) as error:
            failure = error
        except BaseException as error:
            failure = error
            raise
        finally:
            self._settle(leader, failure)

    def _settle(self, leader: Ticket, failure: BaseException | None) -> None:
        """Tell those who wait for the leader's batch what became of it, and give the lead to the first caller that
        waits in the queue, or to nobody. Does nothing unless it is the leader's."""
        with self.lock:
            if self._leader is not leader:
                return
            batch = self._in_hand
            if failure is not None and batch:
                self._give_back(batch, failure)
            # Who led and was taken away before its batch was taken stands in the queue, and leads no more.
            waiting = (each for each in self._queue if each.waits and not each.gone and each is not leader)
            following = next(waiting, None)
            for ticket in (*batch, following):
                # A caller that a signal took away may have left its gate open.
                if ticket is not None and ticket.gate.locked():
                    ticket.gate.release()
            self._in_hand, self._leader = [], following

    def _give_back(self, batch: list[Ticket], failure: BaseException) -> None:
        """Tell the waiting callers; keep queued what nobody waits for and is not on disk yet."""
        for ticket in batch:
            if ticket.waits:
                ticket.error = failure
        # Fresh tickets for the same events: the gates of the old ones open with their batch.
        kept = [Ticket(old.event, old.time_ms, waits=False) for old in batch if not old.waits and not old.written]
        self._queue.extendleft(reversed(kept))
        self._next_index = self._size()
        for ticket in self._queue:
            self._number(ticket)


def _broken_off() -> AuditUnavailable:
    return AuditUnavailable("The writing of the audit log was broken off.")
