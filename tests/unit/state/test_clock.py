"""Time that never goes back, and what happens when a clock was wrong."""

from __future__ import annotations

import pytest

from securevec.clock import MAX_AHEAD_MS, Clock
from securevec.errors import HomeRefused

NOW = 1_800_000_000_000
YEAR_2100 = 4_102_444_800_000


class Wall:
    def __init__(self, ms: int) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms


def test_a_clock_set_back_within_a_day_stands_still() -> None:
    wall = Wall(NOW - MAX_AHEAD_MS)
    clock = Clock(wall)
    clock.raise_floor(NOW)
    assert clock.now_ms() == NOW
    wall.ms = NOW + 5
    assert clock.now_ms() == NOW + 5


def test_a_floor_far_ahead_is_refused_instead_of_freezing_time() -> None:
    clock = Clock(Wall(NOW))
    for floor in (YEAR_2100, NOW + MAX_AHEAD_MS + 1):
        with pytest.raises(HomeRefused) as refused:
            clock.raise_floor(floor)
        assert "clock" in (refused.value.next_step or "")
    assert clock.now_ms() == NOW


def test_a_long_pause_is_believed_and_kept_whole() -> None:
    clock = Clock(Wall(YEAR_2100))
    clock.raise_floor(NOW)
    assert clock.now_ms() == clock.floor_ms() == YEAR_2100


def test_a_moment_far_ahead_is_not_kept_for_the_next_start() -> None:
    wall = Wall(NOW)
    clock = Clock(wall)
    wall.ms = YEAR_2100
    assert clock.now_ms() == YEAR_2100
    wall.ms = NOW + 10
    assert clock.now_ms() == YEAR_2100, "within a process nothing comes back"
    assert clock.floor_ms() == NOW + 10


def test_a_small_step_back_is_kept_out_of_the_floor() -> None:
    wall = Wall(NOW)
    clock = Clock(wall)
    clock.now_ms()
    wall.ms = NOW - MAX_AHEAD_MS
    assert clock.floor_ms() == NOW
