"""The guards of the journeys removed one at a time: fence, holds, reading back, policy, audit, keys, names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec import guard
from securevec.attack.rows import Vandal
from securevec.control import batches, hot
from securevec.control.rows import Fence, Standing
from securevec.crypto.envelope import read_key_id
from securevec.embed.checked import CheckedEmbedder
from securevec.errors import (
    EmbedderError,
    IsolationViolation,
    LegalHold,
    OutcomeUnknown,
    PolicyDenied,
    SecurevecError,
    TenantNotFound,
    TenantUnavailable,
)
from securevec.guard import Admission
from securevec.keys.openkeys import OpenKeys
from securevec.policy import Decision, PolicyEngine, Request
from securevec.removing import batch, points
from securevec.state.names import NameBook
from securevec.testing.lying import Lie
from securevec.types import AnonymizedText, CollectionId, Matrix, TenantId
from securevec.writing import inserting as writing
from tests.support.attacks import ACME_MARK, Pair, Stage, open_stage, text
from tests.support.attacks_outage import FailingAudit, FlakyEmbedder
from tests.support.needles import Needles
from tests.support.world import ACME, Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def do_nothing(*arguments: object, **named: object) -> None:
    """What stands where a guard stood."""


def no_hold(tenant: TenantId, collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, str]:
    return {}


def some_role(tenant: TenantId, actor_token: bytes) -> frozenset[str]:
    return frozenset({"guest"})


def permit(engine: PolicyEngine, request: Request) -> Decision:
    return Decision(True, "role-owner")


def in_clear(self: NameBook, text: str, *, row: bytes, kind: str) -> bytes:
    return text.encode()


def foreign(hits: sv.SearchResult[Ticket]) -> int:
    return sum(ACME_MARK in hit.text for hit in hits)


# -- the fence -------------------------------------------------------------------------------------------------------


def suspend_in_flight(pair: Pair) -> None:
    def run() -> None:
        pair.stage.trap.on_query = None
        pair.stage.store.suspend_tenant("acme")

    pair.stage.trap.on_query = run


def test_without_the_second_look_at_the_fence_an_answer_in_flight_leaks(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspend_in_flight(lone_pair)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.search("refund", k=8)
    lone_pair.stage.store.resume_tenant("acme")
    monkeypatch.setattr(Admission, "recheck", do_nothing)
    suspend_in_flight(lone_pair)
    assert foreign(lone_pair.acme.search("refund", k=8)) == 8


def always_open(self: hot.HotReads, tenant: TenantId, actor_token: bytes) -> Standing:
    return Standing(Fence("active", 0), self.roles(tenant, actor_token))


def test_without_the_fence_a_suspended_tenant_is_read(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lone_pair.stage.store.suspend_tenant("acme")
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.search("refund", k=8)
    monkeypatch.setattr(hot.HotReads, "standing", always_open)
    assert len(lone_pair.acme.search("refund", k=8)) == 8


def test_without_the_fence_a_deleted_tenants_keys_are_still_gone(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone_pair.stage.trap.lie = Lie.KEEP_DROPPED
    with pytest.raises(SecurevecError):
        lone_pair.stage.store.delete_tenant("acme")
    namespace = lone_pair.acme._scope.namespace
    assert lone_pair.stage.trap.inner.count(namespace=namespace) == 8
    monkeypatch.setattr(hot.HotReads, "standing", always_open)
    for read in (lambda: lone_pair.acme.search("refund", k=8), lambda: lone_pair.acme.get("T-1")):
        with pytest.raises(SecurevecError):
            read()


def test_without_the_fence_in_the_switch_a_suspended_tenants_batch_becomes_visible(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = lone_pair.stage.trap

    def keep(points: Any) -> Any:
        trap.keep = None
        lone_pair.stage.store.suspend_tenant("acme")
        return points

    trap.keep = keep
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.ingest([text(40, "latecomer")])
    lone_pair.stage.store.resume_tenant("acme")
    assert lone_pair.acme.count() == 8
    monkeypatch.setattr(Admission, "recheck", do_nothing)
    unguarded = pytest.MonkeyPatch()
    unguarded.setattr(batches, "require_active", do_nothing)

    def keep_again(points: Any) -> Any:
        trap.keep = None
        lone_pair.stage.store.suspend_tenant("acme")
        return points

    trap.keep = keep_again
    assert lone_pair.acme.ingest([text(41, "latecomer")]).new == 1
    unguarded.undo()
    lone_pair.stage.store.resume_tenant("acme")
    assert lone_pair.acme.count() == 9


def test_without_the_first_look_at_a_hold_the_transaction_still_refuses_and_without_it_the_record_is_gone(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = lone_pair.stage.store.runtime
    ref = lone_pair.acme._scope.record_ref(runtime, "T-1")
    runtime.control.add_hold("hold-1", lone_pair.acme._scope.tenant, lone_pair.acme.id, ref, b"", 1)
    monkeypatch.setattr(runtime.control, "held_refs", no_hold)
    with pytest.raises(LegalHold):
        lone_pair.acme.delete("T-1")
    with pytest.raises(LegalHold):
        lone_pair.acme.ingest([text(1, "replaced")])
    assert ACME_MARK in lone_pair.acme.get("T-1").body
    monkeypatch.setattr(batches, "require_unheld", do_nothing)
    assert lone_pair.acme.delete("T-1").deleted == 1


# -- reading back ----------------------------------------------------------------------------------------------------


def test_without_reading_back_a_dropped_write_is_not_noticed(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lone_pair.stage.trap.lie = Lie.DROP_WRITES
    with pytest.raises(OutcomeUnknown):
        lone_pair.acme.ingest([text(40, ACME_MARK)])
    monkeypatch.setattr(writing, "_read_back", do_nothing)
    assert lone_pair.acme.ingest([text(40, ACME_MARK)]).new == 1
    assert lone_pair.stage.trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 8
    with pytest.raises(IsolationViolation):
        lone_pair.acme.get("T-40")


def test_without_reading_back_a_deletion_the_store_ignores_is_not_noticed_and_still_not_served(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trusting(runtime: Any, tenant: Any, namespace: Any, collection: Any, rows: Any) -> None:
        runtime.backend().delete(namespace=namespace, ids=points.ids_of(runtime, tenant, collection, rows))

    lone_pair.stage.trap.lie = Lie.DROP_DELETES
    with pytest.raises(OutcomeUnknown):
        lone_pair.globex.delete("T-1")
    monkeypatch.setattr(batch, "remove_points", trusting)
    assert lone_pair.acme.delete("T-1").deleted == 1
    assert lone_pair.stage.trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 8
    hits = lone_pair.acme.search("refund", k=100)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(2, 9)}
    # Without its manifest row the point that stayed is taken for one that was put back, and said so.
    assert hits.violations == 1


# -- policy, audit, keys, embedder -----------------------------------------------------------------------------------


def test_without_the_policy_a_stranger_reads_what_its_old_handle_names(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = sv.Actor("svc:guest")
    stage = lone_pair.stage
    stage.acme.grant(guest, "reader")
    tenant = stage.store.tenant("acme", actor=guest)
    handle = tenant.collection(Ticket, name=lone_pair.name, retention="180d")
    stage.acme.revoke(guest, "reader")
    with pytest.raises(PolicyDenied):
        handle.search("refund", k=8)
    monkeypatch.setattr(guard, "require", permit)
    assert len(handle.search("refund", k=8)) == 8
    with pytest.raises(TenantNotFound):
        stage.store.tenant("acme", actor=guest)


def test_without_the_roles_at_the_door_the_policy_still_refuses_and_without_both_a_stranger_reads(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = sv.Actor("svc:stranger")
    store = lone_pair.stage.store
    with pytest.raises(TenantNotFound):
        store.tenant("acme", actor=stranger)
    monkeypatch.setattr(store.runtime.control, "roles", some_role)
    tenant = store.tenant("acme", actor=stranger)
    with pytest.raises(PolicyDenied):
        tenant.collection(Ticket, name=lone_pair.name, retention="180d").search("refund", k=8)
    monkeypatch.setattr(guard, "require", permit)
    handle = tenant.collection(Ticket, name=lone_pair.name, retention="180d")
    assert len(handle.search("refund", k=8)) == 8


def test_without_the_audit_record_an_answer_leaves_unrecorded(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = lone_pair.stage.store.runtime
    runtime.audit = FailingAudit(runtime.audit, 0)
    with pytest.raises(SecurevecError):
        lone_pair.acme.search("refund", k=8)
    monkeypatch.setattr(Admission, "note", do_nothing)
    hits = lone_pair.acme.search("refund", k=8)
    assert len(hits) == 8
    assert hits.request_id not in {entry["request_id"] for entry in lone_pair.stage.audit(50)}


def test_without_looking_at_tombstones_and_rows_a_destroyed_key_still_opens_nothing(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a ring that never drops what it has open lost the keys: destroying them empties it."""
    row = Vandal(lone_pair.stage, lone_pair.acme).row()
    keys = lone_pair.stage.store.runtime.keys
    assert keys.key_by_id(read_key_id(row.body)).purpose == "body"
    monkeypatch.setattr(OpenKeys, "refresh", do_nothing)
    lone_pair.stage.store.delete_tenant("acme").raise_if_incomplete()
    with pytest.raises(SecurevecError):
        keys.key_by_id(read_key_id(row.body))


