"""kill -9 in the middle of an ingest, at chosen and at random points: old or new, whole, and nothing acknowledged lost.

A home lives through twenty deaths, as a real one might: each child finds what the recovery of the last one left.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.crash_child import BATCH, RECORDS, edition, open_collection
from tests.support.crash_home import Death, Home, Nursery, Trap, require_consistent, require_whole_batches
from tests.support.killing import ROUNDS, traps

TENANT = "crash-desk"
BATCHES = -(-RECORDS // BATCH)
CALLS = {
    "begin batch": BATCHES,
    "add tokens": BATCHES,
    "commit batch": BATCHES,
    "finish batch": BATCHES,
    "insert": BATCHES,
    "delete": BATCHES,
    # Read back what was written, read back what was deleted, each batch.
    "fetch": 2 * BATCHES,
    # An intent and a result, each batch.
    "audit": 2 * BATCHES,
}
"""How often each step is called in one ingest over records that are there."""

TRAPS = traps(CALLS)


class Ageing:
    """The home's state as acknowledged so far."""

    def __init__(self, home: Home, nursery: Nursery) -> None:
        self.home = home
        self.nursery = nursery
        self._furnish()

    def _furnish(self) -> None:
        self.stands = self.judged = 0
        with self.home.open() as store:
            open_collection(store, TENANT, create=True).ingest(edition(0))

    def judge(self, death: Death) -> dict[int, int]:
        """Reopen, recover, and hold what is there against what was acknowledged. Then store the next edition."""
        acknowledged = attempted = self.stands
        for line in death.journal:
            word, number = line.split()[:2]
            assert word in ("begin", "done"), line
            attempted = int(number)
            acknowledged = attempted if word == "done" else acknowledged
        self.home.verify_audit()
        interrupted = self.home.open_intents()
        settled = self.home.results_of_last_writer("ingest") if interrupted else 0
        with self.home.open() as store:
            collection = open_collection(store, TENANT)
            editions = require_consistent(store, collection)
            require_whole_batches(editions, acknowledged, attempted)
            if interrupted:
                visible = editions[settled % BATCHES * BATCH] == attempted
                answer = {"kind": "ingest", "state": "present" if visible else "absent"}
                assert [self.home.recoveries(request) for request in interrupted] == [[answer]]
            self.home.verify_audit(store)
            following = attempted + 1
            report = collection.ingest(edition(following))
            assert (report.new, report.updated, report.refused) == (0, RECORDS, ())
            again = require_consistent(store, collection)
            require_whole_batches(again, following, following)
            assert {hit.record.id for hit in collection.search("lift late week", k=100)} == {
                f"T-{number}" for number in range(RECORDS)
            }
            self.home.verify_audit(store)
        self.stands, self.judged = following, self.judged + 1
        if self.judged == ROUNDS:
            self.home = self.home.successor()
            self._furnish()
        return editions


@pytest.fixture(scope="module")
def ageing(ground: Path, nursery: Nursery) -> Ageing:
    return Ageing(Home.create(ground / "ingest"), nursery)


def kill_at_chosen_points(ageing: Ageing, chosen: list[Trap]) -> None:
    old = new = 0
    for trap in chosen:
        before = ageing.stands
        death = ageing.nursery.run(ageing.home, "ingest", tenant=TENANT, first=before + 1, trap=trap)
        assert death.killed, (trap, death)
        editions = ageing.judge(death)
        old += before in editions.values()
        new += before + 1 in editions.values()
    assert old
    assert new


def kill_at_random_moments(ageing: Ageing, chance: random.Random, times: int) -> None:
    acknowledged = 0
    for _ in range(times):
        death = ageing.nursery.run(
            ageing.home,
            "ingest",
            tenant=TENANT,
            first=ageing.stands + 1,
            turns=10_000,
            kill_after=(chance.randint(1, 6), chance.uniform(0.0, 0.06)),
        )
        assert death.killed, death
        acknowledged += sum(line.startswith("done") for line in death.journal)
        ageing.judge(death)
    assert acknowledged


def test_killed_at_eight_chosen_points_of_an_ingest(ageing: Ageing) -> None:
    kill_at_chosen_points(ageing, random.Random(14).sample(TRAPS, 8))


@pytest.mark.soak
def test_killed_at_three_random_moments_of_a_busy_ingest(ageing: Ageing) -> None:
    kill_at_random_moments(ageing, random.Random(6), 3)


@pytest.mark.parametrize(
    "second",
    [
        ("settle batch", "after", 1),
        pytest.param(("delete", "after", 1), marks=pytest.mark.soak),
        pytest.param(("audit", "after", 1), marks=pytest.mark.soak),
        ("finish batch", "before", 1),
    ],
)
def test_killed_again_while_recovering(ageing: Ageing, second: Trap) -> None:
    first = ageing.nursery.run(
        ageing.home, "ingest", tenant=TENANT, first=ageing.stands + 1, trap=("insert", "after", 2)
    )
    assert first.killed
    opening = ageing.nursery.run(ageing.home, "search", tenant=TENANT, trap=second, armed="opening")
    assert opening.killed, opening
    ageing.judge(first)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_an_ingest(ageing: Ageing) -> None:
    kill_at_chosen_points(ageing, TRAPS)


@pytest.mark.soak
def test_killed_at_two_hundred_random_moments_of_an_ingest(ageing: Ageing) -> None:
    kill_at_random_moments(ageing, random.Random(), 200)
