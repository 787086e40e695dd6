"""Rules, plans and what applying one does, on every store."""

from __future__ import annotations

from typing import Any

import pytest

import securevec as sv
from securevec.errors import (
    CollectionNotFound,
    ConfigError,
    KeyDestroyed,
    PlanChanged,
    PolicyDenied,
    RecordNotFound,
    RetentionConflict,
    RetentionMinimum,
    TenantNotFound,
    UsageError,
)
from securevec.policy import BuiltinPolicy, Decision, Request
from securevec.proof.receipt import unverified
from securevec.removing import delete
from tests.support.hourglass import RETENTION_DAYS, Hourglass
from tests.support.world import ACME, Ticket, ticket


def test_what_is_due_goes_with_its_bytes_and_its_key_and_nothing_else_does(glass: Hourglass) -> None:
    glass.fill(1, 2, 3)
    old = glass.keys()
    glass.pass_days(60)
    glass.fill(4, 5)
    glass.world.globex.ingest([ticket(9, "Another tenant's text, of another day.")])
    glass.pass_days(RETENTION_DAYS - 60 + 30)
    assert glass.tickets.count() == 2
    plan = glass.store.retention_plan()
    (acme,) = [each for each in plan.collections if each.tenant == glass.acme.id]
    assert (acme.records, acme.chunks, acme.held, set(acme.key_buckets)) == (3, 3, 0, old)
    assert glass.stored() == 5, "a plan changes nothing"
    (receipt,) = glass.apply()
    assert receipt.predicate["kind"] == "retention"
    assert receipt.predicate["tenant"] == glass.acme.id
    assert receipt.predicate["result"] == {"records": 3, "chunks": 3}
    assert receipt.predicate["exceptions"] == []
    assert len(receipt.artefacts) == 2
    assert (glass.stored(), glass.named(), glass.tickets.count()) == (2, 2, 2)
    assert glass.keys().isdisjoint(old)
    assert len(glass.keys()) == 1
    assert glass.tickets.get("T-4").id == "T-4"
    assert glass.world.globex.count() == 1
    assert glass.store.retention_plan().nothing_to_do


def test_a_receipt_tells_of_bytes_gone_where_files_can_be_read(glass: Hourglass) -> None:
    glass.fill(1, 2, 3)
    glass.pass_days(RETENTION_DAYS + 30)
    (receipt,) = glass.apply()
    verdicts = {entry["artefact"].split()[0]: entry["verdict"] for entry in receipt.artefacts}
    volatile = glass.store.runtime.backend().capabilities.volatile
    assert verdicts == {
        "due": "unverified" if volatile else "removed from live files",
        "keys": "removed from live files",
    }


def test_a_key_outlives_its_records_until_its_bucket_has_ended(quick: Hourglass) -> None:
    quick.fill(1)
    quick.pass_days(RETENTION_DAYS)
    (receipt,) = quick.apply()
    assert [entry["artefact"].split()[0] for entry in receipt.artefacts] == ["due"]
    epochs = quick.keys()
    assert len(epochs) == 1
    quick.pass_days(30)
    plan = quick.store.retention_plan()
    assert plan.records == 0
    assert not plan.nothing_to_do
    (receipt,) = quick.apply()
    assert [entry["artefact"].split()[0] for entry in receipt.artefacts] == ["keys"]
    assert quick.keys() == set()


def test_a_destroyed_bucket_opens_nothing(quick: Hourglass) -> None:
    quick.fill(1)
    key_ids = [key.key_id for key in quick.store.runtime.keys.list_keys() if key.kind == "dek"]
    quick.pass_days(RETENTION_DAYS + 30)
    quick.apply()
    for key_id in key_ids:
        with pytest.raises(KeyDestroyed):
            quick.store.runtime.keys.key_by_id(bytes.fromhex(key_id))


def test_records_without_end_and_their_key_stay(quick: Hourglass) -> None:
    forever = quick.acme.collection(Ticket, name="forever")
    forever.ingest([ticket(1, "Kept until deleted.")])
    quick.pass_days(80_000)
    quick.apply()
    assert forever.count() == 1
    assert [key.epoch for key in quick.store.runtime.keys.list_keys() if key.collection == forever.id]
    forever.delete("T-1")
    quick.apply()
    left = quick.store.runtime.keys.list_keys(kind="dek")
    assert {key.epoch for key in left if key.collection == forever.id} == {"r0/never"}


