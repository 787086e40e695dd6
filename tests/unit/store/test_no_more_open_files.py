"""A process that may open no more files: typed errors, and everything it has is closed all the same."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import securevec as sv
from securevec.files.pool import ParserPool
from securevec.proof.purging import own_files
from securevec.proof.residue import refuse_residue
from securevec.testing.embedders import HashEmbedder
from securevec_adapters.errors import mapped
from tests.support.world import Ticket, ticket


@contextmanager
def no_more_open_files(more: int = 0) -> Generator[None]:
    """``more``: how many may still be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.open(os.devnull, os.O_RDONLY) for _ in range(more + 1)]
    for descriptor in free:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[-1], hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_document_that_nobody_can_be_started_to_read_ends_the_run_and_is_no_refused_file() -> None:
    with ParserPool(jobs=1) as pool:
        with no_more_open_files(), pytest.raises(sv.errors.Unavailable, match="Too many open files") as refused:
            pool.parse("text", b"The lift.")
        assert "ulimit" in refused.value.next_step
        assert pool.parse("text", b"The lift.").text == "The lift."


@pytest.mark.parametrize("more", [0, 1, 3])
def test_a_store_that_can_open_no_more_files_is_closed_all_the_same(tmp_path: Path, more: int) -> None:
    def opened() -> sv.SecureStore:
        return sv.SecureStore.open(tmp_path / "home", key_file=tmp_path / "root.key", embedder=HashEmbedder())

    store = opened()
    store.tenant("acme", create=True).collection(Ticket).ingest([ticket(1, "The lift was late.")])
    # What could not be signed for want of a file is said. Nothing is left open, or the next opening would wait.
    with no_more_open_files(more), suppress(sv.SecurevecError):
        store.close()
    with opened() as again:
        assert again.tenant("acme").collection(Ticket).count() == 1


def test_a_store_that_finds_no_room_says_what_the_system_says(tmp_path: Path) -> None:
    with (
        pytest.raises(sv.errors.BackendError, match=r"The system says: No space left on device\.") as refused,
        mapped("x"),
    ):
        raise RuntimeError from OSError(errno.ENOSPC, "No space left on device", str(tmp_path))
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("more", [0, 2])
def test_a_home_that_cannot_be_searched_for_destroyed_keys_is_not_said_to_hold_none(tmp_path: Path, more: int) -> None:
    (tmp_path / "control.db").write_bytes(b"x" * 4096)
    refuse_residue(tmp_path, [b"y" * 16])
    with no_more_open_files(more), pytest.raises(sv.errors.KeyUnavailable, match="cannot be searched"):
        refuse_residue(tmp_path, [b"y" * 16])


def test_files_of_an_engine_that_cannot_be_listed_are_not_said_to_be_none(tmp_path: Path) -> None:
    with sv.SecureStore.open(tmp_path / "home", key_file=tmp_path / "root.key", embedder=HashEmbedder()) as store:
        tickets = store.tenant("acme", create=True).collection(Ticket)
        tickets.ingest([ticket(1, "The lift was late.")])
        namespace = tickets._scope.namespace
        with no_more_open_files(), pytest.raises(sv.errors.BackendError, match="cannot be listed") as refused:
            own_files(store.runtime, namespace)
        assert "Too many open files" in refused.value.next_step
        assert own_files(store.runtime, namespace)
