"""A copy of the key store that lies anywhere in the home brings destroyed keys back. So a destruction is not done while
there is one, however often it is asked for, and says what kind of file it is in and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import KeyUnavailable
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


def test_a_control_store_that_cannot_be_searched_is_no_clean_one(world: World, tmp_path: Path) -> None:
    (tmp_path / "control.db").mkdir()
    from securevec.retention.residue import refuse_residue

    with pytest.raises(KeyUnavailable, match="cannot be searched"):
        refuse_residue(tmp_path, [b"t" * 16])
