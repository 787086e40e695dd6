"""Batches of searches, least scores and groups against a lying store, the fence, the policy and a failing log. What a
batch answers and counts over every forged row is asked in the shipped suite; here answers are edited within a call, the
tenant is suspended meanwhile, and logs and policies are exchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest

import securevec as sv
from securevec.attack.rows import Vandal, stored
from securevec.errors import AuditUnavailable, IsolationViolation, PolicyDenied, RecordNotFound, TenantUnavailable
from securevec.guard import Admission
from securevec.policy import BuiltinPolicy, Decision, Request
from securevec.types import StoredPoint
from tests.support.attacks import ACME_MARK, DAY_MS, RETENTION, Pair, text, texts_of
from tests.support.attacks_outage import FailingAudit
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

TEXTS = ["refund", "refund case 3", "person5"]


def test_the_tokens_of_a_persons_name_are_met_in_a_batch_as_in_a_search(lone_pair: Pair) -> None:
    pair = lone_pair
    alone = pair.globex.search("write to person3@example.com", k=1)
    batched = pair.globex.search_batch(["write to person3@example.com"], k=1)[0]
    assert [hit.id for hit in batched] == [hit.id for hit in alone]
    assert pair.stage.audit()[0]["redactions"]["EMAIL"] == 1


@pytest.mark.parametrize("group_by", [None, "record"])
def test_one_query_that_is_mostly_lies_refuses_the_whole_batch(lone_pair: Pair, group_by: str | None) -> None:
    foreign = [stored(row) for row in Vandal(lone_pair.stage, lone_pair.acme).rows()]
    lone_pair.stage.trap.edit = lambda points: foreign
    with pytest.raises(IsolationViolation):
        lone_pair.globex.search_batch(TEXTS, k=8, group_by=group_by)  # type: ignore[arg-type]  # as callers pass it


def test_a_store_that_repeats_one_record_cannot_fill_the_groups(lone_pair: Pair) -> None:
    def repeat(points: list[StoredPoint]) -> list[StoredPoint]:
        return [points[0]] * 3 + points

    lone_pair.stage.trap.edit = repeat
    hits = lone_pair.acme.search("refund", k=8, group_by="record")
    assert len({hit.id for hit in hits}) == len(hits) == 8


def test_scores_a_store_made_up_bring_no_foreign_record_in(lone_pair: Pair) -> None:
    foreign = stored(Vandal(lone_pair.stage, lone_pair.acme).row(), score=1.0)

    def praise(points: list[StoredPoint]) -> list[StoredPoint]:
        return [foreign, *(replace(point, score=1.0) for point in points)]

    lone_pair.stage.trap.edit = praise
    hits = lone_pair.globex.search("refund", k=8, min_score=0.99)
    assert ACME_MARK not in texts_of(hits)
    assert hits.violations == 1


def suspend_in_flight(pair: Pair) -> None:
    def run() -> None:
        pair.stage.trap.on_query = None
        pair.stage.store.suspend_tenant("acme")

    pair.stage.trap.on_query = run


def test_a_batch_in_flight_is_not_answered_after_the_fence(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    suspend_in_flight(lone_pair)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.search_batch(TEXTS, k=2)
    lone_pair.stage.store.resume_tenant("acme")

    def unchecked(self: Admission) -> None:
        return

    monkeypatch.setattr(Admission, "recheck", unchecked)
    suspend_in_flight(lone_pair)
    assert len(lone_pair.acme.search_batch(TEXTS, k=2)) == 3


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_batch_whose_log_fails_part_of_the_way_returns_nothing(lone_pair: Pair, nth: int) -> None:
    runtime = lone_pair.stage.store.runtime
    working = runtime.audit
    runtime.audit = FailingAudit(working, nth)
    try:
        with pytest.raises(AuditUnavailable):
            lone_pair.acme.search_batch(TEXTS, k=2)
    finally:
        runtime.audit = working


def test_a_writer_may_not_search_in_a_batch(lone_pair: Pair) -> None:
    stage = lone_pair.stage
    writer = sv.Actor("svc:loader")
    stage.acme.grant(writer, "writer")
    handle = stage.store.tenant("acme", actor=writer).collection(Ticket, name=lone_pair.name, retention=RETENTION)
    with pytest.raises(PolicyDenied):
        handle.search_batch(TEXTS)


# -- like ------------------------------------------------------------------------------------------------------------


def test_a_record_of_another_tenant_is_like_nothing_here(lone_pair: Pair) -> None:
    pair = lone_pair
    pair.acme.ingest([text(77, ACME_MARK)])
    with pytest.raises(RecordNotFound):
        pair.globex.search(like="T-77")
    assert pair.stage.audit()[0]["error"] == "RecordNotFound"
    hits = pair.globex.search(like="T-3", k=100)
    assert ACME_MARK not in texts_of(hits)
    assert len(hits) == 7


def test_an_altered_or_hidden_record_is_like_nothing(lone_pair: Pair) -> None:
    pair = lone_pair
    vandal = Vandal(pair.stage, pair.globex)
    vandal.put(vandal.row_of("T-2").but(b=vandal.row_of("T-3").payload["b"]))
    vandal.remove(vandal.row_of("T-4"))
    for name in ("T-2", "T-4"):
        with pytest.raises(IsolationViolation):
            pair.globex.search(like=name)


def test_a_record_the_policy_hides_is_like_nothing(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = BuiltinPolicy.decide

    def narrowed(self: BuiltinPolicy, request: Request) -> Decision:
        return replace(decide(self, request), row_filter=sv.F("status") == "open")

    monkeypatch.setattr(BuiltinPolicy, "decide", narrowed)
    with pytest.raises(RecordNotFound):
        lone_pair.acme.search(like="T-2")
    assert {hit.record.status for hit in lone_pair.acme.search(like="T-1", k=100)} == {"open"}


def test_no_vault_is_opened_to_look_for_what_is_alike(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*arguments: object) -> None:
        raise AssertionError("a vault was opened")

    monkeypatch.setattr("securevec.writing.stored._vault", opened)
    assert len(lone_pair.acme.search(like="T-1", k=3)) == 3


def test_a_deleted_or_due_record_is_like_nothing(lone_pair: Pair) -> None:
    lone_pair.acme.delete("T-1")
    with pytest.raises(RecordNotFound):
        lone_pair.acme.search(like="T-1")
    lone_pair.stage.time.forward(181 * DAY_MS)
    with pytest.raises(RecordNotFound):
        lone_pair.acme.search(like="T-2")
