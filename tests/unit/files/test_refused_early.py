"""What is refused before a document is parsed: no sources, no time, and files that are longer than they say."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from securevec.errors import FileUnreadable, SourceError, UsageError
from securevec.files.options import FileOptions
from securevec.files.reading import read_whole
from securevec.files.sources import open_sources
from securevec.files.walk import Found, open_root


@pytest.mark.parametrize("options", [{"jobs": 0}, {"jobs": -1}, {"seconds": 0.0}, {"seconds": -1.0}])
def test_documents_are_not_parsed_by_nobody_or_in_no_time(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        FileOptions(**options)


def test_an_ingest_of_no_files_is_a_mistake_and_no_success() -> None:
    with contextlib.ExitStack() as closing, pytest.raises(UsageError):
        open_sources([], closing)


def test_a_file_with_more_in_it_than_its_size_says_is_not_read_as_whole() -> None:
    """Of a process Linux shows files that say they are empty."""
    root = open_root(Path("/proc/self"))
    try:
        with pytest.raises(FileUnreadable, match="changed"):
            read_whole(Found(root, "status", "text", 0))
    finally:
        root.close()


def test_a_source_below_a_file_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceError):
        open_root(tmp_path / "file" / "folder")


def test_a_source_whose_links_lead_round_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FileUnreadable) as caught:
        open_root(tmp_path / "a")
    assert str(tmp_path) not in str(caught.value)
