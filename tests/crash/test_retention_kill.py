"""kill -9 in the middle of applying a retention plan: whenever it comes, the next opening of the home ends what was
accepted, with one receipt, or nothing of it was done. What is held, what is not due, and the tenant beside it stay.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.errors import KeyDestroyed
from securevec.retention.rules import bucket_end

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.crash_child import ACTOR, RECORDS, edition, open_collection
from tests.support.crash_home import Home, Nursery, Trap, require_consistent
from tests.support.killing import Desk, kill_at_chosen_points, kill_at_random_moments, kill_twice, traps
from tests.support.world import Ticket, ticket

TENANT = "aging-desk"
BYSTANDER = "bystanding-desk"
ROUND_DAYS = 211
"""The retention of 180 days, a bucket of 18, and room."""

CALLS = {
    "begin retention": 1,
    "lease job": 5,
    "begin delete": 1,
    "delete": 1,
    "finish batch": 1,
    "purge": 1,
    "destroy epoch": 1,
    "bury keys": 1,
    "vacuum keys": 1,
    "clear pending": 1,
    # Begun to delete, one collection watched, then done, purged, keys destroyed, verified.
    "advance job": 6,
    "finish job": 1,
    # One event for each state of the job.
    "outbox done": 8,
    # Those, the intent, the plan's use, the batch's intent and result, the keys' intent and result, what the hold kept,
    # the result.
    "audit": 16,
}
"""How often each step is called when a plan is applied that covers one tenant, one batch and one bucket."""

TRAPS = traps(CALLS)
STEPS = ["accepted", "deleting", "deleting", "deleting", "purged", "keys_destroyed", "verified", "done"]


class AgeingDesk(Desk):
    """A home in which records age, round after round, to be removed and killed over.

    Each round: a collection of due records, one due record of another collection under a legal hold, and a collection
    without an end.
    """

    work = "apply retention"
    name = TENANT

    def furnish(self) -> None:
        self.days = 0
        self.rounds = 0
        with self.home.open() as store:
            open_collection(store, BYSTANDER, create=True).ingest(edition(0))
            open_collection(store, TENANT, create=True)
        self.hold = ""
        self.keys: dict[str, list[str]] = {}
        self.prepare()

    def held_in(self, store: sv.SecureStore) -> sv.Collection[Ticket]:
        return store.tenant(TENANT, actor=ACTOR).collection(Ticket, name="kept", retention="180d")

    def prepare(self) -> None:
        """New records, which are due when it returns."""
        self.rounds += 1
        with self.home.open(ahead_days=self.days) as store:
            collection = open_collection(store, TENANT)
            assert collection.ingest(edition(self.rounds)).new == RECORDS
            kept = self.held_in(store)
            kept.ingest([ticket(self.rounds, f"Held in round {self.rounds}.")])
            endless = store.tenant(TENANT, actor=ACTOR).collection(Ticket, name="endless")
            endless.ingest([ticket(1, "Kept for good.")])
            if not self.hold:
                self.hold = store.tenant(TENANT).hold("case", collection="kept").id
            self.keys = {}
            for key in store.runtime.keys.list_keys():
                if key.kind == "dek" and key.collection == collection.id:
                    self.keys.setdefault(key.epoch, []).append(key.key_id)
            open_collection(store, BYSTANDER).ingest(edition(self.rounds))
        assert len(self.keys) == 1
        self.days += ROUND_DAYS

    def judge(self) -> bool:
        """Reopen and hold what is there against the promises. Whether the job had been accepted."""
        self.home.verify_audit()
        with self.home.open(ahead_days=self.days) as store:
            runtime = store.runtime
            runtime.backend()
            store.run_jobs()
            jobs = runtime.control.jobs()
            accepted = len(jobs) == self.rounds
            collection = open_collection(store, TENANT)
            assert collection.count() == 0
            assert len(collection.search("lift", k=3)) == 0
            if not accepted:
                assert len(jobs) == self.rounds - 1
                assert runtime.control.count_live(collection.id, now_ms=0)[0] == RECORDS
                assert self.stored(store, collection) >= RECORDS
                store.apply_retention(store.retention_plan(tenant=TENANT).digest)
                jobs = runtime.control.jobs()
            assert {job.state for job in jobs} == {"done"}
            assert [step.state for step in runtime.control.job_steps(jobs[-1].job_id)] == STEPS
            assert runtime.control.outbox_pending() == []
            assert runtime.control.job_items(jobs[-1].job_id) == []
            self._require_receipt(jobs[-1].receipt)
            assert (self.stored(store, collection), runtime.control.count_live(collection.id, now_ms=0)) == (0, (0, 0))
            for key_ids in self.keys.values():
                for key_id in key_ids:
                    with pytest.raises(KeyDestroyed):
                        runtime.keys.key_by_id(bytes.fromhex(key_id))
            self._require_kept(store)
            self.home.verify_audit(store)
        self.prepare()
        return accepted

    def _require_kept(self, store: sv.SecureStore) -> None:
        kept = self.held_in(store)
        assert store.runtime.control.count_live(kept.id, now_ms=0)[0] == self.rounds, "held rows are gone"
        assert self.stored(store, kept) == self.rounds
        epochs = {
            key.epoch for key in store.runtime.keys.list_keys() if key.kind == "dek" and key.collection == kept.id
        }
        assert set(store.runtime.control.epochs_in_use(kept.id)) <= epochs
        endless = store.tenant(TENANT, actor=ACTOR).collection(Ticket, name="endless")
        assert endless.get("T-1").body == "Kept for good."
        bystander = store.runtime.control.count_live(open_collection(store, BYSTANDER).id, now_ms=0)
        assert bystander[0] == RECORDS

    def _require_receipt(self, data: bytes | None) -> None:
        assert data is not None
        predicate = self.home.read_receipt(data).predicate
        assert predicate["manifest"]["records"] == predicate["result"]["records"] == RECORDS
        assert predicate["exceptions"] == [{"kind": "legal-hold", "ref": self.hold, "records": self.rounds}]
        verdicts = {entry["artefact"].split()[0]: entry["verdict"] for entry in predicate["artefacts"]}
        assert verdicts["keys"] == "removed from live files"
        assert verdicts["due"] == "removed from live files", predicate["artefacts"]
        (epoch,) = self.keys
        assert bucket_end(epoch) is not None

    @staticmethod
    def stored(store: sv.SecureStore, collection: sv.Collection[Any]) -> int:
        return store.runtime.backend().count(namespace=collection._scope.namespace)


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> AgeingDesk:
    return AgeingDesk(Home.create(ground / "retention"), nursery)


def test_killed_at_seven_chosen_points_of_a_retention_job(desk: AgeingDesk) -> None:
    chosen: list[Trap] = [
        ("begin retention", "before", 1),
        ("begin delete", "after", 1),
        ("delete", "after", 1),
        ("purge", "before", 1),
        ("purge", "after", 1),
    ]
    kill_at_chosen_points(desk, [*chosen, *random.Random(12).sample(TRAPS, 2)])


def test_killed_at_three_random_moments_of_a_retention_job(desk: AgeingDesk) -> None:
    kill_at_random_moments(desk, random.Random(3), 3)


@pytest.mark.parametrize("second", [("vacuum keys", "before", 1), ("purge", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_a_retention_job(desk: AgeingDesk, second: Trap) -> None:
    kill_twice(desk, ("begin delete", "after", 1), second, opened_for=BYSTANDER)


def test_what_is_left_of_the_home_is_whole(desk: AgeingDesk) -> None:
    with desk.home.open(ahead_days=desk.days - ROUND_DAYS) as store:
        assert set(require_consistent(store, open_collection(store, BYSTANDER)).values()) == {desk.rounds}


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_a_retention_job(desk: AgeingDesk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_two_hundred_random_moments_of_a_retention_job(desk: AgeingDesk) -> None:
    kill_at_random_moments(desk, random.Random(), 200)
