"""What somebody does who can write where backups, or lists of deletions, are kept. Nothing of it is believed, nothing
that was deleted comes back by it, and whoever looks is told."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

import securevec as sv
from securevec.audit.checkpoint import Signer
from securevec.backup import Newer, create_backup, export_tombstones, ledger, manifest, restore_backup, verify_backup
from securevec.backup import files as backup_files
from securevec.errors import AuditTampered, BackupRejected, HomeRefused, KeyRejected, RecordNotFound, SecurevecError
from securevec.state import home as homes
from securevec.testing.embedders import HashEmbedder
from tests.support.waiting import interrupted
from tests.support.world import ACME, Ticket, open_world, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


class Attic:
    """A home, a copy of all of it from before its backup, the backup, and a record that was deleted after it."""

    def __init__(self, root: Path) -> None:
        self.home, self.key_file, self.backup = root / "home", root / "root.key", root / "backup"
        self.before, self.ledger = root / "before", root / "later"
        with self.opened(self.home, create=True) as store:
            world = open_world(store, self.home, self.key_file)
            world.acme.ingest([ticket(number, f"The lift of house {number} was late.") for number in range(3)])
            self.public = store.runtime.keys.signing_key().public
        shutil.copytree(self.home, self.before)
        with self.opened(self.home) as store:
            create_backup(store, self.backup)
            self.tickets(store).delete(["T-0"])
            export_tombstones(store, self.ledger, since=self.backup)

    def opened(self, home: Path, *, create: bool = False) -> sv.SecureStore:
        return sv.SecureStore.open(home, key_file=self.key_file, embedder=HashEmbedder(), create=create)

    def tickets(self, store: sv.SecureStore) -> sv.Collection[Ticket]:
        return store.tenant("acme", actor=ACME).collection(Ticket, retention="180d")

    def restore(self, home: Path, newer: Newer, backup: Path | None = None, **options: object) -> None:
        restore_backup(
            backup or self.backup,
            home,
            newer=newer,
            key_file=self.key_file,
            embedder=HashEmbedder(),
            **options,  # type: ignore[arg-type]  # options are named by the tests
        )

    def require_gone(self, home: Path) -> None:
        with self.opened(home) as store:
            assert self.tickets(store).count() == 2
            with pytest.raises(RecordNotFound):
                self.tickets(store).get("T-0")


@pytest.fixture(scope="module")
def attic(tmp_path_factory: pytest.TempPathFactory) -> Attic:
    return Attic(tmp_path_factory.mktemp("attic"))


@pytest.fixture
def copy(attic: Attic, tmp_path: Path) -> Path:
    """The backup, to be forged."""
    return shutil.copytree(attic.backup, tmp_path / "copy")


def hide_records(control: Path) -> None:
    """Edit a control store so that it knows of no record: what was deleted since is then in no list of deletions."""
    with sqlite3.connect(control) as connection:
        assert connection.execute("SELECT COUNT(*) FROM manifest").fetchone() == (3,)
        connection.execute("DELETE FROM record_subject")
        connection.execute("DELETE FROM manifest")
    connection.close()


def test_a_list_of_deletions_is_not_made_against_a_backup_that_hides_records(attic: Attic, copy: Path) -> None:
    hide_records(copy / "control" / "control.db")
    with attic.opened(attic.home) as store, pytest.raises(BackupRejected, match="not as it was"):
        export_tombstones(store, copy / "list", since=copy)
    assert not (copy / "list").exists()


def test_a_backup_that_is_changed_while_it_is_restored_hides_no_deletion(
    attic: Attic, copy: Path, tmp_path: Path
) -> None:
    """What was deleted since is looked up in the copy that was compared, not in what lies in the backup by then."""

    def meanwhile(step: str) -> None:
        if step == "keys":
            hide_records(copy / "control" / "control.db")

    attic.restore(tmp_path / "home", Newer(current=attic.home), copy, progress=meanwhile)
    attic.require_gone(tmp_path / "home")


@pytest.mark.parametrize("part", ["data", "control", "keys"])
def test_a_changed_byte_is_found_without_the_root_key(attic: Attic, copy: Path, part: str) -> None:
    """Only the digests are there then: nothing is opened."""
    verify_backup(copy, public=attic.public, root=False)
    largest = max((path for path in (copy / part).rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    with largest.open("r+b") as file:
        file.seek(100)
        (there,) = file.read(1)
        file.seek(100)  # behind what was read stands another byte, which may be this one already
        file.write(bytes([there ^ 1]))
    with pytest.raises(BackupRejected):
        verify_backup(copy, public=attic.public, root=False)


def _link(path: Path) -> None:
    shutil.copy(path, path.parent.parent.parent / "elsewhere")
    path.unlink()
    path.symlink_to(path.parent.parent.parent / "elsewhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["data/MANIFEST", "data/installation.json", "control/control.db", "keys/keys.db"])
@pytest.mark.parametrize("plant", [_link, _pipe])
def test_a_link_or_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(
    attic: Attic, copy: Path, tmp_path: Path, plant: Callable[[Path], None], name: str
) -> None:
    plant(copy / name)
    with interrupted():
        with pytest.raises(BackupRejected, match="regular file"):
            verify_backup(copy, public=attic.public, root=False)
        with pytest.raises(BackupRejected, match="regular file"):
            attic.restore(tmp_path / "home", Newer(nothing=True), copy)
    with pytest.raises(HomeRefused):
        attic.opened(tmp_path / "home")


@pytest.mark.parametrize("name", ["data/installation.json", "control/control.db", "keys/keys.db"])
def test_a_backup_with_a_file_too_few_is_refused(attic: Attic, copy: Path, tmp_path: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BackupRejected, match="missing"):
        verify_backup(copy, public=attic.public, root=False)
    with pytest.raises(BackupRejected, match="missing"):
        attic.restore(tmp_path / "home", Newer(nothing=True), copy)


def test_a_file_of_a_backup_that_cannot_be_read_is_no_error_of_ours(
    attic: Attic, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backup_files._open

    def closed(path: Path) -> int:
        if path.name == "keys.db":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(backup_files, "_open", closed)
    with pytest.raises(BackupRejected, match="cannot be read"):
        verify_backup(copy, public=attic.public, root=False)
    with pytest.raises(SecurevecError):
        attic.restore(tmp_path / "home", Newer(nothing=True), copy)
    with pytest.raises(HomeRefused):
        attic.opened(tmp_path / "home")


@pytest.mark.parametrize("part", ["control", "keys"])
def test_parts_of_two_backups_are_not_put_together(attic: Attic, copy: Path, tmp_path: Path, part: str) -> None:
    """The key part of a day before brings keys back, the control part of a day after records that never lay here."""
    with attic.opened(attic.home) as store:
        create_backup(store, tmp_path / "second")
    shutil.rmtree(copy / part)
    shutil.copytree(tmp_path / "second" / part, copy / part)
    with pytest.raises(BackupRejected, match="different backups"):
        verify_backup(copy, public=attic.public, root=False)
    with pytest.raises(BackupRejected, match="different backups"):
        attic.restore(tmp_path / "home", Newer(nothing=True), copy)
    # With the manifest of the others, its files are not those that were signed. A key store that did not change is.
    shutil.copy(copy / "data" / "MANIFEST", copy / part / "MANIFEST")
    if part == "keys":
        return
    with pytest.raises(BackupRejected, match=r"not as it was|missing"):
        attic.restore(tmp_path / "home", Newer(nothing=True), copy)


def test_a_note_without_an_end_is_not_read_to_its_end(
    attic: Attic, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(manifest.read_note(copy / "data"))
    monkeypatch.setattr(manifest, "_MAX_BYTES", size)
    assert len(manifest.read_note(copy / "data")) == size
    monkeypatch.setattr(manifest, "_MAX_BYTES", size - 1)
    with pytest.raises(BackupRejected, match="too large"):
        manifest.read_note(copy / "data")


def test_a_list_of_deletions_of_a_home_put_back_to_before_the_backup_is_refused(attic: Attic, tmp_path: Path) -> None:
    """It is signed by the right key, against the right backup, and knows of no deletion at all."""
    with attic.opened(shutil.copytree(attic.before, tmp_path / "old")) as store:
        ledger = export_tombstones(store, tmp_path / "list", since=attic.backup)
        assert ledger.records == 0
    with pytest.raises(BackupRejected, match="older"):
        attic.restore(tmp_path / "home", Newer(tombstones=tmp_path / "list"))
    with pytest.raises(HomeRefused):
        attic.opened(tmp_path / "home")
    with pytest.raises(AuditTampered):
        attic.restore(tmp_path / "again", Newer(current=tmp_path / "old"))


def test_another_installation_says_nothing_about_what_was_deleted_here(attic: Attic, tmp_path: Path) -> None:
    other = Attic(tmp_path)
    with pytest.raises(BackupRejected, match="another installation"):
        attic.restore(tmp_path / "1", Newer(tombstones=other.ledger))
    with pytest.raises(SecurevecError):
        attic.restore(tmp_path / "2", Newer(current=other.home))
    with attic.opened(attic.home) as store, pytest.raises(BackupRejected, match="another installation"):
        export_tombstones(store, tmp_path / "list", since=other.backup)
    for home in ("1", "2"):
        with pytest.raises(HomeRefused):
            attic.opened(tmp_path / home)


def test_a_backup_of_a_store_that_had_lost_a_record_is_found_by_verify(attic: Attic, tmp_path: Path) -> None:
    home = shutil.copytree(attic.before, tmp_path / "home")
    with attic.opened(home) as store:
        backend, namespace = store.runtime.backend(), attic.tickets(store)._scope.namespace
        page = backend.scan(namespace=namespace, where=None, cursor=None, limit=1)
        backend.delete(namespace=namespace, ids=[page.points[0].id])
        create_backup(store, tmp_path / "backup")
    with pytest.raises(BackupRejected, match="not in the store's files"):
        verify_backup(tmp_path / "backup", key_file=attic.key_file)


def _said(change: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    def edited(note: bytes) -> bytes:
        text, _, signed = note.rpartition(b"\n\n")
        said = orjson.loads(text)
        change(said)
        return orjson.dumps(said) + b"\n\n" + signed

    return edited


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda note: b"",
    "no signature": lambda note: note.rpartition(b"\n\n")[0],
    "no JSON": lambda note: b"x" + note,
    "a list": lambda note: b"[]\n\n" + note.rpartition(b"\n\n")[2],
    "huge": lambda note: note + b" " * (65 << 20),
    "another format": _said(lambda said: said.update(format=99)),
    "another part": _said(lambda said: said.update(parts={"data": []})),
    "no installation": _said(lambda said: said.update(installation="../..")),
    "a time of no calendar": _said(lambda said: said.update(created_ms=10**17)),
    "no counts": _said(lambda said: said.pop("counts")),
    "no head": _said(lambda said: said.update(audit={})),
    "a size of words": _said(lambda said: said["parts"].update(keys=[["keys.db", "many", ""]])),  # type: ignore[attr-defined]  # parts is a dict
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_manifest_that_is_none_is_a_typed_refusal(attic: Attic, copy: Path, tmp_path: Path, kind: str) -> None:
    note = MALFORMED[kind]((copy / "data" / "MANIFEST").read_bytes())
    for part in ("data", "control", "keys"):
        (copy / part / "MANIFEST").write_bytes(note)
    with pytest.raises(BackupRejected):
        manifest.unverified(note)
    with pytest.raises((BackupRejected, AuditTampered, KeyRejected)):
        verify_backup(copy, public=attic.public, root=False)
    with pytest.raises((BackupRejected, AuditTampered, KeyRejected)):
        attic.restore(tmp_path / "home", Newer(nothing=True), copy)
    with attic.opened(attic.home) as store, pytest.raises((BackupRejected, AuditTampered)):
        export_tombstones(store, tmp_path / "list", since=copy)
    with pytest.raises(HomeRefused):
        attic.opened(tmp_path / "home")


def test_the_list_of_deletions_and_the_manifest_do_not_stand_for_each_other(attic: Attic, tmp_path: Path) -> None:
    """One key signs both under one name."""
    with pytest.raises(BackupRejected, match="list of deletions"):
        attic.restore(tmp_path / "home", Newer(tombstones=attic.backup / "data" / "MANIFEST"))
    copy = shutil.copytree(attic.backup, tmp_path / "copy")
    for part in ("data", "control", "keys"):
        shutil.copy(attic.ledger, copy / part / "MANIFEST")
    with pytest.raises(BackupRejected):
        verify_backup(copy, public=attic.public, root=False)


RELEASES = {
    "home": "a home of another release",
    "installation": "another installation",
    "ledger": "of another release than the backup",
    "list": "not a list of deletions",
}


def _other_revision(_: object) -> str:
    return "9999"


@pytest.mark.parametrize("what", RELEASES)
def test_what_is_signed_and_of_another_release_or_installation_is_refused_and_nothing_opens(
    attic: Attic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """By the right key: a release that comes later, or one that was taken back, would have made it so."""
    home, newer = shutil.copytree(attic.home, tmp_path / "old"), Newer(tombstones=tmp_path / "list")
    with attic.opened(home) as store, monkeypatch.context() as otherwise:
        if what == "home":
            otherwise.setattr(homes, "VERSION_TEXT", "securevec-home 99\n")
        elif what == "installation":
            name, honest = manifest._name(store.runtime.installation_id), manifest.Manifest.sign

            def signed(said: manifest.Manifest, signer: Signer) -> bytes:
                return honest(replace(said, installation="0" * 32), signer)

            otherwise.setattr(manifest, "_name", lambda installation: name)  # pyright: ignore[reportUnknownLambdaType]  # of one argument
            otherwise.setattr(manifest.Manifest, "sign", signed)
        elif what == "ledger":
            otherwise.setattr(type(store.runtime.control), "revision", _other_revision)
        elif what == "list":
            otherwise.setattr(ledger, "FORMAT", 99)
        create_backup(store, tmp_path / "backup")
        if what == "installation":
            newer = Newer(nothing=True)
        else:
            export_tombstones(store, tmp_path / "list", since=tmp_path / "backup")
    with pytest.raises(SecurevecError, match=RELEASES[what]):
        attic.restore(tmp_path / "home", newer, tmp_path / "backup")
    with pytest.raises(HomeRefused):
        attic.opened(tmp_path / "home")
