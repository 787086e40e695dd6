"""A home whose directory is opened to others while a process is at work in it: what lies in it stays closed, and nobody
opens it again before it is put right."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import HomeRefused
from tests.support.attacks import open_stage


def reachable(directory: Path) -> Iterator[Path]:
    """What others than the owner can read or list below a directory that they can enter."""
    for path in directory.iterdir():
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            if mode & 0o055:
                yield path
                yield from reachable(path)
        elif mode & 0o066:
            yield path


@pytest.mark.parametrize("engine", [pytest.param("edge", marks=pytest.mark.soak), "chroma"])
def test_a_home_that_is_opened_to_others_under_a_running_process_shows_them_nothing(
    tmp_path: Path, engine: str
) -> None:
    with open_stage(tmp_path, engine) as stage:
        pair = stage.pair().fill()
        stage.home.chmod(0o755)
        pair.acme.delete("T-1")
        stage.acme.purge()
        pair.acme.search("refund", k=3)
        described = {"VERSION", "installation.json"}  # no secrets
        assert {path.name for path in reachable(stage.home)} <= described
    with pytest.raises(HomeRefused, match="chmod 700"):
        sv.SecureStore.open(tmp_path / "home", key_file=tmp_path / "keys" / "root.key")
