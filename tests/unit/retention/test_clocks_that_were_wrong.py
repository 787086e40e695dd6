"""A clock that was wrong for a while must not destroy what it hid: nothing is removed by a time that has passed away
again, nothing is dated with it, and a minimum is not over because of it."""

from __future__ import annotations

import pytest

from securevec.clock import Clock
from securevec.errors import HomeRefused, PlanChanged, RetentionMinimum
from tests.support.hourglass import RETENTION_DAYS, START, Hourglass

YEARS = 3650


def wrong_for_a_moment(glass: Hourglass) -> None:
    glass.pass_days(YEARS)
    assert glass.tickets.count() == 0, "what is due stays hidden"
    glass.time[0] = START + 1000
    assert glass.tickets.count() == 0, "and does not come back in this process"


def test_no_plan_is_made_or_applied_by_a_time_that_the_clock_went_back_on(quick: Hourglass) -> None:
    quick.fill(1, 2, 3)
    quick.pass_days(YEARS)
    early = quick.store.retention_plan()
    assert early.records == 3
    wrong_for_a_moment(quick)
    for refused in (quick.store.retention_plan, lambda: quick.store.apply_retention(early.digest)):
        with pytest.raises(HomeRefused, match="gone back by more than a day"):
            refused()
    with pytest.raises(HomeRefused):
        quick.fill(4)  # it would be kept ten years too long
    assert (quick.named(), quick.stored(), len(quick.keys())) == (3, 3, 1)


def test_a_plan_of_a_moment_that_has_not_come_removes_nothing_in_a_process_whose_clock_is_right(
    quick: Hourglass,
) -> None:
    quick.fill(1, 2, 3)
    quick.pass_days(YEARS)
    early = quick.store.retention_plan()
    assert early.records == 3
    quick.store.runtime.clock = Clock(lambda: quick.time[0])  # that of a process which saw nothing of it
    quick.time[0] = START + 1000
    with pytest.raises(PlanChanged, match="has not come yet"):
        quick.store.apply_retention(early.digest)
    assert quick.tickets.count() == 3
    quick.pass_days(RETENTION_DAYS + 30)
    quick.apply()
    assert quick.named() == 0


def test_a_minimum_is_not_over_because_the_clock_was_wrong_for_a_moment(quick: Hourglass) -> None:
    quick.fill(1, 2, 3)
    quick.store.set_retention(tenant="acme", min_age="100d")
    wrong_for_a_moment(quick)
    for removed in (
        lambda: quick.tickets.delete(["T-1"]),
        lambda: quick.store.delete_tenant("acme"),
        lambda: quick.acme_operated.erase_subject("customer1@example.com"),
    ):
        with pytest.raises(RetentionMinimum):
            removed()
    assert (quick.named(), quick.stored()) == (3, 3)
