"""Many shards, and large ones: what is let go, what the engine is asked for at once, and a purge beside readers."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from securevec.backend import VectorBackend
from securevec.filters import F
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from securevec.types import Namespace

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_qdrant import edge_shard
from securevec_qdrant.edge import EdgeBackend

PLACE = a_namespace("mine")


def test_a_shard_that_is_let_go_keeps_no_file_open_or_mapped_and_loses_nothing(tmp_path: Path) -> None:
    backend = EdgeBackend(tmp_path / "edge", open_shards=1)
    other = a_namespace("other")
    for place in (PLACE, other):
        backend.ensure(namespace=place, spec=SPEC)

    def in_use(place: Namespace) -> int:
        shard = str(tmp_path / "edge" / place.shard)
        fds = []
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):  # the engine's threads close files too
                fds.append(os.readlink(f"/proc/self/fd/{number}"))
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
