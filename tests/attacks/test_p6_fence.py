"""P6: what was deleted, has expired or is fenced off is not read by anything that starts later, in any process, and
what was in flight is looked at again before it answers. A legal hold beats replacement and deletion.
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec import search
from securevec.attack.rows import Vandal
from securevec.errors import LegalHold, RecordNotFound, SecurevecError, TenantNotFound, TenantUnavailable
from securevec.proof import receipt as receipts
from securevec.store.caretaker import Caretaker
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.attacks import ACME_MARK, DAY_MS, GLOBEX_MARK, Pair, Stage, open_stage, text, texts_of
from tests.support.world import ACME, Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

Operation = Callable[[sv.Collection[Ticket]], object]

READS: dict[str, Operation] = {
    "search": lambda handle: handle.search("refund", k=8),
    "search by vector": lambda handle: handle.search(vector=np.ones(64, dtype=np.float32), k=8),
    "get": lambda handle: handle.get("T-1"),
    "count": lambda handle: handle.count(),
    "list": lambda handle: list(handle.iter(page_size=3)),
    "count by filter": lambda handle: handle.count(sv.F("status") == "open"),
    "search in a batch": lambda handle: handle.search_batch(["refund", "case"]),
    "search like": lambda handle: handle.search(like="T-2"),
    "export": lambda handle: handle.export(io.BytesIO()),
}
WRITES: dict[str, Operation] = {
    "ingest": lambda handle: handle.ingest([text(1, "latecomer")]),
    "delete": lambda handle: handle.delete("T-1"),
    "update": lambda handle: handle.update("T-2", status="late"),
    "delete by filter": lambda handle: handle.delete(where=sv.F("status") == "open"),
}


# -- expiry ----------------------------------------------------------------------------------------------------------


def test_an_expired_record_is_read_by_no_way_of_reading(pair: Pair) -> None:
    hits = pair.globex.search("refund", k=8)
    assert "person" in hits.restore(hits.context())
    pair.stage.time.forward(180 * DAY_MS)
    assert len(pair.globex.search("refund", k=8)) == 0
    assert len(pair.globex.search(vector=np.ones(64, dtype=np.float32), k=8)) == 0
    assert pair.globex.count() == 0
    with pytest.raises(RecordNotFound):
        pair.globex.get("T-1")
    with pytest.raises(RecordNotFound):
        hits.restore("[EMAIL_1]")


def test_a_clock_set_back_does_not_bring_expired_records_back(lone_pair: Pair) -> None:
    lone_pair.stage.time.forward(180 * DAY_MS)
    assert lone_pair.globex.count() == 0
    lone_pair.stage.time.forward(-180 * DAY_MS)
    assert lone_pair.globex.count() == 0
    assert len(lone_pair.globex.search("refund", k=8)) == 0


@pytest.mark.parametrize("engine", ["edge", "chroma"])
def test_a_clock_set_back_before_the_home_is_opened_again_brings_nothing_back(tmp_path: Path, engine: str) -> None:
    with open_stage(tmp_path, engine) as stage:
        stage.pair(retention="12h").fill(2)
        stage.time.forward(DAY_MS // 2)
        home, key_file = stage.home, stage.key_file
    with sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder()) as store:
        handle = store.tenant("acme", actor=ACME).existing_collection("tickets0")
        assert handle.count() == 0
        assert len(handle.search("refund", k=8)) == 0


def test_records_that_expire_while_a_search_runs_are_not_answered(lone_pair: Pair) -> None:
    trap = lone_pair.stage.trap
    trap.on_query = lambda: lone_pair.stage.time.forward(180 * DAY_MS)
    assert len(lone_pair.globex.search("refund", k=8)) == 0


def test_an_expired_record_ingested_again_is_a_record_again(lone_pair: Pair) -> None:
    lone_pair.stage.time.forward(180 * DAY_MS)
    again = lone_pair.globex.ingest([text(number, GLOBEX_MARK) for number in range(1, 9)])
    assert again.unchanged == 0
    assert lone_pair.globex.count() == 8
    assert len(lone_pair.globex.search("refund", k=100)) == 8


# -- suspension and deletion in this process -------------------------------------------------------------------------


@pytest.mark.parametrize("name", READS | WRITES)
def test_a_suspended_tenant_is_refused_at_the_next_call(lone_pair: Pair, name: str) -> None:
    run = (READS | WRITES)[name]
    hits = lone_pair.acme.search("refund", k=8)
    lone_pair.stage.store.suspend_tenant("acme")
    with pytest.raises(TenantUnavailable):
        run(lone_pair.acme)
    with pytest.raises(TenantUnavailable):
        hits.restore("[EMAIL_1]")
    assert lone_pair.stage.audit()[0]["outcome"] == "denied"
    run(lone_pair.globex)
    lone_pair.stage.store.resume_tenant("acme")
    run(lone_pair.acme)


def suspend_and_resume(stage: Stage) -> None:
    stage.store.suspend_tenant("acme")
    stage.store.resume_tenant("acme")


IN_FLIGHT: dict[str, Callable[[Stage], object]] = {
    "suspended": lambda stage: stage.store.suspend_tenant("acme"),
    "suspended and resumed": suspend_and_resume,
    "deleted": lambda stage: stage.store.delete_tenant("acme"),
}


def once(stage: Stage, act: Callable[[Stage], object]) -> Callable[[], None]:
    """Do it in the middle of the first call and in none after it."""

    def run() -> None:
        stage.trap.on_query = stage.trap.on_fetch = None
        act(stage)

    return run


@pytest.mark.parametrize("what", IN_FLIGHT)
def test_a_search_in_flight_when_the_fence_closes_answers_nothing(lone_pair: Pair, what: str) -> None:
    lone_pair.stage.trap.on_query = once(lone_pair.stage, IN_FLIGHT[what])
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.search("refund", k=8)
    outcomes = [entry["outcome"] for entry in lone_pair.stage.audit(8) if entry["action"] == "search"]
    assert "denied" in outcomes or "failed" in outcomes
    assert len([outcome for outcome in outcomes if outcome == "allowed"]) == 0
    assert len(lone_pair.globex.search("refund", k=8)) == 8


@pytest.mark.parametrize("what", IN_FLIGHT)
def test_a_get_in_flight_when_the_fence_closes_answers_nothing(lone_pair: Pair, what: str) -> None:
    lone_pair.stage.trap.on_fetch = once(lone_pair.stage, IN_FLIGHT[what])
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.get("T-1")
    assert lone_pair.globex.get("T-1").id == "T-1"


@pytest.mark.parametrize("what", ["suspended", "suspended and resumed"])
def test_a_restore_in_flight_when_the_fence_closes_answers_nothing(lone_pair: Pair, what: str) -> None:
    hits = lone_pair.acme.search("refund", k=8)
    lone_pair.stage.trap.on_fetch = once(lone_pair.stage, IN_FLIGHT[what])
    with pytest.raises(TenantUnavailable):
        hits.restore("[EMAIL_1]")


def test_a_count_in_flight_when_the_fence_closes_answers_nothing(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = lone_pair.stage.store.runtime.control
    counted = control.count_live

    def slow(*arguments: object, **named: object) -> tuple[int, int]:
        answer = counted(lone_pair.acme.id, now_ms=0)
        lone_pair.stage.store.suspend_tenant("acme")
        return answer

    monkeypatch.setattr(control, "count_live", slow)
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.count()


@pytest.mark.parametrize("what", IN_FLIGHT)
def test_an_ingest_in_flight_when_the_fence_closes_makes_nothing_visible(lone_pair: Pair, what: str) -> None:
    stage, trap = lone_pair.stage, lone_pair.stage.trap

    def keep(points: object) -> object:
        trap.keep = None
        IN_FLIGHT[what](stage)
        return points

    trap.keep = keep  # type: ignore[assignment]  # hands through what it is given
    with pytest.raises(SecurevecError):
        lone_pair.acme.ingest([text(1, "latecomer"), text(99, "latecomer")])
    if what == "deleted":
        with pytest.raises(TenantUnavailable):
            lone_pair.acme.count()
        return
    if what == "suspended":
        stage.store.resume_tenant("acme")
    assert lone_pair.acme.count() == 8
    assert "latecomer" not in texts_of(lone_pair.acme.search("refund latecomer", k=100))
    assert lone_pair.acme.ingest([text(99, "latecomer")]).new == 1
    assert trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 9


def test_a_record_deleted_while_a_search_runs_is_not_answered(lone_pair: Pair) -> None:
    lone_pair.stage.trap.on_query = once(lone_pair.stage, lambda stage: lone_pair.acme.delete(["T-1", "T-2"]))
    hits = lone_pair.acme.search("refund", k=8)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(3, 9)}
    assert hits.violations == 0


@pytest.mark.parametrize("by", ["another handle", "another connection"])
def test_a_record_deleted_behind_its_judgement_is_not_answered(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    chunks, pending = search._with_first_chunks, [True]
    database = sqlite3.connect(lone_pair.stage.store.runtime.home / "control.db")

    def deleting(*given: Any) -> Any:
        answer = chunks(*given)
        if pending:
            pending.clear()
            if by == "another handle":
                lone_pair.globex.delete("T-2")
            else:
                ref = lone_pair.globex._scope.record_ref(lone_pair.stage.store.runtime, "T-2")
                assert database.execute("DELETE FROM manifest WHERE ref = ?", (ref,)).rowcount == 1
                database.commit()
        return answer

    with contextlib.closing(database):
        monkeypatch.setattr(search, "_with_first_chunks", deleting)
        answered = {hit.id for hit in lone_pair.globex.search("refund", k=8)}
    assert not pending, "the deletion came while the search ran"
    assert "T-2" not in answered
    assert answered >= {"T-1", "T-3"}


def test_a_record_replaced_while_it_is_read_is_the_old_or_the_new_and_never_missing(lone_pair: Pair) -> None:
    new = text(1, "renewed")
    lone_pair.stage.trap.on_query = once(lone_pair.stage, lambda stage: lone_pair.acme.ingest([new]))
    hits = lone_pair.acme.search("refund", k=100)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(1, 9)}
    assert hits.violations == 0
    newer = text(1, "newer")
    lone_pair.stage.trap.on_fetch = once(lone_pair.stage, lambda stage: lone_pair.acme.ingest([newer]))
    assert "newer" in lone_pair.acme.get("T-1").body


def test_a_deleted_record_is_not_restored_from_an_older_result(lone_pair: Pair) -> None:
    hits = lone_pair.acme.search("refund", k=8)
    lone_pair.acme.delete([f"T-{number}" for number in range(1, 9)])
    with pytest.raises(RecordNotFound):
        hits.restore("[EMAIL_1]")


# -- in another process ----------------------------------------------------------------------------------------------

OTHER_PROCESS = """
import sys
import securevec as sv
with sv.SecureStore.open(sys.argv[1], key_file=sys.argv[2]) as store:
    store.suspend_tenant("globex")
    result = store.delete_tenant("acme")
    print(result.state, result.receipt is None, "engine" in result.waiting_for)
