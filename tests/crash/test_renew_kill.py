"""kill -9 while a tenant's tokens are made anew: whenever it comes, everybody is found, and the next opening of the
home ends what was accepted. No token of the version before is left then.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.judge import open_body
from tests.support.crash_child import ACTOR, RECORDS, edition, open_collection
from tests.support.crash_home import Death, Home, Nursery, Trap, require_consistent
from tests.support.killing import Desk, kill_at_chosen_points, kill_at_random_moments, traps
from tests.support.leaks import every_point

TENANT = "renewal-desk"
STEPS = ["accepted", "switched", "resealed", "retired", "done"]
CALLS = {
    "begin job": 1,
    "begin version": 1,
    "lift tokens": 1,
    # One sheet.
    "begin batch": 1,
    "insert": 1,
    "commit batch": 1,
    "delete": 1,
    "finish batch": 1,
    "purge": 1,
    "drop names": 1,
    "scrub": 1,
    "advance job": 3,
    "finish job": 1,
    "outbox done": 5,
    # The intent, the batch's intent and result, the result of the job.
    "audit": 4,
}
"""How often each step is called when one collection of one batch gets new tokens."""


class RenewalDesk(Desk):
    """A tenant whose tokens are made anew, round after round, and killed over it."""

    def furnish(self) -> None:
        self.rounds = 0
        with self.home.open() as store:
            open_collection(store, TENANT, create=True)
        self.prepare()

    def prepare(self) -> None:
        self.rounds += 1
        with self.home.open() as store:
            assert open_collection(store, TENANT).ingest(edition(self.rounds)).refused == ()

    def die(
        self, trap: Trap | None = None, *, kill_after: tuple[int, float] | None = None, armed: str = "working"
    ) -> Death:
        return self.nursery.run(self.home, "renew tokens", tenant=TENANT, trap=trap, kill_after=kill_after, armed=armed)

    def judge(self) -> bool:
        self.home.verify_audit()
        with self.home.open() as store:
            collection = open_collection(store, TENANT)
            self._everybody_is_found(store, collection)
            store.run_jobs()
            jobs = store.runtime.control.jobs()
            accepted = len(jobs) == self.rounds
            if not accepted:
                assert len(jobs) == self.rounds - 1
                store.renew_tokens(TENANT)
                jobs = store.runtime.control.jobs()
            assert {job.state for job in jobs} == {"done"}
            assert [step.state for step in store.runtime.control.job_steps(jobs[-1].job_id)] == STEPS
            assert set(require_consistent(store, collection).values()) == {self.rounds}
            self._everybody_is_found(store, collection)
            assert store.runtime.control.token_version(jobs[-1].tenant) == self.rounds + 1
            points = every_point(store, collection)
            versions = {open_body(store.runtime.keys, collection._scope, point).tokens for point in points}
            assert versions == {self.rounds + 1}
            predicate = self.home.read_receipt(jobs[-1].receipt or b"").predicate
            assert predicate["manifest"]["records"] == RECORDS
            assert predicate["manifest"]["tokens"] >= RECORDS
            self.home.verify_audit(store)
        self.prepare()
        return accepted

    def _everybody_is_found(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        collection.verify().raise_if_wrong()
        found = store.tenant(TENANT, actor=ACTOR).find_subject("customer3@example.com")
        assert {each.record_id for each in found} == {"T-3"}


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> Desk:
    return RenewalDesk(Home.create(ground / "renew"), nursery)


def test_killed_at_three_chosen_points_of_making_tokens_anew(desk: Desk) -> None:
    chosen: list[Trap] = [
        ("begin job", "before", 1),
        ("lift tokens", "after", 1),
        ("insert", "after", 1),
    ]
    kill_at_chosen_points(desk, chosen)


@pytest.mark.soak
@pytest.mark.parametrize("second", [("insert", "after", 1), ("drop names", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_making_tokens_anew(desk: Desk, second: Trap) -> None:
    assert desk.die(("lift tokens", "after", 1)).killed
    again = desk.nursery.run(desk.home, "search", tenant=TENANT, trap=second, armed="opening")
    assert again.killed, again
    assert desk.judge()


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_making_tokens_anew(desk: Desk) -> None:
    kill_at_chosen_points(desk, traps(CALLS))


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments_of_making_tokens_anew(desk: Desk) -> None:
    kill_at_random_moments(desk, random.Random(), 100)
