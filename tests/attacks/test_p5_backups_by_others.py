"""Backups and lists of deletions under a signature that proves nothing: of other keys, over an altered log, beside a
log that was put back. And what cannot be read or written is said."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

import securevec as sv
from securevec.audit.succession import sign_succession
from securevec.audit.writers import LOCK
from securevec.audit.writers import NAME as LOG_OF_WRITERS
from securevec.backup import Newer, create_backup, export_tombstones, files, ledger, restore_backup, verify_backup
from securevec.backup.manifest import NAME, PARTS, open_manifest, read_note, sign_for, unverified
from securevec.control.store import ControlStore
from securevec.errors import AuditTampered, BackupRejected, HomeRefused, SourceError
from securevec.store.signingkey import chain_of_home
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, open_world, ticket
from tests.unit.audit.logkit import signing_key


class Attic:
    """A home of which no point outlives a process, its backup, and what came after it."""

    def __init__(self, root: Path) -> None:
        self.home, self.key_file, self.backup = root / "home", root / "root.key", root / "backup"
        self.ledger = root / "later"
        with self.opened(create=True) as store:
            world = open_world(store, self.home, self.key_file)
            world.acme.ingest([ticket(1, "A late lift.")])
            create_backup(store, self.backup)
            store.tenant("acme", actor=ACME).hold("case 7")
            export_tombstones(store, self.ledger, since=self.backup)
            self.public = store.runtime.keys.signing_key().public

    def opened(self, *, create: bool = False) -> sv.SecureStore:
        return sv.SecureStore.open(
            self.home, backend="memory", key_file=self.key_file, embedder=HashEmbedder(), create=create
        )

    def restore(self, home: Path, newer: Newer, backup: Path | None = None) -> None:
        restore_backup(backup or self.backup, home, newer=newer, key_file=self.key_file, embedder=HashEmbedder())


@pytest.fixture(scope="module")
def attic(tmp_path_factory: pytest.TempPathFactory) -> Attic:
    return Attic(tmp_path_factory.mktemp("attic"))


@pytest.fixture
def copy(attic: Attic, tmp_path: Path) -> Path:
    return shutil.copytree(attic.backup, tmp_path / "copy")


def resigned(store: sv.SecureStore, backup: Path, **changes: Any) -> None:
    """The manifest made anew over what lies there, by the installation's own key."""
    said = unverified(read_note(backup / "data"))
    parts = {part: files.inventory(backup / part) for part in PARTS}
    note = replace(said, parts=parts, **changes).sign(store.runtime.keys.signing_key())
    for part in PARTS:
        (backup / part / NAME).write_bytes(note)


def edit_audit(audit: Path) -> None:
    """Other words in a record, in place."""
    [segment] = [path for path in audit.rglob("w-*/seg-*") if b"tenant.create" in path.read_bytes()]
    segment.write_bytes(segment.read_bytes().replace(b"tenant.create", b"tenant.delete"))


def test_a_backup_of_an_altered_log_is_not_made(attic: Attic, tmp_path: Path) -> None:
    shutil.copytree(attic.home, tmp_path / "home")
    with sv.SecureStore.open(tmp_path / "home", key_file=attic.key_file, embedder=HashEmbedder()) as store:
        edit_audit(tmp_path / "home" / "audit")
        with pytest.raises(AuditTampered):
            create_backup(store, tmp_path / "backup")
        with pytest.raises(BackupRejected, match="not finished"):
            verify_backup(tmp_path / "backup", key_file=attic.key_file)


def test_a_manifest_over_an_altered_log_is_not_enough(attic: Attic, copy: Path, tmp_path: Path) -> None:
    edit_audit(copy / "control" / "audit")
    with attic.opened() as store:
        resigned(store, copy)
    with pytest.raises(AuditTampered):
        verify_backup(copy, key_file=attic.key_file)
    with pytest.raises(AuditTampered):
        attic.restore(tmp_path / "again", Newer(nothing=True), copy)
    with pytest.raises(HomeRefused):
        sv.SecureStore.open(tmp_path / "again", key_file=attic.key_file, embedder=HashEmbedder())


