"""P6, what works in steps looks at the fence between them: a tenant that is suspended in the middle is read no further,
and nothing is answered or embedded after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import securevec as sv
from securevec.audit import AuditRef, Event
from securevec.errors import TenantUnavailable
from securevec.verbs import values, verifying, walk
from tests.support.attacks import Pair, Stage, text

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

Call = Callable[..., Any]


def suspending(stage: Stage, inner: Call, when: Callable[[Any], bool] = lambda answer: True) -> tuple[Call, list[Any]]:
    """``inner``, which suspends the tenant behind the first answer that ``when`` holds of, and its answers."""
    answers: list[Any] = []

    def then(*arguments: Any, **named: Any) -> Any:
        answers.append(inner(*arguments, **named))
        if when(answers[-1]) and sum(map(when, answers)) == 1:
            stage.store.suspend_tenant("acme")
        return answers[-1]

    return then, answers


def test_a_verification_scans_no_second_page_of_a_suspended_tenant(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = lone_pair.stage
    monkeypatch.setattr(verifying, "STEP", 3)
    scan, pages = suspending(stage, stage.trap.scan)
    monkeypatch.setattr(stage.trap, "scan", scan)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.verify()
    assert [page.cursor is None for page in pages] == [False]


def test_a_verification_reads_no_second_sheet_of_a_suspended_tenants_manifest(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, control = lone_pair.stage, lone_pair.stage.store.runtime.control
    monkeypatch.setattr(verifying, "STEP", 3)
    live_after, sheets = suspending(stage, control.live_after)
    monkeypatch.setattr(control, "live_after", live_after)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.verify()
    assert [len(sheet) for sheet in sheets] == [3]


def test_a_verification_of_a_tenant_suspended_behind_its_last_sheet_says_nothing(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, control = lone_pair.stage, lone_pair.stage.store.runtime.control
    live_after, sheets = suspending(stage, control.live_after, lambda rows: not rows)
    monkeypatch.setattr(control, "live_after", live_after)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.verify()
    assert [len(sheet) for sheet in sheets] == [8, 0]
    assert stage.audit()[0]["outcome"] == "denied"


def test_a_walk_through_a_collection_opens_no_second_sheet_of_a_suspended_tenant(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = lone_pair.stage
    monkeypatch.setattr(walk, "SHEET_BYTES", 1)
    opened, sheets = suspending(stage, walk.open_records)
    monkeypatch.setattr(walk, "open_records", opened)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.count(sv.F("status") == "open")
    assert len(sheets) == 1


def span_of(pair: Pair) -> str:
    """The span id of a value that stands in a record."""
    hits = pair.acme.search("refund", k=8)
    return next(name for hit in hits for name in hit.span_ids)


@pytest.mark.parametrize("way", ["count", "describe"])
def test_what_the_manifest_alone_answers_of_a_tenant_that_is_suspended_meanwhile_is_not_said(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    stage, control = lone_pair.stage, lone_pair.stage.store.runtime.control
    count_shown, counted = suspending(stage, control.count_shown)
    monkeypatch.setattr(control, "count_shown", count_shown)
    with pytest.raises(TenantUnavailable):
        getattr(lone_pair.acme, way)()
    assert len(counted) == 1


def test_a_value_of_a_tenant_that_is_suspended_before_it_is_cut_out_is_not_even_read(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, span = lone_pair.stage, span_of(lone_pair)
    settle, _ = suspending(stage, vars(values)["settle_collection"])
    monkeypatch.setattr(values, "settle_collection", settle)
    stored, read = suspending(stage, values._stored, lambda answer: False)
    monkeypatch.setattr(values, "_stored", stored)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.redact(span)
    assert read == []


def test_a_value_cut_out_of_a_tenant_that_is_suspended_meanwhile_is_not_reported(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, span = lone_pair.stage, span_of(lone_pair)
    write, written = suspending(stage, vars(values)["write_batch"])
    monkeypatch.setattr(values, "write_batch", write)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.redact(span)
    assert len(written) == 1
    assert stage.audit()[0]["error"] == "TenantUnavailable"


def _at_the_last_moment(pair: Pair, monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """``then`` happens when an operation has looked at everything, and has said in the log what it is going to do."""
    runtime = pair.stage.store.runtime
    record = runtime.audit.record

    def late(event: Event, *, wait: bool = True) -> AuditRef:
        reference = record(event, wait=wait)
        if event.phase == "intent":
            monkeypatch.undo()
            then()
        return reference

    monkeypatch.setattr(runtime.audit, "record", late)


def _moved(store: sv.SecureStore) -> None:
    """The tenant is as it was, under another fence: as after new tokens, which an earlier one matches nothing of."""
    store.suspend_tenant("acme")
    store.resume_tenant("acme")


@pytest.mark.parametrize("verb", ["erase", "hold", "reseal"])
def test_what_was_admitted_under_an_earlier_fence_accepts_no_job_and_places_no_hold(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    stage, person = lone_pair.stage, lone_pair.acme.get("T-1").customer
    control = stage.store.runtime.control
    calls: dict[str, Callable[[], object]] = {
        "erase": lambda: stage.acme.erase_subject(person),
        "hold": lambda: stage.acme.hold("case 1", subject=person),
        "reseal": lambda: stage.store.reseal("acme", lone_pair.name),
    }
    _at_the_last_moment(lone_pair, monkeypatch, lambda: _moved(stage.store))
    with pytest.raises(TenantUnavailable):
        calls[verb]()
    assert (control.jobs(), control.holds(stage.acme.id), control.tombstones()) == ([], [], [])


def test_a_deletion_that_was_admitted_under_an_earlier_fence_deletes_nothing(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    _at_the_last_moment(lone_pair, monkeypatch, lambda: _moved(lone_pair.stage.store))
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.delete("T-1")
    said = [(each["action"], each["phase"], each["outcome"]) for each in lone_pair.stage.audit(2)]
    assert said == [("delete", "result", "denied"), ("delete", "single", "denied")]
    assert lone_pair.acme.count() == 8


def test_a_record_that_is_replaced_at_the_last_moment_is_not_deleted_for_what_it_said_before(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = text(1, "Refund", status="closed")
    before = lone_pair.acme.count(sv.F("status") == "open")
    _at_the_last_moment(lone_pair, monkeypatch, lambda: lone_pair.acme.ingest([closed]))
    assert lone_pair.acme.delete(where=sv.F("status") == "open").deleted == before - 1
    assert lone_pair.acme.get("T-1").status == "closed"
