"""Tenants, roles, principals and collections."""

from __future__ import annotations

from dataclasses import replace

import pytest

from securevec.errors import CollectionMismatch, CollectionNotFound, TenantNotFound, TenantUnavailable, UsageError
from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, NOW, TENANT, Desk, collection_row

OTHER = TenantId("b2" * 16)


def _delete(desk: Desk, tenant: TenantId = TENANT) -> None:
    job = desk.store.begin_tenant_deletion(tenant=tenant, job_id="j-1", request_id="r", manifest="{}", now_ms=NOW)
    desk.store.finish_tenant_deletion(job_id=job.job_id, receipt=b"receipt", now_ms=NOW)


def test_a_tenant_is_found_by_id_and_by_name_token(desk: Desk) -> None:
    row = desk.store.tenant(TENANT)
    assert row is not None
    assert row == desk.store.tenant_by_token(b"acme-name-token!") == desk.store.tenants()[-1]
    assert (row.name_sealed, row.state, row.fence) == (b"sealed acme-name-token!", "active", 1)
    assert desk.store.tenant(OTHER) is None
    assert desk.store.tenant_by_token(b"nobody") is None


def test_a_name_is_taken_once_and_free_again_after_deletion(desk: Desk) -> None:
    with pytest.raises(UsageError):
        desk.add_tenant(OTHER, b"acme-name-token!")
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j-1", request_id="r", manifest="{}", now_ms=NOW)
    with pytest.raises(UsageError):
        desk.add_tenant(OTHER, b"acme-name-token!")
    desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"receipt", now_ms=NOW)
    desk.add_tenant(OTHER, b"acme-name-token!")
    found = desk.store.tenant_by_token(b"acme-name-token!")
    assert found is not None
    assert found.tenant == OTHER


def test_a_deleted_tenant_is_never_found_by_token_nor_woken(desk: Desk) -> None:
    _delete(desk)
    assert desk.store.tenant_by_token(b"acme-name-token!") is None
    for state in ("active", "suspended"):
        with pytest.raises(TenantUnavailable):
            desk.store.set_tenant_state(TENANT, "active" if state == "active" else "suspended", now_ms=NOW)


def test_a_tenant_being_deleted_cannot_be_resumed(desk: Desk) -> None:
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    with pytest.raises(TenantUnavailable):
        desk.store.set_tenant_state(TENANT, "active", now_ms=NOW)
    assert desk.store.fence(TENANT).state == "deleting"


def test_suspending_twice_changes_nothing_the_second_time(desk: Desk) -> None:
    first = desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW + 1)
    assert desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW + 2) == first
    assert (first.fence, first.updated_ms) == (2, NOW + 1)
    assert len(desk.store.outbox_pending()) == 1


def test_a_role_counts_for_its_actor_in_its_tenant_only(desk: Desk) -> None:
    desk.add_tenant(OTHER, b"other-name-token")
    desk.store.grant(TENANT, b"actor-1", "reader", NOW)
    desk.store.grant(TENANT, b"actor-1", "reader", NOW)
    desk.store.grant(TENANT, b"actor-1", "writer", NOW)
    assert desk.store.roles(TENANT, b"actor-1") == {"reader", "writer"}
    assert desk.store.roles(TENANT, b"actor-2") == desk.store.roles(OTHER, b"actor-1") == frozenset()
    assert desk.store.grants(TENANT) == [(b"actor-1", "reader"), (b"actor-1", "writer")]
    desk.store.revoke(TENANT, b"actor-1", "writer")
    desk.store.revoke(TENANT, b"actor-1", "writer")
    assert desk.store.roles(TENANT, b"actor-1") == {"reader"}


def test_no_role_is_given_in_a_tenant_that_is_going_or_unknown(desk: Desk) -> None:
    with pytest.raises(TenantNotFound):
        desk.store.grant(OTHER, b"actor", "reader", NOW)
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    with pytest.raises(TenantUnavailable):
        desk.store.grant(TENANT, b"actor", "reader", NOW)


def test_a_principal_keeps_its_first_sealed_name(desk: Desk) -> None:
    desk.store.remember_principal(b"actor", b"first", NOW)
    version = desk.store.version()
    desk.store.remember_principal(b"actor", b"second", NOW)
    assert desk.store.principals() == {b"actor": b"first"}
    assert desk.store.version() == version


def test_a_collection_comes_back_as_it_went_in(desk: Desk) -> None:
    row = replace(
        collection_row(CollectionId("c2" * 16), name=b"second"), retention_ms=5, vault=False, created_ms=NOW + 1
    )
    desk.store.create_collection(row)
    assert desk.store.collection(row.collection) == row
    assert desk.store.collection_by_token(TENANT, b"second") == row
    assert desk.store.collections(TENANT) == [collection_row(), row]
    assert desk.store.collection_by_token(OTHER, b"second") is None
    assert desk.store.collections(OTHER) == []


def test_a_collection_name_id_and_shard_are_taken_once(desk: Desk) -> None:
    fresh = collection_row(CollectionId("c2" * 16), name=b"second")
    for change in ({"name_token": b"collection-name!"}, {"collection": COLLECTION}, {"shard": COLLECTION}):
        with pytest.raises(UsageError):
            desk.store.create_collection(replace(fresh, **change))
    desk.add_tenant(OTHER, b"other-name-token")
    desk.store.create_collection(replace(fresh, tenant=OTHER, name_token=b"collection-name!"))


def test_no_collection_is_made_for_a_tenant_that_is_not_active(desk: Desk) -> None:
    fresh = collection_row(CollectionId("c2" * 16), name=b"second")
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    with pytest.raises(TenantUnavailable):
        desk.store.create_collection(fresh)
    with pytest.raises(TenantNotFound):
        desk.store.create_collection(replace(fresh, tenant=OTHER))


def test_an_identity_is_changed_from_the_one_that_was_read_or_not_at_all(desk: Desk) -> None:
    before = collection_row().identity
    row = desk.store.update_identity(COLLECTION, expect=before, identity='{"model":"m2"}', schema_sealed=b"new")
    assert (row.identity, row.schema_sealed) == ('{"model":"m2"}', b"new")
    with pytest.raises(CollectionMismatch):
        desk.store.update_identity(COLLECTION, expect=before, identity='{"model":"m3"}', schema_sealed=b"newer")
    assert desk.store.collection(COLLECTION) == row
    with pytest.raises(CollectionNotFound):
        desk.store.update_identity(CollectionId("c9" * 16), expect=before, identity="{}", schema_sealed=b"")


def test_a_row_shows_no_sealed_name_token_or_digest(desk: Desk) -> None:
    shown = repr([*desk.store.tenants(), *desk.store.collections(TENANT)])
    assert "acme-name-token!" not in shown
    assert "collection-name!" not in shown
    assert "sealed" not in shown.replace("name_sealed", "")
