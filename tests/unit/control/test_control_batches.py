"""The batch state machine, step by step; the property test explores its interleavings."""

from __future__ import annotations

import pytest

from securevec.control.store import ControlStore
from securevec.errors import (
    CollectionNotFound,
    ControlUnavailable,
    LimitExceeded,
    RecordChanged,
    TenantNotFound,
    TenantUnavailable,
    UsageError,
)
from securevec.limits import MAX_BATCH
from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, LEASE, NOW, TENANT, Desk, collection_row, record, ref


def test_a_new_record_is_invisible_until_its_batch_commits(desk: Desk) -> None:
    request, generations = desk.begin(record(1), record(2))
    assert generations == {ref(1): 1, ref(2): 1}
    assert desk.store.current(COLLECTION, [ref(1), ref(2)]) == {}
    assert desk.store.commit_batch(request_id=request, fence=1) == []
    assert (desk.live(1), desk.live(2)) == (1, 1)
    desk.store.finish_batch(request_id=request)
    assert desk.batches(now_ms=NOW, expired_only=False) == []


def test_replacement_switches_all_records_at_once_and_names_what_is_to_go(desk: Desk) -> None:
    desk.write(1, 2)
    request, _ = desk.begin(record(1, chunks=5), record(2), record(3))
    assert (desk.live(1), desk.live(2), desk.live(3)) == (1, 1, None)
    retiring = desk.store.commit_batch(request_id=request, fence=1)
    assert [(row.ref, row.generation, row.n_chunks, row.state) for row in retiring] == [
        (ref(1), 1, 2, "retiring"),
        (ref(2), 1, 2, "retiring"),
    ]
    assert (desk.live(1), desk.live(2), desk.live(3)) == (2, 2, 2)
    assert desk.store.batch_rows(request) == retiring
    desk.store.finish_batch(request_id=request)
    assert desk.store.states(COLLECTION, [ref(1)]) == {ref(1): [desk.store.current(COLLECTION, [ref(1)])[ref(1)]]}


def test_an_aborted_batch_changes_nothing_readers_see(desk: Desk) -> None:
    desk.write(1)
    request, _ = desk.begin(record(1), record(2))
    gone = desk.store.abort_batch(request_id=request)
    assert [(row.ref, row.generation, row.state) for row in gone] == [
        (ref(1), 2, "retiring"),
        (ref(2), 2, "retiring"),
    ]
    assert (desk.live(1), desk.live(2)) == (1, None)
    desk.store.finish_batch(request_id=request)
    assert list(desk.store.states(COLLECTION, [ref(1), ref(2)])) == [ref(1)]


def test_a_deletion_takes_effect_before_any_point_is_touched(desk: Desk) -> None:
    desk.write(1, 2)
    request, rows = desk.delete(1, 9)
    assert [(row.ref, row.generation) for row in rows] == [(ref(1), 1)]
    assert (desk.live(1), desk.live(2)) == (None, 1)
    batch = desk.store.batch(request)
    assert batch is not None
    assert (batch.kind, batch.state, batch.committed) == ("delete", "switched", True)
    desk.store.finish_batch(request_id=request)
    assert desk.store.batch(request) is None


def test_deleting_what_is_not_there_leaves_nothing_to_finish(desk: Desk) -> None:
    request, rows = desk.delete(1)
    assert (rows, desk.store.batch(request)) == ([], None)
    desk.store.finish_batch(request_id=request)


def test_no_generation_is_given_twice_not_even_after_deletion_or_abort(desk: Desk) -> None:
    given = [desk.write(1)]
    request, _ = desk.delete(1)
    desk.store.finish_batch(request_id=request)
    given.append(desk.write(1))
    request, generations = desk.begin(record(1))
    desk.store.abort_batch(request_id=request)
    desk.store.finish_batch(request_id=request)
    given += generations.values()
    desk.store.reset_volatile(COLLECTION)
    given.append(desk.write(1))
    assert given == sorted(set(given))


def test_a_commit_repeated_after_a_lost_answer_says_the_same(desk: Desk) -> None:
    desk.write(1)
    request, _ = desk.begin(record(1))
    first = desk.store.commit_batch(request_id=request, fence=1)
    assert desk.store.commit_batch(request_id=request, fence=1) == first
    assert desk.live(1) == 2


def test_an_abort_never_takes_back_what_was_committed(desk: Desk) -> None:
    request, _ = desk.begin(record(1))
    desk.store.commit_batch(request_id=request, fence=1)
    with pytest.raises(ControlUnavailable):
        desk.store.abort_batch(request_id=request)
    assert desk.live(1) == 1
    deletion, _ = desk.delete(1)
    with pytest.raises(ControlUnavailable):
        desk.store.abort_batch(request_id=deletion)
    assert desk.live(1) is None


