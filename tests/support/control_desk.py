"""The control store's work beside an engine that is an append-only file of points, and a process that is killed at a
statement of it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

from securevec.control.rows import ManifestRow, NewRecord
from securevec.control.store import ControlStore
from securevec.types import CollectionId, TenantId

TENANT = TenantId("a1" * 16)


COLLECTION = CollectionId("c1" * 16)


Point = tuple[int, int, int]
"""Record number, generation, chunk."""


def ref(number: int) -> bytes:
    return number.to_bytes(16, "big")


class Engine:
    """Points in a file: what was written survives the process that wrote it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)

    def _log(self, sign: str, points: list[Point]) -> None:
        for point in points:
            os.write(self._file, f"{sign} {point[0]} {point[1]} {point[2]}\n".encode())

    def insert(self, points: list[Point]) -> None:
        self._log("+", points)

    def delete(self, points: list[Point]) -> None:
        self._log("-", points)

    def points(self) -> set[Point]:
        found: set[Point] = set()
        for line in os.pread(self._file, 1 << 26, 0).decode().splitlines():
            sign, *numbers = line.split()
            point = (int(numbers[0]), int(numbers[1]), int(numbers[2]))
            found.add(point) if sign == "+" else found.discard(point)
        return found

    def close(self) -> None:
        os.close(self._file)


def points_of(rows: list[ManifestRow]) -> list[Point]:
    return [(int.from_bytes(row.ref, "big"), row.generation, chunk) for row in rows for chunk in range(row.n_chunks)]


def ingest(store: ControlStore, engine: Engine, request: str, numbers: list[int], chunks: int) -> None:
    generations = store.begin_batch(
        tenant=TENANT,
        collection=COLLECTION,
        request_id=request,
        writer="w",
        fence=1,
        rows=[NewRecord(ref(number), chunks, b"d" * 16, None, "r0/never") for number in numbers],
        lease_until_ms=1,
        now_ms=0,
    )
    engine.insert([(number, generations[ref(number)], chunk) for number in numbers for chunk in range(chunks)])
    engine.delete(points_of(store.commit_batch(request_id=request, fence=1)))
    store.finish_batch(request_id=request)


def delete(store: ControlStore, engine: Engine, request: str, numbers: list[int]) -> None:
    rows = store.begin_delete(
        tenant=TENANT,
        collection=COLLECTION,
        request_id=request,
        writer="w",
        fence=1,
        refs=[ref(number) for number in numbers],
        lease_until_ms=1,
        now_ms=0,
    )
    engine.delete(points_of(rows))
    store.finish_batch(request_id=request)


def recover(store: ControlStore, engine: Engine) -> None:
    for batch in store.open_batches(now_ms=1, expired_only=True):
        if batch.state == "open":
            store.abort_batch(request_id=batch.request_id)
        engine.delete(points_of(store.batch_rows(batch.request_id)))
        store.finish_batch(request_id=batch.request_id)


def seen(store: ControlStore) -> dict[int, tuple[int, int]]:
    """Record number to generation and chunks."""
    connection = sqlite3.connect(store_path(store))
    rows = connection.execute(
        "SELECT ref, generation, n_chunks FROM manifest NATURAL JOIN collection WHERE collection = ?", (COLLECTION,)
    )
    found = {int.from_bytes(ref, "big"): (generation, chunks) for ref, generation, chunks in rows}
    connection.close()
    return found


def require_whole(store: ControlStore, engine: Engine) -> dict[int, tuple[int, int]]:
    """After recovery the engine holds exactly what readers see."""
    visible = seen(store)
    assert engine.points() == {(n, g, chunk) for n, (g, chunks) in visible.items() for chunk in range(chunks)}
    assert store.open_batches(now_ms=1, expired_only=False) == []
    connection = sqlite3.connect(store_path(store))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("SELECT COUNT(*) FROM transit").fetchone() == (0,)
    connection.close()
    return visible


def store_path(store: ControlStore) -> Path:
    with store._db._reader as reader:
        return Path(reader.execute("PRAGMA database_list").fetchone()[2])


def copy_home(source: Path, target: Path) -> Path:
    target.mkdir(mode=0o700)
    for name in ("control.db", "points"):
        shutil.copyfile(source / name, target / name)
        os.chmod(target / name, 0o600)
    return target


def run_killed(home: Path, at: int, work: Callable[[ControlStore, Engine], None]) -> bool:
    """Do ``work`` in a child that kills itself just before its ``at``-th writing statement. Whether it was reached."""
    child = os.fork()
    if child == 0:
        try:
            store = ControlStore.open(home / "control.db", create=False)
            engine = Engine(home / "points")
            left = at

            def step(_: str) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            with store._db._writer as writer:
                writer.set_trace_callback(step)
            work(store, engine)
            store.close()
        except BaseException:  # noqa: BLE001 - a forked child must not run on into the parent's tests
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0
