"""Sealed values beside Chroma's files: nothing is answered without them, nothing is left of them, and what somebody
else put into their file is not run and not believed."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from securevec.bench.data import corpus
from securevec.bench.sides import open_cases, open_store
from securevec.errors import BackendError, OutcomeUnknown
from securevec.store import SecureStore
from securevec.testing.conformance_case import SPEC, a_point, a_vector, an_id, fill, held
from securevec.types import ProtectedPoint, Scalar

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from chromadb.api.rust import RustBindingsAPI

from securevec_chroma import sealed
from securevec_chroma.persistent import VERSION, ChromaPersistentBackend
from securevec_chroma.place import Place
from securevec_chroma.sealed import FILE, Kept, SealedFile
from tests.support.chroma_files import PLACE, open_place

BODY = "body-of-a-point-4471"
VAULT = "vault-of-a-point-4471"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "chroma"


@pytest.fixture
def backend(root: Path) -> Iterator[ChromaPersistentBackend]:
    with open_place(root) as opened:
        yield opened


def sealed_point(number: int, **more: Scalar) -> ProtectedPoint:
    values: dict[str, Scalar] = {"f_a": 1.5, "f_b": True, "b": f"{BODY}-{number}" * 100, "v": f"{VAULT}-{number}"}
    return a_point(PLACE, number, values | more)


def file_of(root: Path) -> Path:
    (path,) = root.glob(f"{PLACE.shard}/gen-*/{FILE}")
    return path


def nothing(*_: object) -> None:
    """In place of a step that is left out."""


def rows(root: Path) -> int:
    """Rows of the file of a store that is closed."""
    connection = sqlite3.connect(file_of(root))
    try:
        return int(connection.execute("SELECT count(*) FROM kept").fetchone()[0])
    finally:
        connection.close()


def place_of(backend: ChromaPersistentBackend) -> Place:
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        return shard.place(PLACE)


def change(root: Path, *statements: str) -> None:
    connection = sqlite3.connect(file_of(root))
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def test_sealed_values_are_not_given_to_chroma_and_come_back_by_every_way(
    backend: ChromaPersistentBackend, root: Path
) -> None:
    points = [sealed_point(number) for number in range(3)]
    backend.insert(namespace=PLACE, points=points)
    wanted = {point.id: dict(point.payload) for point in points}
    found = backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=3)
    assert {point.id: dict(point.payload) for point in found} == wanted
    assert {point.id: dict(point.payload) for point in backend.fetch(namespace=PLACE, ids=list(wanted))} == wanted
    page = backend.scan(namespace=PLACE, where=None, cursor=None, limit=10)
    assert {point.id: dict(point.payload) for point in page.points} == wanted
    short = backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1, exclude=("v",))
    assert dict(short[0].payload) == {key: value for key, value in points[1].payload.items() if key != "v"}
    backend.close()
    for name in ("chroma.sqlite3", FILE):
        raw = (file_of(root).parent / name).read_bytes()
        assert (BODY.encode() in raw, VAULT.encode() in raw) == (name == FILE,) * 2


def test_no_point_is_stored_before_what_it_holds_is_on_disk(
    backend: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(SealedFile, "put", full)
        with pytest.raises(BackendError):
            fill(backend, PLACE, [1])
    assert backend.count(namespace=PLACE) == 0
    fill(backend, PLACE, [1])
    assert held(backend, PLACE) == {1}


def test_a_log_that_was_left_is_on_the_disk_before_its_rows_are_believed(
    backend: ChromaPersistentBackend, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(backend, PLACE, [1])
    shutil.copytree(root, left := tmp_path / "left")  # as a kill leaves it
    asked: list[str] = []

    def fails(path: Path) -> None:
        asked.append(path.name)
        raise OSError(errno.EIO, "input/output error")

    after = ChromaPersistentBackend(left)
    with monkeypatch.context() as patched:
        patched.setattr(sealed, "write_again", fails)
        with pytest.raises(BackendError, match="Input/output error"):
            after.count(namespace=PLACE)
    assert asked == [f"{FILE}-wal"]
    assert held(after, PLACE) == {1}
    after.close()


def test_a_row_that_a_killed_write_left_answers_nobody_and_goes_with_its_id(
    backend: ChromaPersistentBackend, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(backend, PLACE, [1])

    def killed(**_: object) -> bool:
        raise RuntimeError("the end of the process")

    with monkeypatch.context() as patched:
        patched.setattr(place_of(backend)._api, "_add", killed)
        for number in (2, 3):
            with pytest.raises(BackendError):
                backend.insert(namespace=PLACE, points=[sealed_point(number)])
    assert held(backend, PLACE) == {1}
    assert backend.fetch(namespace=PLACE, ids=[an_id(2)]) == []
    assert len(backend.query(namespace=PLACE, vector=a_vector(2), where=None, limit=5)) == 1
    backend.insert(namespace=PLACE, points=[sealed_point(3)])  # as a repeated write does
    assert held(backend, PLACE) == {1, 3}
    backend.delete(namespace=PLACE, ids=[an_id(2)])  # as recovery does
    backend.close()
    assert rows(root) == 2


def test_a_row_without_a_point_is_gone_after_a_purge(
    backend: ChromaPersistentBackend, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1), sealed_point(2)])
    with monkeypatch.context() as patched:
        patched.setattr(SealedFile, "remove", nothing)
        backend.delete(namespace=PLACE, ids=[an_id(1)])
    backend.close()
    assert f"{VAULT}-1".encode() in file_of(root).read_bytes(), "positive control"
    again = ChromaPersistentBackend(root)
    assert again.purge(namespace=PLACE).bytes_removed
    assert held(again, PLACE) == {2}
    again.close()
    files = {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert [name for name, raw in files.items() if f"{VAULT}-1".encode() in raw] == []
    assert [name for name, raw in files.items() if f"{VAULT}-2".encode() in raw] == [FILE]


def test_a_deleted_points_sealed_values_are_overwritten_with_it(backend: ChromaPersistentBackend, root: Path) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(number) for number in range(20)])
    backend.close()
    assert f"{VAULT}-7".encode() in file_of(root).read_bytes(), "positive control"
    again = ChromaPersistentBackend(root)
    again.delete(namespace=PLACE, ids=[an_id(7)])
    again.close()
    assert rows(root) == 19
    assert f"{VAULT}-7".encode() not in file_of(root).read_bytes()


def test_rows_that_stay_behind_a_delete_are_noticed(
    backend: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    sealed = place_of(backend)._sealed
    assert sealed is not None
    monkeypatch.setattr(sealed, "_connection", _Keeping(sealed._connection))
    with pytest.raises(BackendError, match="still holds sealed values"):
        backend.delete(namespace=PLACE, ids=[an_id(1)])


class _Keeping:
    """A connection that deletes nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def executemany(self, statement: str, values: object) -> None:
        assert statement.startswith("DELETE")


