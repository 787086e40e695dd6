"""What the embedded engine leaves on disk, and who may open it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from securevec.backend import CollectionSpec
from securevec.errors import BackendError, ConfigError, EngineLocked, HomeRefused
from securevec.filters import F
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from tests.support import warm
from tests.support.engine_bytes import CANARY, canary_points, files_with, vectors_in

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_adapters import embedded
from securevec_adapters.embedded import LEAST, ROOM, EmbeddedStore
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_meta import META, Indexed, read_meta, write_meta

PLACE = a_namespace("mine")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "edge"


@pytest.fixture
def backend(root: Path) -> Iterator[EdgeBackend]:
    opened = EdgeBackend(root)
    opened.ensure(namespace=PLACE, spec=SPEC)
    yield opened
    opened.close()


def vectors_of(root: Path, wanted: Iterable[int]) -> set[int]:
    """Those in segments, or digit by digit as CBOR floats, which is how the log has them."""
    return {number for number, _ in vectors_in(root, wanted, (">f", ">d", "<d"))}


def test_deleted_bytes_stay_until_a_purge_and_are_gone_after_it(backend: EdgeBackend, root: Path) -> None:
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    fill(backend, PLACE, range(10, 40))
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(5)])
    backend.close()
    assert files_with(root), "positive control: a delete alone leaves payload bytes"
    assert vectors_of(root, range(5)) == set(range(5)), "positive control: a delete alone leaves vector bytes"

    again = EdgeBackend(root)
    try:
        report = again.purge(namespace=PLACE)
        assert (report.index_removed, report.bytes_removed) == (True, True)
        assert files_with(root) == []
        assert vectors_of(root, [*range(5), 12]) == {12}, "point 12 lives: the search still finds what is there"
        assert held(again, PLACE) == set(range(10, 40))
    finally:
        again.close()
    assert files_with(root) == []
    assert vectors_of(root, range(5)) == set()


def test_replaced_bytes_are_gone_after_a_purge(backend: EdgeBackend, root: Path) -> None:
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    backend.insert(
        namespace=PLACE, points=[a_point(PLACE, number, vector=a_vector(number + 50)) for number in range(5)]
    )
    assert files_with(root)
    backend.purge(namespace=PLACE)
    assert files_with(root) == []
    assert vectors_of(root, range(5)) == set()
    assert held(backend, PLACE) == set(range(5))


def test_a_purge_of_several_pages_keeps_every_point(backend: EdgeBackend) -> None:
    fill(backend, PLACE, range(1100))
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(0, 1100, 10)])
    backend.purge(namespace=PLACE)
    assert held(backend, PLACE) == {number for number in range(1100) if number % 10}


def test_a_drop_leaves_no_byte_and_no_name(backend: EdgeBackend, root: Path) -> None:
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    assert vectors_of(root, range(5)) == set(range(5))
    report = backend.drop(namespace=PLACE)
    assert (report.points, report.index_removed, report.bytes_removed) == (5, True, True)
    assert files_with(root) == []
    assert vectors_of(root, range(5)) == set()
    backend.close()
    assert sorted(path.name for path in root.iterdir()) == ["LOCK", "VERSION"]


NESTED = '{"format":' + "[" * 100_000


@pytest.mark.parametrize(
    "damage", ["{}", NESTED, '"dimension":0', '"dimension":4097'], ids=["{}", "nested", "0", "4097"]
)
def test_a_damaged_shard_is_loud_and_can_still_be_dropped(backend: EdgeBackend, root: Path, damage: str) -> None:
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    backend.close()
    description = root / PLACE.shard / "gen-0" / "shard.json"
    whole = description.read_text()
    assert '"dimension":8' in whole
    description.write_text(damage if damage[0] == "{" else whole.replace('"dimension":8', damage))
    again = EdgeBackend(root)
    try:
        with pytest.raises(BackendError):
            again.count(namespace=PLACE)
        with pytest.raises(BackendError):
            again.ensure(namespace=PLACE, spec=SPEC)
        report = again.drop(namespace=PLACE)
        assert report.bytes_removed
        assert "not counted" in report.residual
        assert files_with(root) == []
    finally:
        again.close()


@pytest.mark.parametrize("pointer", [None, "", "gen-9\n", "gen-00\n", "../gen-0\n", "gen-0/../gen-0\n"])
def test_a_lost_or_forged_pointer_is_loud_and_removes_nothing(
    backend: EdgeBackend, root: Path, pointer: str | None
) -> None:
    fill(backend, PLACE, [1])
    backend.close()
    place = root / PLACE.shard
    (place / "CURRENT").unlink()
    if pointer is not None:
        (place / "CURRENT").write_text(pointer)
    again = EdgeBackend(root)
    try:
        with pytest.raises(BackendError):
            again.count(namespace=PLACE)
        with pytest.raises(BackendError):
            again.ensure(namespace=PLACE, spec=SPEC)
    finally:
        again.close()
    (place / "CURRENT").write_text("gen-0\n")
    repaired = EdgeBackend(root)
    assert held(repaired, PLACE) == {1}
    repaired.close()


def test_leftovers_of_interrupted_work_are_removed_at_open(backend: EdgeBackend, root: Path) -> None:
    fill(backend, PLACE, [1])
    backend.close()
    for leftover in (root / PLACE.shard / "gen-7", root / ".new-x", root / ".trash-y"):
        leftover.mkdir()
        (leftover / "page").write_text(CANARY)
    again = EdgeBackend(root)
    assert held(again, PLACE) == {1}
    again.close()
    assert files_with(root) == []


def test_nothing_is_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        backend = EdgeBackend(tmp_path / "edge")
        backend.ensure(namespace=PLACE, spec=SPEC)
        fill(backend, PLACE, range(10))
        backend.purge(namespace=PLACE)
        fill(backend, PLACE, range(10))
        assert stat.S_IMODE((tmp_path / "edge").stat().st_mode) == 0o700
        backend.close()
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "edge").rglob("*")}
    assert {path for path, mode in modes.items() if mode & 0o077} == set()


def test_a_second_backend_is_refused_and_the_first_still_flushes(backend: EdgeBackend, root: Path) -> None:
    fill(backend, PLACE, [1])
    for path in (root, root / ".." / "edge"):
        with pytest.raises(EngineLocked):
            EdgeBackend(path)
    link = root.parent / "link"
    link.symlink_to(root)
    with pytest.raises(EngineLocked):
        EdgeBackend(link)
    script = """
