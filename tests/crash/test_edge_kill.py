"""The embedded engine against sudden death, a fork, and a purge cut short at every step."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from securevec.testing.conformance_case import a_vector, an_id, held
from tests.support import warm
from tests.support.embedded_engine import PLACE, require_forks_refused, require_purges_repeatable

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_qdrant.edge import EdgeBackend

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
    require_forks_refused(EdgeBackend, tmp_path / "edge")


CUTS = [
    ("securevec_qdrant.edge.copy_points", "before"),
    ("securevec_qdrant.edge.copy_points", "after"),
    ("securevec_adapters.layout._generation", "after"),
    ("securevec_adapters.layout.replace_file", "after"),
    ("securevec_adapters.embedded.remove_generation", "before"),
]


@pytest.mark.parametrize(("function", "side"), CUTS)
def test_a_purge_cut_short_loses_nothing_and_can_be_repeated(tmp_path: Path, function: str, side: str) -> None:
    require_purges_repeatable("securevec_qdrant.edge.EdgeBackend", tmp_path / "edge", function=function, side=side)
