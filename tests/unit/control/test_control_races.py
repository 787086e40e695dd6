"""What others do in between: a tenant made halfway, a collection made late, a batch that others settled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from securevec.control import tenants as tenants_module
from securevec.control.rows import CollectionRow
from securevec.control.store import ControlStore
from securevec.errors import ControlUnavailable, TenantUnavailable, UsageError
from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, LEASE, NOW, TENANT, Desk, collection_row, record, ref

OTHER = TenantId("b2" * 16)
LATE = CollectionId("c2" * 16)
OWNER = (b"token of owner", b"sealed owner")


def _create(desk: Desk, tenant: TenantId = OTHER, name: bytes = b"other-name-token") -> None:
    desk.store.create_tenant(tenant=tenant, name_token=name, name_sealed=b"sealed", now_ms=NOW, owner=OWNER)


def test_a_tenant_its_principal_and_its_owner_come_together(desk: Desk) -> None:
    _create(desk)
    assert desk.store.grants(OTHER) == [(OWNER[0], "owner")]
    assert desk.store.roles(OTHER, OWNER[0]) == {"owner"}
    assert desk.store.principals() == {OWNER[0]: OWNER[1]}


def test_a_tenant_whose_owner_cannot_be_written_is_not_there_either(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(tenants_module, "INSERT_GRANT", "INSERT INTO no_such_table VALUES (:tenant)")
        with pytest.raises(ControlUnavailable):
            _create(desk)
    assert desk.store.tenant(OTHER) is None
    assert desk.store.principals() == {}
    _create(desk)


def test_of_two_creators_of_one_name_the_second_changes_nothing(desk: Desk) -> None:
    _create(desk)
    third = TenantId("d4" * 16)
    with pytest.raises(UsageError):
        desk.store.create_tenant(
            tenant=third, name_token=b"other-name-token", name_sealed=b"s", now_ms=NOW, owner=(b"late", b"late")
        )
    assert desk.store.tenant(third) is None
    assert desk.store.principals() == {OWNER[0]: OWNER[1]}
    assert desk.store.grants(OTHER) == [(OWNER[0], "owner")]


def test_the_name_of_an_actor_goes_with_the_last_tenant_that_knows_it(desk: Desk) -> None:
    desk.add_tenant(OTHER, b"other-name-token")
    for token, tenants in ((b"here", [TENANT]), (b"both", [TENANT, OTHER]), (b"there", [OTHER])):
        desk.store.remember_principal(token, b"sealed " + token, NOW)
        for tenant in tenants:
            desk.store.grant(tenant, token, "reader", NOW)
    desk.store.remember_principal(b"was here", b"sealed was here", NOW)
    desk.store.grant(TENANT, b"was here", "reader", NOW)
    desk.store.revoke(TENANT, b"was here", "reader")
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    assert set(desk.store.principals()) == {b"here", b"both", b"there", b"was here"}
    desk.store.finish_tenant_deletion(job_id="j", receipt=b"receipt", now_ms=NOW)
    assert set(desk.store.principals()) == {b"both", b"there"}


def _manifest(rows: Sequence[CollectionRow], counts: Mapping[CollectionId, tuple[int, int]]) -> str:
    return json.dumps({row.collection: counts[row.collection] for row in rows})


def test_a_manifest_is_asked_behind_the_fence_and_misses_no_collection(desk: Desk) -> None:
    desk.write(1, 2)
    request, _ = desk.begin(record(3, expires_ms=1))
    desk.store.commit_batch(request_id=request, fence=1)
    desk.begin(record(4))
    desk.store.create_collection(collection_row(LATE, name=b"late"))
    racing = ControlStore.open(desk.path, create=False)

    def manifest(rows: Sequence[CollectionRow], counts: Mapping[CollectionId, tuple[int, int]]) -> str:
        # No commit can come in between: what another process tries now waits for the fence and finds it closed.
        assert desk.sql("SELECT state FROM tenant WHERE tenant = ?", TENANT) == [("active",)]
        return _manifest(rows, counts)

    job = desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest=manifest, now_ms=NOW)
    assert json.loads(job.data) == {COLLECTION: [3, 6], LATE: [0, 0]}
    with pytest.raises(TenantUnavailable):
        racing.create_collection(collection_row(CollectionId("c3" * 16), name=b"later"))
    racing.close()


def test_a_manifest_that_fails_leaves_the_tenant_as_it_was(desk: Desk) -> None:
    def manifest(rows: object, counts: object) -> str:
        raise UsageError("no manifest")

    with pytest.raises(UsageError):
        desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest=manifest, now_ms=NOW)
    assert desk.store.fence(TENANT).state == "active"
    assert desk.jobs() == []
    assert desk.store.outbox_pending() == []


def test_a_manifest_is_not_asked_again_for_the_job_there_is(desk: Desk) -> None:
    first = desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest=_manifest, now_ms=NOW)

    def never(rows: object, counts: object) -> str:
        raise AssertionError

    again = desk.store.begin_tenant_deletion(tenant=TENANT, job_id="k", request_id="s", manifest=never, now_ms=NOW)
    assert again == first


def test_settling_leaves_a_running_batch_alone_unless_told_otherwise(desk: Desk) -> None:
    request, _ = desk.begin(record(1))
    running = desk.store.settle(request, now_ms=NOW)
    assert running is not None
    assert running.state == "open"
    assert desk.store.states(COLLECTION, [ref(1)])[ref(1)][0].state == "pending"
    forced = desk.store.settle(request, now_ms=NOW, force=True)
    assert forced is not None
    assert (forced.state, forced.committed) == ("switched", False)
    assert desk.store.states(COLLECTION, [ref(1)])[ref(1)][0].state == "retiring"


def test_settling_gives_up_a_batch_from_the_end_of_its_lease_on(desk: Desk) -> None:
    request, _ = desk.begin(record(1))
    before = desk.store.settle(request, now_ms=NOW + LEASE - 1)
    after = desk.store.settle(request, now_ms=NOW + LEASE)
    assert before is not None
    assert after is not None
    assert (before.state, after.state) == ("open", "switched")
    with pytest.raises(ControlUnavailable, match="aborted"):
        desk.store.commit_batch(request_id=request, fence=1)


def test_settling_loses_every_race_without_an_error(desk: Desk) -> None:
    committed, _ = desk.begin(record(1))
    desk.store.commit_batch(request_id=committed, fence=1)
    found = desk.store.settle(committed, now_ms=NOW, force=True)
    assert found is not None
    assert (found.state, found.committed) == ("switched", True)
    assert desk.live(1) == 1
    desk.store.finish_batch(request_id=committed)
    assert desk.store.settle(committed, now_ms=NOW, force=True) is None
    assert desk.store.settle("never there", now_ms=NOW) is None
    deletion, _ = desk.delete(1)
    found = desk.store.settle(deletion, now_ms=NOW + LEASE)
    assert found is not None
    assert (found.kind, found.committed) == ("delete", True)


def test_a_late_writer_learns_which_of_its_points_are_nobodys(desk: Desk) -> None:
    live = desk.write(1, 2)
    _, pending = desk.begin(record(2))
    late, given = desk.begin(record(3), record(4))
    mine = [(key, generation) for key, generation in given.items()]
    assert desk.store.orphans(COLLECTION, mine) == []
    desk.store.settle(late, now_ms=NOW, force=True)
    assert desk.store.orphans(COLLECTION, mine) == mine, "retiring: its points may have been removed before ours came"
    desk.store.finish_batch(request_id=late)
    others = [(ref(1), live), (ref(2), live), (ref(2), pending[ref(2)])]
    assert desk.store.orphans(COLLECTION, [*others, *mine]) == mine
    assert desk.store.orphans(COLLECTION, [(ref(1), live + 9)]) == [(ref(1), live + 9)]
    assert desk.store.orphans(COLLECTION, []) == []
