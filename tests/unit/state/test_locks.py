"""Locks on files belong to the process that took them: no child that it forks keeps, frees or inherits one."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from securevec.errors import EngineLocked, HomeRefused
from securevec.locks import FileLock
from securevec.state import engine
from securevec_adapters.layout import EngineRoot


@contextmanager
def forked(work: Callable[[], bool]) -> Generator[None]:
    """A child that does ``work``, which must be true, and lives on until the block ends."""
    ready, said = os.pipe()
    child = os.fork()
    if child == 0:
        verdict = b"0"
        try:
            verdict = b"1" if work() else b"0"
        finally:
            os.write(said, verdict)
            signal.pause()
    try:
        assert os.read(ready, 1) == b"1"
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(said)


def taken(place: Path) -> FileLock:
    lock = FileLock(place)
    lock.take()
    return lock


def test_what_a_killed_process_held_is_free_though_its_forked_child_lives(tmp_path: Path) -> None:
    lock = taken(tmp_path)
    with forked(lambda: True):
        os.close(lock._descriptor)  # as the kernel does: closed, and not unlocked
        lock._descriptor = -1
        taken(tmp_path).close()


def test_what_is_given_back_is_free_though_a_copy_of_its_descriptor_lives(tmp_path: Path) -> None:
    """Of a program that another thread starts, for a moment; of a library that duplicates what is open."""
    lock = taken(tmp_path)
    copy = os.dup(lock._descriptor)
    lock.close()
    taken(tmp_path).close()
    os.close(copy)


def test_a_forked_child_frees_no_lock_of_its_parent_and_none_of_its_own_by_mistake(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    inherited = taken(tmp_path)

    def work() -> bool:
        own = taken(tmp_path / "own")  # gets the number of the copy that was closed
        inherited.close()
        with pytest.raises(BlockingIOError):
            taken(tmp_path / "own")
        return own.held and not inherited.held

    with forked(work), pytest.raises(BlockingIOError):
        taken(tmp_path)
    inherited.close()
    inherited.close()


@pytest.mark.parametrize("said", [errno.ENOLCK, errno.EBADF, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused_and_is_no_other_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: int
) -> None:
    """A shared disk has no lock daemon, or locks no directory: nobody finds the process that is told to be stopped."""

    def without(_: int, __: int) -> None:
        raise OSError(said, os.strerror(said))

    (tmp_path / "root").mkdir(mode=0o700)
    monkeypatch.setattr(fcntl, "flock", without)
    for opened in (lambda: engine._take_now(tmp_path / engine.LOCK_NAME), lambda: EngineRoot(tmp_path / "root", "1\n")):
        with pytest.raises(HomeRefused, match="keeps no locks") as caught:
            opened()
        assert not isinstance(caught.value, EngineLocked)


def test_a_lock_that_follows_no_link_does_not_stand_behind_one(tmp_path: Path) -> None:
    """Who replaces a job's file by a link to where it went has a name of his own for it, and the next one another."""
    place, elsewhere = tmp_path / "job.lock", tmp_path / "elsewhere"
    lock = FileLock(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    assert lock.stands_at(place)
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    assert not lock.stands_at(place)
    lock.close()
    (tmp_path / "home").symlink_to(tmp_path)
    followed = FileLock(tmp_path / "home")
    assert followed.stands_at(tmp_path / "home")
    followed.close()
