"""P8: an error denies. Whatever fails, nothing is stored or answered half-protected, and once it works again the same
ingest succeeds with exact counts.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec.audit.directory import WriterDirectory
from securevec.errors import (
    AuditUnavailable,
    DetectorError,
    EmbedderError,
    OutcomeUnknown,
    PolicyDenied,
    RecordNotFound,
    VectorError,
)
from securevec.policy import Decision
from tests.support.attacks import ACME_MARK, Pair, Stage, memory_of, open_stage, text
from tests.support.attacks_outage import (
    OPERATIONS,
    READS,
    SECRET,
    WRONG_VECTORS,
    FailingAudit,
    FlakyDetector,
    FlakyEmbedder,
    FlakyPolicy,
    assert_as_before,
    assert_repeatable,
    assert_silent,
    boom,
    changed,
)
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

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
    "a look-alike": lambda: SimpleNamespace(allowed=True, rule="role-owner", row_filter=None),
    "a word for yes": lambda: wrong_decision("yes"),
    "one": lambda: wrong_decision(1),
    "a row filter that is none": lambda: wrong_decision(True, "status == open"),
    "no": lambda: Decision(False, "x"),
}


def wrong_decision(allowed: Any, row_filter: Any = None) -> Decision:
    """Of the right class, with values an engine may not answer with."""
    return Decision(allowed, "fence", row_filter)


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
        assert pair.acme.count() == pair.acme.count(where=sv.F("status").exists()) == 4
        assert not pair.acme.exists(closed.id)
        assert {record.status for record in pair.acme.iter()} == {"open"}
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
