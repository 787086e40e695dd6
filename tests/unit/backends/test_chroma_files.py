"""What Chroma leaves on disk, who may open it, and what it is not allowed to bring along."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.errors import BackendError, ConfigError, EngineLocked
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_chroma.client import open_files
from securevec_chroma.persistent import ChromaPersistentBackend
from tests.support import warm
from tests.support.chroma_files import PLACE, open_place
from tests.support.engine_bytes import CANARY, canary_points, files_with, vectors_in


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "chroma"


@pytest.fixture
def backend(root: Path) -> Iterator[ChromaPersistentBackend]:
    with open_place(root) as opened:
        yield opened


def test_deleted_bytes_stay_until_a_purge_and_are_gone_after_it(backend: ChromaPersistentBackend, root: Path) -> None:
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    fill(backend, PLACE, range(10, 1100))  # past the engine's threshold for writing its vector file
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(5)])
    backend.close()
    assert files_with(root), "positive control: a delete alone leaves payload bytes"
    kinds = vectors_in(root, range(5))
    assert kinds >= {(number, "data_level0.bin") for number in range(5)}, "positive control: and vector bytes"

    again = ChromaPersistentBackend(root)
    try:
        report = again.purge(namespace=PLACE)
        assert (report.index_removed, report.bytes_removed) == (True, True)
        assert files_with(root) == []
        left = vectors_in(root, [*range(5), 12])
        assert {number for number, _ in left} == {12}, "point 12 lives: the search still finds what is there"
        assert held(again, PLACE) == set(range(10, 1100))
    finally:
        again.close()
    assert files_with(root) == []
    assert vectors_in(root, range(5)) == set()


def test_the_log_of_a_small_collection_is_purged_too(backend: ChromaPersistentBackend, root: Path) -> None:
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    backend.insert(
        namespace=PLACE, points=[a_point(PLACE, number, vector=a_vector(number + 50)) for number in range(5)]
    )
    assert files_with(root), "positive control: the log keeps what was replaced"
    assert vectors_in(root, range(5)) == {(number, "chroma.sqlite3") for number in range(5)}
    backend.purge(namespace=PLACE)
    assert files_with(root) == []
    assert vectors_in(root, range(5)) == set()
    assert held(backend, PLACE) == set(range(5))


def test_a_purge_leaves_the_files_of_other_places_alone(backend: ChromaPersistentBackend, root: Path) -> None:
    neighbour = a_namespace("theirs")
    backend.ensure(namespace=neighbour, spec=SPEC)
    fill(backend, neighbour, range(20))
    fill(backend, PLACE, range(20))
    before = {path: path.stat().st_mtime_ns for path in (root / neighbour.shard).rglob("*")}
    backend.purge(namespace=PLACE)
    assert {path: path.stat().st_mtime_ns for path in (root / neighbour.shard).rglob("*")} == before
    assert held(backend, neighbour) == set(range(20))


def test_a_drop_leaves_no_byte_and_no_name(backend: ChromaPersistentBackend, root: Path) -> None:
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    assert {number for number, _ in vectors_in(root, range(5))} == set(range(5))
    report = backend.drop(namespace=PLACE)
    assert (report.points, report.index_removed, report.bytes_removed) == (5, True, True)
    assert files_with(root) == []
    assert vectors_in(root, range(5)) == set()
    assert sorted(path.name for path in root.iterdir()) == ["LOCK", "VERSION"]


def test_a_lost_or_damaged_database_is_loud_and_can_still_be_dropped(
    backend: ChromaPersistentBackend, root: Path
) -> None:
    for damage in ("lost", "empty", "noise"):
        backend.ensure(namespace=PLACE, spec=SPEC)
        backend.insert(namespace=PLACE, points=canary_points(PLACE))
        backend.close()
        database = root / PLACE.shard / "gen-0" / "chroma.sqlite3"
        if damage == "lost":
            database.unlink()
        else:
            database.write_bytes(b"" if damage == "empty" else b"noise" * 1000)
        backend = ChromaPersistentBackend(root)
        with pytest.raises(BackendError):
            backend.count(namespace=PLACE)
        with pytest.raises(BackendError):
            backend.ensure(namespace=PLACE, spec=SPEC)
        report = backend.drop(namespace=PLACE)
        assert report.bytes_removed
        assert "not counted" in report.residual
        assert not (root / PLACE.shard).exists()
    backend.close()


@pytest.mark.parametrize("purging", [False, True])
def test_nothing_is_readable_by_others_whatever_the_umask(tmp_path: Path, purging: bool) -> None:
    before = os.umask(0)
    try:
        backend = ChromaPersistentBackend(tmp_path / "chroma")
        backend.ensure(namespace=PLACE, spec=SPEC)
        fill(backend, PLACE, range(10))
        if purging:
            backend.purge(namespace=PLACE)
            fill(backend, PLACE, range(10))
        for path in ((tmp_path / "chroma"), *(tmp_path / "chroma" / PLACE.shard).glob("gen-*")):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        backend.close()
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "chroma").rglob("*")}
    assert {path for path, mode in modes.items() if mode & 0o077} == set()


def test_a_second_backend_is_refused_in_this_process_and_in_another(
    backend: ChromaPersistentBackend, root: Path
) -> None:
    fill(backend, PLACE, [1])
    link = root.parent / "link"
    link.symlink_to(root)
    for path in (root, root / ".." / "chroma", link):
        with pytest.raises(EngineLocked):
            ChromaPersistentBackend(path)
    script = """
