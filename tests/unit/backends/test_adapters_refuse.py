"""What every adapter refuses before an engine sees it, and what is told of an engine that fails while it is closed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from securevec.backend import VectorBackend
from securevec.errors import BackendError, ConfigError, HomeRefused, QueryError, RecordError
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, every_call, fill, held
from securevec.types import Namespace

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from qdrant_client import QdrantClient
from qdrant_edge import Point, UpdateOperation

from securevec_adapters.pool import ShardPool
from securevec_chroma.opening import ChromaBackend
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_shard import Shard
from securevec_qdrant.server import QdrantServerBackend

PLACE = a_namespace("mine")
HEX = "0" * 32


@pytest.fixture(params=["edge", "chroma", "qdrant local mode"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorBackend]:
    opened: VectorBackend
    if request.param == "edge":
        opened = EdgeBackend(tmp_path / "edge")
    elif request.param == "chroma":
        opened = ChromaPersistentBackend(tmp_path / "chroma")
    else:
        opened = QdrantServerBackend(client=QdrantClient(":memory:"))
    opened.ensure(namespace=PLACE, spec=SPEC)
    fill(opened, PLACE, range(3))
    yield opened
    opened.close()


def edge_of(tmp_path: Path, *numbers: int) -> EdgeBackend:
    """An open store whose place holds these points."""
    backend = EdgeBackend(tmp_path / "edge")
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, numbers)
    return backend


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
@pytest.mark.parametrize("name", ["../" + HEX, HEX[:-1], HEX.replace("0", "A"), HEX + "\n", "a-b", ""])
def test_a_name_that_is_no_place_is_refused_by_every_call(backend: VectorBackend, name: str) -> None:
    for namespace in (Namespace(name, HEX, HEX), Namespace(HEX, name, HEX), Namespace(HEX, HEX, name)):
        for call in every_call(backend, namespace):
            with pytest.raises(BackendError, match="32 lower-case hex"):
                call()


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
def test_ids_keys_and_cursors_that_are_none_are_refused_and_nothing_is_written(backend: VectorBackend) -> None:
    odd: Any = str(an_id(9))
    refused: list[tuple[type[Exception], Callable[[], object]]] = [
        (RecordError, lambda: backend.fetch(namespace=PLACE, ids=[odd])),
        (RecordError, lambda: backend.delete(namespace=PLACE, ids=[an_id(1), odd])),
        (
            RecordError,
            lambda: backend.insert(namespace=PLACE, points=[a_point(PLACE, 8), replace(a_point(PLACE, 9), id=odd)]),
        ),
        (
            RecordError,
            lambda: backend.insert(namespace=PLACE, points=[a_point(PLACE, 8), a_point(PLACE, 9, {"a.b": "x"})]),
        ),
        (
            RecordError,
            lambda: backend.insert(
                namespace=PLACE, points=[a_point(PLACE, 8), a_point(PLACE, 9, cast("Any", {7: "x"}))]
            ),
        ),
        (QueryError, lambda: backend.scan(namespace=PLACE, where=None, cursor="1", limit=1)),
    ]
    for kind, call in refused:
        with pytest.raises(kind):
            call()
    assert held(backend, PLACE) == {0, 1, 2}


def test_a_place_that_there_is_not_has_nothing_to_purge_or_copy(tmp_path: Path) -> None:
    for engine in (EdgeBackend, ChromaPersistentBackend):
        backend = engine(tmp_path / engine.__name__)
        assert backend.purge(namespace=PLACE).index_removed
        assert backend.drop(namespace=PLACE).points == 0
        assert not backend.copy_files(namespace=PLACE, target=tmp_path / "copy")
        assert list(backend.namespaces()) == []
        backend.close()
    assert not (tmp_path / "copy").exists()


def test_an_engine_that_does_not_close_is_said_to_hold_its_files_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = edge_of(tmp_path, *range(3))

    def failing(self: Shard) -> None:
        raise BackendError("The vector store failed while closing a shard.")

    monkeypatch.setattr(Shard, "close", failing)
    report = backend.drop(namespace=PLACE)
    monkeypatch.undo()
    assert (report.points, report.index_removed, report.bytes_removed) == (3, True, None)
    assert "may still hold them" in report.residual
    assert list(backend.namespaces()) == []
    backend.close()


def test_a_link_in_a_shards_place_is_not_followed_and_can_be_removed(tmp_path: Path) -> None:
    backend = edge_of(tmp_path, 1)
    backend.close()
    place, elsewhere = tmp_path / "edge" / PLACE.shard, tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    leftover = tmp_path / "edge" / ".trash-x"
    leftover.symlink_to(elsewhere)
    again = EdgeBackend(tmp_path / "edge")
    with pytest.raises(BackendError):
        again.count(namespace=PLACE)
    again.drop(namespace=PLACE)
    again.close()
    assert sorted(path.name for path in (tmp_path / "edge").iterdir()) == ["LOCK", "VERSION"]
    assert (elsewhere / "gen-0" / "shard.json").is_file(), "what the links led to is left alone"


def test_a_root_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    EdgeBackend(tmp_path / "edge").close()
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.raises(HomeRefused, match="another user"):
        EdgeBackend(tmp_path / "edge")


@pytest.mark.parametrize(
    "damage",
    [
        ('"format":1', '"format":2'),
        ('"distance":"cosine"', '"distance":"dot"'),
        ('"keyword"', '"text"'),
        ('"format":1', '"format":1,"vector_index":-1'),
        ('"format":1', '"format":1,"vector_index":5,"since":"0"'),
        ('"format":1', '"format":1,"vector_index":5,"breadth":true'),
    ],
)
def test_a_description_of_another_format_is_loud(tmp_path: Path, damage: tuple[str, str]) -> None:
    edge_of(tmp_path).close()
    description = tmp_path / "edge" / PLACE.shard / "gen-0" / "shard.json"
    whole = description.read_text()
    description.write_text(whole.replace(*damage))
    assert description.read_text() != whole
    again = EdgeBackend(tmp_path / "edge")
    with pytest.raises(BackendError, match="description"):
        again.count(namespace=PLACE)
    again.close()


def refused_but_dropped(backend: EdgeBackend | ChromaPersistentBackend, why: str) -> None:
    """Whatever would show the stranger says why it does not; with the place both points go. Closes ``backend``."""
    for call in (
        lambda: held(backend, PLACE),
        lambda: backend.query(namespace=PLACE, vector=a_vector(7), where=None, limit=2),
        lambda: backend.purge(namespace=PLACE),
    ):
        with pytest.raises(BackendError, match=why):
            call()
    assert backend.drop(namespace=PLACE).points == 2
    backend.close()


def test_a_point_that_somebody_put_into_a_shard_under_a_number_is_loud(tmp_path: Path) -> None:
    backend = edge_of(tmp_path, 1)
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        shard._engine.update(UpdateOperation.upsert_points([Point(7, a_vector(7).tolist(), {"n": 7})]))
    refused_but_dropped(backend, "not a UUID")


@pytest.mark.parametrize("spelled", ["{0}", "urn:uuid:{0}", "{{{0.hex}}}"])
def test_a_point_that_somebody_put_back_under_another_spelling_of_its_id_is_loud(tmp_path: Path, spelled: str) -> None:
    """A search found it, and neither a deletion nor a look by id did."""
    backend = ChromaPersistentBackend(tmp_path / "chroma")
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, [1])
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        place = shard.place(PLACE)
        place._api._add([spelled.format(an_id(0xABC))], place._id, [a_vector(7)], [{"-": 1}])
    refused_but_dropped(backend, "spelled")


def test_a_purge_that_was_shown_fewer_points_than_there_are_keeps_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = edge_of(tmp_path, *range(5))
    honest = Shard.rows

    def short(self: Shard, start: Any) -> Any:
        rows, following = honest(self, start)
        return rows[:-1], following

    monkeypatch.setattr(Shard, "rows", short)
    with pytest.raises(BackendError, match="does not hold every point"):
        backend.purge(namespace=PLACE)
    monkeypatch.undo()
    assert held(backend, PLACE) == set(range(5))
    backend.close()


class Stuck:
    """A shard that cannot be closed."""

    dirty = False

    def __init__(self, name: str, closed: list[str]) -> None:
        self.name, self.closed = name, closed

    def sync(self) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None:
        self.closed.append(self.name)
        if self.name == "stuck":
            raise BackendError("no space")


def read(pool: ShardPool[Stuck], name: str) -> None:
    with pool.hold(name) as holder:
        holder.get()


def test_a_shard_that_made_room_and_could_not_be_closed_is_told_to_its_next_writer() -> None:
    closed: list[str] = []
    pool = ShardPool[Stuck](1, lambda name: Stuck(name, closed), flush_seconds=3600)
    read(pool, "stuck")
    read(pool, "other")  # the first one makes room
    assert closed == ["stuck"]
    with pytest.raises(BackendError, match="could not be put on disk"), pool.writing("stuck"):
        pass
    with pool.writing("stuck"):
        pass  # told once
    pool.close()


def test_every_shard_is_closed_though_one_cannot_be_and_that_is_told() -> None:
    closed: list[str] = []
    pool = ShardPool[Stuck](8, lambda name: Stuck(name, closed), flush_seconds=3600)
    for name in ("stuck", "other"):
        read(pool, name)
    with pytest.raises(BackendError, match="no space"):
        pool.close()
    assert closed == ["stuck", "other"]
    for use in (pool.hold, pool.writing):
        with pytest.raises(BackendError, match="closed"), cast("Any", use)("other"):
            pass
    with contextlib.suppress(BackendError):
        pool.close()


def test_options_of_a_server_are_not_taken_without_one_nor_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="open_shards"):
        ChromaBackend.from_location("chroma://localhost", root=tmp_path, open_shards=3)
    with pytest.raises(ConfigError, match="server_timeout"):
        ChromaBackend.from_location("", root=tmp_path, server_timeout=3)
    with pytest.raises(ConfigError, match="seconds"):
        ChromaBackend.from_location("chroma://localhost", root=tmp_path, server_timeout=0)
    assert list(tmp_path.iterdir()) == []
