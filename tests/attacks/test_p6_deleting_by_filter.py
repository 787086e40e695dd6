"""Deletion by a filter against a store that relabels and hides, other writers, holds, the fence and a failing log."""

from __future__ import annotations

from uuid import uuid4

import pytest

import securevec as sv
from securevec.attack.rows import Vandal
from securevec.errors import (
    AuditUnavailable,
    IsolationViolation,
    LegalHold,
    PolicyDenied,
    RecordNotFound,
    TenantUnavailable,
)
from securevec.removing import delete
from securevec.verbs import delete_where
from tests.support.attacks import ACME_MARK, RETENTION, Pair, text
from tests.support.attacks_outage import FailingAudit
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

OPEN = sv.F("status") == "open"
EVERY = sv.F("status").exists()


def ids(handle: sv.Collection[Ticket]) -> set[str]:
    return {record.id for record in handle.iter()}


def test_the_other_tenants_records_stay_whatever_the_filter_says(pair: Pair) -> None:
    assert pair.globex.delete(where=EVERY).deleted == 8
    assert ids(pair.globex) == set()
    assert len(ids(pair.acme)) == 8
    assert all(ACME_MARK in record.body for record in pair.acme.iter())


def test_a_clear_copy_that_matches_condemns_nobody_and_one_that_does_not_saves_nobody(pair: Pair) -> None:
    vandal = Vandal(pair.stage, pair.globex)
    vandal.put(vandal.row_of("T-2").but(f_status="open"))
    vandal.put(vandal.row_of("T-1").but(f_status="closed"))
    vandal.put(vandal.row_of("T-3").but(f_status=None))
    report = pair.globex.delete(where=OPEN)
    assert (report.deleted, report.violations) == (4, 3)
    assert pair.stage.audit()[0]["counts"] == {"deleted": 4, "violations": 3}
    assert pair.stage.audit()[0]["detail"] == {"filtered": True}
    assert ids(pair.globex) == {"T-2", "T-4", "T-6", "T-8"}


def test_a_hidden_record_stops_the_deletion_before_it_begins(pair: Pair) -> None:
    vandal = Vandal(pair.stage, pair.globex)
    vandal.remove(vandal.row_of("T-4"))
    with pytest.raises(IsolationViolation):
        pair.globex.delete(where=OPEN)
    assert pair.globex.count() == 8
    assert pair.globex.get("T-1").status == "open"


def test_a_record_replaced_meanwhile_is_judged_again(lone_pair: Pair) -> None:
    stage = lone_pair.stage

    def replace() -> None:
        stage.trap.on_fetch = None
        lone_pair.acme.ingest([text(1, "no longer open", status="closed"), text(3, "still open", status="open")])

    stage.trap.on_fetch = replace
    # They were read before the hook ran: the versions that were chosen are not the versions that stand.
    assert lone_pair.acme.delete(where=OPEN).deleted == 3
    assert ids(lone_pair.acme) == {"T-1", "T-2", "T-4", "T-6", "T-8"}
    assert lone_pair.acme.get("T-1").status == "closed"


def test_a_record_replaced_between_choice_and_deletion_is_not_deleted_unseen(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = delete.delete_part
    calls: list[int] = []

    def late(*arguments: object, **named: object) -> object:
        if not calls:
            calls.append(1)
            lone_pair.acme.ingest([text(1, "no longer open", status="closed"), text(3, "still", status="open")])
        return original(*arguments, **named)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(delete_where, "delete_part", late)
    assert lone_pair.acme.delete(where=OPEN).deleted == 3
    assert lone_pair.acme.get("T-1").status == "closed"
    with pytest.raises(RecordNotFound):
        lone_pair.acme.get("T-3")


def test_without_the_expected_generation_a_replaced_record_is_deleted_unseen(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = delete.delete_part

    def blind(*arguments: object, **named: object) -> object:
        lone_pair.acme.ingest([text(1, "no longer open", status="closed")])
        return original(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(delete_where, "delete_part", blind)
    lone_pair.acme.delete(where=OPEN)
    with pytest.raises(RecordNotFound):
        lone_pair.acme.get("T-1")


def test_one_held_record_refuses_the_whole_deletion(pair: Pair) -> None:
    runtime, scope = pair.stage.store.runtime, pair.globex._scope
    runtime.control.add_hold(
        uuid4().hex, scope.tenant, scope.collection, scope.record_ref(runtime, "T-5"), b"sealed", 1
    )
    with pytest.raises(LegalHold):
        pair.globex.delete(where=OPEN)
    assert pair.stage.audit()[0]["outcome"] == "denied"
    assert len(ids(pair.globex)) == 8
    assert pair.globex.delete(where=sv.F("status") == "closed").deleted == 4


def test_a_suspended_tenant_loses_nothing(lone_pair: Pair) -> None:
    stage = lone_pair.stage

    def suspend() -> None:
        stage.trap.on_fetch = None
        stage.store.suspend_tenant("acme")

    stage.trap.on_fetch = suspend
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.delete(where=OPEN)
    stage.store.resume_tenant("acme")
    assert lone_pair.acme.count() == 8


def test_nothing_is_deleted_without_its_intent_on_record(lone_pair: Pair) -> None:
    runtime = lone_pair.stage.store.runtime
    working = runtime.audit
    runtime.audit = FailingAudit(working, 0)
    try:
        with pytest.raises(AuditUnavailable):
            lone_pair.acme.delete(where=OPEN)
    finally:
        runtime.audit = working
    assert lone_pair.acme.count() == 8


def test_a_reader_may_not_delete_by_filter(lone_pair: Pair) -> None:
    stage = lone_pair.stage
    reader = sv.Actor("svc:reader")
    stage.acme.grant(reader, "reader")
    handle = stage.store.tenant("acme", actor=reader).collection(Ticket, name=lone_pair.name, retention=RETENTION)
    with pytest.raises(PolicyDenied):
        handle.delete(where=OPEN)
    assert handle.count() == 8
