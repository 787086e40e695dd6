"""Stores of other programs: read whole, never written to, and nothing in them is run."""

from __future__ import annotations

import base64
import contextlib
import pickle
import sqlite3
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_client", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from securevec.discovery import open_source
from securevec.errors import BackendError, ConfigError, EngineLocked, SourceError
from securevec.foreign import ForeignStore
from tests.support.chroma_server import chroma_server, free_port
from tests.support.foreign import (
    chroma_add,
    chroma_collection,
    chroma_files,
    digests,
    edge_shard,
    qdrant_files,
    qdrant_fill,
    qdrant_stub,
)

IDS = [f"00000000-0000-4000-8000-{number:012}" for number in range(700)]
POINTS = [(key, {"text": f"text {at}", "tenant": "acme", "n": at}) for at, key in enumerate(IDS)]
"""More than two pages."""


def read(store: ForeignStore, name: str) -> dict[Any, dict[str, Any]]:
    points = [point for page in store.pages(name) for point in page]
    found = {point.key: dict(point.fields) for point in points}
    assert len(found) == len(points), "a point was read twice"
    return found


def bulk(collection: Any) -> None:
    texts = [str(body["text"]) for _, body in POINTS]
    bodies = [{"tenant": "acme", "n": at} for at in range(len(POINTS))]
    collection.add(ids=IDS, embeddings=[[0.6, 0.8]] * len(IDS), documents=texts, metadatas=bodies)


@contextlib.contextmanager
def chroma_directory(root: Path) -> Generator[str]:
    with chroma_files(root / "old") as client:
        bulk(client.create_collection("docs", embedding_function=None))
    yield f"chroma:{root / 'old'}"


@contextlib.contextmanager
def chroma_over_http(root: Path) -> Generator[str]:
    with chroma_directory(root), chroma_server(root / "old") as (url, _):
        yield url


@contextlib.contextmanager
def local_mode(root: Path) -> Generator[str]:
    yield f"qdrant:{qdrant_files(root / 'old', 'docs', POINTS)}"


@contextlib.contextmanager
def edge(root: Path) -> Generator[str]:
    yield f"qdrant:{edge_shard(root / 'docs', POINTS)}"


@contextlib.contextmanager
def memory_behind_a_stub(root: Path) -> Generator[str]:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    qdrant_fill(client, "docs", POINTS)
    with qdrant_stub(client) as (url, _):
        yield url


KINDS = [chroma_directory, chroma_over_http, local_mode, edge, memory_behind_a_stub]


@pytest.mark.parametrize("kind", KINDS)
def test_every_point_is_read_once_with_all_its_fields(
    kind: Callable[[Path], contextlib.AbstractContextManager[str]], tmp_path: Path
) -> None:
    with kind(tmp_path) as url, contextlib.closing(open_source(url)) as store:
        [docs] = store.collections()
        assert (docs.name, docs.count, docs.ours, docs.functions) == ("docs", len(POINTS), False, ())
        assert [vector.dimension for vector in docs.vectors] == [2]
        assert docs.vectors[0].distance in ("cosine", "l2")
        text = "document" if "chroma" in url else "text"
        wanted = {key: {text: body["text"], "tenant": "acme", "n": body["n"]} for key, body in POINTS}
        assert read(store, "docs") == wanted
        with pytest.raises(BackendError):
            read(store, "elsewhere")


@pytest.mark.parametrize("kind", [chroma_directory, local_mode, edge])
def test_reading_files_changes_no_byte_and_no_time(
    kind: Callable[[Path], contextlib.AbstractContextManager[str]], tmp_path: Path
) -> None:
    with kind(tmp_path) as url:
        before = digests(tmp_path)
        assert len(before) >= 2
        with contextlib.closing(open_source(url)) as store:
            assert len(read(store, store.collections()[0].name)) == len(POINTS)
        assert digests(tmp_path) == before


