"""Legal holds: what they keep, what they refuse, and that each refusal names the hold in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import securevec as sv
from securevec.errors import (
    CollectionNotFound,
    LegalHold,
    LimitExceeded,
    PolicyDenied,
    RecordError,
    RecordNotFound,
    TenantNotFound,
    UsageError,
)
from securevec.proof import receipt as receipts
from securevec.removing import delete
from securevec.retention import apply as applying
from securevec.retention.holds import Hold
from securevec.retention.rules import hold_epoch
from tests.support.hourglass import RETENTION_DAYS, Hourglass
from tests.support.world import ACME, Ticket, ticket

GONE = "removed from live files"
SCOPES: dict[str, Callable[[sv.Tenant], Hold]] = {
    "tenant": lambda tenant: tenant.hold("case 1"),
    "collection": lambda tenant: tenant.hold("case 1", collection="ticket"),
    "record": lambda tenant: tenant.hold("case 1", collection="ticket", record="T-1"),
    "subject": lambda tenant: tenant.hold("case 1", subject="Customer1@example.com"),
}


@pytest.fixture(params=SCOPES)
def held(request: pytest.FixtureRequest, quick: Hourglass) -> Hold:
    quick.fill(1, 2)
    hold = SCOPES[request.param](quick.acme)
    assert (hold.kind, hold.standing) == (request.param, True)
    return hold


def _refused(glass: Hourglass, hold: Hold, attempt: Callable[[], object]) -> None:
    before = len([each for each in glass.audit(outcome="denied") if each.get("detail", {}).get("hold") == hold.id])
    with pytest.raises(LegalHold) as refusal:
        attempt()
    assert refusal.value.hold_id == hold.id
    assert hold.id in refusal.value.next_step
    assert glass.holds_named_in_refusals() == {hold.id}
    after = len([each for each in glass.audit(outcome="denied") if each.get("detail", {}).get("hold") == hold.id])
    assert after > before
    assert glass.tickets.get("T-1").id == "T-1"


def test_what_is_held_cannot_be_deleted(quick: Hourglass, held: Hold) -> None:
    _refused(quick, held, lambda: quick.tickets.delete("T-1"))
    _refused(quick, held, lambda: quick.tickets.delete(["T-2", "T-1"]))
    _refused(quick, held, lambda: quick.tickets.delete(where=sv.F("status") == "open"))
    assert quick.tickets.count() == 2


def test_a_hold_on_an_id_of_another_type_is_a_mistake_and_no_record_that_is_not_there(quick: Hourglass) -> None:
    quick.fill(1)
    with pytest.raises(RecordError, match="is text"):
        quick.acme.hold("case 1", collection="ticket", record=1)
    assert quick.acme.holds() == []


def test_a_hold_on_one_record_of_a_later_batch_lets_no_earlier_batch_go(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction looks at the holds on its own batch: without a look before the first, two would be gone."""
    monkeypatch.setattr(delete, "MAX_BATCH", 2)
    quick.fill(1, 2, 3)
    quick.acme.hold("case 1", collection="ticket", record="T-3")
    with pytest.raises(LegalHold):
        quick.tickets.delete(["T-1", "T-2", "T-3"])
    assert quick.tickets.count() == 3


def test_whom_what_is_held_is_about_cannot_be_erased(quick: Hourglass, held: Hold) -> None:
    _refused(quick, held, lambda: quick.acme.erase_subject("customer1@example.com"))
    assert quick.store.runtime.control.jobs() == []
    quick.acme_operated.release(held.id)
    quick.acme.erase_subject("customer1@example.com").raise_if_incomplete()
    assert quick.named() == 1


def test_the_tenant_of_what_is_held_cannot_be_deleted(quick: Hourglass, held: Hold) -> None:
    _refused(quick, held, lambda: quick.store.delete_tenant("acme"))
    assert quick.store.runtime.control.jobs() == []


def test_what_is_held_cannot_be_replaced_and_the_other_rows_go_in(quick: Hourglass, held: Hold) -> None:
    before = quick.tickets.get("T-1")
    report = quick.tickets.ingest([ticket(1, "Another text."), ticket(3, "A new record.")])
    # A hold on the tenant or the collection keeps what is there; it does not forbid new records.
    assert (report.new, report.updated, len(report.refused)) == (1, 0, 1)
    assert report.refused[0].row == 1
    assert quick.tickets.get("T-1") == before
    assert quick.holds_named_in_refusals() == {held.id}


def test_what_is_held_outlives_its_expiry_and_the_key_of_its_bucket(quick: Hourglass, held: Hold) -> None:
    epochs = quick.keys()
    quick.pass_days(RETENTION_DAYS + 30)
    assert quick.tickets.count() == 0, "a due record is shown to nobody, held or not"
    with pytest.raises(RecordNotFound):
        quick.tickets.get("T-1")
    plan = quick.store.retention_plan()
    (mine,) = [each for each in plan.collections if each.tenant == quick.acme.id]
    kept = 1 if held.kind in ("record", "subject") else 2
    assert (mine.held, mine.holds, set(mine.key_buckets)) == (kept, 1, epochs)
    (receipt,) = quick.apply()
    assert (quick.named(), quick.stored(), quick.keys()) == (kept, kept, {hold_epoch(held.id)})
    assert receipt.predicate["exceptions"] == [{"kind": "legal-hold", "ref": held.id, "records": kept}]
    assert quick.holds_named_in_refusals() == {held.id}
    quick.acme_operated.release(held.id)
    quick.apply()
    assert (quick.named(), quick.stored(), quick.keys()) == (0, 0, set())


