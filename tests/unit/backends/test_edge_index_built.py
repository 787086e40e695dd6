"""The vector index of a large shard, built by another process beside readers, writers and purges."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from securevec.types import Terms
from tests.support.other_process import until

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_index import IndexBuilder, child_command
from securevec_qdrant.edge_shard import Row, Shard

PLACE = a_namespace("mine")
CANARY = "canary-5512aa-of-a-deleted-point"


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
