"""Where and when a job is killed, over and over: at every step on either side, and at random moments."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from tests.support.crash_home import Death, Home, Nursery, Trap

ROUNDS: Final = 20
"""Deaths that one home lives through. Its whole log is verified at each: a home for all of two hundred would
cost ten times as much, and show nothing that twenty do not."""


class Desk(ABC):
    """A home on which one job after another is begun and killed. ``work`` is what the child is told to do, ``name``
    the tenant it does it on, and ``days`` how far its clock is ahead."""

    work: ClassVar[str]
    name = ""
    days = 0

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

    def die(self, trap: Trap | None = None, *, kill_after: tuple[int, float] | None = None) -> Death:
        return self.nursery.run(
            self.home, self.work, tenant=self.name, trap=trap, kill_after=kill_after, ahead_days=self.days
        )

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


def kill_twice(desk: Desk, first: Trap, second: Trap, *, opened_for: str = "") -> None:
    """And again by the opening that goes on with it: that of a process that searches, of another tenant where the
    desk's own may be gone by then."""
    assert desk.die(first).killed
    again = desk.nursery.run(
        desk.home, "search", tenant=opened_for or desk.name, trap=second, armed="opening", ahead_days=desk.days
    )
    assert again.killed, again
    assert desk.judge()


def kill_at_random_moments(desk: Desk, chance: random.Random, times: int) -> None:
    for number in range(1, times + 1):
        death = desk.die(kill_after=(1, chance.uniform(0.0, 0.3)))
        assert death.killed or death.journal == ["begin", "done done"], death
        desk.judge()
        if number % ROUNDS == 0:
            desk.move()
