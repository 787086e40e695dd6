"""Two backups into one directory: neither clears away what the other made, and what a dead one left is cleared."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from securevec.backup import files
from securevec.backup.manifest import PARTS
from securevec.errors import HomeRefused
from tests.unit.audit.logkit import in_child


def tree(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def fill(directory: Path) -> None:
    for part in PARTS:
        (directory / part).mkdir()
        (directory / part / "file").write_text(part)


def test_a_backup_that_is_being_made_is_not_cleared_away_by_a_second_one(tmp_path: Path) -> None:
    with files.begun(tmp_path):
        fill(tmp_path)
        before = tree(tmp_path)
        assert len(before) == 4

        def second() -> None:
            with pytest.raises(HomeRefused, match="Another process"), files.begun(tmp_path):
                pass

        assert in_child(second) == 0
        assert tree(tmp_path) == before
        files.finish(tmp_path, b"note")
    with pytest.raises(HomeRefused, match="not empty"), files.begun(tmp_path):
        pass
    assert len(tree(tmp_path)) == 6


def test_what_a_killed_backup_left_is_cleared_and_begun_again(tmp_path: Path) -> None:
    with files.begun(tmp_path):
        fill(tmp_path)
    assert len(tree(tmp_path)) == 4
    with files.begun(tmp_path):
        assert tree(tmp_path) == {files.UNFINISHED: b""}


@pytest.mark.parametrize("again", [False, True])
def test_a_backup_that_was_finished_a_moment_ago_is_not_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Between a second one's look at the directory and its lock; ``again``: and a third one has begun since."""
    with files.begun(tmp_path):
        fill(tmp_path)
    lock = fcntl.flock

    def late(descriptor: int, how: int) -> Any:
        (tmp_path / files.UNFINISHED).unlink()
        if again:
            (tmp_path / files.UNFINISHED).touch()
        return lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(HomeRefused, match="Another process"), files.begun(tmp_path):
        pass
    assert len(tree(tmp_path)) == 3 + again


def test_a_link_in_the_place_of_the_mark_is_not_followed(tmp_path: Path) -> None:
    outside, target = tmp_path / "outside", tmp_path / "backup"
    outside.write_text("years of work")
    target.mkdir()
    (target / files.UNFINISHED).symlink_to(outside)
    with pytest.raises(HomeRefused), files.begun(target):
        pass
    assert outside.read_text() == "years of work"
