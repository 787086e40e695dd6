"""What is handed out as a file stands under its name whole, or is not there: where the disk is full, and where the
command is ended in the middle."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from securevec.errors import UsageError
from securevec.jobs import JobResult
from securevec.newfile import new_file, write_file
from securevec.people.export import SubjectExport

LINES: Final = tuple({"id": str(number)} for number in range(20_000))
RECEIPT: Final = JobResult("0" * 32, "done", b'{"receipt":1}' * 20_000)
EXPORT: Final = SubjectExport(LINES, revealed=False, unreadable=0, request_id="r")

HANDED_OUT: Final[dict[str, Callable[[Path], object]]] = {
    "receipt": RECEIPT.save,
    "person": EXPORT.save,
    "key": lambda path: write_file(path, b"key" * 80_000, what="key"),
    "page": lambda path: write_file(path, b"page" * 60_000, what="page", overwrite=True),
}


@contextmanager
def room_for(size: int) -> Generator[None]:
    """No file of this process grows beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("what", HANDED_OUT)
def test_no_file_is_cut_where_the_disk_is_full(tmp_path: Path, what: str) -> None:
    path = tmp_path / "out.jsonl"
    with room_for(100_000), pytest.raises(UsageError, match="cannot be written") as refused:
        HANDED_OUT[what](path)
    assert refused.value.next_step
    with pytest.raises(UsageError):
        HANDED_OUT[what](tmp_path / ("x" * 300))
    assert not list(tmp_path.iterdir())
    HANDED_OUT[what](path)
    assert path.stat().st_size > 200_000
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("what", HANDED_OUT)
def test_no_file_is_cut_where_the_command_is_ended(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("securevec.newfile.os.fsync", ended)
    with pytest.raises(KeyboardInterrupt):
        HANDED_OUT[what](tmp_path / "out.jsonl")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_written_over_stays_as_it_was_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path, link = tmp_path / "receipt.json", tmp_path / "link"
    path.write_bytes(b"before")
    link.symlink_to(path)
    with room_for(100_000), pytest.raises(UsageError):
        RECEIPT.save(link)
    assert path.read_bytes() == b"before"
    RECEIPT.save(link)
    assert path.read_bytes() == RECEIPT.receipt
    assert link.is_symlink()


def test_a_pipe_that_is_named_for_a_receipt_gets_it_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        JobResult("0" * 32, "done", b"receipt").save(pipe)
        assert os.read(reader, 100) == b"receipt"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_without_second_names_on_a_file_system_no_name_is_taken_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("securevec.newfile.os.link", refuse)
    path = tmp_path / "out"
    with new_file(path, overwrite=False) as stream:
        stream.write(b"whole")
    with pytest.raises(UsageError, match="exists"), new_file(path, overwrite=False) as stream:
        stream.write(b"another")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]
