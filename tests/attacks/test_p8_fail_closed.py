"""P8: an error denies. Whatever fails, nothing is stored or answered half-protected, and once it works again the same
ingest succeeds with exact counts.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec.audit.directory import WriterDirectory
from securevec.crypto.openkeys import OpenKeys
from securevec.errors import (
    AuditUnavailable,
    BackendError,
    ControlUnavailable,
    DetectorError,
    EmbedderError,
    KeyUnavailable,
    OutcomeUnknown,
    PolicyDenied,
    RecordNotFound,
    SecurevecError,
    TenantUnavailable,
    VectorError,
    WriteNotAcknowledged,
)
from securevec.policy import Decision
from securevec.testing.lying import Lie
from securevec.types import ProtectedPoint
from tests.support.attacks import ACME_MARK, Pair, Stage, open_stage, text, texts_of
from tests.support.attacks_forgery import memory_of
from tests.support.attacks_outage import (
    SECRET,
    WRONG_VECTORS,
    FailingAudit,
    FlakyDetector,
    FlakyEmbedder,
    FlakyPolicy,
    boom,
)
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

Operation = Callable[[sv.Collection[Ticket]], object]
READS: dict[str, Operation] = {
    "search": lambda handle: handle.search(f"refund {SECRET}", k=8),
    "search by vector": lambda handle: handle.search(vector=np.ones(64, dtype=np.float32), k=8),
    "get": lambda handle: handle.get("T-1"),
    "count": lambda handle: handle.count(),
}
WRITES: dict[str, Operation] = {
    "ingest": lambda handle: handle.ingest([changed()]),
    "delete": lambda handle: handle.delete("T-1"),
}
OPERATIONS: dict[str, Operation] = {**READS, **WRITES}


def changed() -> dict[str, Any]:
    return text(1, "changed", notes=f"{SECRET} kept")


def assert_as_before(pair: Pair) -> None:
    """Eight records, the old first one, no row too many or too few, nothing in flight."""
    control, trap = pair.stage.store.runtime.control, pair.stage.trap
    assert control.open_batches(now_ms=2**60, expired_only=False) == []
    assert pair.acme.count() == 8
    assert ACME_MARK in pair.acme.get("T-1").body
    hits = pair.acme.search("refund", k=100)
    assert (len(hits), hits.violations) == (8, 0)
    assert trap.inner.count(namespace=pair.acme._scope.namespace) == 8


def assert_repeatable(pair: Pair) -> None:
    """The change that failed now goes through, once."""
    report = pair.acme.ingest([changed(), text(30, ACME_MARK)])
    assert (report.new, report.updated, report.unchanged, report.refused) == (1, 1, 0, ())
    assert pair.acme.ingest([changed()]).unchanged == 1
    assert pair.acme.count() == 9
    assert "changed" in pair.acme.get("T-1").body
    assert len(pair.acme.search("refund", k=100)) == 9
    assert pair.stage.trap.inner.count(namespace=pair.acme._scope.namespace) == 9


def assert_silent(error: BaseException) -> None:
    assert SECRET not in str(error) + repr(error)


# -- detector and embedder -------------------------------------------------------------------------------------------

WRONG_FINDINGS: dict[str, Callable[[], object]] = {
    "raises": boom,
    "positions beyond the text": lambda: [sv_finding(0, 10**6)],
    "positions before the text": lambda: [sv_finding(-3, 2)],
    "an end before its start": lambda: [sv_finding(5, 2)],
    "nothing": lambda: None,
}


def sv_finding(start: int, end: int) -> object:
    from securevec.anonymize import Finding

    return Finding(start, end, "EMAIL", 1.0, "test")


@pytest.fixture(scope="module")
def flaky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, FlakyDetector, FlakyEmbedder]]:
    detector, embedder = FlakyDetector(), FlakyEmbedder()
    with open_stage(tmp_path_factory.mktemp("flaky"), "memory", embedder=embedder, detector=detector) as stage:
        yield stage, detector, embedder


@pytest.mark.parametrize("name", WRONG_FINDINGS)
def test_a_detector_that_fails_stops_writing_and_searching(
    flaky: tuple[Stage, FlakyDetector, FlakyEmbedder], name: str
) -> None:
    stage, detector, _ = flaky
    pair = stage.pair().fill()
    written = len(memory_of(stage).written)
    detector.fail = WRONG_FINDINGS[name]
    try:
        for run in (OPERATIONS["ingest"], READS["search"]):
            with pytest.raises(DetectorError) as caught:
                run(pair.acme)
            assert_silent(caught.value)
    finally:
        detector.fail = None
    assert len(memory_of(stage).written) == written
    assert_as_before(pair)
    assert_repeatable(pair)


@pytest.mark.parametrize("name", WRONG_VECTORS)
def test_an_embedder_that_fails_stops_writing_and_searching(
    flaky: tuple[Stage, FlakyDetector, FlakyEmbedder], name: str
) -> None:
    stage, _, embedder = flaky
    pair = stage.pair().fill()
    written = len(memory_of(stage).written)
    embedder.fail = WRONG_VECTORS[name]
    try:
        for run in (OPERATIONS["ingest"], READS["search"]):
            with pytest.raises(EmbedderError) as caught:
                run(pair.acme)
            assert_silent(caught.value)
            assert caught.value.__cause__ is None
        assert stage.audit()[0]["error"] == "EmbedderError"
    finally:
        embedder.fail = None
    assert len(memory_of(stage).written) == written
    assert_as_before(pair)
    assert_repeatable(pair)


def test_an_embedder_that_cannot_count_tokens_stops_writing(
    flaky: tuple[Stage, FlakyDetector, FlakyEmbedder],
) -> None:
    stage, _, embedder = flaky
    pair = stage.pair().fill()
    embedder.fail, embedder.blind = boom, True
    try:
        with pytest.raises(EmbedderError) as caught:
            OPERATIONS["ingest"](pair.acme)
        assert_silent(caught.value)
    finally:
        embedder.fail, embedder.blind = None, False
    assert_as_before(pair)


BAD_VECTORS: dict[str, object] = {
    "text": "not a vector",
    "words": [SECRET] * 64,
    "too short": [1.0] * 63,
    "too long": [1.0] * 65,
    "two rows": [[1.0] * 64] * 2,
    "ragged": [[1.0], [1.0, 2.0]],
    "NaN": [float("nan")] * 64,
    "infinite": [float("inf")] * 64,
    "zero": [0.0] * 64,
    "beyond float32": [1e300] * 64,
    "nothing": [],
}


@pytest.mark.parametrize("name", BAD_VECTORS)
def test_a_given_vector_that_is_not_one(memory_calm: Pair, name: str) -> None:
    vector: Any = BAD_VECTORS[name]
    with pytest.raises(VectorError) as caught:
        memory_calm.acme.search(vector=vector, k=3)
    assert_silent(caught.value)


def test_a_given_vector_whose_square_is_no_float32(lone_pair: Pair) -> None:
    large = np.full(64, 3e38, dtype=np.float32)
    assert len(lone_pair.acme.search(vector=large, k=8)) == 8
    report = lone_pair.acme.ingest([text(50, ACME_MARK)], vectors=large[np.newaxis], vectors_of="anonymized_text")
    assert report.new == 1


# -- policy ----------------------------------------------------------------------------------------------------------

WRONG_DECISIONS: dict[str, Callable[[], object]] = {
    "raises": boom,
    "nothing": lambda: None,
    "true": lambda: True,
    "a word for yes": lambda: Decision("yes", "x"),  # type: ignore[arg-type]  # what an engine may not answer
    "one": lambda: Decision(1, "x"),  # type: ignore[arg-type]  # what an engine may not answer
    "a row filter that is none": lambda: Decision(True, "x", row_filter="status == open"),  # type: ignore[arg-type]
    "no": lambda: Decision(False, "x"),
}


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, FlakyPolicy]]:
    policy = FlakyPolicy()
    with open_stage(tmp_path_factory.mktemp("governed"), "memory", policy=policy) as stage:
        yield stage.pair().fill(), policy


@pytest.mark.parametrize("name", WRONG_DECISIONS)
def test_a_policy_engine_that_fails_permits_nothing(governed: tuple[Pair, FlakyPolicy], name: str) -> None:
    pair, policy = governed
    stage = pair.stage
    hits = pair.acme.search("refund", k=3)
    policy.fail = WRONG_DECISIONS[name]
    try:
        for run in OPERATIONS.values():
            with pytest.raises(PolicyDenied) as caught:
                run(pair.acme)
            assert_silent(caught.value)
            assert stage.audit()[0]["outcome"] == "denied"
        for call in (
            lambda: hits.restore("[EMAIL_1]"),
            lambda: stage.acme.grant(sv.Actor("svc:friend"), "reader"),
            lambda: stage.acme.collection(Ticket, name="new"),
            lambda: stage.acme.collections(),
            lambda: stage.store.tenant("new", create=True),
            lambda: stage.store.delete_tenant("acme"),
            lambda: stage.store.suspend_tenant("acme"),
            lambda: stage.store.tenants(),
        ):
            with pytest.raises(PolicyDenied):
                call()
    finally:
        policy.fail = None
    assert_as_before(pair)


def test_a_row_filter_of_the_policy_narrows_every_read(governed: tuple[Pair, FlakyPolicy]) -> None:
    pair, policy = governed
    before = pair.acme.search("refund", k=8)
    closed = next(hit for hit in before if hit.record.status == "closed")
    policy.fail = lambda: Decision(True, "0f" * 16, row_filter=sv.F("status") == "open")
    try:
        hits = pair.acme.search("refund", k=100)
        assert {hit.record.status for hit in hits} == {"open"}
        assert hits.violations == 0
        assert len(pair.acme.search("refund", where=sv.F("status") == "closed", k=100)) == 0
        assert len(pair.acme.search("refund", where=(sv.F("status") == "closed") | sv.F("status").exists())) == 4
        assert pair.acme.get("T-1").status == "open"
        with pytest.raises(RecordNotFound):
            pair.acme.get(closed.id)
        with pytest.raises(PolicyDenied):
            pair.acme.count()
        with pytest.raises(RecordNotFound):
            before.restore(before.context())
        assert hits.restore("[EMAIL_1]")
    finally:
        policy.fail = None


# -- audit -----------------------------------------------------------------------------------------------------------


def audit_fails(pair: Pair, nth: int) -> Callable[[], None]:
    """Break the audit log from the nth record on; returns what repairs it."""
    runtime = pair.stage.store.runtime
    working = runtime.audit
    runtime.audit = FailingAudit(working, nth)

    def repair() -> None:
        runtime.audit = working

    return repair


@pytest.mark.parametrize("name", READS)
def test_no_answer_without_its_audit_record(memory_calm: Pair, name: str) -> None:
    repair = audit_fails(memory_calm, 0)
    try:
        with pytest.raises(AuditUnavailable):
            READS[name](memory_calm.acme)
    finally:
        repair()
    READS[name](memory_calm.acme)


def test_no_originals_without_their_audit_record(memory_calm: Pair) -> None:
    hits = memory_calm.acme.search("refund", k=3)
    repair = audit_fails(memory_calm, 0)
    try:
        with pytest.raises(AuditUnavailable):
            hits.restore("[EMAIL_1]")
    finally:
        repair()


def test_an_intent_that_cannot_be_recorded_writes_nothing(lone_pair: Pair) -> None:
    written = len(memory_of(lone_pair.stage).written)
    repair = audit_fails(lone_pair, 0)
    with pytest.raises(AuditUnavailable):
        OPERATIONS["ingest"](lone_pair.acme)
    with pytest.raises(AuditUnavailable):
        OPERATIONS["delete"](lone_pair.acme)
    with pytest.raises(AuditUnavailable):
        lone_pair.stage.store.delete_tenant("acme")
    with pytest.raises(AuditUnavailable):
        lone_pair.stage.acme.collection(Ticket, name="new")
    with pytest.raises(AuditUnavailable):
        lone_pair.stage.store.tenant("new", create=True)
    repair()
    assert len(memory_of(lone_pair.stage).written) == written
    assert "new" not in lone_pair.stage.acme.collections()
    assert dict(lone_pair.stage.store.tenants()) == {"acme": "active", "globex": "active"}
    assert_as_before(lone_pair)
    assert_repeatable(lone_pair)


def test_a_result_that_cannot_be_recorded_is_an_error_and_counts_stay_exact(lone_pair: Pair) -> None:
    repair = audit_fails(lone_pair, 1)
    with pytest.raises(OutcomeUnknown) as caught:
        OPERATIONS["ingest"](lone_pair.acme)
    assert isinstance(caught.value.__cause__, AuditUnavailable)
    repair()
    assert lone_pair.acme.count() == 8
    assert lone_pair.acme.ingest([changed()]).refused == ()
    assert "changed" in lone_pair.acme.get("T-1").body
    assert lone_pair.acme.count() == 8
    lone_pair.stage.time.forward(61_000)
    assert lone_pair.acme.ingest([changed()]).unchanged == 1
    assert lone_pair.stage.trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 8


def test_an_audit_disk_that_is_full_stops_every_operation_until_it_is_not(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    hits = lone_pair.acme.search("refund", k=3)

    def full(self: WriterDirectory, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(WriterDirectory, "append", full)
        for run in OPERATIONS.values():
            with pytest.raises(AuditUnavailable):
                run(lone_pair.acme)
        with pytest.raises(AuditUnavailable):
            hits.restore("[EMAIL_1]")
    assert_as_before(lone_pair)
    assert_repeatable(lone_pair)


# -- keys and control ------------------------------------------------------------------------------------------------


def test_a_key_store_that_does_not_answer_stops_every_operation(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    hits = lone_pair.acme.search("refund", k=3)

    def silent(self: OpenKeys) -> None:
        raise KeyUnavailable("The key store does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(OpenKeys, "refresh", silent)
        for run in OPERATIONS.values():
            with pytest.raises(KeyUnavailable):
                run(lone_pair.acme)
        with pytest.raises(KeyUnavailable):
            hits.restore("[EMAIL_1]")
    assert_as_before(lone_pair)
    assert_repeatable(lone_pair)


def test_a_key_that_cannot_be_had_for_sealing_writes_nothing(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    written = len(memory_of(lone_pair.stage).written)

    def silent(*arguments: object, **named: object) -> object:
        raise KeyUnavailable("The key store does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(OpenKeys, "for_writing", silent)
        with pytest.raises(KeyUnavailable):
            OPERATIONS["ingest"](lone_pair.acme)
    assert len(memory_of(lone_pair.stage).written) == written
    assert_as_before(lone_pair)
    assert_repeatable(lone_pair)


def test_a_control_store_that_fails_at_the_switch_leaves_the_old_generation(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = lone_pair.stage.store.runtime.control

    def silent(**arguments: object) -> object:
        raise ControlUnavailable("The control store does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(control, "commit_batch", silent)
        with pytest.raises(OutcomeUnknown):
            OPERATIONS["ingest"](lone_pair.acme)
    assert_as_before(lone_pair)
    assert_repeatable(lone_pair)


# -- the vector store ------------------------------------------------------------------------------------------------

Keep = Callable[[Sequence[ProtectedPoint]], Sequence[ProtectedPoint]]


def nothing(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
    return []


def all_but_one(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
    return points[:-1]


def other_bodies(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
    return [ProtectedPoint(point.id, point.vector, {**point.payload, "b": "e30="}) for point in points]


def lost_connection(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
    raise BackendError("The vector store failed while writing points.")


DROPPED: dict[str, Keep] = {
    "all": nothing,
    "the last": all_but_one,
    "the sealed bodies": other_bodies,
    "the connection": lost_connection,
}


@pytest.mark.parametrize("what", DROPPED)
def test_a_write_the_store_drops_is_noticed_and_taken_back(pair: Pair, what: str) -> None:
    trap = pair.stage.trap
    trap.keep = DROPPED[what]
    try:
        with pytest.raises(OutcomeUnknown) as caught:
            pair.acme.ingest([changed(), text(30, ACME_MARK)])
    finally:
        trap.keep = None
    cause = caught.value.__cause__
    assert isinstance(cause, BackendError if what == "the connection" else WriteNotAcknowledged)
    assert_silent(caught.value)
    assert caught.value.request_id in {entry["request_id"] for entry in pair.stage.audit(3)}
    assert_as_before(pair)
    assert_repeatable(pair)


def test_a_connection_lost_after_half_of_the_write(pair: Pair) -> None:
    trap = pair.stage.trap

    def half(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
        trap.inner.insert(namespace=pair.acme._scope.namespace, points=points[:1])
        raise BackendError("The vector store failed while writing points.")

    trap.keep = half
    try:
        with pytest.raises(OutcomeUnknown):
            pair.acme.ingest([changed(), text(30, ACME_MARK)])
    finally:
        trap.keep = None
    assert_as_before(pair)
    assert_repeatable(pair)


def test_a_deletion_the_store_ignores_is_noticed_and_done_later(lone_pair: Pair) -> None:
    stage, trap = lone_pair.stage, lone_pair.stage.trap
    trap.lie = Lie.DROP_DELETES
    with pytest.raises(OutcomeUnknown) as caught:
        lone_pair.acme.delete(["T-1", "T-2"])
    assert isinstance(caught.value.__cause__, WriteNotAcknowledged)
    assert lone_pair.acme.count() == 6
    with pytest.raises(RecordNotFound):
        lone_pair.acme.get("T-1")
    hits = lone_pair.acme.search("refund", k=100)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(3, 9)}
    trap.lie = Lie.HONEST
    stage.time.forward(61_000)
    report = lone_pair.acme.ingest([text(1, ACME_MARK), text(2, ACME_MARK), text(3, ACME_MARK)])
    assert (report.new, report.unchanged) == (2, 1)
    assert trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 8
    assert stage.store.runtime.control.open_batches(now_ms=2**60, expired_only=False) == []


def test_a_replaced_generation_the_store_keeps_is_never_served_and_removed_later(lone_pair: Pair) -> None:
    stage, trap = lone_pair.stage, lone_pair.stage.trap
    trap.lie = Lie.DROP_DELETES
    with pytest.raises(OutcomeUnknown) as caught:
        lone_pair.acme.ingest([changed()])
    assert isinstance(caught.value.__cause__, WriteNotAcknowledged)
    assert trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 9
    assert "changed" in lone_pair.acme.get("T-1").body
    hits = lone_pair.acme.search("refund", k=100)
    assert (len(hits), hits.violations) == (8, 0)
    trap.lie = Lie.HONEST
    assert lone_pair.acme.ingest([changed()]).unchanged == 1
    stage.time.forward(61_000)
    assert lone_pair.acme.ingest([changed()]).unchanged == 1
    assert trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 8


def test_a_tenant_the_store_does_not_drop_gets_no_receipt_and_stays_closed(lone_pair: Pair) -> None:
    stage, trap = lone_pair.stage, lone_pair.stage.trap
    trap.lie = Lie.KEEP_DROPPED
    with pytest.raises(WriteNotAcknowledged):
        stage.store.delete_tenant("acme")
    for run in OPERATIONS.values():
        with pytest.raises(TenantUnavailable):
            run(lone_pair.acme)
    assert [job.receipt for job in stage.store.runtime.control.jobs()] == [None]
    trap.lie = Lie.HONEST
    assert [result.receipt is not None for result in stage.store.run_jobs()] == [True]
    assert len(lone_pair.globex.search("refund", k=100)) == 8


def test_a_store_that_fails_while_reading_answers_nothing(lone_pair: Pair) -> None:
    trap = lone_pair.stage.trap

    def fail() -> None:
        raise BackendError("The vector store failed while reading points.")

    trap.on_query = trap.on_fetch = fail
    for name in ("search", "search by vector", "get"):
        with pytest.raises(BackendError):
            READS[name](lone_pair.acme)
        assert lone_pair.stage.audit()[0]["outcome"] == "failed"
    trap.on_query = trap.on_fetch = None
    assert_as_before(lone_pair)


def test_a_batch_that_fails_loses_no_batch_before_it(lone_pair: Pair, tmp_path: Path) -> None:
    from securevec.ingest import ingest

    trap, calls = lone_pair.stage.trap, iter(range(100))

    def second(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
        return points if next(calls) == 0 else nothing(points)

    trap.keep = second
    rows = [text(number, ACME_MARK) for number in range(100, 110)]
    with pytest.raises(OutcomeUnknown):
        ingest(lone_pair.stage.store.runtime, lone_pair.acme._scope, rows, batch=5)
    trap.keep = None
    assert lone_pair.acme.count() == 13
    report = lone_pair.acme.ingest(rows)
    assert (report.new, report.unchanged) == (5, 5)
    assert lone_pair.acme.count() == 18


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_closed_store_answers_nothing(tmp_path: Path, name: str) -> None:
    with open_stage(tmp_path, "memory") as stage:
        pair = stage.pair().fill()
    with pytest.raises(SecurevecError):
        OPERATIONS[name](pair.acme)


def test_nothing_of_what_fails_is_answered_by_a_later_search(lone_pair: Pair) -> None:
    lone_pair.stage.trap.keep = nothing
    with pytest.raises(OutcomeUnknown):
        OPERATIONS["ingest"](lone_pair.acme)
    lone_pair.stage.trap.keep = None
    assert "changed" not in texts_of(lone_pair.acme.search("refund changed", k=100))