"""


@pytest.mark.parametrize("engine", ["edge", "chroma"])
def test_a_second_process_deletes_a_tenant_while_this_one_holds_the_engine(tmp_path: Path, engine: str) -> None:
    with open_stage(tmp_path, engine) as stage:
        pair = stage.pair().fill()
        acme, place = pair.acme, Vandal(stage, pair.acme)
        hits = acme.search("refund", k=8)
        assert len(hits) == len(place.rows()) == 8
        # This one looks for jobs afterwards: it could take the job before the other has destroyed the keys.
        stage.store._caretaker.stop()
        done = warm.run(["-c", OTHER_PROCESS], str(stage.home), str(stage.key_file))
        assert done.stdout.split() == ["keys_destroyed", "True", "True"], done.stderr
        stage.store._caretaker = Caretaker(stage.store.runtime)
        stage.store._caretaker.start()
        for run in (READS | WRITES).values():
            with pytest.raises(TenantUnavailable):
                run(acme)
            with pytest.raises(TenantUnavailable):
                run(pair.globex)
        with pytest.raises(TenantUnavailable):
            hits.restore("[EMAIL_1]")
        receipt = finished(stage)
        public = stage.store.runtime.keys.signing_key().public
        assert receipts.read(receipt, public=public).predicate["manifest"]["records"] == 8
        assert place.rows() == []
        with pytest.raises(TenantNotFound):
            stage.store.tenant("acme")
        stage.store.resume_tenant("globex")
        assert len(pair.globex.search("refund", k=8)) == 8


def finished(stage: Stage) -> bytes:
    """The receipt of the only job, once the caretaker of this process has done its part."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        job = stage.store.runtime.control.jobs()[0]
        if job.receipt is not None:
            return job.receipt
        time.sleep(0.05)
    raise AssertionError("the holder of the engine did not finish the deletion")


