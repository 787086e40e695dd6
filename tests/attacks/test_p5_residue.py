"""A copy of the key store that lies anywhere in the home brings destroyed keys back. So a destruction is not done while
there is one, however often it is asked for, and says what kind of file it is in and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import KeyUnavailable
from securevec.proof.residue import refuse_residue
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, World, open_world, ticket


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("residue")
    home, key_file = root / "home", root / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        store._caretaker.stop()
        yield open_world(store, home, key_file)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("audit/copied", "in the audit log"),
        ("engine/deep/down/segment", "in the vector store's files"),
        ("control.db.copied", "in the control store"),
        ("notes.bin", "in another file of the home"),
    ],
)
def test_a_copy_of_the_key_store_anywhere_in_the_home_keeps_a_shred_from_being_done(
    world: World, place: str, said: str
) -> None:
    store, runtime = world.store, world.store.runtime
    name = f"tenant-{said.replace(' ', '-')}"
    collection = store.tenant(name, create=True, actor=ACME).collection(Ticket)
    collection.ingest([ticket(1, "Of a tenant that goes.")])
    copy = world.home / place
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(b"x" * 4093 + (world.home / "keys" / "keys.db").read_bytes())
    for _ in range(2):
        with pytest.raises(KeyUnavailable, match=said) as refused:
            store.delete_tenant(name)
        for secret in (str(copy), copy.name, name, collection.id):
            assert secret not in str(refused.value)
    job = runtime.control.jobs(open_only=True)[0]
    assert (job.state, job.error) == ("planned", "KeyUnavailable")
    copy.unlink()
    store.delete_tenant(name).raise_if_incomplete()
    assert not runtime.keys._store.pending_scopes("search:")


def test_a_copy_of_the_key_store_keeps_a_collection_that_is_sealed_anew_from_being_done(world: World) -> None:
    world.acme.ingest([ticket(1, "Sealed under a key that leaked.")])
    copy = world.home / "old-keys"
    shutil.copytree(world.home / "keys", copy)
    with pytest.raises(KeyUnavailable, match="another file"):
        world.store.reseal("acme", "ticket")
    assert world.acme.get("T-1").body == "Sealed under a key that leaked."
    shutil.rmtree(copy)
    assert [result.state for result in world.store.run_jobs()] == ["done"]


def test_a_ring_of_links_named_like_the_control_store_is_no_clean_one(tmp_path: Path) -> None:
    (tmp_path / "control.db").symlink_to("control.db-wal")
    (tmp_path / "control.db-wal").symlink_to("control.db")
    with pytest.raises(KeyUnavailable):
        refuse_residue(tmp_path, [b"t" * 16])


def test_a_control_store_that_cannot_be_searched_is_no_clean_one(world: World, tmp_path: Path) -> None:
    (tmp_path / "control.db").mkdir()
    with pytest.raises(KeyUnavailable, match="cannot be searched"):
        refuse_residue(tmp_path, [b"t" * 16])


@pytest.fixture
def going(world: World) -> Iterator[str]:
    """A tenant that is about to go."""
    name = f"going-{len(world.store.tenants())}"
    world.store.tenant(name, create=True, actor=ACME).collection(Ticket).ingest([ticket(1, "Of a tenant that goes.")])
    yield name
    world.store.delete_tenant(name).raise_if_incomplete()


@pytest.mark.parametrize(
    ("place", "whole"), [("keys/behind-a-link", True), ("engine/deep/behind-a-link", False), ("behind-a-link", True)]
)
def test_a_copy_of_the_key_store_behind_a_link_keeps_a_shred_from_being_done(
    world: World, going: str, tmp_path: Path, place: str, whole: bool
) -> None:
    shutil.copytree(world.home / "keys", tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "deep").mkdir()
    (tmp_path / "elsewhere" / "deep" / "ring").symlink_to(tmp_path / "elsewhere")
    link = world.home / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path / "elsewhere" if whole else tmp_path / "elsewhere" / "keys.db")
    try:
        with pytest.raises(KeyUnavailable, match=r"still in the home|cannot be searched"):
            world.store.delete_tenant(going)
    finally:
        link.unlink()


def test_what_cannot_be_read_beside_the_key_store_is_no_sign_that_keys_are_gone(world: World, going: str) -> None:
    pipe = world.home / "keys" / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(KeyUnavailable, match="cannot be searched"):
        world.store.delete_tenant(going)
    pipe.unlink()


def test_a_directory_that_cannot_be_listed_is_no_clean_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.home / "closed").mkdir()
    scan = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(KeyUnavailable, match="cannot be searched"):
        refuse_residue(world.home, [b"t" * 16])


def test_many_keys_die_beside_a_file_of_a_few_bytes(world: World) -> None:
    tenant = world.store.tenant("many", create=True, actor=ACME)
    tenant.collection(Ticket, key_scope="document").ingest([ticket(number, "One of many.") for number in range(70)])
    tiny = world.home / "keys" / "tiny"
    tiny.write_bytes(b"abc")
    world.store.delete_tenant("many").raise_if_incomplete()
    tiny.unlink()


@pytest.mark.parametrize(("records", "place"), [(1, "notes.bin"), (70, "control.db.copied")])
def test_a_copy_of_a_deleted_records_own_key_keeps_a_purge_from_being_done(
    world: World, records: int, place: str
) -> None:
    tenant = world.store.tenant(f"own-{records}-{len(place)}", create=True, actor=ACME)
    tickets = tenant.collection(Ticket, key_scope="document")
    tickets.ingest([ticket(number, "With a key of its own.") for number in range(records)])
    copy = world.home / place
    copy.write_bytes(b"x" * 7 + (world.home / "keys" / "keys.db").read_bytes())
    tickets.delete([f"T-{number}" for number in range(records)])
    for _ in range(2):
        with pytest.raises(KeyUnavailable, match="still in the home"):
            tenant.purge()
    copy.unlink()
    tenant.purge()


def test_keys_that_a_restore_destroys_are_looked_for_in_the_whole_home(world: World) -> None:
    keys = world.store.runtime.keys
    tenant = world.store.tenant("restored", create=True, actor=ACME)
    tenant.collection(Ticket).ingest([ticket(1, "Destroyed since the backup.")])
    copy = world.home / "copied.db"
    shutil.copy(world.home / "keys" / "keys.db", copy)
    dek = keys.list_keys(tenant=tenant._scope.tenant, kind="dek")[0]
    assert keys.destroy_keys([bytes.fromhex(dek.key_id)]) == 1
    with pytest.raises(KeyUnavailable, match="another file"):
        keys.search_elsewhere(None, lambda tags: refuse_residue(world.home, tags))
    copy.unlink()
    assert keys.search_elsewhere(None, lambda tags: refuse_residue(world.home, tags)) == 1
