"""P6 and P7 for what reads a whole collection: no page after the fence, and no page without its record. That a listing
shows nothing foreign, leaves nothing out and believes nothing of the store are cases of the shipped suite.

Here is what cannot be one: the tenant is suspended, or a record replaced, in the middle of a call (``Trap.on_fetch``);
the clock is moved; a role is given to somebody else; the audit log is looked at or made to fail.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

import securevec as sv
from securevec.errors import (
    AuditUnavailable,
    PolicyDenied,
    QueryError,
    TenantUnavailable,
)
from securevec.guard import Admission
from tests.support.attacks import DAY_MS, RETENTION, Pair, text
from tests.support.attacks_outage import FailingAudit
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

OPEN = sv.F("status") == "open"
READS: dict[str, Callable[[sv.Collection[Ticket]], object]] = {
    "page": lambda handle: handle.page(limit=3),
    "iter": lambda handle: list(handle.iter(page_size=3)),
    "iter by filter": lambda handle: list(handle.iter(OPEN, page_size=3)),
    "count by filter": lambda handle: handle.count(OPEN),
}


def test_a_refused_cursor_is_on_record(lone_pair: Pair) -> None:
    with pytest.raises(QueryError):
        lone_pair.globex.page(cursor=lone_pair.acme.page(limit=3).cursor)
    last = lone_pair.stage.audit()[0]
    assert (last["action"], last["outcome"], last["error"]) == ("list", "failed", "QueryError")


# -- fence, expiry, policy, audit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READS)
def test_a_tenant_suspended_in_the_middle_of_a_page_gets_none(lone_pair: Pair, name: str) -> None:
    stage = lone_pair.stage

    def suspend() -> None:
        stage.trap.on_fetch = None
        stage.store.suspend_tenant("acme")

    stage.trap.on_fetch = suspend
    with pytest.raises(TenantUnavailable):
        READS[name](lone_pair.acme)


def test_a_tenant_suspended_between_two_pages_gets_no_second(lone_pair: Pair) -> None:
    listing = lone_pair.acme.iter(page_size=3)
    next(listing)
    lone_pair.stage.store.suspend_tenant("acme")
    assert len([next(listing) for _ in range(2)]) == 2
    with pytest.raises(TenantUnavailable):
        next(listing)


def test_without_the_second_look_at_the_fence_a_page_in_flight_leaks(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = lone_pair.stage

    def unchecked(self: Admission) -> None:
        return

    monkeypatch.setattr(Admission, "recheck", unchecked)

    def suspend() -> None:
        stage.trap.on_fetch = None
        stage.store.suspend_tenant("acme")

    stage.trap.on_fetch = suspend
    assert len(lone_pair.acme.page().records) == 8


def test_a_record_deleted_or_replaced_while_a_page_is_made_is_shown_as_it_is_at_the_end(lone_pair: Pair) -> None:
    stage = lone_pair.stage

    def delete_one() -> None:
        stage.trap.on_fetch = None
        lone_pair.acme.delete("T-1")
        stage.trap.on_fetch = replace_another

    def replace_another() -> None:
        stage.trap.on_fetch = None
        lone_pair.acme.ingest([text(2, "replaced")])

    stage.trap.on_fetch = delete_one
    records = {record.id: record.body for record in lone_pair.acme.iter()}
    assert "T-1" not in records
    assert "replaced" in records["T-2"]
    assert len(records) == 7


def test_due_records_are_not_listed_counted_or_there(lone_pair: Pair) -> None:
    lone_pair.stage.time.forward(181 * DAY_MS)
    lone_pair.acme.ingest([text(30, "new")])
    assert [record.id for record in lone_pair.acme.iter()] == ["T-30"]
    assert lone_pair.acme.count(OPEN | ~OPEN) == 1
    assert not lone_pair.acme.exists("T-1")


def test_a_writer_may_count_and_neither_list_nor_count_by_what_records_hold(lone_pair: Pair) -> None:
    stage = lone_pair.stage
    writer = sv.Actor("svc:loader")
    stage.acme.grant(writer, "writer")
    handle = stage.store.tenant("acme", actor=writer).collection(Ticket, name=lone_pair.name, retention=RETENTION)
    assert handle.count() == 8
    for read in READS.values():
        with pytest.raises(PolicyDenied):
            read(handle)
        assert stage.audit()[0]["outcome"] == "denied"
    with pytest.raises(PolicyDenied):
        handle.exists("T-1")


def test_every_page_has_its_own_record(lone_pair: Pair) -> None:
    pair = lone_pair
    list(pair.acme.iter(page_size=3))
    pages = [entry for entry in pair.stage.audit(3) if entry["action"] == "list"]
    assert [entry["counts"]["records"] for entry in pages] == [3, 3, 2]
    assert len({entry["request_id"] for entry in pages}) == 3
    assert [len(entry["records"]) for entry in pages] == [3, 3, 2]
    assert pair.acme.exists("T-1")
    assert pair.stage.audit()[0]["action"] == "exists"


@pytest.mark.parametrize("name", READS)
def test_no_page_without_its_audit_record(lone_pair: Pair, name: str) -> None:
    runtime = lone_pair.stage.store.runtime
    working = runtime.audit
    runtime.audit = FailingAudit(working, 0)
    try:
        with pytest.raises(AuditUnavailable):
            READS[name](lone_pair.acme)
    finally:
        runtime.audit = working
