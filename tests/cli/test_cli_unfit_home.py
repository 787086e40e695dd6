"""A home that cannot be used as it lies there: the message says which file, and what to do about it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from securevec.control import ControlStore
from securevec.control.database import failure
from securevec.errors import ControlUnavailable
from tests.cli.conftest import Shell
from tests.cli.test_cli_process import PROGRAM

UNPRIVILEGED = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    if os.geteuid() == 0
    else []
)
"""Before a command: root without the right to write whatever the permissions say (capabilities(7); util-linux)."""


def _key_file(base: Path) -> Path:
    (found,) = (base / "config" / "securevec" / "keys").glob("*.key")
    return found


def test_a_key_file_that_is_gone_or_open_to_others_is_named_with_the_command_that_mends_it(
    shell: Shell, base: Path
) -> None:
    path = _key_file(base)
    path.chmod(0o644)
    answer = shell.at_home("tenant", "list")
    assert answer.code == 3
    assert f"Run: chmod 600 {path}" in answer.err
    path.chmod(0o600)
    away = path.rename(path.with_suffix(".away"))
    answer = shell.at_home("tenant", "list")
    assert answer.code == 4
    assert str(path) in answer.err
    assert "--key-file" in answer.err
    away.rename(path)
    assert shell.at_home("tenant", "list").code == 0


def test_a_control_store_that_may_not_be_written_says_where_to_look(shell: Shell) -> None:
    control = shell.home / "control.db"
    control.chmod(0o400)
    try:
        answer = subprocess.run(
            [*UNPRIVILEGED, *PROGRAM, "--home", str(shell.home), "tenant", "create", "gamma"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        control.chmod(0o600)
    assert answer.returncode == 4, answer.stderr
    assert "read-only" in answer.stderr
    assert "gamma" not in shell.at_home("tenant", "list").out


def test_what_sqlite_says_of_a_read_only_disk_becomes_something_to_do(tmp_path: Path) -> None:
    import sqlite3

    ControlStore.open(tmp_path / "control.db", create=True).close()
    only = sqlite3.connect(f"file:{tmp_path / 'control.db'}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as caught:
        only.execute("CREATE TABLE x (y)")
    only.close()
    told = failure(caught.value)
    assert isinstance(told, ControlUnavailable)
    assert "read-only" in told.next_step
