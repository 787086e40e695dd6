"""Another file is put in the control store's place while it is open, as who puts one back from a backup does beside a
running service. SQLite goes on with the file it opened, and nobody else sees what it is told."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from securevec.control import database
from securevec.errors import ControlUnavailable
from tests.unit.control.desk import COLLECTION, NOW, TENANT, Desk, ref


def another(path: Path, aside: Path) -> None:
    shutil.copyfile(path, fresh := path.with_name("fresh"))
    os.link(path, aside)
    fresh.replace(path)  # as rsync does, and every careful copy


def none(path: Path, aside: Path) -> None:
    path.rename(aside)


@pytest.mark.parametrize("replace", [another, none])
def test_a_control_store_whose_file_was_replaced_acknowledges_nothing(
    desk: Desk, tmp_path: Path, replace: Callable[[Path, Path], None]
) -> None:
    desk.write(1)
    replace(desk.path, aside := tmp_path / "aside")
    for call in (
        lambda: desk.write(2),
        lambda: desk.store.fence(TENANT),
        lambda: desk.store.current(COLLECTION, [ref(1)]),
        lambda: desk.store.add_hold("h" * 32, TENANT, None, None, b"sealed", NOW),
        desk.store.scrub,
    ):
        with pytest.raises(ControlUnavailable, match="Another file"):
            call()
    aside.replace(desk.path)
    assert desk.write(2) == 2
    assert (desk.live(1), desk.live(2)) == (1, 2)


def test_a_control_store_that_is_replaced_while_it_is_opened_is_not_taken_for_the_new_one(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(1)
    connect = database.connect

    def opened_before(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        another(desk.path, tmp_path / "aside")
        return connection

    monkeypatch.setattr(database, "connect", opened_before)
    with pytest.raises(ControlUnavailable, match="Another file"), database.Database(desk.path).write():
        pass


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC])
def test_nothing_more_is_written_once_the_disk_did_not_keep_a_commit(desk: Desk, code: int) -> None:
    """A system drops what it could not bring to the disk, and says the next time that all is there."""
    desk.write(1)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with pytest.raises(ControlUnavailable), desk.store._db.write():
        raise error
    if code == sqlite3.SQLITE_IOERR_FSYNC:
        with pytest.raises(ControlUnavailable, match="did not keep") as refused:
            desk.write(2)
        assert "open the home again" in refused.value.next_step
        assert set(desk.store.current(COLLECTION, [ref(1), ref(2)])) == {ref(1)}
    else:
        desk.write(2)  # what finds no room is tried again