def test_a_chroma_server_is_asked_only_what_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    send = httpx.Client.send

    def recorded(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return send(client, request, **options)

    with chroma_over_http(tmp_path) as url:
        monkeypatch.setattr(httpx.Client, "send", recorded)
        with contextlib.closing(open_source(url)) as store:
            read(store, store.collections()[0].name)
    assert len(asked) > 5
    for line in asked:
        method, path = line.split()
        assert method == "GET" or (method == "POST" and path.endswith("/get")), line


def test_a_qdrant_stub_over_memory_is_asked_only_what_answers() -> None:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    qdrant_fill(client, "docs", POINTS)
    with qdrant_stub(client) as (url, asked), contextlib.closing(open_source(url)) as store:
        read(store, store.collections()[0].name)
    assert set(asked) == {
        "GET /collections",
        "GET /collections/docs",
        "POST /collections/docs/points/count",
        "POST /collections/docs/points/scroll",
    }


def test_a_pickle_that_names_code_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"

    class Payload:
        def __reduce__(self) -> tuple[Any, tuple[Path]]:
            return Path.touch, (mark,)

    directory = qdrant_files(tmp_path / "old", "docs", [(1, {"text": "hello"})])
    database = sqlite3.connect(directory / "collection" / "docs" / "storage.sqlite")
    key = base64.b64encode(pickle.dumps(2)).decode()
    database.execute("INSERT INTO points VALUES (?, ?)", (key, pickle.dumps(Payload())))
    database.commit()
    database.close()
    with contextlib.closing(open_source(f"qdrant:{directory}")) as store, pytest.raises(BackendError, match="code"):
        read(store, "docs")
    assert not mark.exists()


def test_local_mode_is_read_while_its_program_runs(tmp_path: Path) -> None:
    from qdrant_client import QdrantClient

    client = QdrantClient(path=str(tmp_path))
    qdrant_fill(client, "docs", POINTS[:3])
    with contextlib.closing(open_source(f"qdrant:{tmp_path}")) as store:
        assert len(read(store, "docs")) == 3
    client.close()


def test_a_shard_in_use_is_refused_and_its_program_goes_on(tmp_path: Path) -> None:
    from qdrant_edge import CountRequest, EdgeShard, Point, UpdateOperation

    place = edge_shard(tmp_path / "docs", POINTS[:3])
    owner = EdgeShard.load(str(place))
    with contextlib.closing(open_source(f"edge:{place}")) as store, pytest.raises(EngineLocked):
        store.collections()
    owner.update(UpdateOperation.upsert_points([Point(7, [0.6, 0.8], {"text": "more"})]))
    owner.flush()
    assert owner.count(CountRequest(exact=True)) == 4
    owner.close()


def test_the_copy_of_a_shard_has_no_name_while_it_is_read_and_a_dead_process_s_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "tmp"
    (copies / "securevec-copy-999999999-x").mkdir(parents=True)
    (copies / "securevec-copy-1-x").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    place = edge_shard(tmp_path / "docs", POINTS[:3])
    with contextlib.closing(open_source(f"edge:{place}")) as store:
        pages = store.pages("docs")
        assert len(next(pages)) == 3
        assert [entry.name for entry in copies.iterdir()] == ["securevec-copy-1-x"]


def test_writes_that_chroma_has_not_applied_are_not_passed_over(tmp_path: Path) -> None:
    with chroma_files(tmp_path / "old") as client:
        docs = chroma_collection(client, "docs", POINTS[:2])
        topic = f"persistent://default/default/{docs.id}"
    database = sqlite3.connect(tmp_path / "old" / "chroma.sqlite3")
    database.execute(
        "INSERT INTO embeddings_queue (seq_id, operation, topic, id, metadata) VALUES (99, 0, ?, 'late', '{}')",
        (topic,),
    )
    database.commit()
    database.close()
    with (
        contextlib.closing(open_source(f"chroma:{tmp_path / 'old'}")) as store,
        pytest.raises(BackendError, match="applied"),
    ):
        read(store, "docs")


def test_chroma_files_keep_types_lists_and_other_databases(tmp_path: Path) -> None:
    import chromadb
    from chromadb.config import Settings

    with chroma_files(tmp_path / "old") as client:
        docs = chroma_collection(client, "docs", [("a", {"text": "t", "f": 1.5, "i": 2, "b": True})])
        chroma_add(docs, [("b", {"text": None, "tags": ["x", "y"]})])
        admin: Any = chromadb.AdminClient(
            client.get_settings() if hasattr(client, "get_settings") else client._system.settings
        )
        admin.create_database("second")
    settings = Settings(anonymized_telemetry=False)
    other: Any = chromadb.PersistentClient(str(tmp_path / "old"), settings, database="second")
    chroma_collection(other, "docs", [("c", {"text": "other"})])
    other.close()
    with contextlib.closing(open_source(f"chroma:{tmp_path / 'old'}")) as store:
        assert [each.name for each in store.collections()] == ["docs", "default_tenant/second/docs"]
        assert read(store, "docs") == {
            "a": {"document": "t", "f": 1.5, "i": 2, "b": True},
            "b": {"tags": ["x", "y"]},
        }
        assert read(store, "default_tenant/second/docs") == {"c": {"document": "other"}}
        assert 'database="second"' in store.collections()[1].drop


def test_a_stored_embedding_function_is_named_and_never_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chromadb.utils.embedding_functions import DefaultEmbeddingFunction

    with chroma_files(tmp_path / "old") as client:
        client.create_collection("docs", embedding_function=DefaultEmbeddingFunction())

    def made(*_: object, **__: object) -> None:
        raise AssertionError("an embedding function was made")

    with chroma_server(tmp_path / "old") as (url, _):
        monkeypatch.setattr(DefaultEmbeddingFunction, "__init__", made)
        monkeypatch.setattr(DefaultEmbeddingFunction, "build_from_config", made)
        for location in (f"chroma:{tmp_path / 'old'}", url):
            with contextlib.closing(open_source(location)) as store:
                assert store.collections()[0].functions == ("default",)
                assert read(store, "docs") == {}


def test_addresses_that_are_none_are_refused_by_name(tmp_path: Path) -> None:
    refused: Iterator[tuple[str, type[Exception]]] = iter(
        [
            ("chroma", ConfigError),
            ("nowhere:/tmp", ConfigError),
            (f"chroma:{tmp_path}", SourceError),
            (f"chroma:{tmp_path / 'absent'}", SourceError),
            (f"qdrant:{tmp_path}", SourceError),
            (f"edge:{tmp_path}", SourceError),
            ("edge://host", ConfigError),
            ("http://db.example.com:6333", ConfigError),
            ("qdrants://db.example.com:6333", ConfigError),
            ("chromas://db.example.com", ConfigError),
        ]
    )
    for location, error in refused:
        with pytest.raises(error):
            open_source(location)
    for location in (f"chroma://127.0.0.1:{free_port()}", f"qdrant://127.0.0.1:{free_port()}"):
        with contextlib.closing(open_source(location)) as store, pytest.raises(BackendError):
            store.collections()
