"""Chroma that drops an operation in silence, or answers less than it was asked: noticed in the process and at a server.

The engine and the server are the real ones; one call of the engine is replaced at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest

from securevec.errors import BackendError, HybridUnavailable, RecordError
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, everything, fill, held
from securevec.types import NO_TERMS, Namespace, Terms
from tests.support.chroma_files import PLACE, open_place
from tests.support.chroma_server import chroma_server

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_adapters.address import Address
from securevec_chroma.client import MARK, connect, create
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.place import Place
from securevec_chroma.sealed import Kept, SealedFile
from securevec_chroma.server import ChromaServerBackend

Backend = ChromaPersistentBackend | ChromaServerBackend
TERMS = Terms(np.array([1], dtype=np.uint32), np.array([1.0], dtype=np.float32))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma_server(tmp_path_factory.mktemp("chroma") / "files") as (url, _):
        yield url


@pytest.fixture
def served(address: str) -> Iterator[ChromaServerBackend]:
    opened = ChromaServerBackend(address)
    opened.drop(namespace=PLACE)
    opened.ensure(namespace=PLACE, spec=SPEC)
    yield opened
    opened.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[ChromaPersistentBackend]:
    with open_place(tmp_path / "chroma") as opened:
        yield opened


@pytest.fixture(params=["embedded", "served"])
def backend(request: pytest.FixtureRequest) -> Backend:
    found: Backend = request.getfixturevalue(request.param)
    fill(found, PLACE, range(3))
    return found


def api_of(backend: Backend) -> Any:
    if isinstance(backend, ChromaServerBackend):
        return backend._client.api
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        return shard.place(PLACE)._api


def nothing(*_: object, **__: object) -> None: ...


def test_a_deletion_that_was_dropped_is_noticed_by_who_deletes_and_by_who_replaces(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_of(backend), "_delete", nothing)
    with pytest.raises(BackendError, match="still holds points"):
        backend.delete(namespace=PLACE, ids=[an_id(1)])
    with pytest.raises(BackendError, match="still holds points"):
        backend.insert(namespace=PLACE, points=[a_point(PLACE, 1, {"b": "new"})])
    monkeypatch.undo()
    backend.delete(namespace=PLACE, ids=[an_id(1)])
    assert held(backend, PLACE) == {0, 2}


@pytest.mark.parametrize("absent", ["metadatas", "distances"])
def test_a_search_that_is_answered_with_half_of_what_it_asked_for_is_none(
    served: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    fill(served, PLACE, [1])
    api = api_of(served)
    honest = api._query
    answers: list[object] = [None, [[]], []]
    for said in answers:

        def answer(said: object = said, **asked: Any) -> Any:
            return {**honest(**asked), absent: said}

        monkeypatch.setattr(api, "_query", answer)
        with pytest.raises(BackendError, match="answered a search without" if said is None else "failed"):
            served.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1)


@pytest.mark.parametrize(
    ("name", "said"), [("mine", "not a UUID"), (an_id(9).hex.upper(), "spelled"), (str(an_id(9)), "spelled")]
)
def test_a_point_that_somebody_put_there_under_an_id_of_his_own_is_loud(backend: Backend, name: str, said: str) -> None:
    found = next(iter(everything(backend, PLACE)))
    assert isinstance(found.id, UUID)
    api = api_of(backend)
    place = api.get_collection(PLACE.shard).id
    api._add(ids=[name], collection_id=place, embeddings=[a_vector(9).tolist()], metadatas=[{"n-int": 9}])
    if isinstance(backend, ChromaPersistentBackend):
        backend.delete(namespace=PLACE, ids=[an_id(99)])  # whoever scans keeps a list until somebody writes
    with pytest.raises(BackendError, match=said):
        everything(backend, PLACE)
    with pytest.raises(BackendError, match=said):
        backend.query(namespace=PLACE, vector=a_vector(9), where=None, limit=4)


def test_ids_and_terms_that_are_none_are_refused_before_anything_is_written(backend: Backend) -> None:
    for call in (
        lambda: backend.fetch(namespace=PLACE, ids=cast("Any", [str(an_id(1))])),
        lambda: backend.delete(namespace=PLACE, ids=cast("Any", [an_id(1), an_id(2).hex])),
        lambda: backend.insert(
            namespace=PLACE, points=[a_point(PLACE, 8), replace(a_point(PLACE, 9), id=cast("Any", "9" * 32))]
        ),
    ):
        with pytest.raises(RecordError):
            call()
    with pytest.raises(HybridUnavailable):
        backend.insert(namespace=PLACE, points=[a_point(PLACE, 8), replace(a_point(PLACE, 9), terms=TERMS)])
    for terms in (TERMS, NO_TERMS):
        with pytest.raises(HybridUnavailable):
            backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1, terms=terms)
    assert held(backend, PLACE) == {0, 1, 2}


def test_a_collection_that_the_server_did_not_make_or_did_not_remove_is_noticed(
    served: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, fresh = served._client.api, a_namespace("fresh")
    monkeypatch.setattr(api, "create_collection", nothing)
    with pytest.raises(BackendError, match="did not keep a collection"):
        served.ensure(namespace=fresh, spec=SPEC)
    monkeypatch.undo()
    monkeypatch.setattr(api, "delete_collection", nothing)
    fill(served, PLACE, [1])
    with pytest.raises(BackendError, match="still answers for a collection"):
        served.drop(namespace=PLACE)
    monkeypatch.undo()
    assert served.drop(namespace=PLACE).points == 1


def test_a_collection_that_somebody_makes_in_the_same_moment_is_as_good_as_ours(
    served: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, fresh = served._client.api, a_namespace("fresh")
    honest = api.create_collection

    def refused(*given: Any, **named: Any) -> Any:
        raise ValueError("canary-5c1f exists")

    def late(*given: Any, **named: Any) -> Any:
        honest(*given, **named)
        refused()

    monkeypatch.setattr(api, "create_collection", refused)
    with pytest.raises(BackendError) as failed:
        served.ensure(namespace=fresh, spec=SPEC)
    assert "canary" not in str(failed.value)
    monkeypatch.setattr(api, "create_collection", late)
    served.ensure(namespace=fresh, spec=SPEC)
    assert held(served, fresh) == set()
    monkeypatch.undo()
    served.drop(namespace=fresh)


@pytest.mark.parametrize(
    "change", [{MARK: None}, {MARK: 3}, {MARK: "1"}, {"dimension": "8"}, {"dimension": 0}, {"dimension": None}]
)
def test_a_collection_with_our_tags_and_without_our_marks_is_refused(
    served: ChromaServerBackend, address: str, change: dict[str, Any]
) -> None:
    marks = {MARK: 1, "dimension": 8, "tenant": PLACE.tenant_tag, "collection": PLACE.collection_tag} | change
    served._client.api.delete_collection(PLACE.shard)
    served._client.api.create_collection(
        PLACE.shard,
        configuration={"hnsw": {"space": "cosine"}},
        metadata={key: value for key, value in marks.items() if value is not None},
    )
    fresh = ChromaServerBackend(address)
    with pytest.raises(BackendError, match="made by another program"):
        fresh.count(namespace=PLACE)
    fresh.close()
    served._client.api.delete_collection(PLACE.shard)


def test_a_collection_that_holds_vectors_of_another_length_than_it_says_is_refused(
    served: ChromaServerBackend, address: str
) -> None:
    api = api_of(served)
    held_there = api.get_collection(PLACE.shard).id
    api._add(ids=[an_id(1).hex], collection_id=held_there, embeddings=[[1.0] * 9], metadatas=[{"n-int": 1}])
    fresh = ChromaServerBackend(address)
    with pytest.raises(BackendError, match="another dimension"):
        fresh.count(namespace=PLACE)
    fresh.close()
    api.delete_collection(PLACE.shard)


def test_a_purge_that_was_shown_fewer_points_than_there_are_keeps_the_original(
    embedded: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(embedded, PLACE, range(5))
    honest = Place.rows

    def short(self: Place) -> Iterator[Any]:
        yield from (rows[:-1] for rows in honest(self))

    monkeypatch.setattr(Place, "rows", short)
    with pytest.raises(BackendError, match="does not hold every point"):
        embedded.purge(namespace=PLACE)
    monkeypatch.undo()
    assert held(embedded, PLACE) == set(range(5))


def test_a_place_that_could_not_be_made_leaves_nothing_and_can_be_made_again(
    embedded: ChromaPersistentBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = a_namespace("fresh")

    def failing(*given: Any, **named: Any) -> None:
        raise OSError("canary-5c1f")

    targets: list[tuple[str, Callable[..., Any]]] = [
        ("securevec_chroma.shard.create", failing),
        ("securevec_chroma.shard.SealedFile.create", failing),
    ]
    for target, put in targets:
        monkeypatch.setattr(target, put)
        with pytest.raises(BackendError) as failed:
            embedded.ensure(namespace=fresh, spec=SPEC)
        assert "canary" not in str(failed.value)
        monkeypatch.undo()
        assert list((tmp_path / "chroma").glob(".new-*")) == []
        assert fresh.shard not in set(embedded.namespaces())
    embedded.ensure(namespace=fresh, spec=SPEC)
    assert held(embedded, fresh) == set()


def test_a_write_of_sealed_values_that_fails_in_the_middle_leaves_none_of_them(tmp_path: Path) -> None:
    kept = Kept("body", None, b"\x80")
    file = SealedFile.create(tmp_path)
    with pytest.raises(Exception, match="UNIQUE"):
        file.put([(an_id(1), kept), (an_id(2), kept), (an_id(1), kept)])
    assert file.held([an_id(1), an_id(2)]) == []
    file.put([(an_id(2), kept)])
    assert file.read([an_id(1), an_id(2)]) == {an_id(2).bytes: kept}
    file.close()


def test_what_is_made_belongs_to_its_place_alone(served: ChromaServerBackend, address: str) -> None:
    """The name of one place with the marks of another, as whoever can write to the server makes it."""
    mine, theirs = a_namespace("a"), a_namespace("b")
    create(served._client.api, Namespace(mine.shard, theirs.tenant_tag, theirs.collection_tag), SPEC.dimension)
    fresh = ChromaServerBackend(address)
    with pytest.raises(BackendError, match="another place"):
        fresh.count(namespace=mine)
    fresh.close()
    served._client.api.delete_collection(mine.shard)


def test_a_write_that_failed_is_not_made_a_second_time(
    served: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a collection that is gone is looked up again: whoever wrote is told of everything else."""
    asked: list[object] = []

    def failing(self: Place, rows: object) -> None:
        asked.append(rows)
        raise BackendError("The store failed.")

    monkeypatch.setattr(Place, "insert", failing)
    with pytest.raises(BackendError):
        fill(served, PLACE, [1])
    assert len(asked) == 1


