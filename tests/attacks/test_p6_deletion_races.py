"""One tenant's trouble stays its own, and a deletion claims only what it saw. Edge, real files, what crashes leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec.audit import request_id
from securevec.control.store import ControlStore
from securevec.errors import (
    AuditUnavailable,
    KeyUnavailable,
    SecurevecError,
    TenantNotFound,
    TenantUnavailable,
    VectorError,
)
from securevec.jobs import encode
from securevec.proof import receipt as receipts
from securevec.store.opening import AuditDoor
from securevec.testing.embedders import HashEmbedder
from securevec.types import ProtectedPoint
from tests.support.meanwhile import meanwhile
from tests.support.world import ACME, GLOBEX, Ticket, World, open_world, ticket


@pytest.fixture(params=["edge", "chroma"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend=request.param, key_file=key_file, embedder=HashEmbedder()) as store:
        made = open_world(store, home, key_file)
        made.acme.ingest([ticket(number, f"refund number {number}") for number in range(1, 5)])
        made.globex.ingest([ticket(1, "refund of globex")])
        yield made


def _globex(store: sv.SecureStore) -> sv.Collection[Ticket]:
    return store.tenant("globex", actor=GLOBEX).collection(Ticket, retention="180d")


def _verdicts(store: sv.SecureStore, receipt: bytes | None) -> dict[str, str]:
    assert receipt is not None
    read = receipts.read(receipt, public=store.runtime.keys.signing_key().public)
    return {entry["artefact"].split()[0]: entry["verdict"] for entry in read.artefacts}


def _recorded(world: World) -> int:
    directory = world.home / "audit"
    return sum(path.read_bytes().count(b"\n") for path in directory.rglob("w-*/seg-*.jsonl"))


def test_a_deletion_that_cannot_finish_does_not_lock_the_other_tenants_out(world: World) -> None:
    """A copy of the key store beside it keeps the wrapped keys findable, so the deletion must not go on."""
    copy = world.home / "keys" / "keys.db.bak"
    copy.write_bytes((world.home / "keys" / "keys.db").read_bytes())
    # What failed is told with what holds all the same: nobody may think that the tenant is as before.
    with pytest.raises(KeyUnavailable, match=r"stays in force, and goes on with: securevec jobs run"):
        world.store.delete_tenant("acme")
    world.store.close()
    with world.reopen() as store:
        store._caretaker.stop()  # it would carry the job on by itself
        assert len(_globex(store).search("refund", k=3)) == 1
        with pytest.raises((TenantUnavailable, TenantNotFound)):
            store.tenant("acme", actor=ACME).collection(Ticket, retention="180d")
        (job,) = store.runtime.control.jobs(open_only=True)
        assert job.error == "KeyUnavailable"
        copy.unlink()
        (result,) = store.run_jobs()
        assert result.state == "done"


def test_a_damaged_shard_is_dropped_and_the_receipt_claims_nothing_of_it(world: World) -> None:
    shard = world.acme._scope.namespace.shard
    world.store.close()
    (place,) = (world.home / "engine").glob(f"*/{shard}")
    (place / "CURRENT").unlink()
    with world.reopen() as store:
        assert len(_globex(store).search("refund", k=3)) == 1
        result = store.delete_tenant("acme").raise_if_incomplete()
        assert _verdicts(store, result.receipt)["points"] == "unverified"
        assert not place.exists()


def test_a_collection_made_while_the_deletion_is_accepted_is_deleted_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ControlStore.begin_tenant_deletion
    late: list[sv.Collection[Ticket]] = []

    def first_a_collection(control: ControlStore, **named: Any) -> Any:
        made = world.store.tenant("acme", actor=ACME).collection(Ticket, name="late")
        made.ingest([ticket(1, "latecomer")])
        late.append(made)
        return begin(control, **named)

    monkeypatch.setattr(ControlStore, "begin_tenant_deletion", first_a_collection)
    result = world.store.delete_tenant("acme").raise_if_incomplete()
    read = receipts.read(result.receipt or b"", public=world.store.runtime.keys.signing_key().public)
    assert read.predicate["manifest"]["collections"] == 2
    assert late[0]._scope.namespace.shard not in set(world.store.runtime.backend().namespaces())


def test_who_opens_a_collection_while_its_tenant_is_deleted_leaves_no_place_for_it_in_the_store(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was let in before, and the receipt says by then that the store lists no place of the tenant."""
    backend, shard = world.store.runtime.backend(), world.acme._scope.namespace.shard
    tenant = world.store.tenant("acme", actor=ACME)

    def deleted() -> None:
        world.store.delete_tenant("acme").raise_if_incomplete()
        assert shard not in set(backend.namespaces())

    meanwhile(monkeypatch, type(backend), "ensure", deleted)
    with pytest.raises(TenantUnavailable):
        tenant.collection(Ticket, retention="180d")
    assert shard not in set(backend.namespaces())
    assert _globex(world.store).count() == 1


