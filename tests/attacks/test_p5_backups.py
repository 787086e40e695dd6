"""A backup brings back what was lost, and never what was deleted."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup, verify_backup
from securevec.backup import replay as replaying
from securevec.clock import Clock
from securevec.errors import (
    BackupRejected,
    DeletionIncomplete,
    EngineLocked,
    HomeRefused,
    KeyDestroyed,
    KeyRejected,
    PolicyDenied,
    RecordNotFound,
    TenantNotFound,
    UsageError,
    WriteNotAcknowledged,
)
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, GLOBEX, Ticket, World, open_world, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

JANE = "jane.doe@example.com"
READER = sv.Actor("svc:reader", purpose="support")


def opened(home: Path, key_file: Path) -> sv.SecureStore:
    return sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(), create=False)


class Past:
    """A home, its backup, and what happened afterwards."""

    def __init__(self, root: Path, backend: str = "edge") -> None:
        self.home, self.key_file, self.backup = root / "home", root / "root.key", root / "backup"
        self.ledger = root / "later"
        with sv.SecureStore.open(self.home, backend=backend, key_file=self.key_file, embedder=HashEmbedder()) as store:
            world: World = open_world(store, self.home, self.key_file)
            world.acme.ingest([ticket(number, f"The lift of house {number} was late.") for number in range(6)])
            world.acme.ingest(
                [ticket(6, "A refund.", id="J-about", customer=JANE), ticket(7, f"Ask {JANE}.", id="J-mention")]
            )
            world.globex.ingest([ticket(1, "Globex keeps bees."), ticket(2, "Globex keeps cats.")])
            store.tenant("initech", create=True, actor=ACME).collection(Ticket).ingest([ticket(1, "Initech.")])
            store.tenant("acme", actor=ACME).grant(READER, "reader")
            self.epoch = store.runtime.keys.data_key(world.acme._scope.tenant, world.acme.id, "body", "r1/b1").key_id
            self.report = create_backup(store, self.backup)
            # After the backup: a record, a person, a tenant and a role go; one record is replaced, one is new.
            world.acme.delete(["T-0", "T-1"])
            store.tenant("acme", actor=ACME).erase_subject(JANE).raise_if_incomplete()
            store.delete_tenant("globex").raise_if_incomplete()
            store.tenant("acme", actor=ACME).revoke(READER, "reader")
            store.suspend_tenant("initech")
            store.runtime.keys.destroy_epoch(world.acme._scope.tenant, world.acme.id, "r1/b1")
            store.tenant("acme", actor=ACME).hold("case 7", collection="ticket", record="T-5")
            world.acme.ingest([ticket(2, "The lift of house 2 is mended."), ticket(8, "New.", id="N-1")])
            export_tombstones(store, self.ledger, since=self.backup)

    def restore(self, home: Path, newer: Newer, **options: object) -> sv.SecureStore:
        restore_backup(self.backup, home, newer=newer, key_file=self.key_file, embedder=HashEmbedder(), **options)  # type: ignore[arg-type]  # options are named by the tests
        return opened(home, self.key_file)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    return Past(tmp_path_factory.mktemp("past"))


@pytest.fixture(scope="module", params=["current", "tombstones"])
def again(request: pytest.FixtureRequest, past: Past, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home restored from the backup, with what was deleted since known from either place."""
    home = tmp_path_factory.mktemp("again") / "home"
    newer = Newer(current=past.home) if request.param == "current" else Newer(tombstones=past.ledger)
    past.restore(home, newer).close()
    return home


def test_what_was_deleted_after_the_backup_is_deleted_again_before_anybody_reads(past: Past, again: Path) -> None:
    with opened(again, past.key_file) as store:
        tenant = store.tenant("acme", actor=ACME)
        tickets = tenant.collection(Ticket, retention="180d")
        assert tickets.get("T-3").body == "The lift of house 3 was late."
        assert tickets.get("T-2").body == "The lift of house 2 was late."
        for gone in ("T-0", "T-1", "J-about", "N-1"):
            with pytest.raises(RecordNotFound):
                tickets.get(gone)
        assert JANE not in tickets.get("J-mention").body
        assert tickets.count() == 5
        assert {hit.id for hit in tickets.search("lift house refund", k=20)} == {
            "T-2",
            "T-3",
            "T-4",
            "T-5",
            "J-mention",
        }
        assert len(tenant.find_subject(JANE)) == 0
        # Who lost a role has not got it back, and who was suspended is.
        with pytest.raises(TenantNotFound):
            store.tenant("acme", actor=READER)
        assert store.tenants() == [("acme", "active"), ("initech", "suspended")]
        with pytest.raises(TenantNotFound):
            store.tenant("globex", actor=GLOBEX)
        assert [(hold.kind, hold.standing) for hold in tenant.holds()] == [("record", True)]
        tickets.verify().raise_if_wrong()
        log = list(store.runtime.control.jobs())
        assert {job.state for job in log} == {"done"}


