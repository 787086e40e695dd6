"""A tenant on its way to another place: what the transaction of each step asks again, whoever takes it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from securevec.control.jobs import TENANT_PROMOTE
from securevec.control.rows import JobRow
from securevec.errors import ControlUnavailable, TenantUnavailable, UsageError
from tests.unit.control.desk import COLLECTION, JANE, NOW, OTHER, TENANT, Desk, collection_row, erase


def move(desk: Desk, to: str = "collection", *, job_id: str = "move") -> JobRow:
    return desk.store.begin_move(
        tenant=TENANT,
        tag="tag",
        job_id=job_id,
        request_id="request",
        fence=1,
        home="shared",
        to=to,  # type: ignore[arg-type]  # a layout
        data=json.dumps({"to": to}),
        now_ms=NOW,
    )


def double(desk: Desk, job: JobRow, *, source: str = "shared", owner: str = "") -> JobRow | None:
    return desk.store.double_placement(
        job,
        tag="tag",
        source=source,  # type: ignore[arg-type]  # a layout
        to="collection",
        prepared=[COLLECTION],
        now_ms=NOW,
        owner=owner,
    )


def test_a_tenant_moves_to_one_place_at_a_time(desk: Desk) -> None:
    with pytest.raises(UsageError, match="lives there already"):
        move(desk, "shared")
    assert move(desk).job_id == move(desk, job_id="again").job_id == "move"
    with pytest.raises(UsageError, match="moved elsewhere"):
        move(desk, "shard", job_id="elsewhere")
    assert len(desk.jobs()) == 1


def test_a_suspended_tenant_moves_no_further(desk: Desk) -> None:
    job = move(desk)
    doubled = double(desk, job)
    assert doubled is not None
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    steps: list[Callable[[], object]] = [
        lambda: move(desk, job_id="again"),
        lambda: double(desk, job),
        lambda: desk.store.switch_placement(doubled, to="collection", now_ms=NOW, owner=""),
    ]
    for step in steps:
        with pytest.raises(TenantUnavailable):
            step()
    placement = desk.store.placement("tag")
    assert placement is not None
    assert (placement.layout, placement.moving_to) == ("shared", "collection")


def test_nothing_is_written_in_two_places_before_every_collection_has_both(desk: Desk) -> None:
    job = move(desk)
    desk.store.create_collection(collection_row(OTHER, name=b"another name...."))
    assert double(desk, job) is None
    assert desk.store.placement("tag") is None


def test_a_move_goes_on_from_where_the_tenant_is_and_by_whoever_has_its_lease(desk: Desk) -> None:
    job = move(desk)
    with pytest.raises(ControlUnavailable, match="Another worker"):
        double(desk, job, owner="w-other")
    assert desk.store.placement("tag") is None, "rolled back with it"
    with pytest.raises(ControlUnavailable, match="not on its way"):
        desk.store.switch_placement(job, to="collection", now_ms=NOW, owner="")
    doubled = double(desk, job)
    assert doubled is not None
    with pytest.raises(ControlUnavailable, match="lives elsewhere"):
        double(desk, doubled, source="shard")
    with pytest.raises(ControlUnavailable, match="Another worker"):
        desk.store.switch_placement(job, to="collection", now_ms=NOW, owner="")  # as it was before
    assert desk.store.switch_placement(doubled, to="collection", now_ms=NOW, owner="").state == "switched"


def test_only_a_move_that_has_not_switched_is_taken_back_and_ends_once(desk: Desk) -> None:
    erase(desk, JANE)
    with pytest.raises(UsageError, match="cannot be taken back"):
        desk.store.abandon_placement("erasure", now_ms=NOW)
    job = move(desk)
    assert job.kind == TENANT_PROMOTE
    with pytest.raises(ControlUnavailable, match="Another worker"):
        desk.store.finish_abandoned(job, now_ms=NOW)
    doubled = double(desk, job)
    assert doubled is not None
    abandoned = desk.store.abandon_placement("move", now_ms=NOW)
    placement = desk.store.placement("tag")
    assert placement is not None
    assert placement.moving_to is None
    assert desk.store.finish_abandoned(abandoned, now_ms=NOW).state == "cancelled"
    with pytest.raises(ControlUnavailable, match="Another worker"):
        desk.store.finish_abandoned(abandoned, now_ms=NOW)
    again = move(desk, job_id="again")
    assert double(desk, again) is not None
    switched = desk.store.switch_placement(desk.store.job("again") or again, to="collection", now_ms=NOW, owner="")
    assert switched.state == "switched"
    with pytest.raises(UsageError, match="cannot be taken back"):
        desk.store.abandon_placement("again", now_ms=NOW)
