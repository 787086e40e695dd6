"""Making a home: by one at a time, whole or not at all, and never over anything."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import ControlUnavailable, HomeRefused
from securevec.locks import FileLock
from securevec.state import home as homes
from tests.support.waiting import interrupted


def _make(home: Path, installation_id: str, *, stop_after: str = "") -> None:
    """A creation as the store does it, with ``keys`` and ``control.db`` as stand-ins for their rooms' files."""
    homes.prepare(home)
    homes.describe(home, installation_id=installation_id, backend="edge", key_provider={"kind": "file"})
    if stop_after == "description":
        return
    (home / "keys").mkdir()
    (home / "keys" / "keys.db").write_text(installation_id)
    (home / "control.db").touch()
    if stop_after == "files":
        return
    homes.seal_home(home)


def test_of_many_creators_one_makes_the_home_and_the_others_find_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made: list[str] = []
    found: list[str] = []

    def create(name: str) -> None:
        with homes.creating(home) as needed:
            if needed:
                time.sleep(0.02)
                _make(home, name)
                made.append(name)
        found.append(homes.load(home).installation_id)

    threads = [threading.Thread(target=create, args=(f"{number:032x}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert found == made * 5
    assert (home / "keys" / "keys.db").read_text() == made[0]


def test_another_process_waits_until_the_creation_ended(tmp_path: Path) -> None:
    home = tmp_path / "home"
    script = (
        "import sys, pathlib; from securevec.state import home as homes\n"
        "home = pathlib.Path(sys.argv[1])\n"
        "print('waiting', flush=True)\n"
        "with homes.creating(home) as needed: print(needed, homes.exists(home))"
    )
    with homes.creating(home) as needed:
        assert needed
        other = subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "waiting\n"
        time.sleep(0.1)
        _make(home, "a" * 32)
    said, _ = other.communicate(timeout=20)
    assert said.split() == ["False", "True"]


def test_a_creation_that_never_ends_is_not_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "_PATIENCE_S", 0.05)
    home = tmp_path / "home"
    with homes.creating(home), pytest.raises(HomeRefused, match="Another process"), homes.creating(home):
        pass
    with homes.creating(home) as needed:
        assert needed


@pytest.mark.parametrize("stop_after", ["description", "files"])
def test_a_creation_cut_short_is_begun_again_from_nothing(tmp_path: Path, stop_after: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "securevec.toml").write_text("kept")
    with homes.creating(home):
        _make(home, "a" * 32, stop_after=stop_after)
    assert not homes.exists(home)
    with pytest.raises(HomeRefused):
        homes.load(home)
    with homes.creating(home) as needed:
        assert needed
        _make(home, "b" * 32)
    assert homes.load(home).installation_id == "b" * 32
    assert (home / "keys" / "keys.db").read_text() == "b" * 32
    assert sorted(os.listdir(home)) == ["VERSION", "control.db", "installation.json", "keys", "securevec.toml"]


def test_a_finished_home_that_lost_its_version_is_never_cleared(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with homes.creating(home):
        _make(home, "a" * 32)
    (home / "VERSION").unlink()
    with homes.creating(home) as needed:
        assert needed
        with pytest.raises(HomeRefused):
            homes.prepare(home)
    assert (home / "keys" / "keys.db").read_text() == "a" * 32


def test_what_no_creation_makes_is_not_cleared_with_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.txt").write_text("kept")
    with homes.creating(home):
        _make(home, "a" * 32, stop_after="description")
    (home / "keys").symlink_to(outside)
    (home / "letter.txt").write_text("kept")
    with homes.creating(home), pytest.raises(HomeRefused):
        homes.prepare(home)
    assert (home / "letter.txt").read_text() == (outside / "thesis.txt").read_text() == "kept"


def test_only_a_home_that_is_being_restored_is_opened_as_one(tmp_path: Path) -> None:
    with sv.SecureStore.open(tmp_path / "home", backend="memory", key_file=tmp_path / "k"):
        pass
    with pytest.raises(HomeRefused):
        homes.load_restoring(tmp_path / "home")
    (tmp_path / "home" / ".restoring").touch()  # killed between the last two steps: it is a whole home
    with pytest.raises(HomeRefused):
        homes.load_restoring(tmp_path / "home")
    with pytest.raises(HomeRefused):
        homes.prepare_restore(tmp_path / "home")
    homes.load(tmp_path / "home")
    (tmp_path / "home" / "VERSION").unlink()
    with pytest.raises(HomeRefused, match="not finished"):
        homes.load(tmp_path / "home")


def test_a_restore_killed_while_it_writes_its_mark_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "..restoring.new").touch()
    homes.prepare_restore(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [".restoring"]


@pytest.mark.parametrize("name", ["VERSION", "installation.json"])
def test_a_pipe_in_the_place_of_a_homes_file_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    with homes.creating(home):
        _make(home, "0" * 32)
    (home / name).unlink()
    os.mkfifo(home / name)
    with interrupted(), pytest.raises(HomeRefused):
        homes.load(home)


def test_a_home_that_a_later_release_described_is_refused_and_says_what_opens_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _make(home, "0" * 32)
    described = home / "installation.json"
    described.write_text(json.dumps(json.loads(described.read_text()) | {"format": 2}))
    with pytest.raises(HomeRefused, match="release that wrote it, or a newer one"):
        homes.described(home)


def test_a_home_that_cannot_be_looked_at_is_refused_and_not_taken_for_none(tmp_path: Path) -> None:
    with pytest.raises(HomeRefused, match="cannot be looked at"):
        homes.exists(tmp_path / ("h" * 300))


def test_a_home_whose_directory_was_moved_while_it_was_waited_for_is_locked_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of the one that was moved keeps nobody out: two would make one home."""
    home, honest, taken = tmp_path / "home", FileLock.take, list[bool]()

    def late(lock: FileLock) -> None:
        if not taken:
            home.rename(tmp_path / "moved")
        taken.append(True)
        honest(lock)

    monkeypatch.setattr(FileLock, "take", late)
    with homes.creating(home) as needed:
        assert needed
        assert len(taken) == 2
        other = FileLock(home)
        with pytest.raises(BlockingIOError):
            honest(other)
        other.close()


def test_a_description_that_finds_no_room_is_an_error_that_says_so_and_leaves_the_old_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _make(home, "0" * 32)
    before = homes.load(home)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        with pytest.raises(ControlUnavailable, match="cannot be written: File too large") as refused:
            homes.rewrite(home, replace(before, next_key_provider={"kind": "file"}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "Make room" in refused.value.next_step
    assert homes.load(home) == before
    homes.rewrite(home, before)  # what was half written is not in the way
    assert homes.load(home) == before