def test_a_log_put_back_beside_the_home_that_was_backed_up_is_missed_by_its_control_store(
    attic: Attic, tmp_path: Path
) -> None:
    """What was done since would be in no log."""
    older = tmp_path / "older"
    shutil.copytree(attic.home, older)
    attic.restore(tmp_path / "as it is", Newer(current=older))
    shutil.rmtree(older / "audit")
    shutil.copytree(attic.backup / "control" / "audit", older / "audit")
    (next((older / "audit").iterdir()) / LOG_OF_WRITERS / LOCK).touch()
    with pytest.raises(AuditTampered, match="shorter than the head"):
        attic.restore(tmp_path / "again", Newer(current=older))


def test_another_installation_is_not_the_home_that_was_backed_up(attic: Attic, tmp_path: Path) -> None:
    with sv.SecureStore.open(
        tmp_path / "stranger", backend="memory", key_file=attic.key_file, embedder=HashEmbedder()
    ) as store:
        store.tenant("acme", create=True)
    with pytest.raises(BackupRejected):
        attic.restore(tmp_path / "again", Newer(current=tmp_path / "stranger"))


def test_a_list_of_deletions_under_a_chain_of_keys_of_somebody_else_is_refused(attic: Attic) -> None:
    one, two = signing_key("one"), signing_key("two")
    text = attic.ledger.read_bytes().rpartition(b"\n\n")[0]
    said = orjson.loads(text)
    assert ledger.open_ledger(attic.ledger.read_bytes(), public=attic.public).backup == said["backup"]
    exchange = sign_succession(
        said["installation"], number=1, old=one, new=two, size=1, root=bytes(32), time_ms=1, compromised=False
    )
    said |= {"signing_keys": [exchange.decode()], "authority": {**said["authority"], "hold": []}}
    forged = sign_for(said["installation"], orjson.dumps(said, option=orjson.OPT_SORT_KEYS) + b"\n", two)
    assert ledger.open_ledger(forged, public=one.public).authority["hold"] == []
    with pytest.raises(BackupRejected, match="another installation"):
        ledger.open_ledger(forged, public=attic.public)
    said["signing_keys"] = ["no exchange"]
    with pytest.raises(BackupRejected, match="another installation"):
        ledger.open_ledger(sign_for(said["installation"], orjson.dumps(said) + b"\n", two), public=attic.public)


@pytest.mark.parametrize("change", [{"kind": "backup"}, {"format": 2}, {"tombstones": 5}, {"keys": ["x"]}])
def test_a_signed_list_that_says_something_else_is_refused(attic: Attic, change: dict[str, object]) -> None:
    with attic.opened() as store:
        key = store.runtime.keys.signing_key()
    said = orjson.loads(attic.ledger.read_bytes().rpartition(b"\n\n")[0]) | change
    note = sign_for(said["installation"], orjson.dumps(said, option=orjson.OPT_SORT_KEYS) + b"\n", key)
    with pytest.raises(BackupRejected):
        ledger.open_ledger(note, public=attic.public)


FORMS: dict[str, dict[str, object]] = {
    "another format": {"format": 2},
    "a part less": {"parts": {"data": [], "control": []}},
    "a part more": {"parts": {"data": [], "control": [], "keys": [], "more": []}},
    "no installation": {"installation": "somebody"},
    "a path out of it": {"parts": {"data": [["../x", 1, "0"]], "control": [], "keys": []}},
}


@pytest.mark.parametrize("what", FORMS)
def test_a_signed_manifest_of_another_form_is_refused(attic: Attic, what: str) -> None:
    with attic.opened() as store:
        key, chain = store.runtime.keys.signing_key(), chain_of_home(store.runtime)
    note = read_note(attic.backup / "data")
    said = orjson.loads(note.rpartition(b"\n\n")[0])
    installation = said["installation"]
    assert open_manifest(sign_for(installation, orjson.dumps(said) + b"\n", key), chain=chain).backup == said["backup"]
    with pytest.raises(BackupRejected):
        open_manifest(sign_for(installation, orjson.dumps(said | FORMS[what]) + b"\n", key), chain=chain)
    with pytest.raises(BackupRejected, match="changed after it was signed"):
        open_manifest(sign_for(installation, orjson.dumps(said) + b"\n", signing_key("one")), chain=chain)


