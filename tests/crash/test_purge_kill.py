"""``kill -9`` at every file operation of a purge: the next opening finds the old or the new generation, whole.

A process that never opened an engine itself forks one child per operation: the child makes a shard, purges it
and kills itself at its n-th operation on a file, the next child opens what is left and says what it holds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import warm

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]")

DRIVER = """
import json, os, shutil, signal, sys
from pathlib import Path
from securevec.backend import CollectionSpec
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
kind, base = sys.argv[1], Path(sys.argv[2])
if kind == "edge":
    from securevec_qdrant.edge import EdgeBackend as Backend
else:
    from securevec_chroma.persistent import ChromaPersistentBackend as Backend
PLACE = a_namespace("mine")
EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}

def child(work):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            said = work()
            os.write(writing, json.dumps(said).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(said) if said else None

def purge(root, fatal):
    backend = Backend(root)
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, range(30))
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(10)])
    seen = [0]
    def count(event, given):
        if event in EVENTS and str(root) in str(given[:1]):
            seen[0] += 1
            if seen[0] == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    backend.purge(namespace=PLACE)
    return seen[0]

def look(root):
    backend = Backend(root)
    left = sorted(path.name for path in (root / PLACE.shard).iterdir() if path.name.startswith("gen-"))
    loose = sorted(path.name for path in root.iterdir() if path.name.startswith("."))
    rows = sorted(held(backend, PLACE))
    best = backend.query(namespace=PLACE, vector=a_vector(12), where=None, limit=1)[0].payload["n"]
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 12, {"f_a": "new"})])
    backend.delete(namespace=PLACE, ids=[an_id(13)])
    again = backend.purge(namespace=PLACE).bytes_removed
    after = sorted(held(backend, PLACE))
    backend.close()
    return {"left": left, "loose": loose, "rows": rows, "best": best, "again": again, "after": after}

steps = child(lambda: purge(base / "whole", 0))
most = int(sys.argv[3])
few = {round(1 + number * (steps - 1) / (most - 1)) for number in range(most)}
chosen = range(1, steps + 1) if steps <= most else sorted(few)
results = []
for fatal in chosen:
    root = base / f"cut{fatal}"
    assert child(lambda: purge(root, fatal)) is None, "it was not killed"
    results.append([fatal, child(lambda: look(root))])
    shutil.rmtree(root)
print(json.dumps({"steps": steps, "results": results}))
"""


EVERY, SOME = 10_000, 5


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("edge", SOME),
        ("chroma", SOME),
        pytest.param("edge", EVERY, marks=pytest.mark.soak),
        pytest.param("chroma", EVERY, marks=pytest.mark.soak),
    ],
)
def test_a_purge_killed_at_any_file_operation_leaves_one_whole_generation(tmp_path: Path, kind: str, most: int) -> None:
    if kind == "chroma":
        pytest.importorskip("chromadb", reason="needs securevec[chroma]")
    done = warm.run(["-c", DRIVER], kind, str(tmp_path), str(most), timeout=1800)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["steps"] > 15, "the purge was hardly watched"
    live = list(range(10, 30))
    seen: set[str] = set()
    for step, result in said["results"]:
        assert result is not None, f"what a kill at operation {step} left could not be opened"
        assert result["rows"] == live, step
        assert result["best"] == 12, step
        assert len(result["left"]) == 1, f"operation {step} left a generation that opening did not remove"
        assert result["loose"] == [], step
        assert result["again"] is True
        assert result["after"] == [number for number in live if number != 13], step
        seen |= set(result["left"])
    assert seen == {"gen-0", "gen-1"}, "kills before and after the swap were meant"