def test_new_records_are_sealed_with_the_strictest_expiry(glass: Hourglass) -> None:
    glass.fill(1)
    glass.store.set_retention(max_age="400d")
    glass.store.set_retention(tenant="acme", max_age="60d")
    glass.store.set_retention(tenant="acme", collection="ticket", classification="internal", max_age="30d")
    glass.fill(2)
    glass.pass_days(30)
    assert glass.tickets.count() == 1
    with pytest.raises(RecordNotFound):
        glass.tickets.get("T-2")
    assert glass.tickets.get("T-1").id == "T-1"
    assert {hit.record.id for hit in glass.tickets.search("lift", k=10)} == {"T-1"}


def test_an_updated_record_is_sealed_with_the_strictest_expiry_too(quick: Hourglass) -> None:
    quick.fill(1)
    quick.store.set_retention(tenant="acme", max_age="30d")
    quick.tickets.update("T-1", status="closed")
    quick.pass_days(30)
    assert quick.tickets.count() == 0
    assert len(quick.tickets.search("lift", k=10)) == 0


def test_a_rule_tightened_later_makes_older_records_due_by_a_plan(glass: Hourglass) -> None:
    glass.fill(1, 2)
    glass.pass_days(40)
    glass.fill(3)
    glass.store.set_retention(tenant="acme", classification="internal", max_age="30d")
    assert glass.tickets.count() == 3, "readers judge the sealed expiry"
    assert glass.store.retention_plan().records == 2
    glass.apply()
    assert glass.tickets.count() == 1
    assert glass.tickets.get("T-3").id == "T-3"


def test_a_rule_on_another_scope_touches_nothing(quick: Hourglass) -> None:
    quick.fill(1)
    quick.pass_days(40)
    quick.store.set_retention(tenant="globex", max_age="30d")
    quick.store.set_retention(classification="secret", max_age="30d")
    assert quick.store.retention_plan().nothing_to_do
    assert quick.store.retention_plan(tenant="acme").nothing_to_do


def test_a_plan_of_one_tenant_leaves_the_others(quick: Hourglass) -> None:
    quick.fill(1)
    quick.world.globex.ingest([ticket(1, "Another tenant's.")])
    quick.pass_days(RETENTION_DAYS + 30)
    plan = quick.store.retention_plan(tenant="globex")
    assert [each.tenant for each in plan.collections] == [quick.world.globex._scope.tenant]
    quick.store.apply_retention(plan.digest)
    assert (quick.named(), quick.named(quick.world.globex)) == (1, 0)


def test_a_plan_that_no_longer_matches_does_nothing(glass: Hourglass) -> None:
    glass.fill(1, 2)
    glass.pass_days(RETENTION_DAYS + 1)
    changes: list[Any] = [
        lambda: glass.tickets.delete("T-2"),
        lambda: glass.store.set_retention(max_age="10y"),
        lambda: glass.acme.hold("case 1", collection="ticket", record="T-1"),
        lambda: glass.acme_operated.release(glass.acme.holds()[0].id),
        lambda: glass.store.remove_retention(),
        lambda: glass.fill(1),
        lambda: glass.store.suspend_tenant("acme"),
    ]
    for change in changes:
        plan = glass.store.retention_plan()
        change()
        before = (glass.stored(), glass.named(), glass.keys())
        with pytest.raises(PlanChanged):
            glass.store.apply_retention(plan.digest)
        assert (glass.stored(), glass.named(), glass.keys()) == before
        assert glass.store.runtime.control.jobs() == []
    assert glass.audit("retention.apply", "failed")


def test_a_plan_is_applied_once_and_an_invented_one_never(quick: Hourglass) -> None:
    quick.fill(1)
    quick.pass_days(RETENTION_DAYS + 1)
    plan = quick.store.retention_plan()
    (done,) = quick.store.apply_retention(plan.digest)
    assert quick.store.apply_retention(plan.digest) == [done]  # what it came to, and nothing more is begun
    assert [job.job_id for job in quick.store.runtime.control.jobs()] == [done.job_id]
    for digest in ("0" * 64, "no digest"):
        with pytest.raises(PlanChanged):
            quick.store.apply_retention(digest)
    with pytest.raises(UsageError):
        quick.store.apply_retention("")


