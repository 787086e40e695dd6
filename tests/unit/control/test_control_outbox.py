"""Events owed, the audit log's anchor, and time that only rises."""

from __future__ import annotations

import json

import pytest

from securevec.errors import AuditTampered
from tests.unit.control.desk import LEASE, NOW, TENANT, Desk, record


def test_a_state_change_owes_its_event_until_it_is_delivered(desk: Desk) -> None:
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    desk.store.set_tenant_state(TENANT, "active", now_ms=NOW + 1)
    owed = desk.store.outbox_pending()
    assert [json.loads(row.payload) for row in owed] == [
        {"action": "tenant.suspend", "fence": 2, "ms": NOW, "tenant": TENANT},
        {"action": "tenant.resume", "fence": 3, "ms": NOW + 1, "tenant": TENANT},
    ]
    desk.store.outbox_done(owed[0].id)
    desk.store.outbox_done(owed[0].id)
    assert desk.store.outbox_pending() == owed[1:]


def test_an_event_number_is_never_used_again(desk: Desk) -> None:
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    first = desk.store.outbox_pending()[0].id
    desk.store.outbox_done(first)
    desk.store.set_tenant_state(TENANT, "active", now_ms=NOW)
    assert desk.store.outbox_pending()[0].id > first


def test_the_anchor_never_goes_back_and_never_changes_its_history(desk: Desk) -> None:
    assert desk.store.audit_head() is None
    desk.store.set_audit_head(3, "root-3", b"note-3")
    desk.store.set_audit_head(2, "root-2", b"note-2")
    assert desk.store.audit_head() == (3, "root-3", b"note-3")
    desk.store.set_audit_head(3, "root-3", b"signed again")
    assert desk.store.audit_head() == (3, "root-3", b"signed again")
    with pytest.raises(AuditTampered):
        desk.store.set_audit_head(3, "another", b"note")
    desk.store.set_audit_head(4, "root-4", b"note-4")
    assert desk.store.audit_head() == (4, "root-4", b"note-4")


def test_the_time_floor_rises_and_never_falls(desk: Desk) -> None:
    assert desk.store.time_floor() == 0
    for offered, kept in ((NOW, NOW), (NOW - 1, NOW), (NOW + 5, NOW + 5)):
        desk.store.raise_time_floor(offered)
        assert desk.store.time_floor() == kept


def test_only_an_operator_lowers_the_time_floor_and_leases_of_the_wrong_clock_end(desk: Desk) -> None:
    ahead = NOW + 75 * 365 * 86_400_000
    wrong, _ = desk.begin(record(1), now_ms=ahead)
    right, _ = desk.begin(record(2), now_ms=NOW)
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=ahead)
    assert desk.store.lease_job("j", owner="gone", until_ms=ahead + LEASE, now_ms=ahead)
    desk.store.raise_time_floor(ahead)
    desk.store.reset_time_floor(NOW)
    assert desk.store.time_floor() == NOW
    assert [batch.request_id for batch in desk.batches(now_ms=NOW, expired_only=True)] == [wrong]
    assert desk.store.batch(right) is not None
    assert desk.store.lease_job("j", owner="next", until_ms=NOW + LEASE, now_ms=NOW)