def test_a_second_writer_waits_for_the_record_it_wants(desk: Desk) -> None:
    first, _ = desk.begin(record(1), record(2))
    with pytest.raises(ControlUnavailable, match="Try again"):
        desk.begin(record(2), record(3))
    with pytest.raises(ControlUnavailable, match="Try again"):
        desk.delete(1)
    second, _ = desk.begin(record(3))
    desk.store.commit_batch(request_id=second, fence=1)
    desk.store.commit_batch(request_id=first, fence=1)
    desk.begin(record(2))


def test_a_writer_whose_lease_ended_is_overtaken_and_cannot_commit(desk: Desk) -> None:
    late, _ = desk.begin(record(1), record(2))
    after = NOW + LEASE
    early, _ = desk.begin(record(2), now_ms=after)
    with pytest.raises(ControlUnavailable, match="aborted"):
        desk.store.commit_batch(request_id=late, fence=1)
    with pytest.raises(ControlUnavailable):
        desk.store.extend_lease(late, after + LEASE)
    desk.store.commit_batch(request_id=early, fence=1)
    assert (desk.live(1), desk.live(2)) == (None, 2)
    assert [row.generation for row in desk.store.batch_rows(late)] == [1, 1]
    overtaken = desk.store.batch(late)
    assert overtaken is not None
    assert (overtaken.state, overtaken.committed) == ("switched", False)
    desk.store.finish_batch(request_id=late)
    with pytest.raises(ControlUnavailable):
        desk.store.commit_batch(request_id=late, fence=1)
    with pytest.raises(ControlUnavailable):
        desk.store.abort_batch(request_id=late)


def test_a_lease_is_prolonged_given_up_and_found_expired(desk: Desk) -> None:
    request, _ = desk.begin(record(1))
    desk.store.extend_lease(request, NOW + 2 * LEASE)
    assert desk.batches(now_ms=NOW + LEASE, expired_only=True) == []
    with pytest.raises(ControlUnavailable):
        desk.begin(record(1), now_ms=NOW + LEASE)
    assert [batch.request_id for batch in desk.batches(now_ms=NOW, expired_only=False)] == [request]
    desk.store.extend_lease(request, 0)
    assert [batch.request_id for batch in desk.batches(now_ms=NOW, expired_only=True)] == [request]
    desk.store.abort_batch(request_id=request)
    desk.store.finish_batch(request_id=request)
    desk.store.extend_lease(request, 0)
    with pytest.raises(ControlUnavailable):
        desk.store.extend_lease(request, NOW)


def test_an_open_batch_cannot_be_forgotten(desk: Desk) -> None:
    request, _ = desk.begin(record(1))
    with pytest.raises(UsageError):
        desk.store.finish_batch(request_id=request)
    assert desk.store.batch(request) is not None


def test_a_tenant_suspended_in_between_refuses_the_commit_even_when_resumed(desk: Desk) -> None:
    desk.write(1)
    request, _ = desk.begin(record(1))
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    for fence in (1, 2):
        with pytest.raises(TenantUnavailable):
            desk.store.commit_batch(request_id=request, fence=fence)
    desk.store.set_tenant_state(TENANT, "active", now_ms=NOW)
    for fence in (1, 2, 3):
        with pytest.raises(TenantUnavailable):
            desk.store.commit_batch(request_id=request, fence=fence)
    assert desk.live(1) == 1
    assert [row.generation for row in desk.store.abort_batch(request_id=request)] == [2]


def test_nothing_begins_behind_the_fence(desk: Desk) -> None:
    desk.write(1)
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    for fence in (1, 2):
        with pytest.raises(TenantUnavailable):
            desk.begin(record(2), fence=fence)
        with pytest.raises(TenantUnavailable):
            desk.delete(1, fence=fence)
    with pytest.raises(TenantUnavailable):
        desk.store.add_tokens(TENANT, [(b"t" * 16, "EMAIL")])
    assert desk.batches(now_ms=NOW, expired_only=False) == []


def test_a_collection_of_another_tenant_is_not_found(desk: Desk) -> None:
    other = TenantId("b2" * 16)
    desk.add_tenant(other, b"other-name-token")
    place = {"writer": "w", "fence": 1, "lease_until_ms": NOW + LEASE, "now_ms": NOW}
    for tenant, collection in ((other, COLLECTION), (TENANT, CollectionId("c9" * 16))):
        with pytest.raises(CollectionNotFound):
            desk.store.begin_batch(
                tenant=tenant,
                collection=collection,
                request_id="r",
                rows=[record(1)],
                **place,  # type: ignore[arg-type]  # the same four for both calls
            )
        with pytest.raises(CollectionNotFound):
            desk.store.begin_delete(
                tenant=tenant,
                collection=collection,
                request_id="r",
                refs=[ref(1)],
                **place,  # type: ignore[arg-type]  # the same four for both calls
            )
    with pytest.raises(TenantNotFound):
        desk.store.begin_batch(
            tenant=TenantId("d4" * 16),
            collection=COLLECTION,
            request_id="r",
            rows=[record(1)],
            **place,  # type: ignore[arg-type]  # as above
        )


