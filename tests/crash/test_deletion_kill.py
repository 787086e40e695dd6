"""kill -9 in the middle of a tenant's deletion: whenever it comes, the next opening of the home ends the deletion with
one receipt, or the tenant is as if nobody had asked. The tenant beside it never notices.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from securevec.errors import KeyDestroyed, TenantNotFound
from securevec.types import TenantId

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.crash_child import ACTOR, RECORDS, edition, open_collection
from tests.support.crash_home import Home, Nursery, Trap, require_consistent
from tests.support.killing import Desk, kill_at_chosen_points, kill_at_random_moments, kill_twice, traps

BYSTANDER = "bystanding-desk"
CALLS = {
    "begin deletion": 1,
    "lease job": 2,
    "destroy keys": 1,
    "bury keys": 1,
    "vacuum keys": 1,
    "clear pending": 1,
    "advance job": 2,
    "drop": 1,
    "finish deletion": 1,
    "scrub": 1,
    # One event for each state of the job.
    "outbox done": 4,
    # Those, the intent, the destroyed keys, and the result.
    "audit": 7,
}
"""How often each step is called in one deletion of a tenant with one collection."""

TRAPS = traps(CALLS)


class DeletionDesk(Desk):
    """A home in which tenants are made, one after another, to be deleted and killed over."""

    work = "delete tenant"
    shard = ""
    tenant = TenantId("")
    sealed_name = b""
    keys: Sequence[str] = ()

    def furnish(self) -> None:
        self.made = 0
        with self.home.open() as store:
            open_collection(store, BYSTANDER, create=True).ingest(edition(0))
        self.prepare()

    def prepare(self) -> None:
        """A new tenant with records."""
        self.made += 1
        self.name = f"doomed-desk-{self.made}"
        with self.home.open() as store:
            collection = open_collection(store, self.name, create=True)
            collection.ingest(edition(self.made))
            self.tenant = store.tenant(self.name, actor=ACTOR).id
            self.shard = collection._scope.namespace.shard
            row = store.runtime.control.tenant(self.tenant)
            assert row is not None
            assert row.name_sealed is not None
            self.sealed_name = row.name_sealed
            self.keys = [key.key_id for key in store.runtime.keys.list_keys() if key.tenant == self.tenant]
        assert len(self.keys) >= 8
        assert (self.home.path / "engine" / "edge" / self.shard).is_dir()

    def judge(self) -> bool:
        """Reopen and hold what is there against the promises. Whether the deletion had been accepted."""
        self.home.verify_audit()
        with self.home.open() as store:
            store.runtime.backend()
            store.run_jobs()
            jobs = [job for job in store.runtime.control.jobs() if job.tenant == self.tenant]
            accepted = bool(jobs)
            if not accepted:
                collection = open_collection(store, self.name)
                assert set(require_consistent(store, collection).values()) == {self.made}
                self.home.verify_audit(store)
                store.delete_tenant(self.name).raise_if_incomplete()
                jobs = [job for job in store.runtime.control.jobs() if job.tenant == self.tenant]
            assert [job.state for job in jobs] == ["done"]
            steps = [step.state for step in store.runtime.control.job_steps(jobs[0].job_id)]
            assert steps == ["accepted", "planned", "keys_destroyed", "watched", "removed", "cleared", "done"]
            assert store.runtime.control.outbox_pending() == []
            self._require_receipt(jobs[0].receipt)
            for key in self.keys:
                with pytest.raises(KeyDestroyed):
                    store.runtime.keys.key_by_id(bytes.fromhex(key))
            assert not [key for key in store.runtime.keys.list_keys() if key.tenant == self.tenant]
            assert self.shard not in set(store.runtime.backend().namespaces())
            assert not (self.home.path / "engine" / "edge" / self.shard).exists()
            with pytest.raises(TenantNotFound):
                store.tenant(self.name, actor=ACTOR)
            bystander = open_collection(store, BYSTANDER)
            assert set(require_consistent(store, bystander).values()) == {0}
            assert len(bystander.search("lift", k=3)) == 3
            self.home.verify_audit(store)
        for path in self.home.path.glob("control.db*"):
            assert self.sealed_name not in path.read_bytes()
        self.prepare()
        return accepted

    def _require_receipt(self, data: bytes | None) -> None:
        assert data is not None
        predicate = self.home.read_receipt(data).predicate
        assert predicate["tenant"] == self.tenant
        assert predicate["manifest"]["records"] == RECORDS
        assert predicate["manifest"]["keys"] == len(self.keys)
        verdicts = {entry["artefact"].split()[0]: entry["verdict"] for entry in predicate["artefacts"]}
        # Also for one killed right after the drop: what the byte probe saw before it is kept with the job.
        assert set(verdicts.values()) == {"removed from live files"}, predicate["artefacts"]


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> Desk:
    return DeletionDesk(Home.create(ground / "deletion"), nursery)


def test_killed_at_eight_chosen_points_of_a_deletion(desk: Desk) -> None:
    kill_at_chosen_points(desk, random.Random(15).sample(TRAPS, 8))


@pytest.mark.soak
def test_killed_at_five_random_moments_of_a_deletion(desk: Desk) -> None:
    kill_at_random_moments(desk, random.Random(5), 5)


@pytest.mark.parametrize(
    "second", [("vacuum keys", "before", 1), ("drop", "after", 1), ("finish deletion", "before", 1)]
)
def test_killed_again_by_the_opening_that_goes_on_with_it(desk: Desk, second: Trap) -> None:
    kill_twice(desk, ("bury keys", "after", 1), second, opened_for=BYSTANDER)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_a_deletion(desk: Desk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_two_hundred_random_moments_of_a_deletion(desk: Desk) -> None:
    kill_at_random_moments(desk, random.Random(), 200)
