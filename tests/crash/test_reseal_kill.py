"""kill -9 in the middle of sealing a collection anew: whenever it comes, every record is there, in one generation, and
the next opening of the home ends what was accepted. No key dies before nothing needs it; then it does.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from securevec.crypto.armour import from_text
from securevec.crypto.envelope import read_key_id
from securevec.errors import KeyDestroyed

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.crash_child import RECORDS, edition, open_collection
from tests.support.crash_home import Death, Home, Nursery, Trap, require_consistent
from tests.support.killing import Desk, kill_at_chosen_points, kill_at_random_moments, traps
from tests.support.leaks import every_point

TENANT = "sealing-desk"
STEPS = ["accepted", "rolled", "resealed", "doomed", "keys_destroyed", "verified", "done"]
CALLS = {
    "begin job": 1,
    "roll": 1,
    # One sheet.
    "begin batch": 1,
    "insert": 1,
    "commit batch": 1,
    "delete": 1,
    "finish batch": 1,
    "purge": 1,
    "destroy deks": 1,
    "bury keys": 1,
    "vacuum keys": 1,
    "clear pending": 1,
    "advance job": 5,
    "finish job": 1,
    "outbox done": 7,
    # The intent, the batch's intent and result, those of the keys, the result of the job.
    "audit": 6,
}
"""How often each step is called when one collection of one batch is sealed anew."""
TRAPS = traps(CALLS)
VERDICTS = {"removed from live files"}
"""Of the old values and of each key, wherever it was killed."""


class SealingDesk(Desk):
    """A collection that is sealed anew, round after round, and killed over it."""

    def furnish(self) -> None:
        self.rounds = 0
        self.old: set[str] = set()
        with self.home.open() as store:
            open_collection(store, TENANT, create=True)
        self.prepare()

    def prepare(self) -> None:
        self.rounds += 1
        with self.home.open() as store:
            collection = open_collection(store, TENANT)
            assert collection.ingest(edition(self.rounds)).refused == ()
            self.old = {
                read_key_id(from_text(point.payload[name])).hex()
                for point in every_point(store, collection)
                for name in ("b", "v")
                if name in point.payload
            }

    def die(
        self, trap: Trap | None = None, *, kill_after: tuple[int, float] | None = None, armed: str = "working"
    ) -> Death:
        return self.nursery.run(self.home, "seal anew", tenant=TENANT, trap=trap, kill_after=kill_after, armed=armed)

    def judge(self) -> bool:
        self.home.verify_audit()
        with self.home.open() as store:
            runtime = store.runtime
            collection = open_collection(store, TENANT)
            assert len(collection.search("lift", k=3)) > 0, "readers are served whatever happened"
            store.run_jobs()
            jobs = runtime.control.jobs()
            accepted = len(jobs) == self.rounds
            if not accepted:
                assert len(jobs) == self.rounds - 1
                for key_id in self.old:
                    runtime.keys.key_by_id(bytes.fromhex(key_id))
                store.reseal(TENANT, "ticket")
                jobs = runtime.control.jobs()
            assert {job.state for job in jobs} == {"done"}
            assert [step.state for step in runtime.control.job_steps(jobs[-1].job_id)] == STEPS
            assert set(require_consistent(store, collection).values()) == {self.rounds}
            collection.verify().raise_if_wrong()
            for key_id in self.old:
                with pytest.raises(KeyDestroyed):
                    runtime.keys.key_by_id(bytes.fromhex(key_id))
            assert {key.state for key in runtime.keys.list_keys() if key.kind == "dek"} == {"active"}
            predicate = self.home.read_receipt(jobs[-1].receipt or b"").predicate
            assert predicate["manifest"]["records"] == RECORDS
            assert predicate["manifest"]["keys"] == len(self.old)
            assert {each["verdict"] for each in predicate["artefacts"]} == VERDICTS
            self.home.verify_audit(store)
        self.prepare()
        return accepted


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> Desk:
    return SealingDesk(Home.create(ground / "reseal"), nursery)


def test_killed_at_five_chosen_points_of_sealing_anew(desk: Desk) -> None:
    chosen: list[Trap] = [
        ("begin job", "before", 1),
        ("roll", "after", 1),
        ("purge", "before", 1),
        ("bury keys", "after", 1),
        ("advance job", "before", 4),
    ]
    kill_at_chosen_points(desk, chosen)


@pytest.mark.soak
@pytest.mark.parametrize("second", [("vacuum keys", "before", 1), ("delete", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_sealing_anew(desk: Desk, second: Trap) -> None:
    assert desk.die(("roll", "after", 1)).killed
    again = desk.nursery.run(desk.home, "search", tenant=TENANT, trap=second, armed="opening")
    assert again.killed, again
    assert desk.judge()


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_sealing_anew(desk: Desk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments_of_sealing_anew(desk: Desk) -> None:
    kill_at_random_moments(desk, random.Random(), 100)