class NotHere(BuiltinPolicy):
    """Whoever may only read a tenant applies no retention to it, though they are the operator."""

    def decide(self, request: Request) -> Decision:
        if request.permission == "retention" and "reader" in request.roles:
            return Decision(allowed=False, rule="not here")
        return super().decide(request)


def test_what_a_plan_came_to_is_told_to_nobody_who_may_not_apply_it_to_the_tenant(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.fill(1)
    quick.pass_days(RETENTION_DAYS + 1)
    plan = quick.store.retention_plan()
    (done,) = quick.store.apply_retention(plan.digest)
    quick.acme_operated.grant(quick.store.actor, "reader")
    with monkeypatch.context() as patch:
        patch.setattr(quick.store.runtime, "policy", NotHere())
        with pytest.raises(PolicyDenied):
            quick.store.apply_retention(plan.digest)
    assert quick.store.apply_retention(plan.digest) == [done]


def test_what_became_due_after_the_plan_waits_for_the_next(quick: Hourglass) -> None:
    quick.fill(1)
    quick.pass_days(1)
    quick.fill(2)
    quick.pass_days(RETENTION_DAYS - 1)
    plan = quick.store.retention_plan()
    quick.pass_days(2)
    quick.store.apply_retention(plan.digest)
    assert quick.named() == 1
    assert quick.tickets.count() == 0


def test_a_suspended_tenant_is_passed_over_and_said(quick: Hourglass) -> None:
    quick.fill(1)
    quick.pass_days(RETENTION_DAYS + 1)
    quick.store.suspend_tenant("acme")
    plan = quick.store.retention_plan()
    assert (plan.records, plan.passed_over) == (0, 1)
    quick.store.apply_retention(plan.digest)
    assert quick.named() == 1


# -- minimums


def test_a_statutory_minimum_beats_deletion_maximum_and_the_end_of_the_tenant(glass: Hourglass) -> None:
    glass.store.set_retention(tenant="acme", min_age="100d")
    glass.fill(1, 2)
    with pytest.raises(RetentionMinimum):
        glass.tickets.delete("T-1")
    with pytest.raises(RetentionMinimum):
        glass.tickets.delete(where=sv.F("status") == "open")
    with pytest.raises(RetentionMinimum):
        glass.store.delete_tenant("acme")
    assert glass.tickets.count() == 2
    assert len(glass.audit(outcome="denied")) == 3
    glass.pass_days(100)
    assert glass.tickets.delete("T-1").deleted == 1
    glass.store.delete_tenant("acme").raise_if_incomplete()


def test_a_minimum_on_one_record_of_a_later_batch_lets_no_earlier_batch_go(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete, "MAX_BATCH", 2)
    quick.fill(1, 2)
    quick.pass_days(10)
    quick.store.set_retention(tenant="acme", min_age="5d")
    quick.fill(3)
    with pytest.raises(RetentionMinimum):
        quick.tickets.delete(["T-1", "T-2", "T-3"])
    assert quick.tickets.count() == 3


def test_a_statutory_minimum_beats_an_erasure(quick: Hourglass) -> None:
    quick.store.set_retention(tenant="acme", min_age="100d")
    quick.fill(1)
    with pytest.raises(RetentionMinimum):
        quick.acme.erase_subject("customer1@example.com")
    assert quick.tickets.get("T-1").id == "T-1", "nothing is hidden by an erasure that was refused"
    quick.pass_days(100)
    quick.acme.erase_subject("customer1@example.com").raise_if_incomplete()
    assert quick.named() == 0


def test_a_minimum_set_later_keeps_what_has_expired_and_shows_it_to_nobody(quick: Hourglass) -> None:
    short = quick.acme.collection(Ticket, name="short", classification="casual")
    quick.store.set_retention(tenant="acme", classification="casual", max_age="10d")
    short.ingest([ticket(1, "Gone in ten days.")])
    quick.pass_days(11)
    quick.store.remove_retention(tenant="acme", classification="casual")
    quick.store.set_retention(tenant="acme", collection="short", min_age="90d")
    assert short.count() == 0
    plan = quick.store.retention_plan()
    assert (plan.records, sum(each.kept_by_minimum for each in plan.collections)) == (0, 1)
    quick.pass_days(80)
    assert quick.store.retention_plan().records == 1


def test_a_minimum_set_while_a_job_deletes_keeps_what_it_had_listed_and_the_receipt_says_so(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = quick.acme.collection(Ticket, name="short", classification="casual")
    quick.store.set_retention(tenant="acme", classification="casual", max_age="10d")
    short.ingest([ticket(1, "Gone in ten days.")])
    quick.pass_days(11)
    plan, control = quick.store.retention_plan(), quick.store.runtime.control
    begin = control.begin_delete

    def kept_first(**named: Any) -> Any:
        monkeypatch.undo()
        quick.store.remove_retention(tenant="acme", classification="casual")
        quick.store.set_retention(tenant="acme", collection="short", min_age="90d")
        return begin(**named)

    monkeypatch.setattr(control, "begin_delete", kept_first)
    [result] = quick.store.apply_retention(plan.digest)
    said = unverified(result.receipt or b"")["predicate"]
    assert said["result"]["records"] == 0
    assert said["exceptions"] == [{"kind": "statutory-minimum", "ref": "", "records": 1}]
    assert control.count_live(short.id, now_ms=0)[0] == 1


def test_a_minimum_does_not_forbid_a_correction(quick: Hourglass) -> None:
    quick.store.set_retention(min_age="100d")
    quick.fill(1)
    assert quick.tickets.ingest([ticket(1, "The text was wrong.")]).updated == 1


# -- contradictions and bad input


def test_contradictory_rules_are_refused_whichever_comes_first(quick: Hourglass) -> None:
    quick.store.set_retention(tenant="acme", min_age="100d")
    with pytest.raises(RetentionConflict):
        quick.store.set_retention(max_age="99d")
    with pytest.raises(RetentionConflict):
        quick.store.set_retention(tenant="globex", min_age="181d")
    with pytest.raises(RetentionConflict):
        quick.acme.collection(Ticket, name="short", retention="99d")
    quick.store.remove_retention(tenant="acme")
    quick.store.set_retention(max_age="99d")
    with pytest.raises(RetentionConflict):
        quick.store.set_retention(tenant="acme", min_age="100d")
    assert len(quick.store.retention_rules()) == 1
    quick.acme.collection(Ticket, name="short", retention="99d")


def test_two_rules_for_one_scope_are_refused_unless_one_replaces_the_other(quick: Hourglass) -> None:
    quick.store.set_retention(tenant="acme", classification="pii", max_age="60d")
    with pytest.raises(RetentionConflict) as refusal:
        quick.store.set_retention(tenant="acme", classification="pii", max_age="50d")
    assert refusal.value.scopes == ("tenant", "classification")
    assert not {"acme", "pii"} & set(str(refusal.value).split())
    quick.store.set_retention(tenant="acme", classification="pii", max_age="50d", replace=True)
    (rule,) = quick.store.retention_rules()
    assert (rule.tenant, rule.collection, rule.classification) == ("acme", None, "pii")
    assert rule.max_age_ms == 50 * 86_400_000


def test_rules_on_what_is_not_there_are_refused(quick: Hourglass) -> None:
    with pytest.raises(TenantNotFound):
        quick.store.set_retention(tenant="nobody", max_age="60d")
    with pytest.raises(CollectionNotFound):
        quick.store.set_retention(tenant="acme", collection="nothing", max_age="60d")
    with pytest.raises(ConfigError):
        quick.store.set_retention(collection="ticket", max_age="60d")
    with pytest.raises(ConfigError):
        quick.store.set_retention(tenant="acme")
    with pytest.raises(ConfigError):
        quick.store.set_retention(tenant="acme", max_age="soon")
    with pytest.raises(UsageError):
        quick.store.remove_retention(tenant="acme")
    assert quick.store.retention_rules() == []


def test_rules_and_plans_are_the_operators(quick: Hourglass) -> None:
    with sv.SecureStore.open(
        quick.world.home.parent / "other", backend="memory", key_file=quick.world.home.parent / "other.key", actor=ACME
    ) as store:
        store.tenant("mine", create=True)
        for refused in (
            lambda: store.set_retention(max_age="60d"),
            lambda: store.set_retention(tenant="mine", max_age="60d"),
            store.retention_rules,
            store.retention_plan,
            lambda: store.apply_retention("0" * 64),
        ):
            with pytest.raises(PolicyDenied):
                refused()
