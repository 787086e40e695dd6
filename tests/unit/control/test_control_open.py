"""Opening: who may read the file, what is refused, and what opening does not cost."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from securevec import disk
from securevec.control import database as database_module
from securevec.control.migrate import HEAD
from securevec.control.store import ControlStore
from securevec.errors import ControlUnavailable, HomeRefused, SecurevecError
from tests.unit.control.desk import COLLECTION, NOW, TENANT, Desk, ref


def test_the_file_and_its_logs_are_private_from_birth(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = ControlStore.open(tmp_path / "home" / "control.db", create=True)
        store.raise_time_floor(1)
        modes = {entry.name: entry.stat().st_mode & 0o777 for entry in (tmp_path / "home").iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert set(modes) >= {"control.db", "control.db-wal", "control.db-shm"}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_others_can_read_is_refused(desk: Desk, mode: int) -> None:
    desk.path.chmod(mode)
    with pytest.raises(HomeRefused, match="chmod 600"):
        ControlStore.open(desk.path, create=False)


def test_a_home_others_can_enter_is_refused(desk: Desk) -> None:
    desk.path.parent.chmod(0o755)
    with pytest.raises(HomeRefused, match="chmod 700"):
        ControlStore.open(desk.path, create=False)


def test_a_symbolic_link_is_refused(desk: Desk) -> None:
    link = desk.path.parent / "link.db"
    link.symlink_to(desk.path)
    for create in (False, True):
        with pytest.raises(HomeRefused, match="regular"):
            ControlStore.open(link, create=create)


def test_a_missing_store_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(HomeRefused, match=r"Put control\.db back"):
        ControlStore.open(tmp_path / "control.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_creation_cut_short_is_refused_and_can_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    path.touch(mode=0o600)
    with pytest.raises(HomeRefused, match="interrupted"):
        ControlStore.open(path, create=False)
    ControlStore.open(path, create=True).close()
    ControlStore.open(path, create=False).close()


@pytest.mark.parametrize("revision", ["9999", "", "ffff"])
@pytest.mark.parametrize("create", [False, True])
def test_a_newer_or_unknown_revision_is_refused_with_the_way_on(desk: Desk, revision: str, create: bool) -> None:
    desk.sql("UPDATE alembic_version SET version_num = ?", revision)
    with pytest.raises(HomeRefused, match="release that wrote it"):
        ControlStore.open(desk.path, create=create)


@pytest.mark.parametrize("create", [False, True])
def test_a_foreign_database_is_refused_and_left_alone(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "control.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    path.chmod(0o600)
    with pytest.raises(HomeRefused, match="not a securevec control store"):
        ControlStore.open(path, create=create)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    connection.close()


def test_a_file_that_is_no_database_is_a_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    path.write_bytes(b"nothing like a database, and longer than a header of one hundred bytes" * 4)
    path.chmod(0o600)
    with pytest.raises(ControlUnavailable, match="damaged") as caught:
        ControlStore.open(path, create=False)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    assert str(path) not in str(caught.value)


def test_a_damaged_page_is_a_typed_error_wherever_it_is_met(desk: Desk) -> None:
    desk.write(*range(1, 200))
    desk.store.scrub()
    desk.store.close()
    data = bytearray(desk.path.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 64] = b"\xff" * 64
    desk.path.write_bytes(bytes(data))
    with pytest.raises(SecurevecError) as caught:
        ControlStore.open(desk.path, create=False).tenants()
    assert isinstance(caught.value, ControlUnavailable)


def test_a_store_locked_by_another_process_is_busy_not_broken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_MS", 30)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    hurried = ControlStore.open(desk.path, create=False)
    assert hurried.fence(TENANT).state == "active"
    with pytest.raises(ControlUnavailable, match="busy"):
        hurried.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    other.execute("ROLLBACK")
    assert hurried.set_tenant_state(TENANT, "suspended", now_ms=NOW).fence == 2
    other.close()
    hurried.close()


def test_a_full_disk_is_a_typed_error_and_keeps_what_was_there(desk: Desk) -> None:
    with desk.store._db._writer as writer:
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ControlUnavailable, match="cannot grow"):
        desk.store.add_tokens(TENANT, [(number.to_bytes(16, "big"), "EMAIL") for number in range(5000)])
    assert desk.store.known_tokens(TENANT, [bytes(16)]) == {}
    assert desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW).fence == 2


def test_a_closed_store_answers_nothing(desk: Desk) -> None:
    desk.store.close()
    desk.store.close()
    for call in (desk.store.tenants, desk.store.version, desk.store.scrub, lambda: desk.store.raise_time_floor(1)):
        with pytest.raises(ControlUnavailable, match="closed"):
            call()


def test_a_transaction_inside_another_is_refused_and_the_outer_one_is_whole(desk: Desk) -> None:
    """Its thread has the lock already, and what it began anew would undo what was said so far."""
    with desk.store._db.write() as outer:
        outer.run("UPDATE tenant SET fence = fence + 1")
        with pytest.raises(ControlUnavailable, match="inside another"), desk.store._db.write():
            pass
        outer.run("UPDATE tenant SET fence = fence + 1")
    assert desk.store.fence(TENANT).epoch == 3
    with pytest.raises(ControlUnavailable, match="inside another"), desk.store._db.write(), desk.store._db.write():
        pass
    desk.store.raise_time_floor(1)


def test_two_creators_at_once_both_end_with_one_store(tmp_path: Path) -> None:
    path = tmp_path / "home" / "control.db"
    failures: list[BaseException] = []

    def create() -> None:
        try:
            ControlStore.open(path, create=True).close()
        except BaseException as error:  # noqa: BLE001 - handed to the assertion below
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = ControlStore.open(path, create=False)
    assert store.tenants() == []
    store.close()


def test_opening_an_up_to_date_store_imports_neither_alembic_nor_sqlalchemy(desk: Desk) -> None:
    program = (
        "import sys; from pathlib import Path; from securevec.control.store import ControlStore;"
        "store = ControlStore.open(Path(sys.argv[1]), create=True); store.tenants(); store.time_floor();"
        "print([name for name in sys.modules if name.partition('.')[0] in ('sqlalchemy', 'alembic')])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(desk.path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "[]"


def test_a_commit_is_durable_and_deleted_cells_are_zeroed(desk: Desk) -> None:
    connection = database_module.connect(desk.path)
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout", "trusted_schema")
    }
    connection.close()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
        "trusted_schema": 0,
    }
    assert desk.sql("SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_the_first_change_of_journal_mode_is_asked_again_when_two_are_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite breaks that deadlock by failing one of the two at once, whatever the busy timeout. Seen in 1 of 300 runs
    of six real creators; here the answer is put in its mouth, so that the test does not depend on luck."""
    refusals = [3]

    class Contended(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if "journal_mode" in sql and refusals[0]:
                refusals[0] -= 1
                busy = sqlite3.OperationalError("database is locked")
                busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise busy
            return super().execute(sql, *values)

    path = tmp_path / "control.db"
    path.touch(mode=0o600)
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Contended))
    connection = database_module.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    refusals[0] = 10**6
    monkeypatch.setattr(database_module, "BUSY_MS", 30)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        database_module.connect(path)


def test_a_log_that_was_left_is_written_again_before_it_is_believed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be in memory only, after a flush that failed: whatever came behind it would be lost with it."""
    desk.write(1)
    (left := tmp_path / "left").mkdir(mode=0o700)
    for suffix in ("", "-wal"):
        shutil.copy(desk.path.with_name(f"control.db{suffix}"), left)
    log, again = (left / "control.db-wal").read_bytes(), bytearray()

    def write(descriptor: int, piece: bytes, offset: int) -> int:
        assert offset == len(again)
        again.extend(piece)
        return len(piece)

    def flush(descriptor: int) -> None:
        raise OSError("input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(disk, "_PIECE", len(log) // 3)
        failing.setattr(os, "pwrite", write)
        ControlStore.open(desk.path, create=False).close()  # beside a process, whose index has nothing that failed
        assert not again
        failing.setattr(os, "fsync", flush)
        with pytest.raises(ControlUnavailable, match="disk is sound"):
            ControlStore.open(left / "control.db", create=False)
    assert again == log
    with contextlib.closing(ControlStore.open(left / "control.db", create=False)) as store:
        assert ref(1) in store.current(COLLECTION, [ref(1)])