def test_a_batch_is_neither_empty_nor_doubled_nor_over_the_limit(desk: Desk) -> None:
    for records in ((), (record(1), record(1))):
        with pytest.raises(UsageError):
            desk.begin(*records)
    with pytest.raises(LimitExceeded):
        desk.begin(*(record(number) for number in range(MAX_BATCH + 1)))
    with pytest.raises(UsageError):
        desk.delete()
    request, _ = desk.begin(*(record(number) for number in range(MAX_BATCH)))
    with pytest.raises(UsageError):
        desk.begin(record(MAX_BATCH + 1), request=request)
    desk.store.commit_batch(request_id=request, fence=1)
    assert desk.store.count_live(COLLECTION, now_ms=NOW) == (MAX_BATCH, 2 * MAX_BATCH)


def test_expired_records_are_not_counted_from_their_expiry_on(desk: Desk) -> None:
    request, _ = desk.begin(record(1, chunks=3, expires_ms=NOW + 10), record(2, chunks=1))
    desk.store.commit_batch(request_id=request, fence=1)
    assert desk.store.count_live(COLLECTION, now_ms=NOW + 9) == (2, 4)
    assert desk.store.count_live(COLLECTION, now_ms=NOW + 10) == (1, 1)


def test_many_refs_and_tokens_are_asked_in_parts(desk: Desk) -> None:
    desk.write(*range(100, 300))
    refs = [ref(number) for number in range(1300)]
    assert len(desk.store.current(COLLECTION, refs)) == len(desk.store.states(COLLECTION, refs)) == 200
    assert desk.store.current(COLLECTION, []) == {}
    assert desk.store.states(COLLECTION, []) == {}
    desk.store.add_tokens(TENANT, [(token, "EMAIL") for token in refs])
    assert len(desk.store.known_tokens(TENANT, [*refs, b"unknown"])) == 1300
    assert desk.store.known_tokens(TenantId("b2" * 16), refs) == {}


def test_tokens_already_known_cost_no_write_and_keep_their_entity(desk: Desk) -> None:
    desk.store.add_tokens(TENANT, [(b"t", "EMAIL"), (b"u", "PERSON")])
    version = desk.store.version()
    desk.store.add_tokens(TENANT, [(b"t", "PHONE")])
    desk.store.add_tokens(TENANT, [])
    assert desk.store.version() == version
    assert desk.store.known_tokens(TENANT, [b"t", b"u"]) == {b"t": "EMAIL", b"u": "PERSON"}


def test_forgetting_a_volatile_collection_leaves_the_others(desk: Desk) -> None:
    other = CollectionId("c2" * 16)
    desk.store.create_collection(collection_row(other, name=b"second"))
    desk.write(1)
    desk.begin(record(2))
    desk.store.begin_batch(
        tenant=TENANT,
        collection=other,
        request_id="theirs",
        writer="w",
        fence=1,
        rows=[record(1)],
        lease_until_ms=NOW,
        now_ms=NOW,
    )
    desk.store.commit_batch(request_id="theirs", fence=1)
    desk.store.reset_volatile(COLLECTION)
    assert desk.store.states(COLLECTION, [ref(1), ref(2)]) == {}
    assert desk.store.count_live(other, now_ms=NOW) == (1, 2)
    assert [batch.request_id for batch in desk.batches(now_ms=NOW, expired_only=False)] == ["theirs"]


def test_two_processes_cannot_both_take_a_record(desk: Desk) -> None:
    second = Desk(desk.path, ControlStore.open(desk.path, create=False), requests=100)
    desk.begin(record(1))
    with pytest.raises(ControlUnavailable):
        second.begin(record(1))
    second.store.close()


def test_a_deletion_of_a_certain_generation_leaves_later_ones_alone(desk: Desk) -> None:
    first = desk.write(1, 2)
    second = desk.write(2)
    request, rows = desk.delete(1, 2, expect={ref(1): first, ref(2): first})
    assert [(row.ref, row.generation) for row in rows] == [(ref(1), first)]
    assert (desk.live(1), desk.live(2)) == (None, second)
    desk.store.finish_batch(request_id=request)
    _, rows = desk.delete(1, 2, expect={ref(1): first, ref(2): first})
    assert rows == []


def test_a_version_made_of_a_replaced_one_is_refused(desk: Desk) -> None:
    first = desk.write(1)
    second = desk.write(1)
    with pytest.raises(RecordChanged):
        desk.begin(record(1), expect={ref(1): first})
    with pytest.raises(RecordChanged):
        desk.begin(record(2), expect={ref(2): second})
    assert desk.live(1) == second
    assert desk.batches(now_ms=NOW + 10 * LEASE, expired_only=True) == []
    desk.begin(record(1), expect={ref(1): second})
