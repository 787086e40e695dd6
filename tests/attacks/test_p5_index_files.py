"""P5, P3: Chroma's index writes freed memory of the process into its files; ours holds none of it.

In processes of their own with one allocator arena, so that what is freed is what the index is given.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec.errors import BackendError
from securevec.testing.conformance_case import SPEC, a_namespace, fill, held
from securevec_chroma.persistent import ChromaPersistentBackend

PLACE = a_namespace("mine")
FREED = """
import os, sys
from pathlib import Path
from securevec.testing.conformance_case import SPEC, a_namespace, a_vector, fill
from securevec_chroma import index_files
from securevec_chroma.persistent import ChromaPersistentBackend

def free_secrets():
    kept = [bytearray(b"plaintext-of-a-person " * (size // 22)) for size in (400, 17200, 20000) for _ in range(400)]
    del kept

root = Path(sys.argv[1])
if sys.argv[2] == "unguarded":
    index_files._zero = lambda path, start: None
def traces():
    return sum(b"plaintext-of-a-person" in path.read_bytes() for path in root.rglob("*.bin"))

seen = 0
backend = None
for number in range(6):
    free_secrets()
    place = a_namespace("tenant %d" % number)
    if backend is None or sys.argv[3] != "killed":
        backend = ChromaPersistentBackend(root)
    backend.ensure(namespace=place, spec=SPEC)
    fill(backend, place, range(5))
    seen += traces()  # while it is open
    free_secrets()
    if sys.argv[3] == "killed":
        continue
    backend.purge(namespace=place)
    backend.close()
    again = ChromaPersistentBackend(root)
    free_secrets()
    again.count(namespace=place)  # makes the index files anew
    again.close()
if sys.argv[2] == "guarded" and seen:
    os._exit(3)
os._exit(0)
"""


def traces(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and b"plaintext-of-a-person" in path.read_bytes()]


def run(root: Path, guard: str, end: str = "closed") -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MALLOC_ARENA_MAX": "1"}
    subprocess.run([sys.executable, "-c", FREED, str(root), guard, end], env=environment, check=True, timeout=120)


def leaked(tmp_path: Path, end: str = "closed") -> Path:
    """Positive control: a database of the engine alone with freed memory in its files.

    What the engine is given is the allocator's choice, so a run now and then shows none.
    """
    for number in range(6):
        root = tmp_path / f"control {number}"
        run(root, "unguarded", end)
        if traces(root):
            return root
    pytest.fail("positive control: without the guard the engine writes freed memory")


def test_freed_memory_is_not_written_into_index_files(tmp_path: Path) -> None:
    leaked(tmp_path)
    run(tmp_path / "chroma", "guarded")
    assert traces(tmp_path / "chroma") == []


def test_what_a_killed_process_left_is_cleared_at_the_next_opening(tmp_path: Path) -> None:
    root = leaked(tmp_path, "killed")
    backend = ChromaPersistentBackend(root)
    for number in range(6):
        assert held(backend, a_namespace(f"tenant {number}")) == set(range(5))
    assert traces(root) == []
    backend.close()


def test_an_index_of_an_unknown_layout_is_refused_and_can_be_dropped(tmp_path: Path) -> None:
    backend = ChromaPersistentBackend(tmp_path / "chroma")
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, range(5))
    backend.close()
    header = next((tmp_path / "chroma").rglob("header.bin"))
    header.write_bytes(b"\x02" + header.read_bytes()[1:])
    again = ChromaPersistentBackend(tmp_path / "chroma")
    with pytest.raises(BackendError, match="layout"):
        again.count(namespace=PLACE)
    assert again.drop(namespace=PLACE).bytes_removed
    again.close()


def test_clearing_takes_nothing_that_lives(tmp_path: Path) -> None:
    backend = ChromaPersistentBackend(tmp_path / "chroma")
    backend.ensure(namespace=PLACE, spec=SPEC)
    for start in range(0, 2500, 250):  # past the engine's thresholds for writing and growing its files
        fill(backend, PLACE, range(start, start + 250))
        if start % 500 == 0:
            backend.close()
            backend = ChromaPersistentBackend(tmp_path / "chroma")
    assert held(backend, PLACE) == set(range(2500))
    vectors = {
        point.id: point.vector
        for point in backend.fetch(
            namespace=PLACE,
            ids=[point.id for point in backend.scan(namespace=PLACE, where=None, cursor=None, limit=2500).points],
            with_vectors=True,
        )
    }
    assert len(vectors) == 2500
    assert all(vector is not None and abs(float(vector @ vector) - 1.0) < 1e-5 for vector in vectors.values())
    backend.close()
