"""When an erasure is accepted: behind everything that was committed before it, whichever clock dated that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from securevec.clock import MAX_AHEAD_MS
from securevec.errors import SubjectErased
from securevec.types import TenantId
from tests.unit.control.desk import COLLECTION, JANE, NOW, TENANT, Desk, erase, record, ref

AHEAD = 5_000
"""How far another process's clock may be ahead: the time that the home has seen is kept every ten seconds."""


def stored(desk: Desk, ingested_ms: int) -> None:
    request, _ = desk.begin(replace(record(1), mentions=(JANE,), ingested_ms=ingested_ms))
    desk.store.commit_batch(request_id=request, fence=1)
    desk.store.finish_batch(request_id=request)


def test_an_erasure_is_not_dated_before_a_record_that_it_lists(desk: Desk) -> None:
    stored(desk, NOW + AHEAD)
    assert erase(desk, JANE).created_ms == NOW + AHEAD
    assert desk.store.tombstones_among(TENANT, [JANE])[JANE][0] == NOW + AHEAD


def test_a_batch_that_is_under_way_is_on_one_side_of_an_erasure_whatever_its_clock_says(desk: Desk) -> None:
    """Its fence is over before the batch began, by the two clocks."""
    request, _ = desk.begin(replace(record(1), mentions=(JANE,)), now_ms=NOW + AHEAD)
    assert erase(desk, JANE).created_ms == NOW + AHEAD
    with pytest.raises(SubjectErased):
        desk.store.commit_batch(request_id=request, fence=1)


def test_a_batch_of_another_tenant_and_one_that_has_ended_date_nothing(desk: Desk) -> None:
    request, _ = desk.begin(record(1), now_ms=NOW + AHEAD)
    desk.store.abort_batch(request_id=request)
    desk.begin(record(2), now_ms=NOW + 2 * AHEAD)
    desk.sql("UPDATE batch SET tenant = ? WHERE state = 'open'", TenantId("b2" * 16))
    assert erase(desk, JANE).created_ms == NOW


def test_a_clock_that_was_wrong_by_more_than_a_day_fences_nobody_for_as_long(desk: Desk) -> None:
    stored(desk, NOW + MAX_AHEAD_MS + 1)
    assert erase(desk, JANE).created_ms == NOW


def test_what_was_erased_once_is_not_shown_again_by_a_second_erasure_on_a_clock_that_is_behind(desk: Desk) -> None:
    stored(desk, NOW + AHEAD)
    erase(desk, JANE, now_ms=NOW + AHEAD)
    desk.sql("DELETE FROM job_item")
    desk.store.finish_job("erasure", receipt=b"{}", now_ms=NOW + AHEAD)
    desk.sql("DELETE FROM job_step")
    desk.sql("DELETE FROM job")
    desk.sql("UPDATE manifest SET ingested_ms = ?", NOW)
    erase(desk, JANE, now_ms=NOW - AHEAD)
    desk.sql("UPDATE manifest SET ingested_ms = ?", NOW + AHEAD)
    assert desk.store.tombstones_among(TENANT, [JANE])[JANE][0] == NOW + AHEAD
    assert desk.store.hidden_records(TENANT, COLLECTION, [ref(1)]) == {(ref(1), 1)}
