"""The key store's file: its settings, its refusals, and what it leaves on disk."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from securevec.clock import Clock
from securevec.errors import HomeRefused, KeyUnavailable
from securevec.keyproviders.file import FileRoot
from securevec.keys import keyfile
from securevec.keys.keyring import KeyRing


def edit(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_the_settings_are_those_the_promise_needs(ring: KeyRing) -> None:
    connection = ring._store._current()
    found = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete", "temp_store", "trusted_schema", "user_version")
    }
    assert found == {
        "journal_mode": "delete",
        "synchronous": 3,
        "secure_delete": 1,
        "temp_store": 2,
        "trusted_schema": 0,
        "user_version": 3,
    }


def test_a_setting_sqlite_does_not_honour_is_noticed(
    ring: KeyRing, home: Path, root: FileRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyfile, "_SETTINGS", (("secure_delete", "FAST", 1),))
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())


def test_a_store_left_in_wal_mode_is_brought_back(ring: KeyRing, home: Path, root: FileRoot) -> None:
    ring.close()
    edit(home / "keys" / "keys.db", "PRAGMA journal_mode = WAL")
    again = KeyRing.open(home / "keys", root, Clock())
    assert again._store._current().execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert [path.name for path in (home / "keys").iterdir()] == ["keys.db"]
    again.close()


def test_the_store_is_private_to_its_user(ring: KeyRing, home: Path) -> None:
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "keys" / "keys.db").stat().st_mode) == 0o600
    assert [path.name for path in (home / "keys").iterdir()] == ["keys.db"]


@pytest.mark.parametrize(("name", "mode"), [("keys", 0o750), ("keys/keys.db", 0o640), ("keys/keys.db", 0o602)])
def test_a_store_others_can_reach_is_refused(ring: KeyRing, home: Path, root: FileRoot, name: str, mode: int) -> None:
    ring.close()
    (home / name).chmod(mode)
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())


def test_a_pipe_in_the_place_of_the_store_is_refused_and_not_waited_for(
    ring: KeyRing, home: Path, root: FileRoot
) -> None:
    path = home / "keys" / "keys.db"
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())


def test_a_store_of_another_user_is_refused(
    ring: KeyRing, home: Path, root: FileRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())


def test_a_linked_store_is_refused(ring: KeyRing, home: Path, root: FileRoot, tmp_path: Path) -> None:
    ring.close()
    (home / "keys" / "keys.db").rename(tmp_path / "elsewhere.db")
    (home / "keys" / "keys.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())


def test_a_missing_store_is_refused_and_not_made(home: Path, root: FileRoot) -> None:
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())
    assert not (home / "keys").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 0",
        "PRAGMA user_version = 1",
        "CREATE TABLE aside (wrapped BLOB)",
        "CREATE TRIGGER copy AFTER DELETE ON keys BEGIN UPDATE destroyed SET kind = hex(OLD.wrapped); END",
        "CREATE VIEW spare AS SELECT * FROM keys",
        "DROP INDEX keys_one_active",
    ],
)
def test_a_store_of_another_shape_is_refused(ring: KeyRing, home: Path, root: FileRoot, statement: str) -> None:
    ring.close()
    edit(home / "keys" / "keys.db", statement)
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())


def test_a_store_of_a_newer_format_is_refused_as_such(ring: KeyRing, home: Path, root: FileRoot) -> None:
    ring.close()
    edit(home / "keys" / "keys.db", "PRAGMA user_version = 4")
    with pytest.raises(HomeRefused, match="Upgrade"):
        KeyRing.open(home / "keys", root, Clock())


@pytest.mark.parametrize("content", [b"", b"not a database, and longer than a header of SQLite would be" * 20])
def test_a_file_that_is_no_store_is_refused(home: Path, root: FileRoot, content: bytes) -> None:
    (home / "keys").mkdir(mode=0o700)
    (home / "keys" / "keys.db").write_bytes(content)
    (home / "keys" / "keys.db").chmod(0o600)
    with pytest.raises(HomeRefused):
        KeyRing.open(home / "keys", root, Clock())


def test_a_busy_store_is_unavailable_and_says_what_to_do(ring: KeyRing, home: Path, root: FileRoot) -> None:
    other = KeyRing.open(home / "keys", root, Clock(), busy_ms=20)
    with ring._store.exclusive(), pytest.raises(KeyUnavailable, match="run the same again"):
        other.installation_key("names")
    assert other.installation_key("names") == ring.installation_key("names")
    other.close()


def test_a_failed_transaction_leaves_nothing(ring: KeyRing) -> None:
    before = ring.list_keys()

    def fail_half_way() -> None:
        with ring._store.transaction():
            ring._store.bury(ring._store.all_rows(), now_ms=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert ring.list_keys() == before


def test_errors_carry_no_paths_and_no_statements(ring: KeyRing, home: Path, root: FileRoot) -> None:
    other = KeyRing.open(home / "keys", root, Clock(), busy_ms=20)
    with ring._store.exclusive(), pytest.raises(KeyUnavailable) as caught:
        other.list_keys()
    assert "SELECT" not in str(caught.value)
    assert str(home) not in str(caught.value)
    other.close()