import sys
from pathlib import Path
from securevec_qdrant.edge import EdgeBackend
EdgeBackend(Path(sys.argv[1]))
"""
    other = warm.run(["-c", script], str(root))
    assert other.returncode != 0
    assert "EngineLocked" in other.stderr
    fill(backend, PLACE, [2])
    backend.purge(namespace=PLACE)
    fill(backend, PLACE, [3])
    backend.close()  # flushes; a disturbed engine fails here
    again = EdgeBackend(root)
    assert held(again, PLACE) == {1, 2, 3}
    again.close()


def test_a_foreign_or_newer_directory_is_refused_untouched(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir(mode=0o700)
    (foreign / "thesis.txt").write_text("mine")
    with pytest.raises(HomeRefused) as caught:
        EdgeBackend(foreign)
    assert "Move away" in caught.value.next_step
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]
    for version in ("securevec-edge 2\n", "securevec-edge 1", "qdrant\n", ""):
        newer = tmp_path / f"newer{len(version)}"
        newer.mkdir(mode=0o700)
        (newer / "VERSION").write_text(version)
        with pytest.raises(HomeRefused):
            EdgeBackend(newer)
    with pytest.raises(HomeRefused):
        EdgeBackend(foreign / "thesis.txt")


def test_a_directory_others_can_enter_is_refused(tmp_path: Path) -> None:
    EdgeBackend(tmp_path / "edge").close()
    (tmp_path / "edge").chmod(0o750)
    with pytest.raises(HomeRefused):
        EdgeBackend(tmp_path / "edge")


def test_a_root_that_lost_its_version_is_not_taken_for_a_new_one(backend: EdgeBackend, root: Path) -> None:
    backend.close()
    (root / "VERSION").unlink()
    with pytest.raises(HomeRefused):
        EdgeBackend(root)


def test_few_open_shards_serve_many_collections(tmp_path: Path) -> None:
    backend = EdgeBackend(tmp_path / "edge", open_shards=2)
    places = [a_namespace(f"tenant {number}") for number in range(5)]
    for number, place in enumerate(places):
        backend.ensure(namespace=place, spec=SPEC)
        fill(backend, place, [number])
    for _ in range(2):
        for number, place in enumerate(places):
            assert held(backend, place) == {number}
            assert sum(slot.shard is not None for slot in backend._store._pool._slots.values()) <= 2
    backend.close()


def test_the_log_is_small_and_the_description_is_kept(backend: EdgeBackend, root: Path) -> None:
    fill(backend, PLACE, [1])
    backend.ensure(namespace=PLACE, spec=CollectionSpec(SPEC.dimension, "cosine", {"f_z": "float", "f_a": "integer"}))
    backend.purge(namespace=PLACE)
    assert backend.count(namespace=PLACE, where=F("n") == 1) == 1
    assert (root / PLACE.shard / "CURRENT").read_text() == "gen-1\n"
    assert {path.stat().st_size for path in (root / PLACE.shard / "gen-1" / "wal").glob("open-*")} == {1024 * 1024}
    assert (root / PLACE.shard / "gen-1" / "shard.json").read_text() == (
        '{"dimension":8,"distance":"cosine",'
        '"filter_keys":{"f_a":"integer","f_b":"integer","f_c":"bool","f_z":"float","x":"integer"},"format":1}'
    )


def test_settings_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        EdgeBackend(tmp_path / "edge", open_shards=0)
    with pytest.raises(ConfigError):
        EdgeBackend.from_location("edge://somewhere", root=tmp_path / "edge")
    EdgeBackend.from_location("", root=tmp_path / "edge").close()


def test_an_engine_failure_keeps_its_cause_and_hides_its_text(
    backend: EdgeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def update(self, operation: object) -> None:
            raise RuntimeError(CANARY)

    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        monkeypatch.setattr(shard, "_engine", Broken())
        with pytest.raises(BackendError) as failed:
            shard.remove([an_id(1)])
        monkeypatch.undo()
    assert CANARY not in str(failed.value)
    assert isinstance(failed.value.__cause__, RuntimeError)


def test_an_insert_into_a_dropped_shard_fails_and_brings_nothing_back(backend: EdgeBackend, root: Path) -> None:
    fill(backend, PLACE, [1])
    backend.drop(namespace=PLACE)
    with pytest.raises(BackendError, match="no place"):
        fill(backend, PLACE, [2])
    assert backend.count(namespace=PLACE) == 0
    assert not (root / PLACE.shard).exists()


def test_a_disk_that_is_nearly_full_gets_no_more_points_and_the_process_lives_on(
    backend: EdgeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine maps its files: one that cannot grow ends the process by SIGBUS, which nothing can catch."""
    fill(backend, PLACE, range(3))
    monkeypatch.setattr(embedded, "ROOM", 1 << 62)
    with pytest.raises(BackendError, match="nearly full") as caught:
        backend.insert(namespace=PLACE, points=[a_point(PLACE, 7)])
    assert "Free space" in caught.value.next_step
    with pytest.raises(BackendError, match="nearly full"):
        backend.ensure(namespace=a_namespace("another"), spec=SPEC)
    assert len(held(backend, PLACE)) == 3
    backend.delete(namespace=PLACE, ids=[an_id(0)])
    monkeypatch.undo()
    assert len(held(backend, PLACE)) == 2
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 7)])
    assert len(held(backend, PLACE)) == 3


