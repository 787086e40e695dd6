"""The server adapter's own promises. Every test here ran on the client's local mode, not on a server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from securevec.backend import CollectionSpec
from securevec.errors import BackendError, ConfigError, EngineForked, VectorError
from securevec.filters import F
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held, numbers

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from qdrant_client import QdrantClient
from qdrant_client.models import (
    FieldCondition,
    Filter,
    FilterSelector,
    MatchValue,
    PointStruct,
    VersionInfo,
)

from securevec_qdrant.server import QdrantServerBackend

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

MINE, THEIRS = a_namespace("mine"), a_namespace("theirs")
_FILTER_ARGUMENTS = ("scroll_filter", "query_filter", "count_filter", "update_filter")


class WatchedClient(QdrantClient):
    """Local mode that writes down every data call the adapter makes."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or name in ("calls", "close", "info") or not callable(found):
            return found

        def watched(*given: Any, **named: Any) -> Any:
            self.calls.append((name, given, named))
            return found(*given, **named)

        return watched


@pytest.fixture
def client() -> Iterator[WatchedClient]:
    opened = WatchedClient()
    yield opened
    opened.close()


@pytest.fixture
def backend(client: WatchedClient) -> QdrantServerBackend:
    opened = QdrantServerBackend(client=client)
    for namespace in (MINE, THEIRS):
        opened.ensure(namespace=namespace, spec=SPEC)
    fill(opened, MINE, range(5))
    fill(opened, THEIRS, range(10, 15))
    return opened


def fence_of(given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, str]:
    filters = [named[key] for key in _FILTER_ARGUMENTS if key in named]
    filters += [each.filter for each in (*given, *named.values()) if isinstance(each, FilterSelector)]
    assert len(filters) == 1, "a data call has exactly one filter"
    root = filters[0]
    assert isinstance(root, Filter)
    assert isinstance(root.must, list)
    assert root.should is None
    fence: dict[str, str] = {}
    for each in root.must:
        if isinstance(each, FieldCondition) and isinstance(each.match, MatchValue):
            fence[each.key] = str(each.match.value)
    return fence


def test_every_data_call_carries_the_fence_in_its_root_on_qdrant_local_mode(
    backend: QdrantServerBackend, client: WatchedClient
) -> None:
    client.calls.clear()
    where = (F("n") == 1) | ~(F("n") == 2)
    backend.fetch(namespace=MINE, ids=[an_id(1), an_id(11)], with_vectors=True)
    backend.query(namespace=MINE, vector=a_vector(1), where=where, limit=3, exclude=["b", "t", "c"])
    backend.scan(namespace=MINE, where=where, cursor=None, limit=2)
    backend.count(namespace=MINE, where=where)
    fill(backend, MINE, [7])
    backend.delete(namespace=MINE, ids=[an_id(1), an_id(12)])
    backend.purge(namespace=MINE)
    backend.drop(namespace=MINE)
    names_only = ("collection_exists", "get_collections", "get_collection")
    asked = [(name, given, named) for name, given, named in client.calls if name not in names_only]
    assert {name for name, _, _ in asked} == {"scroll", "query_points", "count", "upsert", "delete"}
    assert asked
    for _, given, named in asked:
        assert fence_of(given, named) == {"t": MINE.tenant_tag, "c": MINE.collection_tag}
    assert held(backend, THEIRS) == set(range(10, 15))


def test_indexes_exist_before_the_first_point_on_qdrant_local_mode(client: WatchedClient) -> None:
    backend = QdrantServerBackend(client=client)
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, [1])
    order = [
        (name, given[0])
        for name, given, _ in client.calls
        if name in ("create_collection", "create_payload_index", "upsert")
    ]
    for collection in ("securevec-8", "securevec-places"):
        assert [name for name, where in order if where == collection][:3] == [
            "create_collection",
            "create_payload_index",
            "create_payload_index",
        ]
    tenant = next(given for name, given, _ in client.calls if name == "create_payload_index" and given[1] == "t")
    assert tenant[2].is_tenant is True


