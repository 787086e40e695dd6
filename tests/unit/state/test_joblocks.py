"""The lock of a job is the process's: a stopped one keeps it, a killed one does not, a forked child does not inherit
it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from securevec.errors import ControlUnavailable
from securevec.state.joblocks import DIRECTORY, process_lock

HOLDER = """
import sys
from pathlib import Path
from securevec.state.joblocks import process_lock
with process_lock(Path(sys.argv[1]), "job") as mine:
    print(mine, flush=True)
    sys.stdin.readline()
"""


def taken(home: Path) -> bool:
    with process_lock(home, "job") as mine:
        return mine


def test_a_stopped_worker_keeps_its_job_and_a_killed_one_gives_it_back(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        os.kill(holder.pid, signal.SIGSTOP)
        assert not taken(tmp_path)
        os.kill(holder.pid, signal.SIGCONT)
        assert not taken(tmp_path)
    finally:
        holder.kill()
        holder.communicate()
    assert taken(tmp_path), "its file is left, its lock is not"


def test_one_lock_a_job_and_none_is_left_behind(tmp_path: Path) -> None:
    with process_lock(tmp_path, "job") as mine:
        assert mine
        assert not taken(tmp_path), "also by another opening of the same process"
        with process_lock(tmp_path, "other") as another:
            assert another
    assert taken(tmp_path)
    assert list((tmp_path / DIRECTORY).iterdir()) == []


def test_a_file_that_was_removed_and_made_again_meanwhile_is_not_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits at the file of a worker that just ended would hold a lock that nobody else looks at."""
    path, honest, opened = tmp_path / DIRECTORY / "job.lock", os.open, list[int]()

    def late(name: str, flags: int, mode: int = 0o777) -> int:
        opened.append(honest(name, flags, mode))
        if len(opened) == 1:
            path.unlink()
        return opened[-1]

    monkeypatch.setattr(os, "open", late)
    with process_lock(tmp_path, "job") as mine:
        assert mine
        assert len(opened) == 2
        assert path.exists()
        assert not taken(tmp_path)


def test_a_forked_child_that_unwinds_takes_no_lock_of_its_parents_job_away(tmp_path: Path) -> None:
    """A new file in its place would be another lock, and the job would have two workers."""
    child = -1
    with process_lock(tmp_path, "job") as mine:
        assert mine
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            assert (tmp_path / DIRECTORY / "job.lock").exists()
            assert not taken(tmp_path)
    if child == 0:
        os._exit(0)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_link_in_the_place_of_a_lock_is_not_followed_and_a_pipe_not_waited_for(tmp_path: Path, kind: str) -> None:
    place = tmp_path / DIRECTORY / "job.lock"
    place.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(place)
        assert taken(tmp_path)
        return
    place.symlink_to(tmp_path / "outside")
    with pytest.raises(ControlUnavailable):
        taken(tmp_path)
    assert not (tmp_path / "outside").exists()
