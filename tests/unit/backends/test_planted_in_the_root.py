"""What a program with the same rights puts among the small files of an embedded engine's root, or into a shard that is
open: nothing hangs, nothing outside is read, written or changed, and every refusal is one of ours."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from securevec.backend import CollectionSpec
from securevec.errors import BackendError, EngineLocked, HomeRefused
from securevec.testing.conformance_case import SPEC, a_namespace, an_id, fill, held

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from qdrant_edge import EdgeShard, Point, UpdateOperation

from securevec_adapters import layout
from securevec_qdrant.edge import EdgeBackend

PLACE = a_namespace("mine")
MINE = b"of another program\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Of a closed store with one point."""
    backend = EdgeBackend(tmp_path / "edge")
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, [1])
    backend.close()
    return tmp_path / "edge"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.write_bytes(MINE)
    path.chmod(0o644)
    return path


@pytest.fixture
def pipe() -> Iterator[Callable[[Path, Path], None]]:
    """Puts a pipe in a file's place that says what the file said. Who waits for its end is let go after a while, so
    that a test without its guard fails and does not hang."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def says(path: Path, said: bytes) -> int:
        other = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        os.write(other, said)
        return other

    def give(path: Path, said: bytes, other: int) -> None:
        while not over.wait(1):
            os.close(other)
            if not path.is_fifo():
                return
            other = says(path, said)
        os.close(other)

    def put(path: Path, outside: Path) -> None:
        said = path.read_bytes() if path.exists() else b"nothing"
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        threads.append(threading.Thread(target=give, args=(path, said, says(path, said))))
        threads[-1].start()

    yield put
    over.set()
    for thread in threads:
        thread.join()


def link(path: Path, outside: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(outside)


def directory(path: Path, outside: Path) -> None:
    path.unlink()
    path.mkdir()


def long(path: Path, outside: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * 100)


@pytest.mark.parametrize(
    ("name", "put"), [("LOCK", link), ("LOCK", directory), ("VERSION", link), ("VERSION", directory), ("VERSION", long)]
)
def test_a_root_with_something_else_in_a_files_place_is_refused(
    root: Path, outside: Path, name: str, put: Callable[[Path, Path], None]
) -> None:
    if name == "VERSION":
        outside.write_bytes((root / "VERSION").read_bytes())  # says what ours says, and is not ours
    put(root / name, outside)
    with pytest.raises(HomeRefused):
        EdgeBackend(root)


def test_a_root_whose_version_is_a_pipe_is_refused_and_not_waited_for(
    root: Path, outside: Path, pipe: Callable[[Path, Path], None]
) -> None:
    pipe(root / "VERSION", outside)
    with pytest.raises(HomeRefused):
        EdgeBackend(root)


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(root: Path) -> None:
    version, refused = root / "VERSION", threading.Event()
    version.unlink()
    os.mkfifo(version)

    def opens() -> None:
        with pytest.raises(HomeRefused):
            EdgeBackend(root)
        refused.set()

    thread = threading.Thread(target=opens)
    thread.start()
    in_time = refused.wait(20)
    os.close(os.open(version, os.O_RDWR | os.O_NONBLOCK))  # lets go whoever waits
    thread.join()
    assert in_time


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "long"])
def test_a_pointer_that_is_no_file_of_ours_is_loud_for_its_shard_alone(
    root: Path, outside: Path, pipe: Callable[[Path, Path], None], kind: str
) -> None:
    outside.write_bytes(b"gen-0\n")
    {"link": link, "pipe": pipe, "directory": directory, "long": long}[kind](root / PLACE.shard / "CURRENT", outside)
    backend = EdgeBackend(root)
    try:
        with pytest.raises(BackendError):
            backend.count(namespace=PLACE)
        backend.ensure(namespace=a_namespace("theirs"), spec=SPEC)
        assert backend.drop(namespace=PLACE).index_removed
    finally:
        backend.close()
    assert outside.read_bytes() == b"gen-0\n"


def test_a_generation_that_is_a_link_is_neither_opened_nor_removed_where_it_leads(root: Path, tmp_path: Path) -> None:
    generation = root / PLACE.shard / "gen-0"
    generation.rename(elsewhere := tmp_path / "elsewhere")
    generation.symlink_to(elsewhere)
    backend = EdgeBackend(root)
    with pytest.raises(BackendError, match="names no generation"):
        backend.count(namespace=PLACE)
    assert backend.drop(namespace=PLACE).index_removed
    backend.close()
    assert (elsewhere / "shard.json").is_file()


def test_a_point_whose_id_is_a_number_is_loud(root: Path) -> None:
    engine = EdgeShard.load(str(root / PLACE.shard / "gen-0"))
    engine.update(UpdateOperation.upsert_points([Point(7, [1.0] * SPEC.dimension, {"f_a": 1.0})]))
    engine.close()
    backend = EdgeBackend(root)
    with pytest.raises(BackendError, match="not a UUID"):
        backend.scan(namespace=PLACE, where=None, cursor=None, limit=10)
    backend.close()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_new_pointer_is_not_written_through_what_stands_in_its_way(
    root: Path, outside: Path, pipe: Callable[[Path, Path], None], kind: str
) -> None:
    {"link": link, "pipe": pipe}[kind](root / PLACE.shard / "CURRENT.new", outside)
    backend = EdgeBackend(root)
    backend.purge(namespace=PLACE)
    assert held(backend, PLACE) == {1}
    backend.close()
    assert outside.read_bytes() == MINE
    pointer = root / PLACE.shard / "CURRENT"
    assert stat.S_ISREG(pointer.lstat().st_mode)
    assert pointer.read_bytes() == b"gen-1\n"


def test_what_cannot_be_put_in_order_at_opening_is_a_refusal_of_ours(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / ".trash-x").mkdir()

    def denied(entry: Path) -> None:
        raise PermissionError("canary-1a2b")

    monkeypatch.setattr(layout, "remove_tree", denied)
    with pytest.raises(HomeRefused) as refused:
        EdgeBackend(root)
    assert "canary" not in str(refused.value)
    monkeypatch.undo()
    (root / PLACE.shard / "gen-7").mkdir()

    def denied_there(entry: Path) -> None:
        if entry.name == "gen-7":
            denied(entry)
        entry.rmdir()

    monkeypatch.setattr(layout, "remove_tree", denied_there)
    backend = EdgeBackend(root)  # a shard that cannot be put in order is left to who asks for it
    with pytest.raises(BackendError):
        backend.count(namespace=PLACE)
    monkeypatch.undo()
    assert held(backend, PLACE) == {1}
    backend.close()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_put_into_an_open_shard_is_neither_copied_nor_changed(
    root: Path, outside: Path, tmp_path: Path, pipe: Callable[[Path, Path], None], kind: str
) -> None:
    backend = EdgeBackend(root)
    assert held(backend, PLACE) == {1}
    planted = root / PLACE.shard / "gen-0" / "planted"
    {"link": link, "pipe": pipe}[kind](planted, outside)
    with pytest.raises(BackendError, match="not a file"):
        backend.copy_files(namespace=PLACE, target=tmp_path / "copy")
    with pytest.raises(BackendError, match="not a file"):  # closed for the copy: nor is it opened again
        backend.count(namespace=PLACE)
    backend.close()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert not [path for path in (tmp_path / "copy").rglob("*") if path.is_file() and MINE in path.read_bytes()]


def test_a_pipe_among_an_open_shards_files_does_not_keep_the_store_from_closing(root: Path) -> None:
    backend = EdgeBackend(root)
    fill(backend, PLACE, [2])
    os.mkfifo(planted := root / PLACE.shard / "gen-0" / "planted")
    closed = threading.Event()

    def close() -> None:
        with pytest.raises(BackendError):
            backend.close()
        closed.set()

    thread = threading.Thread(target=close)
    thread.start()
    in_time = closed.wait(20)
    other = os.open(planted, os.O_RDWR | os.O_NONBLOCK)  # lets go whoever waits
    thread.join()
    os.close(other)
    assert in_time
    planted.unlink()
    backend = EdgeBackend(root)
    assert held(backend, PLACE) == {1, 2}, "what was acknowledged was in the log"
    backend.close()


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_a_description_is_not_written_through_what_stands_in_its_way(root: Path, outside: Path, kind: str) -> None:
    backend = EdgeBackend(root)
    assert held(backend, PLACE) == {1}
    description = root / PLACE.shard / "gen-0" / "shard.json"
    planted = description.with_name("shard.json.new")
    spec = CollectionSpec(SPEC.dimension, filter_keys={**SPEC.filter_keys, "f_new": "keyword"})
    if kind == "link":
        planted.symlink_to(outside)
        backend.ensure(namespace=PLACE, spec=spec)
        assert "f_new" in description.read_text()
        assert not description.is_symlink()
    else:
        planted.mkdir()
        with pytest.raises(BackendError):
            backend.ensure(namespace=PLACE, spec=spec)
    backend.close()
    assert outside.read_bytes() == MINE


def test_a_lock_that_somebody_removed_lets_no_second_one_in(root: Path) -> None:
    """As operators do with what they take for a stale one. Two engines on one directory damage it, Chroma's in
    silence."""
    backend = EdgeBackend(root)
    assert held(backend, PLACE) == {1}
    (root / "LOCK").unlink()
    with pytest.raises(EngineLocked):
        EdgeBackend(root)
    backend.close()
    backend = EdgeBackend(root)
    assert held(backend, PLACE) == {1}
    backend.close()


@pytest.mark.parametrize("replaced", [True, False])
def test_a_root_that_was_moved_under_an_open_store_is_neither_written_nor_removed(
    root: Path, tmp_path: Path, replaced: bool
) -> None:
    """As who puts a backup in its place does, while the service runs. What is open stays in the old one: writes to it
    would be acknowledged and lost, and what goes by a path would change the other."""
    other = a_namespace("theirs")
    backend = EdgeBackend(root)
    backend.ensure(namespace=other, spec=SPEC)
    backend.close()
    backend = EdgeBackend(root)
    assert held(backend, PLACE) == {1}
    root.rename(moved := tmp_path / "moved")
    if replaced:
        shutil.copytree(moved, root)
    for call in (
        lambda: fill(backend, PLACE, [2]),
        lambda: backend.count(namespace=other),
        lambda: backend.delete(namespace=PLACE, ids=[an_id(1)]),
        lambda: backend.ensure(namespace=a_namespace("new"), spec=SPEC),
        lambda: backend.purge(namespace=PLACE),
        lambda: backend.drop(namespace=PLACE),
        lambda: backend.copy_files(namespace=PLACE, target=tmp_path / "copy"),
    ):
        with pytest.raises(BackendError):
            call()
    backend.close()
    for place in {moved, root} if replaced else {moved}:
        backend = EdgeBackend(place)
        assert held(backend, PLACE) == {1}
        backend.close()


def test_a_copy_has_every_byte_whatever_block_the_file_system_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python reads as much ahead: beside holes that are smaller it then read from elsewhere."""
    source, block = tmp_path / "source", 4096

    def in_large_blocks(*given: Any, **named: Any) -> Any:
        return open(*given, **({"buffering": 16 * block} | named))

    source.mkdir()
    with (source / "file").open("wb") as file:
        for number in range(40):
            file.seek(2 * number * block)
            file.write(bytes([number + 1]) * block)
        file.truncate(100 * block)
    monkeypatch.setattr(layout, "open", in_large_blocks, raising=False)
    (tmp_path / "target").mkdir()
    layout.copy_tree(source, tmp_path / "target")
    assert (tmp_path / "target" / "file").read_bytes() == (source / "file").read_bytes()


def test_a_file_that_is_cut_while_it_is_copied_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, asked = tmp_path / "source", os.lseek
    source.mkdir()
    (source / "file").write_bytes(b"x" * 100_000)

    def cut(descriptor: int, *rest: int) -> int:
        os.truncate(source / "file", 10)
        return asked(descriptor, *rest)

    monkeypatch.setattr(os, "lseek", cut)
    (tmp_path / "target").mkdir()
    with pytest.raises(BackendError, match="changed while"):
        layout.copy_tree(source, tmp_path / "target")
