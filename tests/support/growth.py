"""How the work of something grows with its input, on a machine that others use too."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

TURNS = 8


def require_growth(work: Callable[[int], object], small: int, large: int, *, most: float, quiet: float) -> None:
    """``work(large)`` takes at most ``most`` times as long as ``work(small)``; below ``quiet`` seconds nothing is said.

    The least of several measurements is the work itself: what else goes on only ever adds to one. So both are measured
    in turns, on this thread's processor time and without garbage collections, and measuring ends when the promise is
    seen to hold. Work that grows faster never shows it: each turn brings the larger measurement nearer to what it
    takes, and that is too much.
    """
    one = many = float("inf")
    collects = gc.isenabled()
    gc.disable()
    try:
        for turn in range(TURNS):
            one, many = min(one, _seconds(work, small)), min(many, _seconds(work, large))
            if turn and many < max(most * one, quiet):
                return
    finally:
        if collects:
            gc.enable()
    raise AssertionError(f"{large / small:g} times the input took {many / one:.1f} times as long: {many:.3f} s")


def _seconds(work: Callable[[int], object], size: int) -> float:
    begin = time.thread_time()
    work(size)
    return time.thread_time() - begin