def test_a_released_hold_keeps_nothing(quick: Hourglass, held: Hold) -> None:
    quick.acme_operated.release(held.id)
    assert [hold.standing for hold in quick.acme.holds()] == [False]
    assert quick.tickets.delete("T-1").deleted == 1
    with pytest.raises(UsageError):
        quick.acme_operated.release(held.id)


def test_two_holds_keep_until_the_last_is_released(quick: Hourglass, held: Hold) -> None:
    second = quick.acme.hold("case 2", collection="ticket", record="T-1")
    quick.acme_operated.release(held.id)
    _refused(quick, second, lambda: quick.tickets.delete("T-1"))


def test_a_hold_on_a_subject_covers_what_is_written_later(glass: Hourglass) -> None:
    glass.fill(1)
    hold = glass.acme.hold("case 1", subject=["customer1@example.com", "nobody@example.com"])
    glass.tickets.ingest(
        [ticket(7, "Please answer to customer1@example.com soon."), ticket(8, "Nothing to do with it.")]
    )
    with pytest.raises(LegalHold) as refusal:
        glass.tickets.delete("T-7")
    assert refusal.value.hold_id == hold.id
    assert glass.tickets.delete("T-8").deleted == 1


def test_a_hold_of_another_tenant_keeps_nothing_here(quick: Hourglass) -> None:
    quick.fill(1)
    quick.world.globex.ingest([ticket(1, "The same id and customer elsewhere.")])
    quick.store.tenant("globex").hold("case 1", subject="customer1@example.com")
    quick.store.tenant("globex").hold("case 1", collection="ticket", record="T-1")
    assert quick.tickets.delete("T-1").deleted == 1


def test_a_suspended_tenant_can_be_held(quick: Hourglass) -> None:
    quick.fill(1)
    operated = quick.acme_operated
    quick.store.suspend_tenant("acme")
    hold = operated.hold("case 1")
    with pytest.raises(LegalHold):
        quick.store.delete_tenant("acme")
    operated.release(hold.id)
    quick.store.delete_tenant("acme").raise_if_incomplete()


def test_a_hold_on_something_unknown_is_refused_and_none_is_kept(quick: Hourglass) -> None:
    quick.fill(1)
    acme = quick.acme
    with pytest.raises(TenantNotFound):
        quick.store.tenant("nobody").hold("case 1")
    with pytest.raises(CollectionNotFound):
        acme.hold("case 1", collection="nothing")
    with pytest.raises(RecordNotFound):
        acme.hold("case 1", collection="ticket", record="T-99")
    with pytest.raises(RecordNotFound):
        acme.hold("case 1", subject="nobody@example.com")
    with pytest.raises(UsageError):
        acme.hold("case 1", record="T-1")
    with pytest.raises(UsageError):
        acme.hold("case 1", collection="ticket", subject="customer1@example.com")
    with pytest.raises(RecordError):
        acme.hold("case 1", collection="ticket", record=1.5)  # type: ignore[arg-type]  # what an untyped caller may pass
    assert acme.holds() == []
    assert quick.tickets.delete("T-1").deleted == 1


@pytest.mark.parametrize("reason", ["", "  \n", "\ud800", 7, None])
def test_a_hold_without_a_reason_is_refused(quick: Hourglass, reason: str) -> None:
    with pytest.raises(UsageError):
        quick.acme.hold(reason)


def test_a_reason_is_sealed_and_bounded(quick: Hourglass) -> None:
    hold = quick.acme.hold("matter of the crocodile")
    assert quick.acme.hold_reason(hold.id) == "matter of the crocodile"
    with pytest.raises(LimitExceeded):
        quick.acme.hold("x" * 4097)
    with pytest.raises(UsageError):
        quick.store.tenant("globex").hold_reason(hold.id)
    for path in quick.world.home.rglob("*"):
        if path.is_file():
            assert b"crocodile" not in path.read_bytes()


def test_an_owner_places_holds_and_does_not_release_them_and_a_writer_does_neither(quick: Hourglass) -> None:
    quick.fill(1)
    hold = quick.acme.hold("case 1", collection="ticket", record="T-1")
    with pytest.raises(PolicyDenied):
        quick.acme.release(hold.id)
    writer = sv.Actor("svc:writer")
    quick.acme.grant(writer, "writer")
    written = quick.store.tenant("acme", actor=writer)
    for refused in (lambda: written.hold("mine"), lambda: written.release(hold.id), written.holds):
        with pytest.raises(PolicyDenied):
            refused()
    with pytest.raises(LegalHold):
        written.collection(Ticket, retention="180d").delete("T-1")
    assert quick.acme.holds()[0].standing


