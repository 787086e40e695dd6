"""When the vector index of a large shard is built, and that no answer is worse for it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from securevec.backend import CollectionSpec
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from securevec.types import Matrix, Namespace, ProtectedPoint

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_adapters import embedded
from securevec_qdrant import edge_breadth, edge_index
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_index import IndexBuilder, allocated
from securevec_qdrant.edge_meta import META, Indexed, read_meta, search_params
from securevec_qdrant.edge_shard import Shard

PLACE = a_namespace("mine")
TAGS = {"t": PLACE.tenant_tag, "c": PLACE.collection_tag}
NEVER_S = 3600.0


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., EdgeBackend]]:
    """Opens the store anew; builds wait for ``finish`` unless ``still_s`` is given."""
    backends: list[EdgeBackend] = []

    def make(*, above: int = 250, still_s: float = NEVER_S) -> EdgeBackend:
        for backend in backends:
            backend.close()
        backend = EdgeBackend(tmp_path / "edge")
        backend._index = IndexBuilder(backend._store, threshold=above, still_s=still_s)
        backend.ensure(namespace=PLACE, spec=SPEC)
        backends.append(backend)
        return backend

    yield make
    for backend in backends:
        backend.close()


def looked_at(backend: EdgeBackend, look: Callable[[Shard], Any]) -> Any:
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        return look(shard)


def indexed(backend: EdgeBackend) -> tuple[int, int]:
    """Points in the vector index, and points beside it."""
    found: tuple[int, int] = looked_at(backend, lambda shard: (shard.indexed, shard.unindexed()))
    return found


def test_an_index_waits_until_a_shard_is_left_alone(opened: Callable[..., EdgeBackend]) -> None:
    backend = opened()
    fill(backend, PLACE, range(300))
    assert not backend._index.idle(), "positive control: it is asked for"
    assert backend._index._chosen() is None
    assert not backend._index._builds[PLACE.shard].begun
    assert indexed(backend) == (0, 300)
    backend.finish_indexes()
    assert backend._index._failed == {}
    assert indexed(backend) == (300, 0)


def test_a_shard_that_is_written_fast_is_not_indexed_again_and_again_but_not_never_either(
    opened: Callable[..., EdgeBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = opened(above=10)
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    builder = IndexBuilder(backend._store, threshold=10, still_s=5)

    def ask(namespace: Namespace) -> None:
        """With no thread in the way."""
        builder._builds.setdefault(namespace.shard, edge_index._Build(namespace))

    monkeypatch.setattr(builder, "_ask", ask)
    backend._index = builder
    fill(backend, PLACE, range(20))
    ids = [an_id(number) for number in range(edge_index.SLOW)]
    for _ in range(10):
        clock[0] += 5
        looked_at(backend, lambda shard: builder.written(PLACE, ids, shard))
        assert builder._chosen() is None
    clock[0] += 5
    looked_at(backend, lambda shard: builder.written(PLACE, ids[1:], shard))
    assert builder._chosen() is not None, "less than so many in five seconds is slow"
    builder._builds[PLACE.shard].looked = clock[0]
    assert builder._chosen() is None
    clock[0] = 1_000 + edge_index.AT_LATEST_S
    builder._builds[PLACE.shard].looked = clock[0]
    assert builder._chosen() is not None
    builder._builds.clear()


def test_a_growing_shard_is_indexed_a_few_times_and_never_without_need(opened: Callable[..., EdgeBackend]) -> None:
    backend = opened(above=100)
    built: list[int] = []
    for start in range(0, 1000, 50):
        fill(backend, PLACE, range(start, start + 50))
        backend.finish_indexes()
        size, beside = indexed(backend)
        assert beside <= max(100, edge_index.GROWTH * size)
        if built[-1:] != [size] and size:
            built.append(size)
    assert built == [150, 300, 500, 800]
    assert held(backend, PLACE) == set(range(1000))


def test_a_program_that_only_reads_gets_its_index_too(opened: Callable[..., EdgeBackend]) -> None:
    fill(opened(above=10_000), PLACE, range(300))
    backend = opened()
    assert backend._index.idle()
    backend.query(namespace=PLACE, vector=a_vector(5), where=None, limit=1)
    backend.finish_indexes()
    assert indexed(backend) == (300, 0)
    assert backend.query(namespace=PLACE, vector=a_vector(5), where=None, limit=1)[0].payload["n"] == 5


def test_an_index_has_no_links_of_its_own_for_the_keys_that_filters_use(
    opened: Callable[..., EdgeBackend],
) -> None:
    """Nobody goes through them, and they make the graph four times as large."""
    backend = opened(above=600)
    fill(backend, PLACE, range(700))
    assert looked_at(backend, lambda shard: shard._indexed), "positive control: it has indexes of filter keys"
    backend.finish_indexes()
    assert indexed(backend) == (700, 0)
    directory = looked_at(backend, lambda shard: shard.directory)
    kinds = [
        json.loads(path.read_bytes())["config"]["vector_data"][""]["index"] for path in directory.rglob("segment.json")
    ]
    graphs = [kind["options"] for kind in kinds if kind["type"] == "hnsw"]
    assert graphs
    assert [graph["payload_m"] for graph in graphs] == [0] * len(graphs)


def test_points_that_were_written_anew_are_known_to_lie_beside_the_index_after_a_restart_too(
    opened: Callable[..., EdgeBackend],
) -> None:
    backend = opened()
    fill(backend, PLACE, range(300))
    backend.finish_indexes()
    backend.insert(namespace=PLACE, points=[a_point(PLACE, number, {"f_a": "anew"}) for number in range(200)])
    assert indexed(backend) == (300, 200)
    backend = opened()
    assert indexed(backend) == (300, 200)
    backend.insert(namespace=PLACE, points=[a_point(PLACE, number, {"f_a": "again"}) for number in range(100)])
    backend.delete(namespace=PLACE, ids=[an_id(250)])
    backend.finish_indexes()
    assert backend._index._failed == {}
    assert indexed(backend) == (299, 0)
    assert backend.fetch(namespace=PLACE, ids=[an_id(50)])[0].payload["f_a"] == "again"
    assert held(backend, PLACE) == set(range(300)) - {250}


def test_an_index_of_which_too_much_is_gone_is_not_used_until_it_is_built_anew(
    opened: Callable[..., EdgeBackend],
) -> None:
    backend = opened()
    fill(backend, PLACE, range(300))
    backend.finish_indexes()

    def whole() -> bool:
        answer: bool = looked_at(backend, lambda shard: shard.indexed_whole)
        return answer

    backend.delete(namespace=PLACE, ids=[an_id(1), an_id(2)])
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 3, {"f_a": "anew"}), a_point(PLACE, 300)])
    backend.delete(namespace=PLACE, ids=[an_id(7_000)])
    assert whole(), "three of three hundred"
    assert backend._index.idle()
    backend.delete(namespace=PLACE, ids=[an_id(4)])
    assert not whole()
    backend = opened()
    assert not whole(), "after a restart too"
    backend.query(namespace=PLACE, vector=a_vector(5), where=None, limit=1)
    assert not backend._index.idle(), "and whoever asks has it built anew"
    backend.finish_indexes()
    assert backend._index._failed == {}
    assert whole()
    assert indexed(backend) == (298, 0)
    assert held(backend, PLACE) == set(range(301)) - {1, 2, 4}


def test_what_is_gone_from_an_index_is_not_forgotten_by_a_crash(opened: Callable[..., EdgeBackend]) -> None:
    backend = opened()
    fill(backend, PLACE, range(300))
    backend.finish_indexes()
    directory: Path = looked_at(backend, lambda shard: shard.directory)
    assert read_meta(directory / META)[1].whole
    backend.delete(namespace=PLACE, ids=[an_id(1)])
    assert not read_meta(directory / META)[1].whole, "what a process that is killed now leaves"
    backend = opened()
    # Not how broadly it is looked through: the levels of a graph are drawn by lot, and the breadth goes with them.
    known = read_meta(directory / META)[1]
    assert (known.points, known.since, known.gone) == (300, 0, 1), "one that was closed knows"


def test_no_shard_is_built_most_of_the_time(
    opened: Callable[..., EdgeBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = opened(still_s=0.0)
    builder = backend._index
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    real = builder._index

    def slow(build: edge_index._Build, directory: Path) -> None:
        real(build, directory)
        clock[0] += 60

    monkeypatch.setattr(builder, "_index", slow)
    fill(backend, PLACE, range(300))
    backend.finish_indexes()
    assert indexed(backend) == (300, 0)
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(50)])
    assert not builder.idle(), "positive control: it is due again"
    clock[0] += edge_index.RESTS * 60 - 1
    with builder._lock:
        assert builder._chosen() is None
    clock[0] += 1
    with builder._lock:
        assert builder._chosen() is not None
    builder._builds.clear()


def test_a_purge_does_not_wait_for_the_index_of_somebody_else(
    opened: Callable[..., EdgeBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = opened()
    begun, go_on = threading.Event(), threading.Event()

    def slow(build: edge_index._Build, directory: Path) -> None:
        begun.set()
        assert go_on.wait(60)

    monkeypatch.setattr(backend._index, "_index", slow)
    fill(backend, PLACE, range(300))
    other = a_namespace("other")
    backend.ensure(namespace=other, spec=SPEC)
    fill(backend, other, range(300))
    building = threading.Thread(target=backend.finish_indexes)
    building.start()
    assert begun.wait(60)
    purged = threading.Event()

    def purge() -> None:
        backend.purge(namespace=other)
        purged.set()

    purging = threading.Thread(target=purge)
    purging.start()
    assert purged.wait(60), "the other one is still being built"
    assert not go_on.is_set()
    assert held(backend, other) == set(range(300))
    go_on.set()
    purging.join()
    building.join()


def test_a_purge_is_followed_by_a_new_index(opened: Callable[..., EdgeBackend]) -> None:
    backend = opened()
    fill(backend, PLACE, range(400))
    backend.finish_indexes()
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(50)])
    backend.purge(namespace=PLACE)
    assert indexed(backend) == (0, 350)
    backend.query(namespace=PLACE, vector=a_vector(60), where=None, limit=1)
    backend.finish_indexes()
    assert indexed(backend) == (350, 0)
    assert held(backend, PLACE) == set(range(50, 400))


def test_no_index_is_built_where_its_copy_would_fill_the_disk(
    opened: Callable[..., EdgeBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = opened()
    fill(backend, PLACE, range(300))
    directory: Path = looked_at(backend, lambda shard: shard.directory)
    copied: list[Path] = []

    def copy(source: Path, target: Path) -> None:
        copied.append(target)

    monkeypatch.setattr(edge_index, "copy_tree", copy)
    real = os.statvfs(directory)
    free = embedded.ROOM + allocated(directory)

    class Nearly:
        f_bavail = free // real.f_frsize
        f_frsize = real.f_frsize

    def nearly(path: object) -> type[Nearly]:
        return Nearly

    monkeypatch.setattr(os, "statvfs", nearly)
    backend._store.require_room()
    backend.finish_indexes()
    assert "nearly full" in str(backend._index._failed[PLACE.shard])
    assert copied == []
    assert indexed(backend) == (0, 300)


# -- right answers come before speed -----------------------------------------------------------------------------------

DIMENSION = 384
POINTS = 8_000
"""Above what the engine scans anyway, index or not: 10,000 KB of vectors."""
WIDE = CollectionSpec(DIMENSION)


def vectors(latent: int, clusters: int, count: int) -> Matrix:
    """Of length one, in ``latent`` dimensions; the fewer, the easier. The last 100 are questions."""
    chance = np.random.default_rng(3)
    lift = chance.normal(size=(latent, DIMENSION))
    centres = 2.0 * chance.normal(size=(clusters, latent))
    made = (centres[chance.integers(0, clusters, count)] + chance.normal(size=(count, latent))) @ lift
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize(("latent", "clusters", "uses"), [(16, 200, True), (DIMENSION, 1, False)])
def test_an_index_that_answers_unlike_the_scan_is_not_used_and_one_that_is_used_answers_like_it(
    tmp_path: Path, latent: int, clusters: int, uses: bool
) -> None:
    backend = EdgeBackend(tmp_path / "edge")
    backend._index = IndexBuilder(backend._store, threshold=1_000, still_s=NEVER_S)
    backend.ensure(namespace=PLACE, spec=WIDE)
    made = vectors(latent, clusters, POINTS + 100)
    for start in range(0, POINTS, 500):
        points = [ProtectedPoint(UUID(int=at), made[at], {**TAGS, "b": "x"}) for at in range(start, start + 500)]
        backend.insert(namespace=PLACE, points=points)
    backend.finish_indexes()
    assert backend._index._failed == {}
    assert indexed(backend) == (POINTS, 0)
    breadth = looked_at(backend, lambda shard: shard.breadth)
    assert (breadth > 0) == uses
    hits = 0
    for question in made[POINTS:]:
        found = backend.query(namespace=PLACE, vector=question, where=None, limit=10)
        hits += len({point.id.int for point in found} & set(np.argsort(-(made[:POINTS] @ question))[:10].tolist()))
    assert hits / 1000 >= (edge_breadth.RIGHT - 0.005 if uses else 1.0)
    backend.close()


def test_an_index_is_looked_through_more_broadly_where_more_is_asked_for_and_left_where_the_scan_is_quicker() -> None:
    def asked(points: int, breadth: int, limit: int, **kept: Any) -> tuple[bool, int | None]:
        params = search_params(Indexed(points, breadth, gone=kept.get("gone", 0)), limit, filtered="filtered" in kept)
        return params.exact, params.hnsw_ef

    assert asked(20_000, 128, 10) == (False, 128)
    assert asked(20_000, 128, 100) == (False, 400)
    assert asked(20_000, 128, 1000)[0]
    assert asked(1_000_000, 128, 1000) == (False, 4000)
    assert asked(20_000, 0, 10)[0], "measured: the scan is better"
    assert asked(0, 0, 10)[0]
    assert asked(20_000, 128, 10, gone=200) == (False, 128)
    assert asked(20_000, 128, 10, gone=201)[0], "points are gone: what lies behind them is not found"
    assert asked(20_000, 128, 10, filtered=True)[0], "an index was built for other neighbours than a filter leaves"
    assert asked(200_000, 128, 10, filtered=True) == (False, 128)
    assert search_params(Indexed(200_000, 128), 10, filtered=True).acorn is not None
