"""Stores of other programs that are damaged, or answer without an end: an error of ours, and nothing is read twice.

Chroma's server is the real one; of Qdrant's a stub. No Qdrant server ran here."""

from __future__ import annotations

import base64
import contextlib
import os
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_client", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from securevec.discovery import open_source
from securevec.errors import BackendError
from securevec_qdrant import source_edge
from tests.support.chroma_server import chroma_server
from tests.support.foreign import chroma_files, edge_shard, qdrant_files, qdrant_fill, qdrant_stub

POINTS = [(f"00000000-0000-4000-8000-{number:012}", {"text": f"text {number}"}) for number in range(5)]


def stuck(store: Any, honest: Callable[..., Any], shift: int) -> Callable[..., Any]:
    """A server behind a cache that looks at nothing but the address of a request."""

    asks = iter(range(10))

    def scroll(name: str, **asked: Any) -> Any:
        next(asks)  # and no more than these
        found, following = honest(name, **asked)
        if shift == 2:  # round and round, over several pages
            return found, following or POINTS[0][0]
        return (found, asked["offset"] or found[0].id) if shift else ([], found[0].id)

    return scroll


def read_on(store: Any) -> None:
    for number, _ in enumerate(store.pages("docs", size=2)):
        assert number < 5, "asked again and again"


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_a_qdrant_source_whose_pages_do_not_lead_on_is_not_read_for_ever(
    monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    qdrant_fill(client, "docs", POINTS)
    with qdrant_stub(client) as (url, _), contextlib.closing(open_source(url)) as opened:
        store: Any = opened
        monkeypatch.setattr(store._client, "scroll", stuck(store, store._client.scroll, shift))
        with pytest.raises(BackendError, match="lead on"):
            read_on(store)


def test_a_chroma_source_that_answers_the_same_page_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "old"
    with chroma_files(files) as client:
        made = client.create_collection("docs", embedding_function=None)
        made.add(ids=[key for key, _ in POINTS], embeddings=[[0.6, 0.8]] * 5, metadatas=[body for _, body in POINTS])
    with chroma_server(files) as (url, _), contextlib.closing(open_source(url)) as opened:
        store: Any = opened
        api = store._client.api
        assert sum(len(page) for page in store.pages("docs", size=2)) == 5
        get, listed = api._get, api.list_collections

        def same(**asked: Any) -> Any:
            return get(**{**asked, "offset": asked["offset"] % 4})

        def endless(**asked: Any) -> Any:
            assert asked["offset"] < 100, "asked for ever"
            return listed(**{**asked, "offset": 0}) * 10

        monkeypatch.setattr(api, "_get", same)
        with pytest.raises(BackendError, match="same page"):
            read_on(store)
        monkeypatch.setattr(api, "list_collections", endless)
        monkeypatch.setattr("securevec_chroma.source_server.MOST_LISTED", 20)
        with pytest.raises(BackendError, match="more collections"):
            store.collections()


def stored(value: object) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def a_payload(payload: dict[str, object]) -> object:
    from qdrant_client.models import PointStruct

    return PointStruct.model_construct(id=POINTS[0][0], vector=[0.6, 0.8], payload=payload)


def in_itself() -> object:
    held: list[object] = []
    held.append(held)
    return held


def again_and_again() -> object:
    """A few kilobytes of a pickle that says its parts again; read as columns they are ten to the sixteenth."""
    held: dict[str, object] = {}
    for _ in range(8):
        held = {f"k{number}": held for number in range(100)}
    return held


@pytest.mark.parametrize(
    ("key", "point"),
    [
        (stored(True), None),
        (stored(1.5), None),
        (stored([1]), None),
        (base64.b64encode(b"no pickle").decode(), None),
        (None, pickle.dumps({"payload": {}})),
        (None, pickle.dumps("a point")),
        (None, pickle.dumps(a_payload({"a": in_itself()}))),
        (None, pickle.dumps(a_payload({"a": again_and_again()}))),
        (None, pickle.dumps(a_payload({"a": {1: "a"}}))),
        (None, b"no pickle"),
        (None, b""),
    ],
)
def test_a_damaged_row_of_local_mode_is_loud(tmp_path: Path, key: str | None, point: bytes | None) -> None:
    place = qdrant_files(tmp_path / "old", "docs", POINTS)
    with contextlib.closing(sqlite3.connect(place / "collection" / "docs" / "storage.sqlite")) as db, db:
        rows = db.execute("SELECT rowid, id, point FROM points ORDER BY rowid LIMIT 1").fetchall()
        (number, old_key, old_point) = rows[0]
        db.execute("UPDATE points SET id = ?, point = ? WHERE rowid = ?", (key or old_key, point or old_point, number))
        if point == b"":
            db.execute("UPDATE points SET point = ? WHERE rowid = ?", (b"", number))
    with contextlib.closing(open_source(f"qdrant:{place}")) as store, pytest.raises(BackendError):
        list(store.pages("docs"))


def test_ids_of_every_kind_that_local_mode_keeps_are_read(tmp_path: Path) -> None:
    place = qdrant_files(tmp_path / "old", "docs", POINTS)
    with contextlib.closing(sqlite3.connect(place / "collection" / "docs" / "storage.sqlite")) as db, db:
        numbers = [row[0] for row in db.execute("SELECT rowid FROM points ORDER BY rowid")]
        keys = [7, "free text", UUID(POINTS[2][0]), UUID(POINTS[3][0]).hex.upper(), POINTS[4][0]]
        for number, key in zip(numbers, keys, strict=True):
            db.execute("UPDATE points SET id = ? WHERE rowid = ?", (stored(key), number))
    with contextlib.closing(open_source(f"qdrant:{place}")) as store:
        found = [point.key for page in store.pages("docs") for point in page]
    assert found == [7, "free text", POINTS[2][0], POINTS[3][0], POINTS[4][0]]


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "a\0b", "absent"])
def test_a_collection_that_is_no_directory_of_the_source_is_not_looked_for(tmp_path: Path, name: str) -> None:
    place = qdrant_files(tmp_path / "old", "docs", POINTS)
    with contextlib.closing(open_source(f"qdrant:{place}")) as store, pytest.raises(BackendError):
        list(store.pages(name))


