"""The main job on real parts: in, found, found by nobody else, replaced, deleted with a receipt."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

import securevec as sv
from securevec.errors import (
    BackendError,
    CollectionMismatch,
    FilterError,
    LimitExceeded,
    OutcomeUnknown,
    PolicyDenied,
    QueryError,
    RecordNotFound,
    TenantNotFound,
    TenantUnavailable,
    VectorError,
)
from securevec.proof import receipt as receipts
from tests.support.world import ACME, Ticket, World, ticket


def test_a_record_goes_in_and_comes_back_typed_and_anonymized(world: World) -> None:
    report = world.acme.ingest([ticket(1, "The refund for jane.roe@example.com never arrived.")])
    assert (report.new, report.updated, report.unchanged, report.refused) == (1, 0, 0, ())
    assert report.redactions["EMAIL"] >= 1
    hits = world.acme.search("refund never arrived", k=3)
    assert len(hits) == 1
    hit = hits[0]
    assert isinstance(hit.record, Ticket)
    assert hit.record.id == "T-1"
    assert hit.record.status == "open"
    assert hit.record.opened == datetime(2026, 1, 2, tzinfo=UTC)
    assert "jane.roe@example.com" not in hit.text + hit.record.body + hit.record.customer
    assert not hasattr(hit.record, "internal_comment")


def test_another_tenant_finds_nothing(world: World) -> None:
    world.acme.ingest([ticket(1, "The refund never arrived.")])
    assert len(world.globex.search("refund never arrived", k=3)) == 0
    with pytest.raises(RecordNotFound):
        world.globex.get("T-1")


def test_an_actor_without_a_role_gets_no_handle(world: World) -> None:
    with pytest.raises(TenantNotFound):
        world.store.tenant("acme", actor=sv.Actor("svc:stranger"))


def test_placeholders_go_to_the_model_and_originals_come_back(world: World) -> None:
    world.acme.ingest([ticket(1, "Please call Mr. John Smith on his refund, or write to john.smith@example.com.")])
    hits = world.acme.search("refund call", k=1)
    context = hits.context()
    assert "[EMAIL_1]" in context
    assert "john.smith@example.com" not in context
    assert hits.restore("Write to [EMAIL_1] today, not to [EMAIL_9].") == (
        "Write to john.smith@example.com today, not to [EMAIL_9]."
    )


def test_restoring_needs_the_reveal_permission(world: World) -> None:
    reader = sv.Actor("svc:reader")
    tenant = world.store.tenant("acme", actor=ACME)
    tenant.grant(reader, "reader")
    world.acme.ingest([ticket(1, "Please write to john.smith@example.com about the refund.")])
    hits = world.store.tenant("acme", actor=reader).collection(Ticket, retention="180d").search("refund", k=1)
    with pytest.raises(PolicyDenied):
        hits.restore("[EMAIL_1]")
    tenant.revoke(reader, "reader")
    with pytest.raises(TenantNotFound):
        world.store.tenant("acme", actor=reader)


def test_an_unchanged_record_is_not_written_again_and_a_changed_one_replaces_it(world: World) -> None:
    world.acme.ingest([ticket(1, "The refund never arrived."), ticket(2, "The parking garage was full.")])
    again = world.acme.ingest([ticket(1, "The refund never arrived."), ticket(2, "The lift is broken.")])
    assert (again.new, again.updated, again.unchanged) == (0, 1, 1)
    assert world.acme.count() == 2
    texts = {hit.record.id: hit.text for hit in world.acme.search("lift parking refund", k=10)}
    assert texts == {"T-1": "The refund never arrived.", "T-2": "The lift is broken."}


def test_ten_re_ingests_with_changed_fewer_and_more_chunks_leave_exactly_the_last(world: World) -> None:
    for turn in range(10):
        sentences = 1 + (turn * 7) % 60
        body = " ".join(f"Visit number {turn} sentence {part} speaks of the waiting room." for part in range(sentences))
        report = world.acme.ingest([ticket(1, body), ticket(2, f"Steady text {turn}.")])
        assert report.new + report.updated == 2
        assert world.acme.count() == 2
        record = world.acme.get("T-1")
        assert record.body == body
        hits = world.acme.search("waiting room visit", k=100)
        assert {hit.record.id for hit in hits} == {"T-1", "T-2"}
        assert all(f"Visit number {turn} " in hit.text for hit in hits if hit.record.id == "T-1")
        backend = world.store.runtime.backend()
        namespace = world.acme._scope.namespace
        chunks = world.store.runtime.control.count_live(world.acme.id, now_ms=0)[1]
        assert backend.count(namespace=namespace) == chunks
    assert world.acme.delete("T-1").deleted == 1
    with pytest.raises(RecordNotFound):
        world.acme.get("T-1")
    assert {hit.record.id for hit in world.acme.search("waiting room visit", k=100)} == {"T-2"}
    assert world.acme.delete(["T-1", "T-2"]).missing == 1
    assert world.acme.count() == 0


def test_a_bad_row_never_loses_the_others(world: World, tmp_path: Path) -> None:
    source = tmp_path / "tickets.jsonl"
    fine = '{{"id": "{0}", "customer": "{0}@example.com", "body": "text {0}", "status": "open", "opened": "{1}"}}\n'
    source.write_text(
        fine.format("A", "2026-01-01T00:00:00Z")
        + "not json\n"
        + fine.format("B", "2026-01-01T00:00:00")
        + fine.format("C", "2026-01-01T00:00:00Z")
    )
    report = world.acme.ingest(source)
    assert report.new == 2
    assert [(refused.row, refused.field) for refused in report.refused] == [(2, None), (3, "opened")]
    assert report.bytes_read == source.stat().st_size


def test_the_later_of_two_rows_with_one_id_wins(world: World) -> None:
    report = world.acme.ingest([ticket(1, "first text"), ticket(1, "second text")])
    assert (report.new, report.updated) == (1, 1)
    assert world.acme.get("T-1").body == "second text"


def test_filters_judge_on_the_sealed_values(world: World) -> None:
    world.acme.ingest([ticket(number, f"refund number {number}") for number in range(1, 9)])
    hits = world.acme.search("refund", where=sv.F("status") == "open", k=8)
    assert {hit.record.id for hit in hits} == {"T-1", "T-3", "T-5", "T-7"}
    later = world.acme.search("refund", where=sv.F("opened") >= datetime(2026, 1, 7, tzinfo=UTC), k=8)
    assert {hit.record.id for hit in later} == {"T-6", "T-7", "T-8"}
    with pytest.raises(FilterError):
        world.acme.search("refund", where=sv.F("nope") == 1)
    with pytest.raises(FilterError):
        world.acme.search("refund", where=sv.F("status") > 3)


def test_a_clear_filter_value_with_pii_refuses_its_row(world: World) -> None:
    report = world.acme.ingest([ticket(1, "text", status="mail me at x.y@example.com"), ticket(2, "text")])
    assert report.new == 1
    assert [(refused.row, refused.field) for refused in report.refused] == [(1, "status")]


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_query_is_refused(world: World, text: str) -> None:
    with pytest.raises(QueryError):
        world.acme.search(text)


def test_a_query_of_a_megabyte_is_refused(world: World) -> None:
    with pytest.raises(LimitExceeded):
        world.acme.search("a" * 1_000_000)


@pytest.mark.parametrize("k", [0, -1, True, 1_000_000])
def test_a_senseless_k_is_refused(world: World, k: int) -> None:
    with pytest.raises((QueryError, LimitExceeded)):
        world.acme.search("text", k=k)


def test_given_vectors_are_checked_row_by_row(world: World) -> None:
    import numpy as np

    vectors = np.ones((3, 64), dtype=np.float32)
    vectors[1, 0] = np.nan
    rows = [ticket(number, f"text {number}") for number in range(1, 4)]
    with pytest.raises(VectorError):
        world.acme.ingest(rows, vectors=vectors)
    with pytest.raises(VectorError):
        world.acme.ingest(rows, vectors=np.ones((3, 7), dtype=np.float32), vectors_of="anonymized_text")
    with pytest.raises(PolicyDenied):
        world.acme.ingest(rows, vectors=vectors, vectors_of="unknown")
    report = world.acme.ingest(rows, vectors=vectors, vectors_of="anonymized_text")
    assert report.new == 2
    assert [(refused.row, refused.field) for refused in report.refused] == [(2, "vectors")]


def test_a_suspended_tenant_refuses_at_once_and_resumes(world: World) -> None:
    world.acme.ingest([ticket(1, "text")])
    world.store.suspend_tenant("acme")
    with pytest.raises(TenantUnavailable):
        world.acme.search("text")
    with pytest.raises(TenantUnavailable):
        world.acme.ingest([ticket(2, "text")])
    world.store.resume_tenant("acme")
    assert len(world.acme.search("text", k=1)) == 1


def test_another_schema_model_or_retention_is_refused(world: World) -> None:
    class Other(sv.Record):
        id: sv.Key[str]
        body: sv.Embed[str]

    tenant = world.store.tenant("acme", actor=ACME)
    with pytest.raises(CollectionMismatch):
        tenant.collection(Other, name="ticket")
    with pytest.raises(CollectionMismatch):
        tenant.collection(Ticket, retention="10d")


def test_deleting_a_tenant_ends_with_a_signed_receipt(world: World, backend_name: str) -> None:
    world.acme.ingest([ticket(number, f"refund number {number}") for number in range(1, 9)])
    world.globex.ingest([ticket(1, "refund of globex")])
    result = world.store.delete_tenant("acme").raise_if_incomplete()
    assert result.receipt is not None
    public = world.store.runtime.keys.signing_key().public
    receipt = receipts.read(result.receipt, public=public)
    assert receipt.predicate["manifest"]["records"] == 8
    verdicts = {entry["artefact"].split()[0]: entry["verdict"] for entry in receipt.artefacts}
    assert verdicts["tenant"] == "removed from live files"
    if backend_name in ("edge", "chroma"):
        assert verdicts["points"] == "removed from live files"
    with pytest.raises((TenantUnavailable, TenantNotFound)):
        world.acme.search("refund")
    with pytest.raises(TenantNotFound):
        world.store.tenant("acme")
    assert len(world.globex.search("refund", k=3)) == 1
    reborn = world.store.tenant("acme", create=True, actor=ACME).collection(Ticket, retention="180d")
    assert len(reborn.search("refund", k=3)) == 0


def test_a_printed_report_says_why_the_first_refused_row_was_refused_and_no_value(world: World) -> None:
    rows = [{"id": "T-1", "body": "canary-5b1d", "status": "open"}, {"id": "T-2"}]
    report = world.acme.ingest(rows)
    assert len(report.refused) == 2
    assert str(report).endswith(f"2 refused (rows 1, 2); row 1: {report.refused[0].reason}")
    assert "canary" not in str(report)


def test_a_write_or_deletion_that_was_not_confirmed_says_what_stopped_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> NoReturn:
        raise BackendError("The disk is nearly full.", next_step="Free space on it.")

    monkeypatch.setattr(world.store.runtime.backend(), "insert", full)
    with pytest.raises(OutcomeUnknown, match="Why: The disk is nearly full") as caught:
        world.acme.ingest([ticket(1, "The refund never arrived.")])
    assert caught.value.next_step.startswith("Free space on it. ")
    monkeypatch.undo()
    assert world.acme.ingest([ticket(1, "The refund never arrived.")]).new == 1
    monkeypatch.setattr(world.store.runtime.backend(), "delete", full)
    with pytest.raises(OutcomeUnknown, match="Why: The disk is nearly full") as caught:
        world.acme.delete("T-1")
    assert caught.value.next_step.startswith("Free space on it. ")


def test_more_vectors_than_rows_are_told(world: World) -> None:
    """One too many, and each row may be under its neighbour's."""
    import numpy as np

    rows = [ticket(number, f"text {number}") for number in range(1, 4)]
    with pytest.raises(VectorError, match="more vectors than rows"):
        world.acme.ingest(rows, vectors=np.ones((4, 64), dtype=np.float32), vectors_of="anonymized_text")


def test_vectors_of_complex_numbers_are_none(world: World) -> None:
    """A conversion would drop a part of each and go on."""
    import numpy as np

    given: Any = np.full(64, 1 + 2j)
    with pytest.raises(VectorError):
        world.acme.search(vector=given)
    with pytest.raises(VectorError):
        world.acme.ingest([ticket(1, "text")], vectors=given[np.newaxis], vectors_of="anonymized_text")
