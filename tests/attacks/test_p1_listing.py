"""P1, P2, P4 and P6 for what reads a whole collection: nothing foreign, nothing left out, nothing believed of the
store, no page after the fence, and no page without its record.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

import securevec as sv
from securevec.attack import tamper as forge
from securevec.attack.rows import Vandal
from securevec.errors import (
    AuditUnavailable,
    IsolationViolation,
    PolicyDenied,
    QueryError,
    TenantUnavailable,
    UnknownFormat,
    UnknownKey,
)
from securevec.filters import Expr
from securevec.guard import Admission
from securevec.verbs import walk
from tests.support.attacks import ACME_MARK, DAY_MS, GLOBEX_MARK, RETENTION, Pair, text
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


def test_a_listing_shows_its_own_tenant_only(calm: Pair) -> None:
    for handle, own in ((calm.acme, ACME_MARK), (calm.globex, GLOBEX_MARK)):
        records = list(handle.iter(page_size=3))
        assert sorted(record.id for record in records) == sorted(f"T-{number}" for number in range(1, 9))
        assert all(own in record.body for record in records)


# -- cursors ---------------------------------------------------------------------------------------------------------


def foreign_cursors(pair: Pair) -> dict[str, object]:
    other = pair.stage.pair().fill(4)
    own = pair.globex.page(limit=3).cursor
    assert own is not None
    raw = base64.urlsafe_b64decode(own)
    return {
        "of another tenant": pair.acme.page(limit=3).cursor,
        "of another collection of the tenant": other.globex.page(limit=3).cursor,
        "empty": "",
        "text": "T-1",
        "not ASCII": "\u00e9" * 44,
        "a lone surrogate": "\ud800",
        "bytes": own.encode(),
        "a number": 7,
        "cut": own[:-4],
        "longer": own + "AAAA",
        "another version": base64.urlsafe_b64encode(b"\x02" + raw[1:]).decode(),
        "another place": base64.urlsafe_b64encode(raw[:1] + bytes([raw[1] ^ 1]) + raw[2:]).decode(),
        "another seal": base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode(),
        "the ordinary alphabet": base64.b64encode(b"\xfb" * 33).decode(),
        "a line break within": own[:20] + "\n" + own[20:],
    }


def test_a_cursor_of_another_place_is_refused_and_the_refusal_recorded(pair: Pair) -> None:
    for name, cursor in foreign_cursors(pair).items():
        with pytest.raises(QueryError) as refused:
            pair.globex.page(cursor=cursor)  # type: ignore[arg-type]  # callers may be untyped
        assert str(cursor) not in str(refused.value) or not cursor, name
        last = pair.stage.audit()[0]
        assert (last["action"], last["outcome"], last["error"]) == ("list", "failed", "QueryError"), name


def test_a_cursor_says_nothing_of_the_record_it_stands_at(pair: Pair) -> None:
    page = pair.acme.page(limit=1)
    assert page.cursor is not None
    assert page.records[0].id.encode() not in base64.urlsafe_b64decode(page.cursor)
    assert page.cursor != pair.globex.page(limit=1).cursor


def test_without_the_cursors_seal_a_foreign_cursor_is_taken(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = pair.acme.page(limit=3).cursor

    def agree(mine: bytes, given: bytes) -> bool:
        return True

    monkeypatch.setattr("securevec.verbs.cursors.compare_digest", agree)
    pair.globex.page(cursor=foreign)


# -- a store that hides, alters and relabels -------------------------------------------------------------------------


@pytest.mark.parametrize("name", READS)
def test_a_record_the_store_hides_is_an_error_and_no_shorter_answer(pair: Pair, name: str) -> None:
    vandal = Vandal(pair.stage, pair.globex)
    vandal.remove(vandal.row_of("T-3"))
    with pytest.raises(IsolationViolation):
        list(pair.globex.iter(page_size=100))
    if name != "page":
        with pytest.raises(IsolationViolation):
            READS[name](pair.globex)
    assert len(list(pair.acme.iter())) == 8


@pytest.mark.parametrize(
    "name",
    ["a foreign body", "swapped", "an old body", "not sealed"],
)
def test_a_record_the_store_altered_is_an_error(pair: Pair, name: str) -> None:
    {
        "a foreign body": forge.foreign_body_in_an_own_row,
        "swapped": forge.swap_two_bodies,
        "an old body": forge.old_body_in_the_new_row,
        "not sealed": forge.edited_body(lambda body: '{"v":1}'),
    }[name](pair)
    for name in ("iter", "count by filter"):
        with pytest.raises(IsolationViolation):
            READS[name](pair.globex)
        assert pair.stage.audit()[0]["error"] == "IsolationViolation"


def of_version_2(body: bytes) -> str:
    return forge.with_version(body, 2)


@pytest.mark.parametrize("change", [forge.with_key_id, of_version_2])
def test_an_unknown_key_or_format_is_an_error(pair: Pair, change: Callable[[bytes], str]) -> None:
    forge.edited_body(change)(pair)
    with pytest.raises((UnknownKey, UnknownFormat)):
        list(pair.globex.iter())


def test_rows_put_back_or_copied_in_are_not_listed(pair: Pair) -> None:
    forge.put_a_deleted_record_back(pair)
    forge.copy_under_a_new_id(pair)
    records = list(pair.globex.iter())
    assert sorted(record.id for record in records) == sorted(f"T-{number}" for number in (1, 3, 4, 5, 6, 7, 8))
    assert all(GLOBEX_MARK in record.body for record in records)


def test_edited_clear_copies_change_no_answer_and_are_counted(pair: Pair) -> None:
    vandal = Vandal(pair.stage, pair.globex)
    vandal.put(vandal.row_of("T-1").but(f_status="closed"))
    vandal.put(vandal.row_of("T-2").but(f_status="open"))
    vandal.put(vandal.row_of("T-3").but(x=2**50))
    vandal.put(vandal.row_of("T-5").but(f_status=None))
    page = pair.globex.page(where=OPEN)
    assert {record.id for record in page.records} == {"T-1", "T-3", "T-5", "T-7"}
    assert page.violations == 4
    assert pair.stage.audit()[0]["counts"]["violations"] == 4
    assert pair.globex.count(OPEN) == 4
    assert pair.stage.audit()[0]["counts"]["violations"] == 4


def test_without_the_judgement_a_filter_selects_nothing_out(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pair.globex.count(OPEN) == 4

    def always(where: Expr, row: object) -> bool:
        return True

    monkeypatch.setattr(walk, "matches", always)
    assert pair.globex.count(OPEN) == 8


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


def test_every_page_has_its_own_record(pair: Pair) -> None:
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
