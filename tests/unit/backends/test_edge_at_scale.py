"""Many shards, large shards, and what goes on beside readers: closing, flushing, purging, building a vector index."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from securevec.backend import VectorBackend
from securevec.errors import BackendError
from securevec.filters import F
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from securevec.types import Namespace, Terms

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_adapters.pool import ShardPool
from securevec_qdrant import edge_shard
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_index import IndexBuilder, child_command
from securevec_qdrant.edge_shard import Row, Shard

PLACE = a_namespace("mine")
CANARY = "canary-5512aa-of-a-deleted-point"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


# -- the pool ----------------------------------------------------------------------------------------------------------


class Paper:
    """A shard that keeps count of what is done to it."""

    open_now = 0

    def __init__(self, journal: list[str], name: str) -> None:
        self.journal, self.name, self.dirty, self.closed = journal, name, False, False
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        Paper.open_now += 1

    def sync(self) -> None:
        self.journal.append(f"sync {self.name}")

    def flush(self) -> None:
        if self.broken:
            raise BackendError("no space")
        self.dirty = False
        self.journal.append(f"flush {self.name} {threading.current_thread().name}")

    def close(self) -> None:
        assert self.gate.wait(60)
        self.closed = True
        Paper.open_now -= 1
        self.journal.append(f"close {self.name} {threading.current_thread().name}")
        if self.broken:
            raise BackendError("no space")


class Desk:
    def __init__(self, capacity: int, *, flush_seconds: float = 3600) -> None:
        Paper.open_now = 0
        self.journal: list[str] = []
        self.opened: dict[str, list[Paper]] = {}
        self.pool = ShardPool[Paper](capacity, self.load, flush_seconds=flush_seconds)

    def load(self, name: str) -> Paper:
        assert all(paper.closed for paper in self.opened.get(name, [])), "opened twice: the engine's files are damaged"
        self.opened.setdefault(name, []).append(Paper(self.journal, name))
        return self.opened[name][-1]

    def read(self, name: str) -> Paper:
        with self.pool.hold(name) as holder:
            paper = holder.get()
            assert paper is not None
            return paper

    def write(self, name: str) -> None:
        with self.pool.writing(name) as turns, turns.turn() as holder:
            paper = holder.get()
            assert paper is not None
            paper.dirty = True


def test_no_more_shards_are_open_than_allowed_and_the_least_used_one_goes() -> None:
    desk = Desk(16)
    most = 0
    for number in range(200):
        desk.read(str(number))
        desk.read("favourite")
        most = max(most, len(desk.pool.open_names()))
    assert most <= 16
    assert len(desk.opened["favourite"]) == 1
    until(lambda: len(desk.pool.open_names()) <= 14)
    desk.pool.close()
    assert Paper.open_now == 0


def test_a_shard_is_closed_by_the_pool_and_not_by_who_searches_next() -> None:
    desk = Desk(8)
    slow = desk.read("slow")
    slow.gate.clear()
    for number in range(7):
        desk.read(str(number))
    until(lambda: not desk.pool._leaving)
    assert not slow.closed, "positive control: its closing takes long"
    slow.gate.set()
    until(lambda: slow.closed)
    assert any(entry == "close slow securevec-shards" for entry in desk.journal)
    desk.pool.close()


def test_a_shard_in_use_is_never_closed_and_never_opened_twice() -> None:
    desk = Desk(2)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for number in range(150):
                with desk.pool.hold(str((seed * 7 + number * number) % 6)) as holder:
                    paper = holder.get()
                    assert paper is not None
                    time.sleep(0.0002)
                    assert not paper.closed
        except (AssertionError, BackendError) as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    desk.pool.close()
    assert Paper.open_now == 0


def test_what_could_not_be_flushed_is_told_to_the_next_writer_once_and_to_no_reader() -> None:
    desk = Desk(2, flush_seconds=0.02)
    desk.write("a")
    paper = desk.read("a")
    paper.broken = True
    until(lambda: "a" in desk.pool._failures)
    desk.read("a")
    desk.write("b")
    paper.broken = False
    with pytest.raises(BackendError, match="put on disk"):
        desk.write("a")
    desk.write("a")
    paper.broken = True
    until(lambda: "a" in desk.pool._failures)
    paper.broken = False
    with pytest.raises(BackendError, match="no space"):
        desk.pool.close()


def test_what_was_written_is_flushed_by_and_by_without_a_caller() -> None:
    desk = Desk(4, flush_seconds=0.02)
    desk.write("a")
    until(lambda: "flush a securevec-shards" in desk.journal)
    assert desk.journal.index("sync a") < desk.journal.index("flush a securevec-shards")
    desk.pool.close()


def test_a_shard_that_is_let_go_keeps_no_file_open_or_mapped_and_loses_nothing(tmp_path: Path) -> None:
    backend = EdgeBackend(tmp_path / "edge", open_shards=1)
    other = a_namespace("other")
    for place in (PLACE, other):
        backend.ensure(namespace=place, spec=SPEC)

    def in_use(place: Namespace) -> int:
        shard = str(tmp_path / "edge" / place.shard)
        fds = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]
        return sum(shard in line for line in (*fds, *Path("/proc/self/maps").read_text().splitlines()))

    for turn in range(20):
        fill(backend, PLACE, [turn])
        assert in_use(PLACE), "positive control: an open shard has files"
        backend.delete(namespace=PLACE, ids=[an_id(turn - 1)])
        assert backend.count(namespace=other) == 0
        assert in_use(PLACE) == 0
        assert held(backend, PLACE) == {turn}
    backend.close()
    assert in_use(PLACE) == in_use(other) == 0


# -- small and large shards --------------------------------------------------------------------------------------------


def test_a_small_shard_has_no_payload_index_and_filters_decide_the_same_when_it_gets_them(tmp_path: Path) -> None:
    backend = EdgeBackend(tmp_path / "edge")
    backend.ensure(namespace=PLACE, spec=SPEC)

    def indexed() -> set[str]:
        with backend._store.hold(PLACE) as holder:
            shard = holder.get()
            assert shard is not None
            return set(shard._engine.info().payload_schema or {})

    def answers() -> list[int]:
        wheres = [F("n") == 3, F("n") >= 490, (F("n") < 10) & (F("n") != 4), ~(F("n") == 3)]
        return [backend.count(namespace=PLACE, where=where) for where in wheres]

    fill(backend, PLACE, range(edge_shard.INDEXED_FROM))
    assert indexed() == set()
    before = answers()
    fill(backend, PLACE, [edge_shard.INDEXED_FROM])
    assert len(indexed()) == len(SPEC.filter_keys)
    backend.delete(namespace=PLACE, ids=[an_id(edge_shard.INDEXED_FROM)])
    assert answers() == before
    backend.purge(namespace=PLACE)
    assert answers() == before
    backend.close()


def test_no_call_of_the_engine_is_given_more_than_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = EdgeBackend(tmp_path / "edge")
    backend.ensure(namespace=PLACE, spec=SPEC)
    monkeypatch.setattr(edge_shard, "_MOST_ROWS", 7)
    asked: list[int] = []
    real = vars(edge_shard)["ScrollRequest"]

    def counted(**given: Any) -> object:
        asked.append(given["limit"])
        return real(**given)

    monkeypatch.setattr(edge_shard, "ScrollRequest", counted)
    fill(backend, PLACE, range(40))
    assert held(backend, PLACE) == set(range(40))
    page = backend.scan(namespace=PLACE, where=None, cursor=None, limit=33)
    assert len(page.points) == 33
    assert len(backend.scan(namespace=PLACE, where=None, cursor=page.cursor, limit=33).points) == 7
    assert len(backend.fetch(namespace=PLACE, ids=[an_id(number) for number in range(40)])) == 40
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(30)])
    backend.purge(namespace=PLACE)
    assert held(backend, PLACE) == set(range(30, 40))
    assert asked
    assert max(asked) <= 7
    backend.close()


@pytest.mark.parametrize("kind", ["edge", "chroma"])
def test_reads_are_answered_while_a_purge_copies_and_writes_wait(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend: VectorBackend
    if kind == "edge":
        name, backend = "securevec_qdrant.edge", EdgeBackend(tmp_path / kind)
    else:
        pytest.importorskip("chromadb", reason="needs securevec[chroma]")
        from securevec_chroma.persistent import ChromaPersistentBackend

        name, backend = "securevec_chroma.persistent", ChromaPersistentBackend(tmp_path / kind)
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, range(30))
    begun, go_on, wrote = threading.Event(), threading.Event(), threading.Event()
    copy: Callable[..., None] = vars(sys.modules[name])["copy_points"]

    def slow(*given: object) -> None:
        copy(*given)
        begun.set()
        assert go_on.wait(60)

    monkeypatch.setattr(sys.modules[name], "copy_points", slow)
    purge = threading.Thread(target=lambda: backend.purge(namespace=PLACE))
    purge.start()
    assert begun.wait(60)

    def write() -> None:
        backend.insert(namespace=PLACE, points=[a_point(PLACE, 99)])
        wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    backend.ensure(namespace=PLACE, spec=SPEC)
    assert held(backend, PLACE) == set(range(30))
    assert backend.query(namespace=PLACE, vector=a_vector(12), where=None, limit=1)[0].payload["n"] == 12
    assert not wrote.wait(0.1)
    go_on.set()
    purge.join()
    writer.join()
    assert held(backend, PLACE) == {*range(30), 99}
    backend.close()


# -- the vector index of a large shard ---------------------------------------------------------------------------------


def gated(gate: Path) -> Callable[[Path], Sequence[str]]:
    """The real process, started once ``gate`` exists."""

    def command(directory: Path) -> list[str]:
        real = child_command(directory)
        wait = (
            "import os, subprocess, sys, time\nwhile not os.path.exists({!r}): time.sleep(0.01)\nos.execv({!r}, {!r})"
        )
        return [sys.executable, "-c", wait.format(str(gate), real[0], real)]

    return command


@pytest.fixture(params=["dense", "with terms"])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[EdgeBackend, Path]]:
    """A shard of 300 points that is large enough for a vector index; the process that builds it waits for a file."""
    backend = EdgeBackend(tmp_path / "edge", index_above=250)
    gate = tmp_path / "gate"
    backend._index = IndexBuilder(backend._store, threshold=250, still_s=0, command=gated(gate))
    sparse = request.param == "with terms"
    backend.ensure(namespace=PLACE, spec=replace(SPEC, sparse=sparse))
    if sparse:
        terms = Terms(np.array([7], dtype=np.uint32), np.array([1.0], dtype=np.float32))
        points = [replace(a_point(PLACE, number), terms=terms) for number in range(200)]
        backend.insert(namespace=PLACE, points=points)
    fill(backend, PLACE, range(250))
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 1, {"f_a": CANARY, "b": CANARY * 20})])
    assert backend._index.idle()
    fill(backend, PLACE, range(250, 300))
    yield backend, gate
    backend.close()


def started(backend: EdgeBackend) -> int:
    """Wait for the building process; its id."""
    builds = backend._index._builds
    until(lambda: PLACE.shard in builds and builds[PLACE.shard].child is not None)
    child = builds[PLACE.shard].child
    assert child is not None
    return child.pid


def unindexed(backend: EdgeBackend) -> int:
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        return shard.unindexed()


def test_an_index_is_built_beside_reads_and_writes_and_loses_none_of_them(large: tuple[EdgeBackend, Path]) -> None:
    backend, gate = large
    started(backend)
    assert backend.query(namespace=PLACE, vector=a_vector(77), where=None, limit=1)[0].payload["n"] == 77
    fill(backend, PLACE, range(300, 310))
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 5, {"f_a": "replaced"})])
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(100, 120)])
    gate.touch()
    until(backend._index.idle)
    assert backend._index._failed == {}
    assert unindexed(backend) < 100
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        assert shard.vectors_indexed() >= 280
    assert held(backend, PLACE) == {*range(100), *range(120, 310)}
    assert backend.fetch(namespace=PLACE, ids=[an_id(5)])[0].payload["f_a"] == "replaced"
    for number in (5, 77, 305):
        best = backend.query(namespace=PLACE, vector=a_vector(number), where=None, limit=1)[0]
        assert best.payload["n"] == number
    assert backend.query(namespace=PLACE, vector=a_vector(110), where=None, limit=1)[0].payload["n"] != 110


def test_a_killed_build_leaves_the_shard_as_it_was_and_is_not_tried_again_at_once(
    large: tuple[EdgeBackend, Path],
) -> None:
    backend, _ = large
    os.kill(started(backend), signal.SIGKILL)
    until(backend._index.idle)
    assert list(backend._index._failed) == [PLACE.shard]
    assert held(backend, PLACE) == set(range(300))
    assert unindexed(backend) == 300
    fill(backend, PLACE, [300])
    assert backend._index.idle()
    assert backend.query(namespace=PLACE, vector=a_vector(300), where=None, limit=1)[0].payload["n"] == 300
    assert list(backend._store._root.path.glob(".new-index-*")) == []


@pytest.mark.parametrize("what", ["purge", "drop"])
def test_a_purge_or_drop_during_a_build_leaves_no_byte_of_what_was_deleted(
    large: tuple[EdgeBackend, Path], what: str
) -> None:
    backend, gate = large
    root = backend._store._root.path
    started(backend)

    def canaries() -> list[Path]:
        return [path for path in root.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]

    assert any(".new-index-" in str(path) for path in canaries()), (
        "positive control: the copy holds what the shard holds"
    )
    backend.delete(namespace=PLACE, ids=[an_id(1)])
    getattr(backend, what)(namespace=PLACE)
    assert canaries() == []
    gate.touch()
    until(backend._index.idle)
    assert canaries() == []
    assert list(root.glob(".new-index-*")) == []
    assert held(backend, PLACE) == ({*range(300)} - {1} if what == "purge" else set())


def test_a_copy_that_misses_a_point_is_not_put_in_place(
    large: tuple[EdgeBackend, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, gate = large
    started(backend)

    def nothing(self: Shard, ids: Sequence[UUID]) -> list[Row]:
        return []

    monkeypatch.setattr(Shard, "rows_of", nothing)
    fill(backend, PLACE, [500])
    gate.touch()
    until(backend._index.idle)
    assert list(backend._index._failed) == [PLACE.shard]
    assert held(backend, PLACE) == {*range(300), 500}


def test_closing_ends_a_build(large: tuple[EdgeBackend, Path]) -> None:
    backend, _ = large
    started(backend)
    child = backend._index._builds[PLACE.shard].child
    backend.close()
    assert child is not None
    assert child.returncode is not None
    assert list(backend._store._root.path.glob(".new-*")) == []
