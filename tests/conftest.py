"""Hypothesis profiles. The default is the same every time it runs; ``soak`` searches further, at random."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from securevec.state import reserve

# For what is loaded later and for every child process: there are as many workers as cores, and a thread of a library's
# pool spins while it waits for a core that another worker has.
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

# Homes, stores and files of the tests lie in memory where there is room: processes are killed here and no power is cut,
# so nothing is gained by waiting for a disk. Who sets TMPDIR, chooses another place.
MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3
if (
    "TMPDIR" not in os.environ
    and MEMORY.is_dir()
    and shutil.disk_usage(MEMORY).free > ROOM
    # Two tests install the package below their directory, and run it.
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

# Homes of tests keep next to nothing in reserve: there are thousands, and they lie in memory.
reserve.SIZE = 1 << 16

settings.register_profile("default", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("soak", deadline=None, max_examples=5_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# The conformance suite is shipped code, so pytest must be told to explain its assertions: here, before any test imports
# it.
for part in ("case", "hybrid", "isolation", "reads", "writes"):
    pytest.register_assert_rewrite(f"securevec.testing.conformance_{part}")


# A Qdrant server cannot be had from a package registry. The same rules run on local mode and, recorded, on a stand-in.
NO_SERVER = not os.environ.get("SECUREVEC_QDRANT_URL")
collect_ignore = ["conformance/test_qdrant_server.py"] if NO_SERVER else []

LONGEST = (
    *("test_histories_chroma", "test_histories_chroma_again", "test_histories_edge", "test_filter_equivalence"),
    *("test_stateful_tenants", "test_retention_kill", "test_deletion_kill", "test_ingest_kill", "test_reindex_kill"),
    *("test_large_files", "test_reseal_kill", "test_renew_kill", "test_backup_kill", "test_qdrant_wire"),
    "test_erasure_kill",
)
"""A worker takes whole files, in this order: one that began with a file of many minutes when the others end would be
waited for alone."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Workers collect one after the other: the first compiles what is imported, and the others read that.

    Nothing that is collected goes before the end: looking through it for garbage, again and again, finds none."""
    gc.disable()
    try:
        with Path(__file__).open() as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if NO_SERVER:
        terminalreporter.write_line(
            "Not run: tests/conformance/test_qdrant_server.py. SECUREVEC_QDRANT_URL names none."
        )


@pytest.fixture(scope="module", autouse=True)
def every_store_is_closed() -> Iterator[None]:
    """A store left open keeps processes that read ahead alive, and a later file's test that waits for their end fails.
    Loads nothing: a module that never had a store has none open."""
    before = _stores_open()
    yield
    assert _stores_open() <= before, "A test of this file left a store open."


def _stores_open() -> int:
    ahead = sys.modules.get("securevec.anonymize.ahead")
    return 0 if ahead is None else sum(shared._users for shared in ahead._shared)