# -- legal holds -----------------------------------------------------------------------------------------------------


def hold(pair: Pair, what: str) -> None:
    control, tenant = pair.stage.store.runtime.control, pair.acme._scope.tenant
    collection = None if what == "tenant" else pair.acme.id
    ref = pair.acme._scope.record_ref(pair.stage.store.runtime, "T-1") if what == "record" else None
    control.add_hold("hold-1", tenant, collection, ref, b"sealed", pair.stage.time())


@pytest.mark.parametrize("what", ["tenant", "collection", "record"])
def test_a_hold_beats_replacement_deletion_and_the_tenants_deletion(lone_pair: Pair, what: str) -> None:
    hold(lone_pair, what)
    before = lone_pair.acme.get("T-1").body
    report = lone_pair.acme.ingest([text(1, "replaced"), text(20, ACME_MARK)])
    assert report.new == 1
    assert [refused.row for refused in report.refused] == [1]
    with pytest.raises(LegalHold):
        lone_pair.acme.delete(["T-2", "T-1"])
    with pytest.raises(LegalHold):
        lone_pair.stage.store.delete_tenant("acme")
    assert lone_pair.stage.audit()[0]["error"] == "LegalHold"
    assert lone_pair.acme.get("T-1").body == before
    assert lone_pair.acme.count() == 9
    assert len(lone_pair.acme.search("refund", k=100)) == 9
    if what == "record":
        assert lone_pair.acme.delete("T-2").deleted == 1
    assert lone_pair.globex.delete("T-1").deleted == 1
    lone_pair.stage.store.runtime.control.release_hold("hold-1", lone_pair.stage.time())
    assert lone_pair.acme.delete("T-1").deleted == 1
    lone_pair.stage.store.delete_tenant("acme").raise_if_incomplete()


