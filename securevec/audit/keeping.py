"""The head of the log of writers, as the control store keeps it outside the log.

Under the lock of the log each line is written, and then its head is kept. So what is kept is the log's own head, or,
when a process died between the two, the one before. Is the log behind, it was cut (``writers``). Is it further ahead,
the control store is an older one that was put back: it knows nothing of the holds, erasures and rules since.
"""

from __future__ import annotations

from collections.abc import Callable

from securevec.audit.checkpoint import Head
from securevec.errors import HomeRefused

Keeper = Callable[[], Head | None]
"""Reads the head that is kept now."""


def lags(kept: Head | None, size: int) -> bool:
    """Whether the head of a log of ``size`` lines is still to be kept. Raises :class:`HomeRefused` when more than that
    one is missing."""
    missing = size - (kept.size if kept is not None else 0)
    if missing > 1:
        raise HomeRefused(
            "The control store is older than the audit log: a copy of it was put back, which does not know what was "
            "held, erased or deleted since.",
            next_step="Put the newest one back, or restore a backup, which does again what came after it: securevec "
            "backup restore. To go on with this one all the same: securevec doctor --accept-control-store",
        )
    return missing == 1
