"""Pages of a large shard are brought in behind a few searches: data and no holes, and no more than allowed."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.testing.conformance_case import SPEC, a_namespace, a_vector, fill

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_qdrant import edge_warm
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_warm import ASKED, Warming

MB = 1 << 20
PLACE = a_namespace("mine")


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Path]:
    """Mapped files as an engine's: 8 MB of vectors in front of an equal hole, and 4 MB of payloads."""
    held: list[mmap.mmap] = []
    for name, data, hole in (("vector_storage/vectors/chunk_0.mmap", 8, 8), ("payload_storage/page_0.dat", 4, 0)):
        path = tmp_path / "shard" / name
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.write(b"\x01" * (data * MB))
            file.truncate((data + hole) * MB)
        with path.open("rb") as file:
            held.append(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
    yield tmp_path / "shard"
    for each in held:
        each.close()


def resident(directory: Path) -> dict[str, int]:
    """Bytes of each mapped file that are in this process's page tables."""
    found: dict[str, int] = {}
    text = Path("/proc/self/smaps").read_text("utf-8", "surrogateescape")
    for path, kilobytes in re.findall(r"^[0-9a-f]+-.* (/\S+)\n(?:\w+: .*\n)*?Rss: +(\d+) kB", text, re.MULTILINE):
        if path.startswith(f"{directory}/"):
            found[Path(path).name] = found.get(Path(path).name, 0) + (int(kilobytes) << 10)
    return found


def kernel_brings_pages_in() -> bool:
    """Asked of the kernel and not of the code under test, which would be skipped when it does nothing."""
    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        try:
            page.madvise(edge_warm._POPULATE_READ)
        except OSError:
            return False
    return Path("/proc/self/smaps").exists()


needs_populate = pytest.mark.skipif(
    not kernel_brings_pages_in(), reason="MADV_POPULATE_READ and smaps are Linux's, since 5.14"
)


@needs_populate
def test_data_is_brought_in_and_holes_are_not(shard: Path) -> None:
    assert resident(shard) == {"chunk_0.mmap": 0, "page_0.dat": 0}
    before = os.listdir("/proc/self/fd")
    assert Warming().bring_in(shard) == 12 * MB
    assert os.listdir("/proc/self/fd") == before, "a file held open would keep its bytes on the disk"
    assert resident(shard) == {"chunk_0.mmap": 8 * MB, "page_0.dat": 4 * MB}


@needs_populate
def test_no_more_is_brought_in_than_allowed_and_vectors_come_first(shard: Path) -> None:
    assert Warming(most=9 * MB).bring_in(shard) == 9 * MB
    held = resident(shard)
    assert held["chunk_0.mmap"] == 8 * MB
    assert MB <= held["page_0.dat"] <= 2 * MB, "the kernel may map a large page at once"


def test_where_little_memory_is_free_little_is_brought_in(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_warm, "_free", lambda: 8 * MB)
    assert Warming().bring_in(shard) in (0, 2 * MB)
    monkeypatch.setattr(edge_warm, "_free", lambda: 0)
    assert Warming().bring_in(shard) == 0


def test_files_that_go_away_and_neighbours_are_left_alone(shard: Path) -> None:
    assert Warming().bring_in(shard.parent / "sha") == 0
    (shard / "vector_storage/vectors/chunk_0.mmap").unlink()
    assert Warming().bring_in(shard) == 0, "the shard was closed"


def test_a_closed_one_brings_nothing_in(shard: Path) -> None:
    warming = Warming()
    warming.close()
    warming.ask(shard)
    assert warming.bring_in(shard) == 0
    warming.close()


@pytest.mark.parametrize("index_above", [100, 1000])
def test_a_shard_with_an_index_is_brought_in_once_it_was_asked_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index_above: int
) -> None:
    asked: list[Path] = []

    def noted(_: Warming, directory: Path) -> int:
        asked.append(directory)
        return 0

    monkeypatch.setattr(Warming, "bring_in", noted)
    backend = EdgeBackend(tmp_path / "edge", index_above=index_above)
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, range(300))
    backend.finish_indexes()
    for turn in range(2 * ASKED):
        backend.query(namespace=PLACE, vector=a_vector(turn), where=None, limit=3)
        backend._warming.finish()
        assert len(asked) == (turn + 1 >= ASKED and index_above < 300)
    assert all(path.parent.name == PLACE.shard for path in asked)
    backend.close()