def test_a_hold_that_comes_while_a_replacement_is_in_flight(lone_pair: Pair) -> None:
    trap, before = lone_pair.stage.trap, lone_pair.acme.get("T-1").body

    def keep(points: object) -> object:
        trap.keep = None
        hold(lone_pair, "record")
        return points

    trap.keep = keep  # type: ignore[assignment]  # hands through what it is given
    with pytest.raises(LegalHold):
        lone_pair.acme.ingest([text(1, "replaced")])
    assert lone_pair.acme.get("T-1").body == before
    assert trap.inner.count(namespace=lone_pair.acme._scope.namespace) == 8


def test_a_hold_that_comes_while_a_deletion_is_in_flight(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    control = lone_pair.stage.store.runtime.control
    begin = control.begin_delete

    def late(**arguments: object) -> object:
        hold(lone_pair, "record")
        return begin(**arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(control, "begin_delete", late)
    with pytest.raises(LegalHold):
        lone_pair.acme.delete("T-1")
    assert lone_pair.acme.get("T-1").id == "T-1"


def test_an_expired_record_under_a_hold_is_not_read_and_not_replaced(lone_pair: Pair) -> None:
    hold(lone_pair, "record")
    lone_pair.stage.time.forward(180 * DAY_MS)
    with pytest.raises(RecordNotFound):
        lone_pair.acme.get("T-1")
    report = lone_pair.acme.ingest([text(1, ACME_MARK)])
    assert [refused.row for refused in report.refused] == [1]
    assert Vandal(lone_pair.stage, lone_pair.acme).row_of("T-1").payload["b"]
