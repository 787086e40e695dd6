"""The head of the log of writers, as the control store keeps it outside the log.

Three steps for each line, under the lock of the log: its number is announced in the control store, the line is written,
the new head is kept in the control store. So the log is exactly as long as the head says; or one line longer, the one
that was announced, when a process died between the last two steps. Anything else means that somebody put a file back:

- The log is shorter than the head: lines were cut off (``writers``).
- It is longer than was ever announced: the control store is an older copy, which does not know of the holds, erasures
  and rules since.
- The head was never announced: a part of an older control store was put back, such as its write-ahead log, which SQLite
  applies when it opens the file (docs/adr/0055).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from securevec.audit.checkpoint import Head
from securevec.errors import HomeRefused


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept outside the log: its newest head, and how long it may be."""

    head: Head | None
    announced: int


Keeper = Callable[[], Kept]
"""Reads what is kept now."""

Announce = Callable[[int], None]
"""Keeps how long the log is about to be."""


def lags(kept: Kept, size: int) -> bool:
    """Whether the head of a log of ``size`` lines is still to be kept. Raises :class:`HomeRefused` when its last line,
    or the head, was never announced."""
    known = kept.head.size if kept.head is not None else 0
    if max(size, known) > kept.announced:
        raise HomeRefused(
            "The control store is older than the audit log: a copy of it was put back, or its disk failed and did not "
            "keep the newest, and it does not know what was held, erased or deleted since.",
            next_step="Put the newest one back, or restore a backup, which does again what came after it: securevec "
            "backup restore. To go on with this one all the same: securevec doctor --accept-control-store",
        )
    return size > known
