"""A legal hold beats deletion and replacement, whenever it arrives."""

from __future__ import annotations

import pytest

from securevec.errors import CollectionNotFound, LegalHold, TenantNotFound, TenantUnavailable, UsageError
from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, NOW, TENANT, Desk, record, ref

SCOPES = [
    pytest.param(None, None, id="tenant"),
    pytest.param(COLLECTION, None, id="collection"),
    pytest.param(COLLECTION, ref(1), id="record"),
]


def _hold(desk: Desk, collection: CollectionId | None, record_ref: bytes | None, name: str = "h-1") -> None:
    desk.store.add_hold(name, TENANT, collection, record_ref, b"sealed reason", NOW)


@pytest.mark.parametrize(("collection", "held"), SCOPES)
def test_what_is_held_is_neither_deleted_nor_replaced(
    desk: Desk, collection: CollectionId | None, held: bytes | None
) -> None:
    desk.write(1)
    _hold(desk, collection, held)
    for attempt in (lambda: desk.begin(record(1)), lambda: desk.delete(1)):
        with pytest.raises(LegalHold) as caught:
            attempt()
        assert caught.value.hold_id == "h-1"
    with pytest.raises(LegalHold):
        desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    assert desk.live(1) == 1
    assert desk.store.fence(TENANT).state == "active"
    assert desk.jobs() == []
    assert desk.batches(now_ms=NOW, expired_only=False) == []
    desk.write(2)


@pytest.mark.parametrize(("collection", "held"), SCOPES)
def test_a_hold_that_comes_during_a_batch_stops_its_commit(
    desk: Desk, collection: CollectionId | None, held: bytes | None
) -> None:
    desk.write(1)
    request, _ = desk.begin(record(1), record(2))
    _hold(desk, collection, held)
    with pytest.raises(LegalHold):
        desk.store.commit_batch(request_id=request, fence=1)
    assert (desk.live(1), desk.live(2)) == (1, None)
    desk.store.abort_batch(request_id=request)


def test_a_released_hold_lets_everything_go_on(desk: Desk) -> None:
    desk.write(1)
    _hold(desk, None, None)
    desk.store.release_hold("h-1", NOW + 1)
    assert desk.write(1) == 2
    assert [hold.released_ms for hold in desk.store.holds(TENANT)] == [NOW + 1]
    assert desk.store.held_refs(TENANT, COLLECTION, [ref(1)]) == {}
    for name in ("h-1", "h-9"):
        with pytest.raises(UsageError):
            desk.store.release_hold(name, NOW + 2)
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)


def test_a_hold_on_one_record_leaves_the_others_free(desk: Desk) -> None:
    desk.write(1, 2)
    _hold(desk, COLLECTION, ref(1))
    assert desk.store.held_refs(TENANT, COLLECTION, [ref(1), ref(2), ref(3)]) == {ref(1): "h-1"}
    desk.write(2, 3)
    desk.delete(2)
    with pytest.raises(LegalHold):
        desk.delete(1, 3)
    assert desk.live(3) == 2


def test_held_refs_are_the_live_ones_only(desk: Desk) -> None:
    desk.write(1)
    _hold(desk, None, None)
    assert desk.store.held_refs(TENANT, COLLECTION, [ref(1), ref(2)]) == {ref(1): "h-1"}
    assert desk.store.held_refs(TenantId("b2" * 16), COLLECTION, [ref(1)]) == {}
    assert desk.store.held_refs(TENANT, COLLECTION, []) == {}


def test_a_hold_names_something_that_is_there(desk: Desk) -> None:
    with pytest.raises(UsageError):
        _hold(desk, None, ref(1))
    with pytest.raises(CollectionNotFound):
        _hold(desk, CollectionId("c9" * 16), None)
    with pytest.raises(TenantNotFound):
        desk.store.add_hold("h-1", TenantId("b2" * 16), None, None, b"", NOW)
    _hold(desk, None, None)
    with pytest.raises(UsageError):
        _hold(desk, None, None)


def test_a_hold_that_comes_after_the_acceptance_of_a_deletion_is_refused(desk: Desk) -> None:
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    with pytest.raises(TenantUnavailable):
        _hold(desk, None, None)
