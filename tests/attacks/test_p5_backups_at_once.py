"""Two backups into one directory: neither clears away what the other made, and what a dead one left is cleared."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.backup import create, files
from securevec.backup.manifest import PARTS
from securevec.errors import ControlUnavailable, HomeRefused, SecurevecError, Stopped
from securevec.stopping import STOP
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket
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


@pytest.mark.parametrize("patience", [0.1, 60])
def test_a_write_that_never_ends_does_not_hold_a_backup_and_with_it_every_other_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    """A tenant's model does not answer: the backup would keep the writers of all others waiting with it."""
    monkeypatch.setattr(create, "PATIENCE_S", patience)
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", key_file=tmp_path / "root.key", embedder=HashEmbedder()
    ) as store:
        for name in ("acme", "globex"):
            store.tenant(name, create=True, actor=ACME).collection(Ticket)
        first, last = (store.runtime.write_lock(each) for each in create._collections(store.runtime))
        refused, free = list[BaseException](), list[bool]()

        def backup() -> None:
            stop = threading.Event()
            STOP.set(stop)  # of this thread's context
            try:
                if patience > 1:  # who asked for the backup asks it to end
                    stop.set()
                create.create_backup(store, tmp_path / "backup")
            except SecurevecError as error:
                refused.append(error)

        def write() -> None:
            free.append(first.acquire(blocking=False))

        with last:
            for each in (backup, write):
                thread = threading.Thread(target=each, daemon=True)
                thread.start()
                thread.join(10)
        assert [type(error) for error in refused] == [Stopped if patience > 1 else ControlUnavailable]
        assert free == [True]