def test_a_copy_that_lost_sealed_values_does_not_take_the_originals_place(
    backend: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    with monkeypatch.context() as patched:
        patched.setattr(SealedFile, "put", nothing)
        with pytest.raises(BackendError, match="did not keep"):
            backend.purge(namespace=PLACE)
    assert backend.fetch(namespace=PLACE, ids=[an_id(1)])[0].payload == sealed_point(1).payload


PLANTED: dict[str, tuple[str, ...]] = {
    "a trigger": ("CREATE TRIGGER kept_too AFTER INSERT ON kept BEGIN DELETE FROM kept; END",),
    "a view": ("ALTER TABLE kept RENAME TO other", "CREATE VIEW kept AS SELECT id, b, v, clear FROM other"),
    "another table": ("CREATE TABLE more (id)",),
    "a looser table": ("DROP TABLE kept", "CREATE TABLE kept (id BLOB, b, v, clear BLOB)"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_file_of_another_shape_is_refused(backend: ChromaPersistentBackend, root: Path, planted: str) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    change(root, *PLANTED[planted])
    again = ChromaPersistentBackend(root)
    with pytest.raises(BackendError, match="another shape"):
        again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1)
    with pytest.raises(BackendError, match="another shape"):
        again.insert(namespace=PLACE, points=[sealed_point(2)])
    again.close()


def test_a_file_that_is_no_database_is_refused(backend: ChromaPersistentBackend, root: Path) -> None:
    fill(backend, PLACE, [1])
    backend.close()
    file_of(root).write_bytes(b"nothing of ours" * 1000)
    again = ChromaPersistentBackend(root)
    with pytest.raises(BackendError):
        again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1)
    again.close()


def test_a_point_whose_row_is_taken_away_has_no_body(backend: ChromaPersistentBackend, root: Path) -> None:
    """What has no body is judged a violation above."""
    backend.insert(namespace=PLACE, points=[sealed_point(1), sealed_point(2)])
    backend.close()
    change(root, f"DELETE FROM kept WHERE id = x'{an_id(1).hex}'")
    again = ChromaPersistentBackend(root)
    found = {point.id: point.payload for point in again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=2)}
    assert [point for point, payload in found.items() if "b" in payload] == [an_id(2)]
    (fetched,) = again.fetch(namespace=PLACE, ids=[an_id(1)])
    assert not {"b", "v"} & set(fetched.payload)
    again.close()


