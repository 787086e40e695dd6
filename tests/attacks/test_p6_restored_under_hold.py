"""Jobs that were open when a backup was made, or when the list of deletions was: a restore carries none of them past a
hold of the newer state, and forgets none."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup
from securevec.clock import Clock
from securevec.errors import RecordNotFound
from securevec.jobs import JobResult
from securevec.retention.rules import DAY_MS
from securevec.store import lifetimes, tenant
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

JANE = "jane.doe@example.com"


@dataclass
class Case:
    """A home with records about and around Jane, and whatever is made of it. Jobs are accepted and lie there until
    ``run_jobs``: another process would carry them on."""

    root: Path
    time: list[int] = field(default_factory=lambda: [1_800_000_000_000])

    def open(self, home: str) -> sv.SecureStore:
        store = sv.SecureStore.open(
            self.root / home,
            key_file=self.root / "root.key",
            embedder=HashEmbedder(),
            clock=Clock(lambda: self.time[0]),
        )
        store._caretaker.stop()
        store.runtime.backend()  # whoever opens it carries on what lies there
        return store

    def acme(self, store: sv.SecureStore) -> sv.Tenant:
        return store.tenant("acme", actor=ACME)

    def tickets(self, store: sv.SecureStore) -> sv.Collection[Ticket]:
        return self.acme(store).collection(Ticket, retention="180d")

    def named(self, store: sv.SecureStore) -> int:
        """Records in the manifest, hidden ones too."""
        return store.runtime.control.count_live(self.tickets(store).id, now_ms=0)[0]

    def back_up(self, store: sv.SecureStore) -> None:
        create_backup(store, self.root / "backup")
        self.time[0] += 1_000

    def restored(self, newer: str) -> sv.SecureStore:
        known = Newer(current=self.root / "home") if newer == "current" else Newer(tombstones=self.root / "later")
        restore_backup(
            self.root / "backup",
            self.root / "again",
            newer=known,
            key_file=self.root / "root.key",
            embedder=HashEmbedder(),
            clock=Clock(lambda: self.time[0]),
        )
        return self.open("again")


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    def left_lying(runtime: Any, machines: Any, job: Any, **_: Any) -> JobResult:
        return JobResult(job.job_id, job.state, None, waiting_for="another process")

    monkeypatch.setattr(lifetimes, "advance", left_lying)
    monkeypatch.setattr(tenant, "advance", left_lying)
    made = Case(tmp_path)
    with made.open("home") as store:
        store.tenant("acme", create=True, actor=ACME)
        made.tickets(store).ingest(
            [ticket(1, "A late lift.", customer=JANE), ticket(2, f"Ask {JANE}."), ticket(3, "Another lift.")]
        )
    return made


def accept_retention(case: Case, store: sv.SecureStore) -> str:
    case.time[0] += 20 * DAY_MS
    store.set_retention(tenant="acme", max_age="10d")
    [job] = store.apply_retention(store.retention_plan().digest)
    assert job.state == "accepted"
    return job.job_id


@pytest.mark.parametrize("newer", ["tombstones", "current"])
def test_what_is_held_since_the_backup_is_not_deleted_by_a_job_of_the_backup(case: Case, newer: str) -> None:
    with case.open("home") as store:
        accept_retention(case, store)
        case.back_up(store)
        case.acme(store).hold("case 7", collection="ticket", record="T-3")
        assert [job.state for job in store.run_jobs()] == ["done"]
        assert case.named(store) == 1
        export_tombstones(store, case.root / "later", since=case.root / "backup")
    with case.restored(newer) as store:
        store.run_jobs()
        assert case.tickets(store).get("T-3").body == "Another lift."
        assert case.named(store) == 1


def test_a_job_that_was_taken_back_since_the_backup_deletes_nothing_in_a_restored_home(case: Case) -> None:
    with case.open("home") as store:
        job = accept_retention(case, store)
        case.back_up(store)
        store.cancel_job(job)
        store.remove_retention(tenant="acme")
        export_tombstones(store, case.root / "later", since=case.root / "backup")
    with case.restored("tombstones") as store:
        assert store.run_jobs() == []
        assert case.named(store) == 3
        assert [each.state for each in store.runtime.control.jobs()] == ["cancelled"]


@pytest.mark.parametrize("begun", ["before", "after"])
def test_an_erasure_that_a_hold_stops_is_stopped_in_a_restored_home_and_goes_on_when_the_hold_ends(
    case: Case, begun: str
) -> None:
    with case.open("home") as store:
        if begun == "before":
            case.acme(store).erase_subject(JANE)
        case.back_up(store)
        if begun == "after":
            case.acme(store).erase_subject(JANE)
        case.acme(store).hold("case 7")
        [stopped] = store.run_jobs()
        assert stopped.waiting_for == "LegalHold"
        export_tombstones(store, case.root / "later", since=case.root / "backup")
    with case.restored("tombstones") as store:
        assert [job.waiting_for for job in store.run_jobs()] == ["LegalHold"]
        assert case.named(store) == 3, "nothing of what is held is gone"
        for number in (1, 2):
            with pytest.raises(RecordNotFound):
                case.tickets(store).get(f"T-{number}")
        [hold] = case.acme(store).holds()
        store.tenant("acme").release(hold.id)
        assert [job.state for job in store.run_jobs()] == ["done"]
        assert case.named(store) == 2
        assert JANE not in case.tickets(store).get("T-2").body


def test_an_erasure_of_the_backup_that_ended_since_is_done_again_whatever_is_held_now(case: Case) -> None:
    with case.open("home") as store:
        case.acme(store).erase_subject(JANE)
        case.back_up(store)
        assert [job.state for job in store.run_jobs()] == ["done"]
        case.acme(store).hold("case 8")
        export_tombstones(store, case.root / "later", since=case.root / "backup")
    with case.restored("tombstones") as store:
        assert store.run_jobs() == []
        assert case.named(store) == 2
        assert JANE not in case.tickets(store).get("T-2").body


@pytest.mark.parametrize("begun", ["before", "after"])
def test_who_was_erased_by_a_declared_name_and_is_held_is_hidden_in_a_restored_home_and_goes_when_the_hold_ends(
    case: Case, begun: str
) -> None:
    with case.open("home") as store:
        case.tickets(store).ingest([ticket(4, "A lift for Bob.", customer="Bob Stone"), ticket(5, "Ask Bob Stone.")])
        if begun == "before":
            case.acme(store).erase_subject("Bob Stone")
        case.back_up(store)
        if begun == "after":
            case.acme(store).erase_subject("Bob Stone")
        case.acme(store).hold("case 7")
        [stopped] = store.run_jobs()
        assert stopped.waiting_for == "LegalHold"
        export_tombstones(store, case.root / "later", since=case.root / "backup")
    with case.restored("tombstones") as store:
        with pytest.raises(RecordNotFound):
            case.tickets(store).get("T-4")
        assert [job.waiting_for for job in store.run_jobs()] == ["LegalHold"]
        assert case.named(store) == 5, "nothing of what is held is gone"
        [hold] = case.acme(store).holds()
        store.tenant("acme").release(hold.id)
        assert [job.state for job in store.run_jobs()] == ["done"]
        assert case.named(store) == 4
        assert case.tickets(store).get("T-5").id == "T-5"
