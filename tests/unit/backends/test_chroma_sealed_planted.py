"""What somebody puts in the place of the file of sealed values, or beside it: nothing hangs, no link is followed, and
what is replaced is replaced whole."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from securevec.errors import BackendError
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from securevec.types import ProtectedPoint

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.sealed import FILE, Kept, SealedFile
from tests.support.chroma_files import PLACE, open_place

VAULT = "vault-of-a-point-9182"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "chroma"


@pytest.fixture
def backend(root: Path) -> Iterator[ChromaPersistentBackend]:
    with open_place(root) as opened:
        yield opened


def sealed_point(number: int) -> ProtectedPoint:
    return a_point(PLACE, number, {"b": f"body-{number}" * 100, "v": f"{VAULT}-{number}-"})


def file_of(root: Path, shard: str = PLACE.shard) -> Path:
    (path,) = root.glob(f"{shard}/gen-*/chroma.sqlite3")
    return path.with_name(FILE)


def holding(root: Path, text: str) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def moved_away_and_linked(path: Path, outside: Path) -> None:
    path.rename(outside)
    path.symlink_to(outside)


def linked_to_nothing(path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(outside)


def a_pipe(path: Path, outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_directory(path: Path, outside: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("put", [moved_away_and_linked, linked_to_nothing, a_pipe, a_directory])
def test_what_is_no_file_of_ours_in_its_place_is_refused_and_no_link_is_followed(
    backend: ChromaPersistentBackend, root: Path, tmp_path: Path, put: Callable[[Path, Path], None]
) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    outside = tmp_path / "outside"
    put(file_of(root), outside)
    before = outside.read_bytes() if outside.exists() else None
    again = ChromaPersistentBackend(root)
    for call in (
        lambda: again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1),
        lambda: again.insert(namespace=PLACE, points=[sealed_point(2)]),
        lambda: again.purge(namespace=PLACE),
    ):
        with pytest.raises(BackendError):
            call()
    assert (outside.read_bytes() if outside.exists() else None) == before, "nothing was written through the link"
    assert again.drop(namespace=PLACE).points == 0
    assert not (root / PLACE.shard).exists(), "what cannot be read can still be erased"
    again.close()


def removed(path: Path, others: Path) -> None:
    path.unlink()


def emptied(path: Path, others: Path) -> None:
    path.write_bytes(b"")


def new_and_empty(path: Path, others: Path) -> None:
    path.unlink()
    SealedFile.create(path.parent).close()


def another_tenants(path: Path, others: Path) -> None:
    shutil.copy(others, path)


@pytest.mark.parametrize("put", [removed, emptied, new_and_empty, another_tenants])
def test_a_shard_without_its_file_passes_neither_for_one_of_the_first_format_nor_for_an_empty_one(
    backend: ChromaPersistentBackend, root: Path, put: Callable[[Path, Path], None]
) -> None:
    other = a_namespace("theirs")
    backend.ensure(namespace=other, spec=SPEC)
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    put(file_of(root), file_of(root, other.shard))
    again = ChromaPersistentBackend(root)
    calls: list[Callable[[], object]] = [
        lambda: again.ensure(namespace=PLACE, spec=SPEC),
        lambda: again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1),
        lambda: again.fetch(namespace=PLACE, ids=[an_id(1)]),
        lambda: again.scan(namespace=PLACE, where=None, cursor=None, limit=5),
        lambda: again.count(namespace=PLACE),
        lambda: again.insert(namespace=PLACE, points=[sealed_point(2)]),
        lambda: again.delete(namespace=PLACE, ids=[an_id(1)]),
        lambda: again.purge(namespace=PLACE),
    ]
    for call in calls:
        with pytest.raises(BackendError):
            call()
    assert "could not be read" in again.drop(namespace=PLACE).residual
    assert not (root / PLACE.shard).exists(), "what cannot be read can still be erased"
    assert again.count(namespace=other) == 0
    again.close()


def test_the_file_of_before_a_purge_is_not_taken_for_the_one_of_after(
    backend: ChromaPersistentBackend, root: Path, tmp_path: Path
) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    shutil.copy(file_of(root), tmp_path / FILE)
    with closing(ChromaPersistentBackend(root)) as again:
        again.purge(namespace=PLACE)
    shutil.copy(tmp_path / FILE, file_of(root))
    last = ChromaPersistentBackend(root)
    with pytest.raises(BackendError, match="not the one"):
        last.count(namespace=PLACE)
    last.close()


@pytest.mark.parametrize("name", ["chroma.sqlite3", "chroma.sqlite3-wal", "chroma.sqlite3-journal", "segment"])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_link_or_a_pipe_among_chromas_own_files_is_refused_before_the_engine_sees_it(
    backend: ChromaPersistentBackend, root: Path, tmp_path: Path, name: str, kind: str
) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    path, outside = file_of(root).with_name(name), tmp_path / "outside"
    if path.exists():
        path.rename(outside)
    else:
        outside.write_bytes(b"somebody's")
    outside.chmod(0o644)
    before = outside.read_bytes()
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(outside)
    again = ChromaPersistentBackend(root)
    with pytest.raises(BackendError):
        again.insert(namespace=PLACE, points=[sealed_point(2)])
    again.drop(namespace=PLACE)
    again.close()
    assert not (root / PLACE.shard).exists()
    assert outside.read_bytes() == before
    assert outside.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", [FILE + "-wal", FILE + "-journal"])
@pytest.mark.parametrize("kind", ["pipe", "link", "directory"])
def test_a_log_that_is_no_file_neither_hangs_nor_leads_outside(
    backend: ChromaPersistentBackend, root: Path, tmp_path: Path, name: str, kind: str
) -> None:
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    beside, outside = file_of(root).with_name(name), tmp_path / "outside"
    outside.write_bytes(b"somebody's")
    if kind == "pipe":
        os.mkfifo(beside)
    elif kind == "link":
        beside.symlink_to(outside)
    else:
        beside.mkdir()
    again = ChromaPersistentBackend(root)
    try:
        again.insert(namespace=PLACE, points=[sealed_point(2)])
        assert {point.id for point in again.fetch(namespace=PLACE, ids=[an_id(1), an_id(2)])} == {an_id(1), an_id(2)}
    except BackendError:
        pass
    assert outside.read_bytes() == b"somebody's"
    again.close()


def test_an_older_log_or_file_put_back_gives_no_point_the_values_of_another(
    backend: ChromaPersistentBackend, root: Path, tmp_path: Path
) -> None:
    """Erased rows come back with it; no point does, and a purge ends them."""
    backend.insert(namespace=PLACE, points=[sealed_point(1), sealed_point(2)])
    path = file_of(root)
    for name in (FILE, FILE + "-wal"):
        shutil.copy(path.with_name(name), tmp_path / name)
    assert VAULT.encode() in (tmp_path / (FILE + "-wal")).read_bytes(), "positive control: the log is in use"
    backend.delete(namespace=PLACE, ids=[an_id(1)])
    backend.close()
    for name in (FILE, FILE + "-wal"):
        shutil.copy(tmp_path / name, path.with_name(name))
    again = ChromaPersistentBackend(root)
    assert held(again, PLACE) == {2}
    assert again.fetch(namespace=PLACE, ids=[an_id(1)]) == []
    (found,) = again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=2)
    assert dict(found.payload) == dict(sealed_point(2).payload)
    assert holding(root, f"{VAULT}-1-"), "positive control: they are in the files again"
    again.purge(namespace=PLACE)
    again.close()
    assert holding(root, f"{VAULT}-1-") == []
    assert holding(root, f"{VAULT}-2-") == [FILE]


def test_a_point_whose_row_was_taken_away_is_replaced_with_its_vector(
    backend: ChromaPersistentBackend, root: Path
) -> None:
    """Chroma leaves a point that it has as it is. Its row alone would be new then: a record that is found by the
    vector of what it replaced, or of whoever planted it."""
    backend.insert(namespace=PLACE, points=[sealed_point(1)])
    backend.close()
    connection = sqlite3.connect(file_of(root))
    connection.execute("DELETE FROM kept")
    connection.commit()
    connection.close()
    again = ChromaPersistentBackend(root)
    fresh = dataclasses.replace(sealed_point(1), vector=a_vector(7))
    again.insert(namespace=PLACE, points=[fresh])
    (found,) = again.fetch(namespace=PLACE, ids=[an_id(1)], with_vectors=True)
    assert found.vector is not None
    assert np.allclose(found.vector, a_vector(7) / np.linalg.norm(a_vector(7)), atol=1e-5)
    again.close()


def test_ten_purges_with_writes_between_leave_no_byte_of_what_was_erased(
    backend: ChromaPersistentBackend, root: Path
) -> None:
    for turn in range(10):
        backend.insert(namespace=PLACE, points=[sealed_point(100 * turn + each) for each in range(1, 4)])
        backend.delete(namespace=PLACE, ids=[an_id(100 * turn + 1)])
        if turn == 9:
            assert holding(root, f"{VAULT}-901-"), "positive control: in the log until the purge"
        backend.purge(namespace=PLACE)
        assert [each for each in range(turn + 1) if holding(root, f"{VAULT}-{100 * each + 1}-")] == []
    assert len(held(backend, PLACE)) == 20
    fill(backend, PLACE, [5000])
    assert backend.drop(namespace=PLACE).points == 21
    assert holding(root, VAULT) == []


def test_the_log_of_a_long_process_is_cut_back_after_a_large_write(tmp_path: Path) -> None:
    """It holds what was deleted meanwhile, and as long as it ever was it would stay until the file is closed."""
    file, log = SealedFile.create(tmp_path), tmp_path / (FILE + "-wal")
    try:
        file.put([(UUID(int=number), Kept("b" * 40_000, None, b"\x80")) for number in range(500)])
        assert log.stat().st_size > 16 << 20, "positive control"
        for number in range(1000, 1003):
            file.put([(UUID(int=number), Kept("b", None, b"\x80"))])
        assert log.stat().st_size <= 8 << 20
    finally:
        file.close()
