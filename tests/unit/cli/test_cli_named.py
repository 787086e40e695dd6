"""A file that a command is to make is asked about before the work whose outcome goes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.cli.named import require_new
from securevec.errors import UsageError
from securevec.newfile import write_file


@pytest.mark.parametrize("kind", ["a file", "a link to nothing", "no directory", "a file for a directory", "too long"])
def test_a_place_where_no_file_can_be_made_is_refused_before_the_work(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    place = {
        "a file": there,
        "a link to nothing": tmp_path / "link",
        "no directory": tmp_path / "absent" / "receipt.json",
        "a file for a directory": there / "receipt.json",
        "too long": tmp_path / ("n" * 300),
    }[kind]
    with pytest.raises(UsageError):
        require_new(place)
    with pytest.raises(UsageError):
        write_file(place, b"lost", what="receipt")
    assert there.read_bytes() == b"kept"
    assert not (tmp_path / "elsewhere").exists()


def test_a_free_name_is_allowed_and_written_once(tmp_path: Path) -> None:
    place = tmp_path / "receipt.json"
    require_new(None)
    require_new(place)
    write_file(place, b"said", what="receipt")
    assert place.read_bytes() == b"said"


def test_no_work_is_done_whose_receipt_could_not_be_written_into_its_directory(tmp_path: Path) -> None:
    """Nobody may make a file in /proc, root included, as in a directory of somebody else's or on a read-only disk."""
    with pytest.raises(UsageError, match="cannot be made") as refused:
        require_new(Path("/proc/receipt.json"))
    assert "may you write there" in refused.value.next_step
    longest = tmp_path / ("n" * 255)
    require_new(longest)
    assert not list(tmp_path.iterdir())
    write_file(longest, b"receipt", what="receipt")
    assert longest.read_bytes() == b"receipt"