def test_no_list_of_deletions_is_made_against_what_is_no_whole_backup(attic: Attic, copy: Path, tmp_path: Path) -> None:
    with attic.opened() as store:
        (tmp_path / "taken").mkdir()
        with pytest.raises(SourceError, match="cannot be written"):
            export_tombstones(store, tmp_path / "taken", since=copy)
        (copy / files.UNFINISHED).touch()
        with pytest.raises(BackupRejected, match="not finished"):
            export_tombstones(store, tmp_path / "list", since=copy)
        assert not (tmp_path / "list").exists()


def test_a_control_store_that_cannot_be_read_is_no_reason_to_list_nothing(attic: Attic, tmp_path: Path) -> None:
    (tmp_path / "control.db").write_bytes(b"no database" * 100)
    with attic.opened() as store:
        control: ControlStore = store.runtime.control
        with pytest.raises(BackupRejected, match="cannot be read"):
            ledger.ledger_since(
                tmp_path / "control.db", backup="", installation="", control=control, keys=store.runtime.keys, now_ms=0
            )


def test_a_backup_goes_where_there_is_room_for_it_or_is_refused(attic: Attic, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with attic.opened() as store:
        with pytest.raises(HomeRefused, match="cannot be written"):
            create_backup(store, tmp_path / "file")
        with pytest.raises(HomeRefused, match="inside the home"):
            create_backup(store, attic.home / "backup")


def refused(attic: Attic, backup: Path, home: Path, words: str, *, newer: Newer | None = None) -> None:
    """Neither called sound nor restored, and no home is left that opens."""
    if newer is None:
        with pytest.raises(BackupRejected, match=words):
            verify_backup(backup, key_file=attic.key_file)
    with pytest.raises(BackupRejected, match=words):
        attic.restore(home, newer or Newer(nothing=True), backup)
    with pytest.raises(HomeRefused):
        sv.SecureStore.open(home, key_file=attic.key_file, embedder=HashEmbedder(), create=False)


def test_a_backup_that_carries_the_mark_of_an_unfinished_one_is_none(attic: Attic, copy: Path, tmp_path: Path) -> None:
    (copy / files.UNFINISHED).touch()
    refused(attic, copy, tmp_path / "again", "was not finished")


def test_parts_of_two_backups_are_not_one_and_a_list_is_of_one_backup(attic: Attic, copy: Path, tmp_path: Path) -> None:
    with attic.opened() as store:
        create_backup(store, tmp_path / "second")
    refused(attic, tmp_path / "second", tmp_path / "one", "another backup", newer=Newer(tombstones=attic.ledger))
    for part in ("control", "keys"):
        mixed = shutil.copytree(copy, tmp_path / f"mixed {part}")
        shutil.rmtree(mixed / part)
        shutil.copytree(tmp_path / "second" / part, mixed / part)
        refused(attic, mixed, tmp_path / f"two {part}", "different backups")


def test_a_backup_of_a_home_of_another_release_is_not_restored_by_this_one(
    attic: Attic, copy: Path, tmp_path: Path
) -> None:
    with attic.opened() as store:
        resigned(store, copy, home="securevec home 99\n")
    with pytest.raises(BackupRejected, match="another release"):
        attic.restore(tmp_path / "again", Newer(nothing=True), copy)


def test_a_description_of_another_installation_in_a_backup_is_refused(attic: Attic, copy: Path, tmp_path: Path) -> None:
    described = copy / "data" / "installation.json"
    said = orjson.loads(described.read_bytes())
    assert said["installation_id"] == unverified(read_note(copy / "data")).installation
    described.write_bytes(orjson.dumps(said | {"installation_id": "ab" * 16}))
    with attic.opened() as store:
        resigned(store, copy)
    refused(attic, copy, tmp_path / "again", "another installation|cannot be read")