def test_a_shard_that_changes_while_it_is_copied_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = edge_shard(tmp_path / "old", POINTS)
    honest = source_edge._stamps

    def changing(at: Path) -> Any:
        found = honest(at)
        (at / "edge_config.json").touch()
        os.utime(at / "edge_config.json", ns=(1, len(calls)))
        calls.append(at)
        return found

    calls: list[Path] = []
    monkeypatch.setattr(source_edge, "_stamps", changing)
    with contextlib.closing(open_source(f"edge:{place}")) as store, pytest.raises(BackendError, match="changed"):
        store.collections()
    assert len(calls) == 2


def test_files_of_a_release_that_keeps_them_otherwise_are_refused(tmp_path: Path) -> None:
    with chroma_files(tmp_path / "old") as client:
        client.create_collection("docs", embedding_function=None)
    with contextlib.closing(sqlite3.connect(tmp_path / "old" / "chroma.sqlite3")) as db, db:
        db.execute("ALTER TABLE collections RENAME COLUMN dimension TO dimensions")
    with contextlib.closing(open_source(f"chroma:{tmp_path / 'old'}")) as store:
        with pytest.raises(BackendError, match="not read"):
            store.collections()
        with pytest.raises(BackendError):
            list(store.pages("docs"))


@pytest.mark.parametrize("vendor", ["chroma", "qdrant"])
def test_a_program_in_a_tables_place_is_not_run(tmp_path: Path, vendor: str) -> None:
    """A view is one, and this one does not end."""
    if vendor == "chroma":
        place, table = tmp_path / "old", "embeddings"
        with chroma_files(place) as client:
            client.create_collection("docs", embedding_function=None)
        file = place / "chroma.sqlite3"
    else:
        place, table = qdrant_files(tmp_path / "old", "docs", POINTS), "points"
        file = place / "collection" / "docs" / "storage.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        columns = ", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})"))
        db.execute(f"ALTER TABLE {table} RENAME TO was")
        ended = 300_000  # the test of a reader without the guard comes to an end
        db.execute(
            f"CREATE VIEW {table} AS WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more"
            f" LIMIT {ended}) SELECT {columns} FROM was, more WHERE n < 0"
        )
    with pytest.raises(BackendError, match="view"), contextlib.closing(open_source(f"{vendor}:{place}")) as store:
        store.collections()


def test_a_shard_with_a_link_is_no_source(tmp_path: Path) -> None:
    """What it leads to would be copied."""
    place = edge_shard(tmp_path / "old", POINTS)
    (place / "more").symlink_to("/etc/passwd")
    with contextlib.closing(open_source(f"edge:{place}")) as store, pytest.raises(BackendError, match="not a file"):
        store.collections()