def test_on_a_disk_with_little_room_what_makes_room_goes_on_as_far_as_it_has_room_itself(
    backend: EdgeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte: a mapped file that cannot grow ends the process of the application."""
    fill(backend, PLACE, range(3))

    def left(size: int) -> None:
        def told(store: EmbeddedStore[Any]) -> int:
            return size

        monkeypatch.setattr(EmbeddedStore, "_left", told)

    left(ROOM)
    fill(backend, PLACE, [3])
    left(ROOM - 1)
    with pytest.raises(BackendError, match="nearly full"):
        fill(backend, PLACE, [4])
    left(LEAST)
    backend.delete(namespace=PLACE, ids=[an_id(0)])
    with pytest.raises(BackendError, match="too full"):
        backend.purge(namespace=PLACE)
    left(LEAST - 1)
    with pytest.raises(BackendError, match="too full"):
        backend.delete(namespace=PLACE, ids=[an_id(1)])
    monkeypatch.undo()
    backend.purge(namespace=PLACE)
    assert held(backend, PLACE) == {1, 2, 3}


def test_a_place_for_files_that_was_removed_under_its_user_is_left_without_an_error(backend: EdgeBackend) -> None:
    """An interrupted measurement removes everything at once; a traceback about its own files would be its last word."""
    with backend._store.workplace("empty") as place:
        assert place.is_dir()
        shutil.rmtree(place)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('"format":1', '"format":2'),
        ('"distance":"cosine"', '"distance":"dot"'),
        ('"dimension":8', '"dimension":8.0'),
        ('"float"', '"number"'),
        ('"vector_index":500', '"vector_index":-500'),
        ('"breadth":128', '"breadth":1.5'),
        ('"since":3', '"since":true'),
        ('"gone":2', '"gone":-2'),
    ],
)
def test_a_description_that_this_release_does_not_write_is_not_believed(
    tmp_path: Path, said: str, instead: str
) -> None:
    path, index = tmp_path / META, Indexed(500, 128, 3, 2)
    write_meta(path, CollectionSpec(8, "cosine", {"f_a": "float"}), index)
    assert read_meta(path)[1] == index
    whole = path.read_text()
    assert said in whole
    path.write_text(whole.replace(said, instead))
    with pytest.raises(BackendError):
        read_meta(path)