def test_tags_are_stamped_last_on_qdrant_local_mode(backend: QdrantServerBackend, client: WatchedClient) -> None:
    point = a_point(MINE, 50)
    bare = type(point)(point.id, point.vector, {"n": 50})
    backend.insert(namespace=MINE, points=[bare])
    stored = backend.fetch(namespace=MINE, ids=[point.id])[0].payload
    assert (stored["t"], stored["c"]) == (MINE.tenant_tag, MINE.collection_tag)


def test_a_taken_id_is_noticed_by_reading_back_on_qdrant_local_mode(backend: QdrantServerBackend) -> None:
    with pytest.raises(BackendError):
        fill(backend, MINE, [20, 11])
    assert numbers(backend.fetch(namespace=THEIRS, ids=[an_id(11)])) == [11]
    assert backend.fetch(namespace=MINE, ids=[an_id(11)]) == []


def test_a_row_of_another_tenant_in_an_answer_is_loud_on_qdrant_local_mode(
    backend: QdrantServerBackend, client: WatchedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server whose filter fails (it has happened) must not be believed."""
    honest = type(client).scroll

    def leaking(self: WatchedClient, name: str, **named: Any) -> Any:
        if name == "securevec-8":
            named["scroll_filter"] = None
        return honest(self, name, **named)

    monkeypatch.setattr(type(client), "scroll", leaking)
    with pytest.raises(BackendError):
        backend.scan(namespace=MINE, where=None, cursor=None, limit=50)
    with pytest.raises(BackendError):
        backend.fetch(namespace=MINE, ids=[an_id(number) for number in range(30)])


def test_another_process_knows_the_dimension_on_qdrant_local_mode(
    backend: QdrantServerBackend, client: WatchedClient
) -> None:
    other = QdrantServerBackend(client=client)
    assert held(other, MINE) == set(range(5))
    with pytest.raises(VectorError):
        other.ensure(namespace=MINE, spec=CollectionSpec(16))
    other.ensure(namespace=a_namespace("third"), spec=CollectionSpec(16))
    assert held(other, a_namespace("third")) == set()
    with pytest.raises(VectorError):
        other.query(namespace=a_namespace("third"), vector=a_vector(1), where=None, limit=1)


def test_points_without_a_place_are_still_listed_on_qdrant_local_mode(
    backend: QdrantServerBackend, client: WatchedClient
) -> None:
    backend.drop(namespace=MINE)
    assert set(backend.namespaces()) == {THEIRS.tenant_tag}
    orphan = {"t": MINE.tenant_tag, "c": MINE.collection_tag}
    client.upsert("securevec-8", [PointStruct(id=1, vector=[1.0] * 8, payload=orphan)])
    assert set(backend.namespaces()) == {MINE.tenant_tag, THEIRS.tenant_tag}


def test_removal_claims_nothing_about_bytes_on_qdrant_local_mode(backend: QdrantServerBackend) -> None:
    for report in (backend.purge(namespace=MINE), backend.drop(namespace=MINE)):
        assert report.bytes_removed is None
        assert "vacuum" in report.residual


def test_a_server_that_ignores_conditional_writes_is_refused_on_qdrant_local_mode(
    client: WatchedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, good = ("1.15.9", "1.17.0", "?"), ("1.17.1", "2.0.0-rc1")
    for version, accepted in [*((each, False) for each in old), *((each, True) for each in good)]:
        answer = VersionInfo(title="qdrant", version=version)

        def info(_: object, answer: VersionInfo = answer) -> VersionInfo:
            return answer

        monkeypatch.setattr(type(client), "info", info)
        backend = QdrantServerBackend(client=client)
        if accepted:
            backend.ensure(namespace=MINE, spec=SPEC)
        else:
            with pytest.raises(BackendError):
                backend.ensure(namespace=MINE, spec=SPEC)


def test_a_forked_child_does_not_share_the_connection_on_qdrant_local_mode(backend: QdrantServerBackend) -> None:
    child = os.fork()
    if child == 0:
        verdict = 1
        try:
            with pytest.raises(EngineForked):
                backend.count(namespace=MINE)
            with pytest.raises(EngineForked):
                list(backend.namespaces())
            verdict = 0
        finally:
            os._exit(verdict)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert held(backend, MINE) == set(range(5))


@pytest.mark.parametrize("prefix", ["", "A", "a-b", "a.b", "../a", "a" * 33])
def test_a_prefix_that_could_name_other_collections_is_refused(client: WatchedClient, prefix: str) -> None:
    with pytest.raises(ConfigError):
        QdrantServerBackend(client=client, prefix=prefix)


class AtOnce(QdrantClient):
    """Local mode that lets something happen right before or right after a data call, as another process would."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.before: dict[str, Callable[[], object]] = {}

    def upsert(self, *given: Any, **named: Any) -> Any:
        self.before.pop("upsert", lambda: None)()
        found = super().upsert(*given, **named)
        self.before.pop("after upsert", lambda: None)()
        return found

    def delete(self, *given: Any, **named: Any) -> Any:
        self.before.pop(f"delete in {given[0]}", lambda: None)()
        return super().delete(*given, **named)


@pytest.fixture
def two_processes() -> Iterator[tuple[AtOnce, QdrantServerBackend, QdrantServerBackend]]:
    client = AtOnce()
    first, second = QdrantServerBackend(client=client), QdrantServerBackend(client=client)
    for namespace in (MINE, THEIRS):
        first.ensure(namespace=namespace, spec=SPEC)
        fill(first, namespace, [1] if namespace is MINE else [11])
        second.count(namespace=namespace)
    yield client, first, second
    client.close()


def test_an_insert_after_another_process_dropped_the_place_fails_on_qdrant_local_mode(
    two_processes: tuple[AtOnce, QdrantServerBackend, QdrantServerBackend],
) -> None:
    _, first, second = two_processes
    first.drop(namespace=MINE)
    with pytest.raises(BackendError, match="no place"):
        fill(second, MINE, [2])
    assert first.count(namespace=MINE) == second.count(namespace=MINE) == 0
    assert list(first.namespaces()) == [THEIRS.tenant_tag]


@pytest.mark.parametrize("moment", ["upsert", "after upsert"])
def test_an_insert_that_races_a_drop_leaves_no_point_on_qdrant_local_mode(
    two_processes: tuple[AtOnce, QdrantServerBackend, QdrantServerBackend], moment: str
) -> None:
    client, first, second = two_processes
    client.before[moment] = lambda: first.drop(namespace=MINE)
    with pytest.raises(BackendError):
        fill(second, MINE, [2])
    assert first.count(namespace=MINE) == second.count(namespace=MINE) == 0
    assert held(first, THEIRS) == {11}


def test_a_drop_that_races_an_insert_leaves_no_point_on_qdrant_local_mode(
    two_processes: tuple[AtOnce, QdrantServerBackend, QdrantServerBackend],
) -> None:
    """The whole insert, its last look at the place included, happens right before the place is removed."""
    client, first, second = two_processes
    client.before["delete in securevec-places"] = lambda: fill(second, MINE, [2])
    first.drop(namespace=MINE)
    assert first.count(namespace=MINE) == second.count(namespace=MINE) == 0


def test_points_without_a_place_are_counted_read_deleted_and_dropped_on_qdrant_local_mode(
    two_processes: tuple[AtOnce, QdrantServerBackend, QdrantServerBackend],
) -> None:
    """What a removal cut short leaves: a check must not find nothing because it looks nowhere."""
    _, first, _ = two_processes
    fill(first, MINE, [2, 3])
    first._places.remove((MINE, "shared"))
    assert first.count(namespace=MINE) == 3
    assert numbers(first.fetch(namespace=MINE, ids=[an_id(1), an_id(2)])) == [1, 2]
    first.delete(namespace=MINE, ids=[an_id(1), an_id(11)])
    assert first.count(namespace=MINE) == 2
    assert first.drop(namespace=MINE).points == 2
    assert first.count(namespace=MINE) == 0
    assert held(first, THEIRS) == {11}
