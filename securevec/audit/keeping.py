"""The head of the log of writers, as the control store keeps it outside the log.

Under the lock of the log each line is announced there, then written, and then its head is kept. So the log is as long
as the head that is kept, or, when a process died between the last two, by the one line that was announced longer. Is it
shorter, it was cut (``writers``). Is it longer than was ever announced, the control store is an older one that was put
back: it knows nothing of the holds, erasures and rules since, be it of a single one. Was the head that is kept never
announced, a piece of an older one was put back: a write-ahead log of before beside the file, which SQLite plays back
(docs/adr/0055).
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
            "The control store is older than the audit log: a copy of it was put back, which does not know what was "
            "held, erased or deleted since.",
            next_step="Put the newest one back, or restore a backup, which does again what came after it: securevec "
            "backup restore. To go on with this one all the same: securevec doctor --accept-control-store",
        )
    return size > known
