"""P8: keys, control store and vector store fail, in every way a write can be lost; nothing is half there afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from securevec.errors import (
    BackendError,
    ControlUnavailable,
    KeyUnavailable,
    OutcomeUnknown,
    RecordNotFound,
    SecurevecError,
    TenantUnavailable,
    WriteNotAcknowledged,
)
from securevec.keys.openkeys import OpenKeys
from securevec.testing.lying import Lie
from securevec.types import ProtectedPoint
from tests.support.attacks import ACME_MARK, Pair, memory_of, open_stage, text, texts_of
from tests.support.attacks_outage import (
    OPERATIONS,
    READS,
    assert_as_before,
    assert_repeatable,
    assert_silent,
    changed,
)

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


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


def other_hints(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
    return [ProtectedPoint(point.id, point.vector, {**point.payload, "f_status": "other"}) for point in points]


def without_a_hint(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
    return [
        ProtectedPoint(p.id, p.vector, {key: value for key, value in p.payload.items() if key != "f_status"})
        for p in points
    ]


def lost_connection(points: Sequence[ProtectedPoint]) -> Sequence[ProtectedPoint]:
    raise BackendError("The vector store failed while writing points.")


DROPPED: dict[str, Keep] = {
    "all": nothing,
    "the last": all_but_one,
    "the sealed bodies": other_bodies,
    "the clear copies": other_hints,
    "a clear copy": without_a_hint,
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