def test_without_the_look_at_an_embedders_answer_the_store_still_refuses_what_is_no_vector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trusting(self: CheckedEmbedder, texts: Sequence[AnonymizedText]) -> Matrix:
        return self._inner.embed(texts)

    embedder = FlakyEmbedder()
    with open_stage(tmp_path, "memory", embedder=embedder) as stage:
        pair = stage.pair().fill()
        embedder.fail = lambda: np.full((1, 64), np.nan, dtype=np.float32)
        with pytest.raises(EmbedderError):
            pair.acme.ingest([text(40, ACME_MARK)])
        monkeypatch.setattr(CheckedEmbedder, "embed", trusting)
        # Refused later, when the write has begun: that is why it is looked at before.
        with pytest.raises(OutcomeUnknown):
            pair.acme.ingest([text(40, ACME_MARK)])
        with pytest.raises(SecurevecError):
            pair.acme.search("refund", k=8)
        assert pair.acme.count() == 8


def test_without_sealing_names_the_search_for_needles_finds_them(
    lone_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    needles = Needles([("tenant", "Verdant Orchard Clinic")])
    lone_stage.store.tenant("Verdant Orchard Clinic", create=True, actor=ACME)
    assert needles.find_below(lone_stage.home) == []
    lone_stage.store.delete_tenant("Verdant Orchard Clinic").raise_if_incomplete()
    monkeypatch.setattr(NameBook, "seal", in_clear)
    lone_stage.store.tenant("Verdant Orchard Clinic", create=True, actor=ACME)
    assert needles.find_below(lone_stage.home) != []
