"""Asking a running operation to end between two of its steps. Nothing is ended inside a step.

The flag travels with the context (PEP 567), so whoever starts an operation on another thread can stop that one alone.
It is looked at where the fence is: :meth:`securevec.guard.Admission.recheck`.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import Event
from typing import Final

from securevec.errors import Stopped

STOP: Final[ContextVar[Event | None]] = ContextVar("securevec_stop", default=None)
"""Set in the context an operation runs in; ``None`` where nobody can stop it."""


def check() -> None:
    """Raises :class:`Stopped` when the operation of this context was asked to end."""
    stop = STOP.get()
    if stop is not None and stop.is_set():
        raise Stopped(
            "The caller stopped the operation between two of its steps.",
            next_step="What was acknowledged before stays; ask again to go on.",
        )
