"""A home on which a job that writes a collection anew is begun and killed, round after round: what every such job is
held to, whichever key it is about: ``test_reseal_kill.py``, ``test_reindex_kill.py``, ``test_recloak_kill.py``,
``test_renew_kill.py``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import securevec as sv
from tests.support.crash_child import RECORDS, edition, open_collection
from tests.support.crash_home import Death, Trap, require_consistent
from tests.support.killing import Desk


class RewritingDesk(Desk):
    """The collection of one tenant. ``work`` is what the child is told to do, ``steps`` what the job then notes."""

    tenant: ClassVar[str]
    work: ClassVar[str]
    steps: ClassVar[tuple[str, ...]]

    def open(self, store: sv.SecureStore, *, create: bool = False) -> sv.Collection[Any]:
        return open_collection(store, self.tenant, create=create)

    @abstractmethod
    def remember(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        """What is in force before the job."""

    @abstractmethod
    def serves(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        """Readers are served, whatever happened."""

    def untouched(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        """No job was accepted: what was in force still is."""

    @abstractmethod
    def request(self, store: sv.SecureStore) -> None:
        """The job, asked for again."""

    @abstractmethod
    def ended(self, store: sv.SecureStore, collection: sv.Collection[Any], predicate: Mapping[str, Any]) -> None:
        """Of what was in force before nothing is left, and the receipt says so."""

    def furnish(self) -> None:
        self.rounds = 0
        with self.home.open() as store:
            self.open(store, create=True)
        self.prepare()

    def prepare(self) -> None:
        self.rounds += 1
        with self.home.open() as store:
            collection = self.open(store)
            assert collection.ingest(edition(self.rounds)).refused == ()
            self.remember(store, collection)

    def die(
        self, trap: Trap | None = None, *, kill_after: tuple[int, float] | None = None, armed: str = "working"
    ) -> Death:
        return self.nursery.run(self.home, self.work, tenant=self.tenant, trap=trap, kill_after=kill_after, armed=armed)

    def judge(self) -> bool:
        self.home.verify_audit()
        with self.home.open() as store:
            control = store.runtime.control
            collection = self.open(store)
            self.serves(store, collection)
            store.run_jobs()
            jobs = control.jobs()
            accepted = len(jobs) == self.rounds
            if not accepted:
                assert len(jobs) == self.rounds - 1
                self.untouched(store, collection)
                self.request(store)
                jobs = control.jobs()
            assert {job.state for job in jobs} == {"done"}
            assert tuple(step.state for step in control.job_steps(jobs[-1].job_id)) == self.steps
            assert set(require_consistent(store, collection).values()) == {self.rounds}
            collection.verify().raise_if_wrong()
            self.serves(store, collection)
            predicate = self.home.read_receipt(jobs[-1].receipt or b"").predicate
            assert predicate["manifest"]["records"] == RECORDS
            self.ended(store, collection, predicate)
            self.home.verify_audit(store)
        self.prepare()
        return accepted


def kill_twice(desk: RewritingDesk, first: Trap, second: Trap) -> None:
    """And again by the opening that goes on with it."""
    assert desk.die(first).killed
    again = desk.nursery.run(desk.home, "search", tenant=desk.tenant, trap=second, armed="opening")
    assert again.killed, again
    assert desk.judge()