@pytest.mark.parametrize("hold_id", ["", "0" * 32, "nothing", "' OR 1=1", 5])
def test_a_hold_that_is_not_there_cannot_be_released(quick: Hourglass, hold_id: str) -> None:
    with pytest.raises(UsageError):
        quick.acme_operated.release(hold_id)


def test_placing_and_releasing_are_recorded_with_intent_and_result(quick: Hourglass) -> None:
    quick.fill(1)
    hold = quick.acme.hold("case 1", collection="ticket", record="T-1")
    quick.acme_operated.release(hold.id)
    placed, released = quick.audit("hold"), quick.audit("hold.release")
    assert [(each["phase"], each["detail"]["hold"]) for each in placed] == [("intent", hold.id), ("result", hold.id)]
    assert [(each["phase"], each["detail"]["hold"]) for each in released] == [("intent", hold.id), ("result", hold.id)]


def test_a_hold_placed_after_a_job_was_accepted_keeps_its_record(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass.fill(1, 2, 3)
    glass.pass_days(RETENTION_DAYS + 30)
    plan = glass.store.retention_plan()
    placed: list[Hold] = []
    control = glass.store.runtime.control
    begin = type(control).begin_delete

    def hold_first(*given: object, **named: object) -> object:
        if not placed:
            placed.append(glass.acme.hold("case 1", collection="ticket", record="T-2"))
        return begin(*given, **named)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(type(control), "begin_delete", hold_first)
    (result,) = glass.store.apply_retention(plan.digest)
    assert result.state == "done"
    assert (glass.named(), glass.stored()) == (1, 1)
    assert placed[0].id in glass.holds_named_in_refusals()
    kept = [(each["detail"]["hold"], each["counts"]) for each in glass.audit("retention.apply", "denied")]
    assert kept == [(placed[0].id, {"held": 1})], "the job itself says what it left, and why"
    predicate = receipts.read(result.receipt or b"", public=glass.store.runtime.keys.signing_key().public).predicate
    assert predicate["result"]["records"] == 2, "what is held, under a key of its hold by now, is called deleted"
    assert predicate["exceptions"] == [{"kind": "legal-hold", "ref": placed[0].id, "records": 1}]
    due = [each for each in predicate["artefacts"] if each["artefact"].startswith("due")]
    # The first round met the hold and removed nothing, so that the second alone has something to tell.
    assert glass.store.runtime.backend().name == "memory" or [each["verdict"] for each in due] == [GONE], due
    glass.acme_operated.release(placed[0].id)
    glass.apply()
    assert (glass.named(), glass.stored(), glass.keys()) == (0, 0, set())


def test_what_is_written_after_a_job_listed_it_is_not_due(quick: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    quick.tickets.ingest([ticket(1, "The lift is stuck."), ticket(2, "The lift is late.")])
    quick.pass_days(8)
    quick.store.set_retention(tenant="acme", max_age="7d")
    plan = quick.store.retention_plan()
    remove = applying._remove

    def others_first(*given: Any) -> Any:
        assert not quick.tickets.ingest([ticket(1, "The lift works again.")]).refused
        return remove(*given)

    monkeypatch.setattr(applying, "_remove", others_first)
    (result,) = quick.store.apply_retention(plan.digest)
    assert result.state == "done", result.waiting_for
    assert [(record.id, record.body) for record in quick.tickets.iter()] == [("T-1", "The lift works again.")]
    assert quick.named() == 1, "the other is gone"


def test_what_is_stored_again_after_a_job_was_accepted_goes_all_the_same(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retention job lists generations. One that was made of them since, by a leaked key or without a person who was
    erased, is as due as before."""
    quick.fill(1)
    quick.tickets.ingest([ticket(2, "Jane wrote from jane.doe@example.com that the lift is late.", customer="C-2")])
    quick.pass_days(8)
    quick.store.set_retention(tenant="acme", max_age="7d")
    plan = quick.store.retention_plan()
    control = quick.store.runtime.control
    lease = type(control).lease_job
    meanwhile: list[str] = []

    def others_first(*given: object, **named: object) -> object:
        monkeypatch.undo()
        meanwhile.append(quick.store.reseal("acme", "ticket").state)
        meanwhile.append(quick.acme_operated.erase_subject("jane.doe@example.com").state)
        return lease(*given, **named)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(type(control), "lease_job", others_first)
    (result,) = quick.store.apply_retention(plan.digest)
    assert (meanwhile, result.state) == (["done", "done"], "done")
    predicate = receipts.read(result.receipt or b"", public=quick.store.runtime.keys.signing_key().public).predicate
    assert (quick.named(), quick.stored()) == (0, 0), predicate["result"]
    assert predicate["result"]["records"] == 2


def test_only_named_actors_hold(quick: Hourglass) -> None:
    with pytest.raises(TenantNotFound):
        quick.store.tenant("acme", actor=sv.Actor("svc:stranger")).hold("case 1")
    assert ACME.name == "svc:acme-helpdesk"
