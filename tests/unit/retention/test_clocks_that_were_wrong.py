"""A clock that was wrong for a while must not destroy what it hid: nothing is removed by a time that has passed away
again, nothing is dated with it, and a minimum is not over because of it."""

from __future__ import annotations

from typing import NoReturn

import pytest

from securevec.clock import Clock
from securevec.errors import EngineLocked, HomeRefused, KeyUnavailable, PlanChanged, RetentionMinimum
from tests.support.hourglass import RETENTION_DAYS, START, Hourglass
from tests.support.letters import JANE, Letter, letter
from tests.support.world import Ticket, ticket

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
    assert quick.store.runtime.control.jobs() == [], "nothing was accepted, to hide what stays"


def test_an_update_is_not_dated_by_a_clock_that_went_back(quick: Hourglass) -> None:
    endless = quick.acme.collection(Ticket, name="endless")
    endless.ingest([ticket(1, "The lift is late.")])
    wrong_for_a_moment(quick)
    with pytest.raises(HomeRefused, match="gone back by more than a day"):
        endless.update("T-1", status="closed")
    assert endless.get("T-1").status == "open"


def test_a_job_that_waited_destroys_no_key_by_a_wrong_clock(quick: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    quick.fill(1)
    quick.pass_days(RETENTION_DAYS + 1)
    plan = quick.store.retention_plan()
    assert (plan.records, [each.key_buckets for each in plan.collections if each.tenant == quick.acme.id]) == (1, [()])
    monkeypatch.setattr(quick.store.runtime.engine, "backend", _held_elsewhere)
    (waits,) = quick.store.apply_retention(plan.digest)
    monkeypatch.undo()
    quick.pass_days(YEARS)
    assert quick.tickets.count() == 0
    quick.pass_days(-YEARS)
    (result,) = quick.store.run_jobs()
    assert (result.job_id, result.failed, result.waiting_for) == (waits.job_id, True, "HomeRefused")
    assert len(quick.keys()) == 1, "its bucket has not ended"


def test_no_key_of_a_person_is_destroyed_that_a_minimum_keeps_but_for_a_wrong_clock(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.acme.collection(Letter).ingest([letter(1, JANE)])
    keys = quick.store.runtime.keys
    with monkeypatch.context() as patch:
        patch.setattr(keys, "destroy_subjects", _key_store_away)
        with pytest.raises(KeyUnavailable):
            quick.acme_operated.erase_subject(JANE)
    quick.store.set_retention(tenant="acme", min_age="100d")
    wrong_for_a_moment(quick)
    (result,) = quick.store.run_jobs()
    assert (result.failed, result.waiting_for) == (True, "RetentionMinimum")
    assert len(keys.list_keys(tenant=quick.acme.id, kind="subject")) == 1


def _held_elsewhere() -> NoReturn:
    raise EngineLocked("Another process holds the engine of this home.")


def _key_store_away(*_: object, **__: object) -> NoReturn:
    raise KeyUnavailable("The key store does not answer.")
