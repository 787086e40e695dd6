"""Time with two processes on one home: a hold or a retention job that one decides binds the other at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from securevec.errors import LegalHold
from tests.support.crash_child import RECORDS, edition, open_collection
from tests.support.crash_home import Home
from tests.support.other_process import command, until

DESK = "first-desk"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.create(tmp_path)
    with home.open() as store:
        open_collection(store, DESK, create=True).ingest(edition(0))
    return home


def test_a_hold_from_another_process_binds_the_holder_of_the_engine_at_once(home: Home) -> None:
    with home.open() as store:
        collection = open_collection(store, DESK)
        placed = command(home, "hold", "add", f"{DESK}/ticket", "--record", "T-1", "--reason", "case 1", "--json")
        assert placed.returncode == 0, placed.stderr
        hold_id = json.loads(placed.stdout)["hold"]
        with pytest.raises(LegalHold) as refusal:
            collection.delete(["T-1", "T-2"])
        assert refusal.value.hold_id == hold_id
        with pytest.raises(LegalHold):
            store.delete_tenant(DESK)
        assert len(collection.ingest(edition(1)).refused) == 1
        assert collection.count() == RECORDS
        released = command(home, "hold", "release", DESK, hold_id)
        assert released.returncode == 0, released.stderr
        assert collection.delete("T-1").deleted == 1
        home.verify_audit(store)


def planned(home: Home) -> dict[str, Any]:
    """The plan of another process, made when every record is as old as the rule says."""
    plans: list[dict[str, Any]] = []

    def all_due() -> bool:
        plans.append(json.loads(command(home, "retention", "plan", "--json").stdout))
        return bool(plans[-1]["records"] == RECORDS)

    until(all_due)
    return plans[-1]


@pytest.mark.soak
def test_the_holder_finishes_a_retention_job_another_process_asked_for(home: Home) -> None:
    with home.open() as store:
        collection = open_collection(store, DESK)
        control = store.runtime.control
        asked = command(home, "retention", "set", DESK, "--max-age", "1s")
        assert asked.returncode == 0, asked.stderr
        plan = planned(home)
        applied = command(home, "retention", "apply", "--plan", plan["digest"])
        assert applied.returncode == 5, applied.stderr
        until(lambda: all(job.state == "done" for job in control.jobs()))
        (job,) = control.jobs()
        assert job.receipt is not None
        predicate = home.read_receipt(job.receipt).predicate
        assert predicate["result"]["records"] == RECORDS
        assert {entry["verdict"] for entry in predicate["artefacts"]} == {"removed from live files"}
        assert collection.count() == 0
        assert control.count_live(collection.id, now_ms=0) == (0, 0)
        assert store.runtime.backend().count(namespace=collection._scope.namespace) == 0
        (again,) = store.apply_retention(plan["digest"])
        assert (again.job_id, again.receipt) == (job.job_id, job.receipt)
        home.verify_audit(store)


def test_a_job_the_holder_has_not_begun_can_be_cancelled_from_outside(home: Home) -> None:
    with home.open() as store:
        collection = open_collection(store, DESK)
        # The holder does nothing by itself meanwhile.
        store._caretaker.stop()
        assert command(home, "retention", "set", DESK, "--max-age", "1s").returncode == 0
        plan = planned(home)
        assert command(home, "retention", "apply", "--plan", plan["digest"]).returncode == 5
        (job,) = store.runtime.control.jobs()
        assert job.state == "accepted"
        assert command(home, "jobs", "cancel", job.job_id).returncode == 0
        assert store.run_jobs() == []
        assert collection.count() == RECORDS
    with home.open() as store:
        store.runtime.backend()
        assert open_collection(store, DESK).count() == RECORDS
        home.verify_audit(store)
