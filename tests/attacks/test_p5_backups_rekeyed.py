"""Keys exchanged after a backup: what is restored opens and is found, or is counted as lost. Never neither."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import pytest

import securevec as sv
from securevec.backup import Newer, RestoreReport, create_backup, export_tombstones, restore_backup
from securevec.clock import Clock
from securevec.errors import BackupRejected, ControlUnavailable, KeyDestroyed, RecordNotFound
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

DAY_MS = 86_400_000


class Case(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    queue: Annotated[str, sv.marks.Filter(mode="token")]


class Brief(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]


class Rekeyed:
    """A home, its backup, and keys that were exchanged since: data keys, a filter key, the key of a held record."""

    def __init__(self, root: Path) -> None:
        self.home, self.key_file, self.backup, self.later = root / "home", root / "key", root / "backup", root / "later"
        self.ahead = 0
        with self.opened(self.home) as store:
            tenant = store.tenant("acme", create=True, actor=ACME)
            tickets = tenant.collection(Ticket)
            tickets.ingest([ticket(number, f"The lift of house {number} was late.") for number in range(4)])
            cases = [{"id": f"C-{number}", "body": f"Case {number} of a lift", "queue": "lifts"} for number in range(3)]
            tenant.collection(Case).ingest(cases)
            tenant.collection(Brief, retention="1d").ingest([{"id": "B-1", "body": "Evidence."}])
            tenant.hold("case 7", collection="brief", record="B-1")
            create_backup(store, self.backup)
            tickets.delete(["T-3"])
            store.reseal("acme", "ticket").raise_if_incomplete()
            store.reindex("acme", "case").raise_if_incomplete()
        self.ahead = 3 * DAY_MS
        with self.opened(self.home) as store:
            for each in store.apply_retention(store.retention_plan().digest):
                each.raise_if_incomplete()
            self.dead = store.runtime.keys.destroyed_ids()
            export_tombstones(store, self.later, since=self.backup)

    def opened(self, home: Path) -> sv.SecureStore:
        return sv.SecureStore.open(home, key_file=self.key_file, embedder=HashEmbedder(), clock=self.clock())

    def clock(self) -> Clock:
        return Clock(lambda: time.time_ns() // 1_000_000 + self.ahead)

    def restore(self, home: Path, newer: Newer) -> RestoreReport:
        return restore_backup(
            self.backup, home, newer=newer, key_file=self.key_file, embedder=HashEmbedder(), clock=self.clock()
        )


@pytest.fixture(scope="module")
def rekeyed(tmp_path_factory: pytest.TempPathFactory) -> Rekeyed:
    return Rekeyed(tmp_path_factory.mktemp("rekeyed"))


def test_records_sealed_anew_after_the_backup_open_under_keys_that_are_not_the_old_ones(
    rekeyed: Rekeyed, tmp_path: Path
) -> None:
    report = rekeyed.restore(tmp_path / "home", Newer(tombstones=rekeyed.later))
    assert report.replayed is not None
    assert (report.replayed.unreadable, report.replayed.indexed) == (0, 1)
    with rekeyed.opened(tmp_path / "home") as store:
        tenant = store.tenant("acme", actor=ACME)
        tickets = tenant.collection(Ticket)
        assert {hit.id for hit in tickets.search("lift", k=5)} == {"T-0", "T-1", "T-2"}
        assert tickets.get("T-1").body == "The lift of house 1 was late."
        for key_id in rekeyed.dead:
            with pytest.raises(KeyDestroyed):
                store.runtime.keys.key_by_id(key_id)
        assert not store.runtime.keys._store.pending_scopes("search:"), "looked for in the whole home"
        # Evidence: its bucket has ended and was destroyed, the hold stands, and only this backup has it.
        assert [hold.standing for hold in tenant.holds()] == [True]
        briefs = tenant.collection(Brief, retention="1d")
        assert (briefs.verify().records, briefs.verify().altered) == (1, 0)
        # The key that the newer state retired is not in use again.
        assert store.runtime.keys.filter_versions()[tenant.collection(Case).id] == 2
        assert len(tenant.collection(Case).search("lift", k=5, where=sv.F("queue") == "lifts")) == 3
        for each in (tickets, tenant.collection(Case)):
            each.verify().raise_if_wrong()


def test_with_the_newer_key_store_what_nobody_can_open_is_counted_and_filters_find_the_rest(
    rekeyed: Rekeyed, tmp_path: Path
) -> None:
    report = rekeyed.restore(tmp_path / "home", Newer(current=rekeyed.home))
    assert report.replayed is not None
    assert (report.replayed.records, report.replayed.unreadable, report.replayed.indexed) == (1, 4, 1)
    with rekeyed.opened(tmp_path / "home") as store:
        tenant = store.tenant("acme", actor=ACME)
        tickets = tenant.collection(Ticket)
        assert (tickets.count(), len(tickets.search("lift", k=5))) == (0, 0)
        with pytest.raises(RecordNotFound):
            tickets.get("T-1")
        assert len(tenant.collection(Case).search("lift", k=5, where=sv.F("queue") == "lifts")) == 3
        for each in (tickets, tenant.collection(Case)):
            each.verify().raise_if_wrong()


@pytest.mark.parametrize(
    "names", [("whole",), pytest.param(("whole", "half"), marks=pytest.mark.soak)], ids=["one", "half done too"]
)
def test_vectors_that_were_cloaked_anew_after_the_backup_are_found_under_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """Also where the backup caught a job half done, and the key it was about has been exchanged again since."""
    key_file, backup, later = tmp_path / "key", tmp_path / "backup", tmp_path / "later"
    briefs = [{"id": f"B-{number}", "body": f"Brief {number} of a lift"} for number in range(3)]

    def opened(home: Path) -> sv.SecureStore:
        return sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder())

    def collections(store: sv.SecureStore) -> list[sv.Collection[Brief]]:
        tenant = store.tenant("acme", create=True, actor=ACME)
        return [tenant.collection(Brief, name=name, cloak=sv.Cloak(noise=2.0)) for name in names]

    def answers(store: sv.SecureStore) -> list[list[tuple[object, float]]]:
        return [[(hit.id, round(hit.score, 3)) for hit in each.search("brief 1", k=3)] for each in collections(store)]

    with opened(tmp_path / "home") as store:
        for each in collections(store):
            each.ingest(briefs)
        store._caretaker.stop()
        before = answers(store)
        if "half" in names:
            with monkeypatch.context() as patched:
                patched.setattr("securevec.rekeying.rewriting._PASSES", 0)
                with pytest.raises(ControlUnavailable):
                    store.recloak("acme", "half")
        create_backup(store, backup)
        for name in (*names, *names[1:]):
            store.recloak("acme", name).raise_if_incomplete()
        dead = set(store.runtime.keys.destroyed_ids())
        assert len(dead) == 2 * len(names) - 1
        export_tombstones(store, later, since=backup)
    newer = Newer(current=tmp_path / "home")
    with pytest.raises(BackupRejected, match="cloak key"):
        restore_backup(backup, tmp_path / "refused", newer=newer, key_file=key_file, embedder=HashEmbedder())
    restored = restore_backup(
        backup, tmp_path / "restored", newer=Newer(tombstones=later), key_file=key_file, embedder=HashEmbedder()
    )
    assert restored.replayed is not None
    assert (restored.replayed.cloaked, restored.replayed.unreadable) == (len(names), 0)
    with opened(tmp_path / "restored") as store:
        assert answers(store) == before
        held = {bytes.fromhex(key.key_id) for key in store.runtime.keys.list_keys(kind="tenant")}
        assert held.isdisjoint(dead)
        for each in collections(store):
            each.verify().raise_if_wrong()