def test_a_restored_home_cannot_open_what_was_shredded_with_either_key_store(past: Past, again: Path) -> None:
    with opened(past.home, past.key_file) as store:
        dead = store.runtime.keys.destroyed_ids()
    assert past.epoch in dead
    assert len(dead) > 8
    with opened(again, past.key_file) as store:
        for key_id in dead:
            with pytest.raises(KeyDestroyed):
                store.runtime.keys.key_by_id(key_id)
    held = (again / "keys" / "keys.db").read_bytes()
    assert not any(wrapped in held for wrapped in _wrapped_in(past.backup / "keys" / "keys.db", dead))


def _wrapped_in(keys: Path, ids: list[bytes]) -> list[bytes]:
    import sqlite3

    connection = sqlite3.connect(f"{keys.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        found = connection.execute("SELECT key_id, wrapped FROM keys").fetchall()
    finally:
        connection.close()
    wanted = [wrapped for key_id, wrapped in found if key_id in ids]
    assert wanted, "the copy of the key store still holds them: that is what is stated"
    return wanted


def test_a_restore_that_knows_of_no_later_deletion_must_be_told_that_there_is_none(past: Past, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would bring it back"):
        Newer()
    with past.restore(tmp_path / "old", Newer(nothing=True)) as store:
        assert store.tenant("globex", actor=GLOBEX).collection(Ticket, retention="180d").count() == 2


@pytest.mark.parametrize(("tenants", "error"), [([], DeletionIncomplete), (None, WriteNotAcknowledged)])
def test_a_replay_that_did_nothing_is_found_before_the_home_is_opened(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenants: list[object] | None, error: type[Exception]
) -> None:
    def nothing(*_: object) -> int:
        return 0

    def nobody(*_: object) -> list[object] | None:
        return tenants

    monkeypatch.setattr(replaying, "_delete_records", nothing)
    if tenants is not None:
        monkeypatch.setattr(replaying, "_delete_tenants", nobody)
    with pytest.raises(error, match="after the backup"):
        past.restore(tmp_path / "home", Newer(current=past.home))
    with pytest.raises(HomeRefused):
        opened(tmp_path / "home", past.key_file)


def test_a_home_is_never_restored_over_anything(past: Past, tmp_path: Path) -> None:
    with pytest.raises(HomeRefused):
        past.restore(past.home, Newer(nothing=True))
    (tmp_path / "somebody").mkdir()
    (tmp_path / "somebody" / "thesis.txt").write_text("years of work")
    with pytest.raises(HomeRefused):
        past.restore(tmp_path / "somebody", Newer(nothing=True))
    assert (tmp_path / "somebody" / "thesis.txt").read_text() == "years of work"


def test_every_altered_file_and_every_foreign_manifest_is_refused(past: Past, tmp_path: Path) -> None:
    def edited(change: Callable[[Path], object]) -> None:
        copy = tmp_path / "copy"
        shutil.copytree(past.backup, copy)
        change(copy)
        try:
            with pytest.raises((BackupRejected, KeyRejected)):
                verify_backup(copy, key_file=past.key_file)
            with pytest.raises((BackupRejected, KeyRejected)):
                restore_backup(copy, tmp_path / "victim", newer=Newer(nothing=True), key_file=past.key_file)
            with pytest.raises(HomeRefused):
                opened(tmp_path / "victim", past.key_file)
        finally:
            shutil.rmtree(copy)
            shutil.rmtree(tmp_path / "victim", ignore_errors=True)

    def flipped(name: str, at: int) -> Callable[[Path], object]:
        def change(copy: Path) -> object:
            raw = bytearray((copy / name).read_bytes())
            raw[at] ^= 1
            return (copy / name).write_bytes(raw)

        return change

    def everywhere(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
        def each(copy: Path) -> object:
            note = change((copy / "data" / "MANIFEST").read_bytes())
            return [(copy / part / "MANIFEST").write_bytes(note) for part in ("data", "control", "keys")]

        return each

    engine = next(entry.path for entry in past.report.manifest.parts["data"] if entry.path.endswith("shard.json"))
    edited(flipped(f"data/{engine}", 3))
    edited(flipped("control/control.db", 5000))
    edited(flipped("keys/keys.db", 4200))
    edited(lambda copy: (copy / "control" / "MANIFEST").unlink())
    edited(lambda copy: (copy / ".unfinished").touch())
    edited(everywhere(lambda note: note.replace(b'"records":', b'"records":1')))
    edited(everywhere(lambda note: note[:-4] + b"AAA\n"))
    # A file nobody signed is found by verify, and not restored.
    more = shutil.copytree(past.backup, tmp_path / "more")
    (more / "data" / "engine" / "planted").write_bytes(b"x")
    with pytest.raises(BackupRejected):
        verify_backup(more, key_file=past.key_file)
    restore_backup(more, tmp_path / "clean", newer=Newer(nothing=True), key_file=past.key_file)
    assert not (tmp_path / "clean" / "engine" / "planted").exists()


@pytest.mark.parametrize("name", ["../evil", "x/../../evil"])
def test_a_forged_manifest_writes_nothing_outside_the_new_home(past: Past, tmp_path: Path, name: str) -> None:
    """The files are copied before the key is open that checks the manifest's signature."""
    copy = tmp_path / "forged"
    shutil.copytree(past.backup, copy)
    for part in ("data", "control", "keys"):
        note = copy / part / "MANIFEST"
        text, _, signed = note.read_bytes().partition(b"\n\n")
        said = orjson.loads(text)
        said["parts"]["data"][0] = [name, 4, hashlib.sha256(b"evil").hexdigest()]
        note.write_bytes(orjson.dumps(said) + b"\n\n" + signed)
    (copy / "data" / "x").mkdir()
    (copy / "data" / name).write_bytes(b"evil")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(BackupRejected):
        restore_backup(copy, tmp_path / "new" / "home", newer=Newer(nothing=True), key_file=past.key_file)
    after = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(tmp_path / "new" / "home") for path in after)


def test_a_list_of_deletions_of_another_backup_or_an_older_one_is_refused(past: Past, tmp_path: Path) -> None:
    note = past.ledger.read_bytes()
    for change in (note.replace(b'"gone":', b'"gane":'), note[:200], b""):
        (tmp_path / "edited").write_bytes(change)
        with pytest.raises(BackupRejected):
            past.restore(tmp_path / "no", Newer(tombstones=tmp_path / "edited"))
        shutil.rmtree(tmp_path / "no")
    with opened(past.home, past.key_file) as store:
        create_backup(store, tmp_path / "second")
    with pytest.raises(BackupRejected, match="another backup"):
        restore_backup(
            tmp_path / "second", tmp_path / "no", newer=Newer(tombstones=past.ledger), key_file=past.key_file
        )


def test_what_expired_and_was_shredded_after_the_backup_does_not_come_back(tmp_path: Path) -> None:
    home, key_file, ahead = tmp_path / "home", tmp_path / "root.key", 0

    def later(place: Path) -> sv.SecureStore:
        clock = Clock(lambda: time.time_ns() // 1_000_000 + ahead)
        return sv.SecureStore.open(place, key_file=key_file, embedder=HashEmbedder(), clock=clock)

    with later(home) as store:
        store.tenant("acme", create=True, actor=ACME).collection(Ticket, retention="1d").ingest([ticket(1, "Brief.")])
        create_backup(store, tmp_path / "backup")
    ahead = 3 * 86_400_000
    with later(home) as store:
        for each in store.apply_retention(store.retention_plan().digest):
            each.raise_if_incomplete()
        dead = store.runtime.keys.destroyed_ids()
        export_tombstones(store, tmp_path / "list", since=tmp_path / "backup")
        # In use, it may go on deleting: the new home would not know.
        with pytest.raises(EngineLocked):
            restore_backup(tmp_path / "backup", tmp_path / "no", newer=Newer(current=home), key_file=key_file)
    assert dead
    newer = Newer(tombstones=tmp_path / "list")
    # A clock set back does not help: the list says what time it was.
    with pytest.raises(HomeRefused, match="clock"):
        restore_backup(tmp_path / "backup", tmp_path / "again", newer=newer, key_file=key_file)
    clock = Clock(lambda: time.time_ns() // 1_000_000 + ahead)
    restore_backup(tmp_path / "backup", tmp_path / "again", newer=newer, key_file=key_file, clock=clock)
    with pytest.raises(HomeRefused, match="clock"):
        opened(tmp_path / "again", key_file)
    with later(tmp_path / "again") as store:
        assert store.tenant("acme", actor=ACME).collection(Ticket, retention="1d").count() == 0
        with pytest.raises(KeyDestroyed):
            store.runtime.keys.key_by_id(dead[0])


def test_verify_opens_records_and_says_what_it_did_not_look_at(past: Past, tmp_path: Path) -> None:
    found = verify_backup(past.backup, key_file=past.key_file)
    assert (found.pinned, found.missing, found.opened) == (True, (), 3 + 2 + 1)
    away = tmp_path / "vault"
    shutil.copytree(past.backup, tmp_path / "copy")
    shutil.move(tmp_path / "copy" / "keys", away)
    assert verify_backup(tmp_path / "copy", keys=away, key_file=past.key_file).opened == 6
    alone = verify_backup(tmp_path / "copy", key_file=past.key_file)
    assert (alone.pinned, alone.missing, alone.opened) == (False, ("keys",), None)
    with opened(past.home, past.key_file) as store:
        public = store.runtime.keys.signing_key().public
    assert verify_backup(tmp_path / "copy", public=public, root=False).pinned
    with pytest.raises(BackupRejected):
        verify_backup(tmp_path / "copy", public=bytes(32), root=False)


def test_a_backup_is_for_whoever_looks_after_the_installation(past: Past, tmp_path: Path) -> None:
    with sv.SecureStore.open(past.home, key_file=past.key_file, embedder=HashEmbedder(), actor=ACME) as store:
        with pytest.raises(PolicyDenied):
            create_backup(store, tmp_path / "b")
        with pytest.raises(PolicyDenied):
            export_tombstones(store, tmp_path / "l", since=past.backup)
    with opened(past.home, past.key_file) as store, pytest.raises(HomeRefused):
        create_backup(store, past.home / "inside")
