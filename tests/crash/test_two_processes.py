"""Two processes on one home: what one decides binds the other at once, and neither damages what the other has open."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.errors import (
    EngineForked,
    EngineLocked,
    KeyDestroyed,
    RecordNotFound,
    SecurevecError,
    TenantNotFound,
    TenantUnavailable,
)
from securevec.store.caretaker import Caretaker
from securevec.types import TenantId
from tests.support.crash_child import ACTOR, RECORDS, edition, open_collection
from tests.support.crash_home import Home, Nursery, require_consistent
from tests.support.other_process import PATIENCE, command, until

OTHER = 7


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.create(tmp_path)
    with home.open() as store:
        open_collection(store, "first-desk", create=True).ingest(edition(0))
        # Other texts: equal ones have equal vectors, which would still be found after the other tenant's end.
        open_collection(store, "second-desk", create=True).ingest(edition(OTHER))
    return home


def receipt_of(store: sv.SecureStore, tenant: TenantId) -> bytes | None:
    return next((job.receipt for job in store.runtime.control.jobs() if job.tenant == tenant), None)


def test_an_erasure_from_another_process_hides_at_once_and_is_finished_by_the_holder(home: Home) -> None:
    with home.open() as store:
        desk, other = open_collection(store, "first-desk"), open_collection(store, "second-desk")
        tenant = store.tenant("first-desk", actor=ACTOR).id
        person = "customer1@example.com"
        assert desk.get("T-1").id == "T-1"
        store._caretaker.stop()
        asked = command(home, "subject", "erase", "--tenant", "first-desk", person, "--yes")
        assert asked.returncode == 5, asked.stderr
        assert "jobs run" in asked.stderr
        with pytest.raises(RecordNotFound):
            desk.get("T-1")
        assert "T-1" not in {hit.id for hit in desk.search("lift", k=20)}
        assert len(desk.ingest([edition(1)[1]]).refused) == 1
        assert other.get("T-1").id == "T-1"
        # The holder's own turn, as its thread takes it within a second.
        (result,) = store.run_jobs()
        assert result.state == "done"
        assert receipt_of(store, tenant) == result.receipt
        assert desk.count() == RECORDS - 1


def test_a_deletion_from_another_process_binds_the_holder_at_once_and_is_finished_by_it(home: Home) -> None:
    with home.open() as store:
        doomed, other = open_collection(store, "first-desk"), open_collection(store, "second-desk")
        tenant = store.tenant("first-desk", actor=ACTOR).id
        keys = [key.key_id for key in store.runtime.keys.list_keys() if key.tenant == tenant]
        assert len(doomed.search("lift", k=3)) == 3
        # The holder does nothing by itself meanwhile: what binds it is not its thread.
        store._caretaker.stop()
        asked = command(home, "tenant", "delete", "first-desk", "--yes")
        assert asked.returncode == 5, asked.stderr
        assert "jobs run" in asked.stderr
        for refused in (
            lambda: doomed.search("lift", k=3),
            lambda: doomed.get("T-1"),
            lambda: doomed.ingest(edition(1)),
            lambda: doomed.delete("T-1"),
            doomed.count,
        ):
            with pytest.raises(TenantUnavailable):
                refused()
        assert not [key for key in store.runtime.keys.list_keys() if key.tenant == tenant]
        for key in keys:
            with pytest.raises(KeyDestroyed):
                store.runtime.keys.key_by_id(bytes.fromhex(key))
        assert receipt_of(store, tenant) is None
        assert len(other.search("lift", k=3)) == 3
    with home.open() as store:
        other = open_collection(store, "second-desk")
        receipt = receipt_of(store, tenant)
        assert receipt is not None
        assert home.read_receipt(receipt).predicate["manifest"]["records"] == RECORDS
        assert set(require_consistent(store, other).values()) == {OTHER}
        home.verify_audit(store)


def test_the_holder_finishes_physically_without_being_asked(home: Home, nursery: Nursery) -> None:
    with home.open() as store:
        doomed = open_collection(store, "first-desk")
        tenant = store.tenant("first-desk", actor=ACTOR).id
        files = home.path / "engine" / "edge" / doomed._scope.namespace.shard
        assert files.is_dir()
        asked = nursery.run(home, "delete tenant", tenant="first-desk")
        # How far it came itself is chance: the holder may take the job from it as soon as it is accepted.
        assert (asked.exit, asked.journal[0], len(asked.journal)) == (0, "begin", 2)
        until(lambda: receipt_of(store, tenant) is not None)
        receipt = receipt_of(store, tenant)
        assert receipt is not None
        verdicts = {entry["verdict"] for entry in home.read_receipt(receipt).predicate["artefacts"]}
        assert verdicts == {"removed from live files"}
        assert not files.exists()
        until(lambda: store.runtime.control.outbox_pending() == [])
        with pytest.raises(TenantNotFound):
            store.tenant("first-desk", actor=ACTOR)
        home.verify_audit(store)


def test_a_deletion_whose_process_died_holding_it_is_finished_by_the_holder(home: Home, nursery: Nursery) -> None:
    with home.open() as store:
        open_collection(store, "first-desk")
        tenant = store.tenant("first-desk", actor=ACTOR).id
        # The holder looks for jobs once this process is dead: it could take the job before that one destroys keys.
        store._caretaker.stop()
        assert nursery.run(
            home, "delete tenant", tenant="first-desk", trap=("bury keys", "after", 1), armed="opening"
        ).killed
        assert receipt_of(store, tenant) is None
        store._caretaker = Caretaker(store.runtime)
        store._caretaker.start()
        until(lambda: receipt_of(store, tenant) is not None)
        home.verify_audit(store)


def test_a_busy_holder_is_stopped_in_the_middle_and_returns_nothing_afterwards(home: Home, nursery: Nursery) -> None:
    ended: list[str] = []
    started = threading.Event()
    with home.open() as store:
        doomed = open_collection(store, "first-desk")
        tenant = store.tenant("first-desk", actor=ACTOR).id

        def search_and_store(turns: range) -> None:
            try:
                for turn in turns:
                    doomed.ingest(edition(turn))
                    doomed.search("lift", k=3)
                    started.set()
                ended.append("never refused")
            except SecurevecError as error:
                ended.append(type(error).__name__)

        threads = [threading.Thread(target=search_and_store, args=(range(at, at + 10_000),)) for at in (1, 20_001)]
        for thread in threads:
            thread.start()
        assert started.wait(PATIENCE)
        assert nursery.run(home, "delete tenant", tenant="first-desk").exit == 0
        for thread in threads:
            thread.join(PATIENCE)
        # Refused by the fence, or stopped where its keys or its points were already gone; never answered.
        assert len(ended) == 2
        assert set(ended) <= {"TenantUnavailable", "KeyDestroyed", "OutcomeUnknown"}
        until(lambda: receipt_of(store, tenant) is not None)
        assert doomed._scope.namespace.shard not in set(store.runtime.backend().namespaces())
        other = open_collection(store, "second-desk")
        assert set(require_consistent(store, other).values()) == {OTHER}
    with home.open() as store:
        assert store.runtime.backend().count(namespace=doomed._scope.namespace) == 0
        home.verify_audit(store)


def test_a_second_process_that_searches_is_refused_and_damages_nothing(home: Home, nursery: Nursery) -> None:
    with home.open() as store:
        collection = open_collection(store, "first-desk")
        for work in ("search", "ingest"):
            second = nursery.run(home, work, tenant="second-desk", first=1)
            assert second.exit == 1
            assert second.journal[-1].startswith(f"error {EngineLocked.__name__}: ")
        assert collection.ingest(edition(1)).updated == RECORDS
        assert set(require_consistent(store, collection).values()) == {1}
    assert nursery.run(home, "search", tenant="first-desk").journal == ["hits 3"]
    with home.open() as store:
        assert set(require_consistent(store, open_collection(store, "first-desk")).values()) == {1}
        assert set(require_consistent(store, open_collection(store, "second-desk")).values()) == {OTHER}
        home.verify_audit(store)


def test_two_processes_that_start_together_do_not_both_get_the_engine(home: Home, tmp_path: Path) -> None:
    with Nursery(tmp_path) as one, contextlib.ExitStack() as holding:
        outcomes: list[list[str]] = []

        def work(nursery: Nursery, tenant: str) -> None:
            outcomes.append(nursery.run(home, "ingest", tenant=tenant, first=10, turns=5).journal)

        (tmp_path / "two").mkdir()
        two = holding.enter_context(Nursery(tmp_path / "two"))
        for _ in range(4):
            threads = [
                threading.Thread(target=work, args=(one, "first-desk")),
                threading.Thread(target=work, args=(two, "second-desk")),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    for journal in outcomes:
        assert journal[-1].startswith(("done 14", f"error {EngineLocked.__name__}")), journal
    assert any(journal[-1].startswith("done 14") for journal in outcomes)
    with home.open() as store:
        for name in ("first-desk", "second-desk"):
            assert len(set(require_consistent(store, open_collection(store, name)).values())) == 1
        home.verify_audit(store)


def test_a_forked_child_is_refused_and_the_parent_goes_on(home: Home) -> None:
    with home.open() as store:
        collection = open_collection(store, "first-desk")
        collection.search("lift", k=1)
        child = os.fork()
        if child == 0:
            verdict = 1
            try:
                for call in (
                    lambda: collection.search("lift", k=1),
                    lambda: collection.get("T-1"),
                    lambda: collection.ingest(edition(3)),
                    lambda: collection.delete("T-1"),
                    lambda: open_collection(store, "second-desk"),
                ):
                    with pytest.raises(EngineForked):
                        call()
                store.close()
                verdict = 0
            finally:
                os._exit(verdict)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(collection.search("lift", k=3)) == 3
        assert collection.ingest(edition(1)).updated == RECORDS
        assert set(require_consistent(store, collection).values()) == {1}
        with pytest.raises(EngineLocked), home.open() as second:
            second.runtime.backend()
    with home.open() as store:
        assert set(require_consistent(store, open_collection(store, "first-desk")).values()) == {1}
        home.verify_audit(store)


def test_a_forked_child_that_lives_on_keeps_no_home_shut_but_only_the_shard_that_its_engine_holds(home: Home) -> None:
    """A worker that outlives its service. The engine's own lock on a shard is not ours to give back, so it is said."""
    store = home.open()
    open_collection(store, "first-desk").search("lift", k=1)
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        store.close()
        with home.open() as again:
            assert len(open_collection(again, "second-desk").search("lift", k=1)) == 1
            with pytest.raises(EngineLocked, match="forked"):
                open_collection(again, "first-desk").search("lift", k=1)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = 0
            assert set(require_consistent(again, open_collection(again, "first-desk")).values()) == {0}
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