import sys
from pathlib import Path
from typing import Any
from securevec_chroma.persistent import ChromaPersistentBackend
ChromaPersistentBackend(Path(sys.argv[1]))
"""
    other = warm.run(["-c", script], str(root))
    assert other.returncode != 0
    assert "EngineLocked" in other.stderr
    fill(backend, PLACE, [2])
    assert held(backend, PLACE) == {1, 2}


def test_closing_gives_back_every_file(root: Path) -> None:
    for turn in range(20):
        backend = ChromaPersistentBackend(root)
        backend.ensure(namespace=PLACE, spec=SPEC)
        fill(backend, PLACE, [turn])
        assert _open_below(root)
        backend.close()
        assert _open_below(root) == []


def test_few_open_databases_serve_many_collections(tmp_path: Path) -> None:
    backend = ChromaPersistentBackend(tmp_path / "chroma", open_shards=2)
    places = [a_namespace(f"tenant {number}") for number in range(4)]
    for number, place in enumerate(places):
        backend.ensure(namespace=place, spec=SPEC)
        fill(backend, place, [number])
    for _ in range(2):
        for number, place in enumerate(places):
            assert held(backend, place) == {number}
            assert sum(slot.shard is not None for slot in backend._store._pool._slots.values()) <= 2
    backend.close()


def test_neither_the_environment_nor_a_file_beside_us_changes_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("allow_reset=true\nchroma_http_max_connections=7\nis_persistent=false\n")
    monkeypatch.setenv("CHROMA_API_IMPL", "chromadb.api.fastapi.FastAPI")
    monkeypatch.setenv("CHROMA_OTEL_COLLECTION_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PERSIST_DIRECTORY", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("ANONYMIZED_TELEMETRY", "true")
    monkeypatch.setenv("ALLOW_RESET", "true")
    monkeypatch.setenv("CHROMA_OTEL_GRANULARITY", "all")
    monkeypatch.setenv("CHROMA_HTTP_MAX_CONNECTIONS", "7")
    directory = tmp_path / "files"
    directory.mkdir()
    client = open_files(directory)
    try:
        settings = client._system.settings
        assert (settings.allow_reset, settings.anonymized_telemetry, settings.is_persistent) == (False, False, True)
        assert (settings.chroma_otel_granularity, settings.chroma_otel_collection_endpoint) == (None, "")
        assert settings.chroma_http_max_connections is None
        assert (directory / "chroma.sqlite3").is_file()
        assert not (tmp_path / "elsewhere").exists()
    finally:
        client.close()


def test_nothing_is_sent_and_nothing_is_logged(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    caplog.set_level(logging.DEBUG)
    backend = ChromaPersistentBackend(root)
    backend.ensure(namespace=PLACE, spec=SPEC)
    backend.insert(namespace=PLACE, points=canary_points(PLACE))
    backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=3)
    backend.purge(namespace=PLACE)
    backend.close()
    shown = capfd.readouterr()
    assert CANARY not in caplog.text + shown.out + shown.err
    assert PLACE.shard not in caplog.text + shown.out + shown.err


def test_an_engine_failure_keeps_its_cause_and_hides_its_text(
    backend: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        monkeypatch.setattr(shard.place(PLACE)._api, "_get", broken)
    with pytest.raises(BackendError) as failed:
        backend.fetch(namespace=PLACE, ids=[an_id(1)])
    assert CANARY not in str(failed.value)
    assert isinstance(failed.value.__cause__, RuntimeError)


def test_a_point_the_engine_did_not_keep_is_noticed(
    backend: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the adapter in a copy that takes the place of the original, and else by whoever reads back what it wrote."""
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        place = shard.place(PLACE)

        def forget(**_: object) -> bool:
            return True

        monkeypatch.setattr(place._api, "_add", forget)
        with pytest.raises(BackendError, match="did not keep"):
            place.insert(place.prepared([a_point(PLACE, 1)], PLACE), new=True)
    fill(backend, PLACE, [1])
    assert backend.fetch(namespace=PLACE, ids=[an_id(1)]) == []


def test_a_search_the_graph_answers_short_is_answered_from_all_points(
    backend: ChromaPersistentBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(backend, PLACE, range(30))
    expected = [point.id for point in backend.query(namespace=PLACE, vector=a_vector(3), where=None, limit=10)]
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        api = shard.place(PLACE)._api
        whole = api._query

        def short(**given: object) -> object:
            return whole(**{**given, "n_results": 4})  # type: ignore[arg-type]  # passed through

        monkeypatch.setattr(api, "_query", short)
    found = backend.query(namespace=PLACE, vector=a_vector(3), where=None, limit=10)
    assert [point.id for point in found] == expected
    assert found[0].score == pytest.approx(1.0, abs=1e-5)


def test_settings_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        ChromaPersistentBackend(tmp_path / "chroma", open_shards=0)
    with pytest.raises(ConfigError):
        ChromaPersistentBackend.from_location("chroma://somewhere", root=tmp_path / "chroma")


def _open_below(root: Path) -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the engine's threads close files too
            found.append(Path("/proc/self/fd", name).readlink())
    return [str(target) for target in found if target.is_relative_to(root)]
