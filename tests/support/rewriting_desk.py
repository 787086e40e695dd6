"""A home on which a job that writes a collection anew is begun and killed, round after round: what every such job is
held to, whichever key it is about: ``test_reseal_kill.py``, ``test_reindex_kill.py``, ``test_recloak_kill.py``,
``test_renew_kill.py``, ``test_resurrogate_kill.py``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import securevec as sv
from tests.support.crash_child import RECORDS, REWRITING, edition, open_collection
from tests.support.crash_home import require_consistent
from tests.support.killing import Desk

CALLS: Final = {
    "begin job": 1,
    # One sheet.
    "begin batch": 1,
    "insert": 1,
    "commit batch": 1,
    "delete": 1,
    "finish batch": 1,
    "purge": 1,
    "advance job": 3,
    "finish job": 1,
    "outbox done": 5,
    # The intent, the batch's intent and result, the result of the job.
    "audit": 4,
}
"""How often each step is called when one collection of one batch is written anew."""
CALLS_WITH_KEYS: Final = {
    **CALLS,
    "bury keys": 1,
    "vacuum keys": 1,
    "clear pending": 1,
    # Two states more, and the intent and the result of the keys.
    "advance job": 5,
    "outbox done": 7,
    "audit": 6,
}
"""And when the keys it was under are destroyed then."""


def require_gone(predicate: Mapping[str, Any]) -> None:
    """A receipt of whatever was in force before, wherever the job was killed."""
    assert {each["verdict"] for each in predicate["artefacts"]} == {"removed from live files"}


class RewritingDesk(Desk):
    """The collection of one tenant. ``steps`` is what the job notes."""

    steps: ClassVar[tuple[str, ...]]

    def open(self, store: sv.SecureStore, *, create: bool = False) -> sv.Collection[Any]:
        return open_collection(store, self.name, create=create)

    @abstractmethod
    def remember(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        """What is in force before the job."""

    @abstractmethod
    def serves(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        """Readers are served, whatever happened."""

    def untouched(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        """No job was accepted: what was in force still is."""

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
                REWRITING[self.work](store, self.name)
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
