"""The embedded engine against sudden death, a fork, and a purge cut short at every step."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from securevec.errors import EngineForked, EngineLocked
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from tests.support import warm

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_qdrant.edge import EdgeBackend

PLACE = a_namespace("mine")
WRITER = """
import sys, time
from pathlib import Path
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, an_id, fill
from securevec_qdrant.edge import EdgeBackend
place = a_namespace("mine")
backend = EdgeBackend(Path(sys.argv[1]))
backend.ensure(namespace=place, spec=SPEC)
for start in range(0, 500, 50):
    fill(backend, place, range(start, start + 50))
if sys.argv[2] == "purged":
    backend.purge(namespace=place)
backend.delete(namespace=place, ids=[an_id(number) for number in range(10)])
backend.insert(namespace=place, points=[a_point(place, 20, {"f_a": "replaced"})])
print("written", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("when", ["fresh", "purged"])
def test_what_was_acknowledged_survives_kill_9_and_deletes_do_not_come_back(tmp_path: Path, when: str) -> None:
    with warm.start(["-c", WRITER], str(tmp_path / "edge"), when) as writer:
        assert writer.stdout.readline() == "written\n"
        writer.kill()
        assert writer.wait() == -signal.SIGKILL
    backend = EdgeBackend(tmp_path / "edge")
    try:
        assert held(backend, PLACE) == set(range(10, 500))
        assert backend.fetch(namespace=PLACE, ids=[an_id(20)])[0].payload["f_a"] == "replaced"
        assert backend.query(namespace=PLACE, vector=a_vector(77), where=None, limit=1)[0].payload["n"] == 77
    finally:
        backend.close()


def test_a_forked_child_is_refused_and_the_parent_goes_on(tmp_path: Path) -> None:
    backend = EdgeBackend(tmp_path / "edge")
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, range(5))
    child = os.fork()
    if child == 0:
        verdict = 1
        try:
            for call in (
                lambda: backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1),
                lambda: backend.count(namespace=PLACE),
                lambda: backend.insert(namespace=PLACE, points=[a_point(PLACE, 9)]),
                lambda: list(backend.namespaces()),
                lambda: backend.purge(namespace=PLACE),
            ):
                with pytest.raises(EngineForked):
                    call()
            backend.close()
            verdict = 0
        finally:
            os._exit(verdict)
    assert _wait(child, seconds=20) == 0
    fill(backend, PLACE, range(5, 10))
    backend.purge(namespace=PLACE)
    with pytest.raises(EngineLocked):
        EdgeBackend(tmp_path / "edge")
    backend.close()
    again = EdgeBackend(tmp_path / "edge")
    assert held(again, PLACE) == set(range(10))
    again.close()


PURGER = """
import os, sys
from pathlib import Path
from securevec.testing.conformance_case import SPEC, a_namespace, an_id, fill
from securevec_adapters import embedded, layout
from securevec_qdrant import edge
from securevec_qdrant.edge import EdgeBackend
place = a_namespace("mine")
backend = EdgeBackend(Path(sys.argv[1]))
backend.ensure(namespace=place, spec=SPEC)
fill(backend, place, range(30))
backend.delete(namespace=place, ids=[an_id(number) for number in range(10)])
module, _, function = sys.argv[2].partition(".")
original = getattr(globals()[module], function)
def cut(*given, **named):
    if sys.argv[3] == "after":
        original(*given, **named)
    os._exit(9)
setattr(globals()[module], function, cut)
backend.purge(namespace=place)
"""
CUTS = [
    ("edge.copy_points", "before"),
    ("edge.copy_points", "after"),
    ("layout._generation", "after"),
    ("layout._write", "after"),
    ("embedded.remove_generation", "before"),
]


@pytest.mark.parametrize(("function", "side"), CUTS)
def test_a_purge_cut_short_loses_nothing_and_can_be_repeated(tmp_path: Path, function: str, side: str) -> None:
    root = tmp_path / "edge"
    assert warm.run(["-c", PURGER], str(root), function, side).returncode == 9
    assert len(list((root / PLACE.shard).glob("gen-*"))) == 2, "the purge was not cut where two generations exist"
    backend = EdgeBackend(root)
    assert held(backend, PLACE) == set(range(10, 30))
    assert len(list((root / PLACE.shard).glob("gen-*"))) == 1
    fill(backend, PLACE, [100])
    assert backend.purge(namespace=PLACE).bytes_removed
    backend.delete(namespace=PLACE, ids=[an_id(100)])
    assert held(backend, PLACE) == set(range(10, 30))
    backend.close()


def _wait(child: int, *, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")
