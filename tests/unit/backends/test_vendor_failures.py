"""A vendor's failure becomes ours: none of its text, and where to look when its server did not answer."""

from __future__ import annotations

import resource
import socket
from pathlib import Path

import pytest

from securevec.errors import BackendError, LimitExceeded
from securevec_adapters.errors import mapped
from securevec_adapters.layout import copy_tree
from tests.support.chroma_server import free_port


def test_no_text_of_a_vendor_is_repeated() -> None:
    with pytest.raises(BackendError) as caught, mapped("reading"):
        raise ValueError("canary-1a2b")
    assert str(caught.value) == "The vector store failed while reading."
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("around", [None, RuntimeError("canary-1a2b")])
def test_a_server_that_cannot_be_reached_is_said_to_be_looked_at(around: Exception | None) -> None:
    port = free_port()

    def reach() -> None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError as error:
            if around is None:
                raise
            raise around from error

    with pytest.raises(BackendError) as caught, mapped("asking"):
        reach()
    assert "securevec doctor" in caught.value.next_step
    assert "canary" not in str(caught.value)


def test_a_chroma_server_that_is_gone_says_where_to_look() -> None:
    chroma = pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]")
    with pytest.raises(BackendError) as caught:
        list(chroma.ChromaServerBackend(f"chroma://127.0.0.1:{free_port()}").namespaces())
    assert "securevec doctor" in caught.value.next_step


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("Service runtime error: Failed to save structure on disk with error: canary (os error 28)", "No space left"),
        ("error returned from database: (code: 13) database or disk is full", "No space left"),
        ("error returned from database: (code: 778) disk I/O error", "Input/output error"),
        ("error returned from database: (code: 1032) canary", "Read-only file system"),
        ("called `unwrap()` on `Err`: Os { code: 24, kind: Uncategorized, message: canary }", "Too many open files"),
        ("a log of canary (os error 4711)", ""),
    ],
)
def test_an_embedded_engine_on_a_full_or_failing_disk_says_what_the_system_says(said: str, advice: str) -> None:
    """What both engines raised on such disks: one class each, whatever happened."""
    with pytest.raises(BackendError) as caught, mapped("opening a shard"):
        raise RuntimeError(said)
    assert advice in caught.value.next_step
    assert bool(advice) == bool(caught.value.next_step)
    assert "canary" not in str(caught.value)


def test_a_copy_of_many_files_that_finds_no_room_says_so(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    for name in ("canary-a", "canary-b"):
        (tmp_path / "from" / name).write_bytes(b"x" * 8192)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(BackendError) as caught, mapped("copying a shard"):
            copy_tree(tmp_path / "from", tmp_path / "to")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.next_step == "The system says: File too large."


def test_causes_in_a_circle_are_looked_at_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    with pytest.raises(BackendError) as caught, mapped("reading"):
        raise first
    assert caught.value.next_step == ""


def test_errors_of_our_own_pass_through_unchanged() -> None:
    with pytest.raises(LimitExceeded), mapped("reading"):
        raise LimitExceeded("Too much.")
