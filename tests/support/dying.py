"""A process that dies by ``kill -9`` right before or right after one call of one function."""

from __future__ import annotations

import os
import signal
from typing import Any


def die_at(owner: Any, name: str, side: str, nth: int) -> None:
    """From now on the ``nth`` call of ``owner.name`` is this process's last, on the named side of it."""
    honest = getattr(owner, name)
    calls = 0

    def dying(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = honest(*given, **named)
        if calls == nth and side == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dying)
