"""A process that dies by ``kill -9`` right before or right after one call of one method."""

from __future__ import annotations

import os
import signal
from typing import Any, Literal

Side = Literal["before", "after"]


def die_at(owner: type, method: str, nth: int, side: str) -> None:
    """From now on the ``nth`` call of ``owner.method`` is this process's last, on the named side of it."""
    honest = getattr(owner, method)
    calls: list[str] = []

    def dying(self: Any, *given: Any, **named: Any) -> Any:
        calls.append(method)
        if side == "before" and len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        found = honest(self, *given, **named)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(owner, method, dying)
