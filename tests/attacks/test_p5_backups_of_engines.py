"""A backup beside writers, of a store that keeps nothing, and beside a server that was put back from its own copy."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup, verify_backup
from securevec.errors import (
    BackendError,
    HomeRefused,
    OutcomeUnknown,
    TenantNotFound,
)
from securevec.testing.embedders import HashEmbedder
from tests.support.chroma_server import chroma_server, free_port
from tests.support.world import ACME, GLOBEX, Ticket, World, open_world, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


def opened(home: Path, key_file: Path) -> sv.SecureStore:
    return sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(), create=False)


@pytest.fixture(params=["edge", "chroma"])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[sv.SecureStore, World, Path]]:
    if request.param == "chroma":
        pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend=request.param, key_file=key_file, embedder=HashEmbedder()) as store:
        yield store, open_world(store, home, key_file), key_file


def test_a_backup_made_while_others_write_is_whole(busy: tuple[sv.SecureStore, World, Path], tmp_path: Path) -> None:
    store, world, key_file = busy
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            world.acme.ingest([ticket(written % 7, f"Edition {written} of a ticket.")])
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written < 3:
            stop.wait(0.01)
        for number in range(2):
            create_backup(store, tmp_path / f"b{number}")
    finally:
        stop.set()
        writer.join()
    assert written > 3
    for number in range(2):
        assert (verify_backup(tmp_path / f"b{number}", key_file=key_file).opened or 0) > 0
        restore_backup(
            tmp_path / f"b{number}",
            tmp_path / f"h{number}",
            newer=Newer(nothing=True),
            key_file=key_file,
            embedder=HashEmbedder(),
        )
        with opened(tmp_path / f"h{number}", key_file) as again:
            tickets = again.tenant("acme", actor=ACME).collection(Ticket, retention="180d")
            tickets.verify().raise_if_wrong()
            assert tickets.count() == len(list(tickets.iter()))


def test_points_that_do_not_outlive_a_process_are_not_in_a_backup(tmp_path: Path) -> None:
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        open_world(store, home, key_file).acme.ingest([ticket(1, "Gone at the end.")])
        report = create_backup(store, tmp_path / "backup")
    assert report.manifest.engine == "volatile"
    assert "not in it" in report.statement
    assert not any(entry.path.startswith("engine/") for entry in report.manifest.parts["data"])
    restore_backup(tmp_path / "backup", tmp_path / "again", newer=Newer(current=home), key_file=key_file)
    with opened(tmp_path / "again", key_file) as store:
        assert store.tenant("acme", actor=ACME).collection(Ticket, retention="180d").count() == 0


@pytest.mark.soak
def test_beside_a_server_put_back_from_its_own_copy_the_deletions_reach_the_server(tmp_path: Path) -> None:
    pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
    home, key_file, port = tmp_path / "home", tmp_path / "root.key", free_port()

    def reopen() -> sv.SecureStore:
        return sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(), create=False)

    with (
        chroma_server(tmp_path / "data", port=port) as (address, _),
        sv.SecureStore.open(home, backend=address, key_file=key_file, embedder=HashEmbedder()) as store,
    ):
        world = open_world(store, home, key_file)
        world.acme.ingest([ticket(number, f"The lift of house {number}.") for number in range(4)])
        world.globex.ingest([ticket(1, "Bees.")])
    shutil.copytree(tmp_path / "data", tmp_path / "snapshot")
    with chroma_server(tmp_path / "data", port=port), reopen() as store:
        report = create_backup(store, tmp_path / "backup")
        assert report.manifest.engine == "server"
        assert "its own snapshots" in report.statement
        store.tenant("acme", actor=ACME).collection(Ticket, retention="180d").delete(["T-0"])
        store.delete_tenant("globex").raise_if_incomplete()
        export_tombstones(store, tmp_path / "later", since=tmp_path / "backup")
    assert verify_backup(tmp_path / "backup", key_file=key_file).opened is None
    newer = Newer(tombstones=tmp_path / "later")
    # While the server does not answer nothing is opened; the same call goes on when it does.
    with pytest.raises((BackendError, OutcomeUnknown)):
        restore_backup(tmp_path / "backup", tmp_path / "again", newer=newer, key_file=key_file, embedder=HashEmbedder())
    with pytest.raises(HomeRefused):
        opened(tmp_path / "again", key_file)
    with chroma_server(tmp_path / "snapshot", port=port):
        restore_backup(tmp_path / "backup", tmp_path / "again", newer=newer, key_file=key_file, embedder=HashEmbedder())
        with opened(tmp_path / "again", key_file) as store:
            tickets = store.tenant("acme", actor=ACME).collection(Ticket, retention="180d")
            tickets.verify().raise_if_wrong()
            assert sorted(record.id for record in tickets.iter()) == ["T-1", "T-2", "T-3"]
            backend, namespace = store.runtime.backend(), tickets._scope.namespace
            assert backend.count(namespace=namespace) == 3
            with pytest.raises(TenantNotFound):
                store.tenant("globex", actor=GLOBEX)