def test_who_opens_a_collection_of_a_tenant_whose_deletion_was_accepted_takes_nothing_of_its_proof(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = world.store.runtime
    backend, shard = runtime.backend(), world.acme._scope.namespace.shard
    tenant = world.store.tenant("acme", actor=ACME)

    def accepted() -> None:
        runtime.control.begin_tenant_deletion(
            tenant=world.acme._scope.tenant,
            job_id="a" * 32,
            request_id=request_id(),
            manifest=encode({"requested": {"ms": 1, "by": runtime.names.actor_ref(ACME)}}),
            now_ms=runtime.clock.now_ms(),
        )

    world.store._caretaker.stop()
    meanwhile(monkeypatch, type(backend), "ensure", accepted)
    with pytest.raises(TenantUnavailable):
        tenant.collection(Ticket, retention="180d")
    assert shard in set(backend.namespaces())
    (result,) = world.store.run_jobs()
    assert _verdicts(world.store, result.receipt)["points"] == "removed from live files"


def test_an_erasure_whose_tenant_is_deleted_meanwhile_says_that_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion forgets every other job of the tenant; whoever asked for one named no wrong job."""
    acme = world.store.tenant("acme")

    def deleted() -> None:
        world.store.delete_tenant("acme").raise_if_incomplete()

    meanwhile(monkeypatch, ControlStore, "advance_job", deleted)
    with pytest.raises(TenantUnavailable, match="deleted meanwhile"):
        acme.erase_subject("customer1@example.com")
    assert [job.state for job in world.store.runtime.control.jobs()] == ["done"]


def test_a_suspended_tenants_collection_is_not_handed_out(world: World) -> None:
    tenant = world.store.tenant("acme", actor=ACME)
    world.store.suspend_tenant("acme")
    before = _recorded(world)
    with pytest.raises(TenantUnavailable):
        tenant.collection(Ticket, retention="180d")
    with pytest.raises(TenantUnavailable):
        tenant.existing_collection("ticket")
    assert _recorded(world) == before + 2


def test_a_role_that_cannot_be_recorded_is_not_granted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise AuditUnavailable("The audit record could not be written.")

    stranger = sv.Actor("svc:stranger")
    tenant = world.store.tenant("acme", actor=ACME)
    with monkeypatch.context() as patch:
        patch.setattr(AuditDoor, "record", full)
        with pytest.raises(AuditUnavailable):
            tenant.grant(stranger, "owner")
    with pytest.raises(TenantNotFound):
        world.store.tenant("acme", actor=stranger)


def test_an_absent_tenant_and_a_foreign_one_are_refused_alike_and_recorded(world: World) -> None:
    stranger = sv.Actor("svc:stranger")
    before = _recorded(world)
    said: set[str] = set()
    for name in ("acme", "nobody"):
        with pytest.raises(TenantNotFound) as caught:
            world.store.tenant(name, actor=stranger)
        said.add(str(caught.value))
    assert len(said) == 1
    assert _recorded(world) == before + 2


def test_an_ingest_that_changes_nothing_is_recorded(world: World) -> None:
    before = _recorded(world)
    assert world.globex.ingest([ticket(1, "refund of globex"), {"id": "no body"}]).unchanged == 1
    assert _recorded(world) == before + 1


def test_vectors_of_something_else_are_refused(world: World) -> None:
    with pytest.raises(VectorError):
        world.globex.ingest(
            [ticket(7, "text")],
            vectors=np.ones((1, 64), dtype=np.float32),
            vectors_of="raw_text",  # type: ignore[arg-type]  # what a caller without a type checker may pass
        )


def test_an_interrupted_ingest_can_be_repeated_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = world.store.runtime.backend()
    insert = backend.insert

    def interrupted(**named: Any) -> None:
        insert(**named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(backend, "insert", interrupted)
        with pytest.raises(KeyboardInterrupt):
            world.globex.ingest([ticket(2, "second"), ticket(3, "third")])
    assert world.globex.ingest([ticket(2, "second"), ticket(3, "third")]).new == 2
    assert backend.count(namespace=world.globex._scope.namespace) == 3
    assert not world.store.runtime.control.open_batches(now_ms=0, expired_only=False)


def test_a_point_altered_in_the_store_is_written_again_and_not_called_unchanged(world: World) -> None:
    backend, namespace = world.store.runtime.backend(), world.globex._scope.namespace
    (point,) = backend.scan(namespace=namespace, where=None, cursor=None, limit=9).points
    (stored,) = backend.fetch(namespace=namespace, ids=[point.id], with_vectors=True)
    assert stored.vector is not None
    payload = {key: value for key, value in stored.payload.items() if isinstance(value, str | int)}
    altered = payload | {"b": str(payload["b"])[:-8] + "AAAAAAA="}
    backend.insert(namespace=namespace, points=[ProtectedPoint(point.id, stored.vector, altered)])
    with pytest.raises(SecurevecError):
        world.globex.get("T-1")
    assert world.globex.ingest([ticket(1, "refund of globex")]).updated == 1
    assert world.globex.get("T-1").body == "refund of globex"
