"""kill -9 in the middle of a person's erasure: whenever it comes, the next opening of the home ends it with one receipt
whose counts are exact, or nobody was ever asked to erase anything. Everybody else's records never notice.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import RecordNotFound
from securevec.types import TenantId

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.crash_child import ACTOR, PERSON, open_collection
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.killing import Desk, kill_at_chosen_points, kill_twice, traps
from tests.support.world import Ticket, ticket

CALLS = {
    "begin job": 1,
    "lease job": 2,
    "begin delete": 2,
    "begin batch": 1,
    "insert": 1,
    "commit batch": 1,
    "delete": 3,
    "finish batch": 3,
    "purge": 2,
    "forget tokens": 1,
    "scrub": 1,
    "advance job": 5,
    "finish job": 1,
    # One event for each state of the job.
    "outbox done": 7,
    # Those, two for each of the three batches, the intent and the result of the whole.
    "audit": 15,
}
"""How often each step is called in the erasure of a person with a record about them and one that mentions them, and one
more that is all there is in its collection."""

TRAPS = traps(CALLS)
STEPS = ["accepted", "planned", "deleted", "redacted", "purged", "verified", "done"]
TEXT = f"first {PERSON} and then peter@example.org called"


class ErasingDesk(Desk):
    """A home in which tenants are made, one after another, each with a person to be erased and killed over."""

    work = "erase subject"
    tenant = TenantId("")

    def furnish(self) -> None:
        self.made = 0
        self.prepare()

    def prepare(self) -> None:
        self.made += 1
        self.name = f"desk-{self.made}"
        with self.home.open() as store:
            collection = open_collection(store, self.name, create=True)
            collection.ingest(
                [
                    ticket(1, "the lift was late", customer=PERSON),
                    ticket(2, TEXT, customer="C-2"),
                    ticket(3, "the lift again", customer="C-3"),
                ]
            )
            tenant = store.tenant(self.name, actor=ACTOR)
            tenant.collection(Ticket, name="alone").ingest([ticket(4, "the lift alone", customer=PERSON)])
            self.tenant = tenant.id

    def judge(self) -> bool:
        """Reopen and hold what is there against the promises. Whether the erasure had been accepted."""
        self.home.verify_audit()
        with self.home.open() as store:
            collection = open_collection(store, self.name)
            store.run_jobs()
            control = store.runtime.control
            jobs = [job for job in control.jobs() if job.tenant == self.tenant]
            accepted = bool(jobs)
            if not accepted:
                assert collection.get("T-1").body == "the lift was late"
                assert "[ERASED]" not in collection.get("T-2").body
                store.tenant(self.name, actor=ACTOR).erase_subject(PERSON).raise_if_incomplete()
                jobs = [job for job in control.jobs() if job.tenant == self.tenant]
            assert [job.state for job in jobs] == ["done"]
            assert [step.state for step in control.job_steps(jobs[0].job_id)] == STEPS
            assert control.outbox_pending() == []
            assert not control.open_batches(now_ms=0, expired_only=False)
            self._require_receipt(jobs[0].receipt)
            self._require_records(store, collection)
            self.home.verify_audit(store)
        self.prepare()
        return accepted

    def _require_receipt(self, data: bytes | None) -> None:
        assert data is not None
        predicate = self.home.read_receipt(data).predicate
        assert predicate["tenant"] == self.tenant
        assert predicate["manifest"] == {"deleted": 2, "redacted": 1, "chunks": 3, "collections": 2}
        said = {entry["artefact"].split()[0]: entry for entry in predicate["artefacts"]}
        # What is looked for is kept, sealed, from before the deletion, with what was found of it: a death in between
        # loses no evidence, of the collection that is empty now either.
        points = [entry["verdict"] for entry in predicate["artefacts"] if entry["artefact"].startswith("points")]
        assert points == ["removed from live files"] * 2, predicate["artefacts"]
        assert "1 records stored again without the subject, 0 removed" in said["mentions"]["evidence"]

    def _require_records(self, store: sv.SecureStore, collection: sv.Collection[Ticket]) -> None:
        with pytest.raises(RecordNotFound):
            collection.get("T-1")
        assert collection.get("T-2").body.startswith("first [ERASED] and then ")
        assert collection.get("T-3").body == "the lift again"
        assert collection.count() == 2
        backend, namespace = store.runtime.backend(), collection._scope.namespace
        assert backend.count(namespace=namespace) == 2
        hits = collection.search("called", k=3)
        assert "peter@example.org" in hits.restore(hits.context())


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> ErasingDesk:
    return ErasingDesk(Home.create(ground / "erasure"), nursery)


def test_killed_at_eight_chosen_points_of_an_erasure(desk: ErasingDesk) -> None:
    chosen = random.Random(7).sample(TRAPS, 5)
    kill_at_chosen_points(desk, [("begin job", "before", 1), ("purge", "before", 1), ("purge", "after", 2), *chosen])


@pytest.mark.parametrize("second", [("purge", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_it(desk: ErasingDesk, second: Trap) -> None:
    kill_twice(desk, ("begin job", "after", 1), second)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_an_erasure(desk: ErasingDesk) -> None:
    kill_at_chosen_points(desk, TRAPS)