def test_a_lost_database_is_not_made_anew_by_looking_for_it(embedded: ChromaPersistentBackend, tmp_path: Path) -> None:
    fill(embedded, PLACE, [1])
    embedded.close()
    (database,) = (tmp_path / "chroma").glob(f"{PLACE.shard}/gen-*/chroma.sqlite3")
    database.unlink()
    again = ChromaPersistentBackend(tmp_path / "chroma")
    with pytest.raises(BackendError, match="missing"):
        again.count(namespace=PLACE)
    again.close()
    assert not database.exists()


def test_what_the_environment_says_is_no_part_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMA_SERVER_HEADERS", '{"x-mine": "1"}')
    monkeypatch.setenv("CHROMA_CLIENT_AUTH_CREDENTIALS", "canary")
    made = connect(Address("http", "localhost", 1), token=None, timeout_s=1.0)
    settings = made._system.settings
    assert (settings.anonymized_telemetry, settings.allow_reset) == (False, False)
    assert (settings.chroma_client_auth_provider, settings.chroma_client_auth_credentials) == (None, None)
    api: Any = made.api
    assert "x-mine" not in api.get_request_headers()
    made.close()


def test_an_engine_that_keeps_its_files_open_is_not_said_to_have_given_them_back(
    embedded: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(embedded, PLACE, range(3))
    still_open = iter([True] * 50)

    def is_open(directory: Path) -> bool:
        return next(still_open, False)

    monkeypatch.setattr("securevec_chroma.client._RELEASE_S", 0.0)
    monkeypatch.setattr("securevec_chroma.client._open_here", is_open)
    report = embedded.drop(namespace=PLACE)
    assert (report.points, report.index_removed, report.bytes_removed) == (3, True, None)
    assert "may still hold them" in report.residual
