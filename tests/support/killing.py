"""Where and when a job is killed, over and over: at every step on either side, and at random moments."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

from tests.support.crash_home import Death, Home, Nursery, Trap

ROUNDS: Final = 20
"""Deaths that one home lives through. Its whole log is verified at each: a home for all of two hundred would
cost ten times as much, and show nothing that twenty do not."""


class Desk(ABC):
    """A home on which one job after another is begun and killed."""

    def __init__(self, home: Home, nursery: Nursery) -> None:
        self.home, self.nursery = home, nursery
        self.furnish()

    def move(self) -> None:
        """Go on in a new home."""
        self.home = self.home.successor()
        self.furnish()

    @abstractmethod
    def furnish(self) -> None:
        """Fill a new home, and make ready for the first job."""

    @abstractmethod
    def die(
        self, trap: Trap | None = None, *, kill_after: tuple[int, float] | None = None, armed: str = "working"
    ) -> Death: ...

    @abstractmethod
    def judge(self) -> bool:
        """Hold what is there against the promises, and make ready for the next. Whether the job had been accepted."""


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
    for number, trap in enumerate(chosen, start=1):
        death = desk.die(trap)
        assert death.killed, (trap, death)
        accepted.add(desk.judge())
        if number % ROUNDS == 0:
            desk.move()
    assert accepted == {True, False}


def kill_at_random_moments(desk: Desk, chance: random.Random, times: int) -> None:
    for number in range(1, times + 1):
        death = desk.die(kill_after=(1, chance.uniform(0.0, 0.3)))
        assert death.killed or death.journal == ["begin", "done done"], death
        desk.judge()
        if number % ROUNDS == 0:
            desk.move()
