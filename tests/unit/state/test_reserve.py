"""What the home keeps free is given to what deletes and to nothing else, in parts, and taken again."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from securevec.state import reserve

MIB = 1 << 20


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a reserve as homes have it, on a disk that is called full."""
    monkeypatch.setattr(reserve, "SIZE", 8 * MIB)
    monkeypatch.setattr(reserve, "SCARCE", 1 << 62)
    reserve.keep(tmp_path)
    assert reserve.held(tmp_path) == 8 * MIB
    monkeypatch.setattr(reserve, "FULL", 1 << 62)
    return tmp_path


def test_the_reserve_is_room_on_the_disk_and_private(whole: Path) -> None:
    status = (whole / reserve.FILE).stat()
    assert status.st_blocks * 512 >= 8 * MIB
    assert status.st_mode & 0o777 == 0o600


def test_a_deletion_of_records_leaves_the_last_part_to_that_of_a_tenant(whole: Path) -> None:
    reserve.give_back(whole)
    assert reserve.held(whole) == reserve.LAST
    reserve.give_back(whole)
    assert reserve.held(whole) == reserve.LAST
    reserve.give_back(whole, last=True)
    assert reserve.held(whole) == 0


def test_opening_a_full_home_again_and_again_takes_the_last_part_in_slices(whole: Path) -> None:
    left: list[int] = []
    for _ in range(6):
        reserve.give_back_to_open(whole)
        left.append(reserve.held(whole))
    assert left == [2 * MIB, 3 * MIB // 2, MIB, MIB // 2, 0, 0]


def test_on_a_disk_with_room_nothing_is_given_back(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve, "FULL", 1)
    reserve.give_back(whole, last=True)
    reserve.give_back_to_open(whole)
    assert reserve.held(whole) == 8 * MIB


def _left(free: int, home: Path) -> int:
    return free


def test_of_a_nearly_full_disk_the_reserve_takes_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve, "SIZE", 8 * MIB)
    for free, held in ((100 << 10, 0), (3 * MIB, 3 * MIB // 2), (3 * MIB // 2, 3 * MIB // 2), (100 * MIB, 8 * MIB)):
        monkeypatch.setattr(reserve, "free", partial(_left, free))
        reserve.keep(tmp_path)
        assert reserve.held(tmp_path) == held


def test_a_disk_with_room_in_plenty_needs_no_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve, "SIZE", 8 * MIB)
    for free, held in ((2049 * MIB, 0), (2047 * MIB, 8 * MIB), (2049 * MIB, 8 * MIB), (4096 * MIB, 0)):
        monkeypatch.setattr(reserve, "free", partial(_left, free))
        reserve.keep_ahead(tmp_path)
        assert reserve.held(tmp_path) == held
    assert not (tmp_path / reserve.FILE).exists()


def test_what_was_given_back_is_not_taken_from_under_a_deletion(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that looks after an open store goes on while a job runs."""
    reserve.give_back(whole, last=True)
    for free in (0, 8 * MIB, 63 * MIB):
        monkeypatch.setattr(reserve, "free", partial(_left, free))
        reserve.keep_ahead(whole)
        assert reserve.held(whole) == 0
    monkeypatch.setattr(reserve, "free", partial(_left, 65 * MIB))
    reserve.keep_ahead(whole)
    assert reserve.held(whole) == 8 * MIB


def test_what_lies_in_the_place_of_the_reserve_is_not_written_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"kept")
    home = tmp_path / "home"
    home.mkdir()
    (home / reserve.FILE).symlink_to(elsewhere)
    reserve.keep(home)
    reserve.give_back(home, last=True)
    assert elsewhere.read_bytes() == b"kept"
    (home / reserve.FILE).unlink()
    os.mkfifo(home / reserve.FILE)
    reserve.keep(home)
    assert reserve.held(home) == 0
