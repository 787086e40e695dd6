"""Where and when a job is killed, over and over: at every step on either side, and at random moments."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from tests.support.crash_home import Death, Trap


class Desk(Protocol):
    """A home on which one job after another is begun and killed."""

    def die(
        self, trap: Trap | None = None, *, kill_after: tuple[int, float] | None = None, armed: str = "working"
    ) -> Death: ...

    def judge(self) -> bool:
        """Hold what is there against the promises, and make ready for the next. Whether the job had been accepted."""
        ...


def traps(calls: Mapping[str, int]) -> list[Trap]:
    """Before and after each of the calls of each step."""
    return [
        (point, side, nth)
        for point, times in calls.items()
        for side in ("before", "after")
        for nth in range(1, times + 1)
    ]


def kill_at_chosen_points(desk: Desk, chosen: Sequence[Trap]) -> None:
    accepted: set[bool] = set()
    for trap in chosen:
        death = desk.die(trap)
        assert death.killed, (trap, death)
        accepted.add(desk.judge())
    assert accepted == {True, False}


def kill_at_random_moments(desk: Desk, chance: random.Random, times: int) -> None:
    for _ in range(times):
        death = desk.die(kill_after=(1, chance.uniform(0.0, 0.3)))
        assert death.killed or death.journal == ["begin", "done done"], death
        desk.judge()