@pytest.mark.parametrize("clear", ["x'c1'", "x''", "x'93010203'", "x'81'", "'text'", "7"])
def test_clear_copies_that_cannot_be_read_are_none(backend: ChromaPersistentBackend, root: Path, clear: str) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    change(root, f"UPDATE kept SET clear = {clear}")
    again = ChromaPersistentBackend(root)
    (found,) = again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1)
    assert set(found.payload) == {"b", "v", "t", "c"}
    (fetched,) = again.fetch(namespace=PLACE, ids=[an_id(1)])
    assert dict(fetched.payload) == dict(sealed_point(1).payload), "by id, clear copies are what Chroma filters by"
    again.close()


def test_a_search_counts_a_record_whose_sealed_values_were_taken_away(tmp_path: Path) -> None:
    data = corpus(6, 1, 8)

    def opened() -> SecureStore:
        return open_store(tmp_path, "chroma", 8)

    with opened() as store:
        open_cases(store).ingest(data.records(0, 6), vectors=data.vectors, vectors_of="anonymized_text")
    (path,) = (tmp_path / "home").rglob(FILE)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM kept WHERE rowid = 1")
    connection.commit()
    connection.close()
    with opened() as store:
        found = open_cases(store).search(vector=data.questions[0], k=6)
        assert (len(found), found.violations) == (5, 1)


def test_an_ingest_that_failed_between_both_files_leaves_no_sealed_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = corpus(6, 1, 8)
    put: list[int] = []
    honest = SealedFile.put

    def counted(self: SealedFile, given: Sequence[tuple[UUID, Kept]]) -> None:
        put.append(len(given))
        honest(self, given)

    def killed(*_: object, **__: object) -> bool:
        raise RuntimeError("the engine failed")

    with open_store(tmp_path, "chroma", 8) as store:
        cases = open_cases(store)
        cases.ingest(data.records(0, 3), vectors=data.vectors[:3], vectors_of="anonymized_text")
        with monkeypatch.context() as patched:
            patched.setattr(SealedFile, "put", counted)
            patched.setattr(RustBindingsAPI, "_add", killed)
            with pytest.raises(OutcomeUnknown):
                cases.ingest(data.records(3, 6), vectors=data.vectors[3:], vectors_of="anonymized_text")
        assert put == [3], "positive control: their rows were written"
        assert len(cases.search(vector=data.questions[0], k=6)) == 3
    (path,) = (tmp_path / "home").rglob(FILE)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (3,)
    connection.close()
    with open_store(tmp_path, "chroma", 8) as store:
        cases = open_cases(store)
        cases.ingest(data.records(3, 6), vectors=data.vectors[3:], vectors_of="anonymized_text")
        assert len(cases.search(vector=data.questions[0], k=6)) == 6


def first_format(root: Path) -> ChromaPersistentBackend:
    """A store as the first format has it: everything in Chroma's metadata."""
    made = ChromaPersistentBackend(root)
    made.ensure(namespace=PLACE, spec=SPEC)
    made.close()
    sealed = file_of(root)
    sealed.unlink()
    connection = sqlite3.connect(sealed.with_name("chroma.sqlite3"))
    assert connection.execute("DELETE FROM collection_metadata WHERE key = 'sealed'").rowcount == 1
    assert connection.execute("UPDATE collection_metadata SET int_value = 1 WHERE key = 'securevec'").rowcount == 1
    connection.commit()
    connection.close()
    (root / "VERSION").write_text("securevec-chroma 1\n")
    return ChromaPersistentBackend(root)


def test_a_store_of_the_first_format_is_served_and_a_purge_moves_it(root: Path) -> None:
    old = first_format(root)
    assert (root / "VERSION").read_text() == VERSION
    points = {an_id(number): dict(sealed_point(number).payload) for number in range(4)}
    old.insert(namespace=PLACE, points=[sealed_point(number) for number in range(4)])
    ways: list[Callable[[ChromaPersistentBackend], Mapping[object, object]]] = [
        lambda each: {point.id: dict(point.payload) for point in each.fetch(namespace=PLACE, ids=list(points))},
        lambda each: {
            point.id: dict(point.payload)
            for point in each.query(namespace=PLACE, vector=a_vector(1), where=None, limit=4)
        },
    ]
    assert [way(old) for way in ways] == [points] * 2
    assert not list(root.rglob(FILE)), "written as the shard is"
    old.purge(namespace=PLACE)
    assert [way(old) for way in ways] == [points] * 2
    old.close()
    assert rows(root) == 4
    again = ChromaPersistentBackend(root)
    assert [way(again) for way in ways] == [points] * 2
    again.close()
    assert BODY.encode() not in (file_of(root).parent / "chroma.sqlite3").read_bytes()
