"""Chroma against sudden death, a fork, and a purge cut short at every step; in this process and behind a server."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from securevec.errors import BackendError
from securevec.testing.conformance_case import SPEC, a_vector, an_id, fill, held
from tests.support import warm
from tests.support.chroma_server import chroma_server
from tests.support.embedded_engine import PLACE, require_forks_refused, require_purges_repeatable

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.server import ChromaServerBackend

WRITER = """
import sys, time
from pathlib import Path
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, an_id, fill
from securevec_chroma.persistent import ChromaPersistentBackend
place = a_namespace("mine")
backend = ChromaPersistentBackend(Path(sys.argv[1]))
backend.ensure(namespace=place, spec=SPEC)
for start in range(0, 1200, 100):
    fill(backend, place, range(start, start + 100))
if sys.argv[2] == "purged":
    backend.purge(namespace=place)
backend.delete(namespace=place, ids=[an_id(number) for number in range(10)])
backend.insert(namespace=place, points=[a_point(place, 20, {"f_a": "replaced"})])
print("written", flush=True)
for number in range(2000, 100000):
    fill(backend, place, [number])
"""


@pytest.mark.parametrize("when", [pytest.param("fresh", marks=pytest.mark.soak), "purged"])
def test_what_was_acknowledged_survives_kill_9_and_deletes_do_not_come_back(tmp_path: Path, when: str) -> None:
    with warm.start(["-c", WRITER], str(tmp_path / "chroma"), when) as writer:
        assert writer.stdout.readline() == "written\n"
        time.sleep(0.2)  # it goes on writing, so the blow falls inside a write
        writer.kill()
        assert writer.wait() == -signal.SIGKILL
    backend = ChromaPersistentBackend(tmp_path / "chroma")
    try:
        found = held(backend, PLACE)
        assert {number for number in found if isinstance(number, int) and number < 2000} == set(range(10, 1200))
        assert backend.fetch(namespace=PLACE, ids=[an_id(20)])[0].payload["f_a"] == "replaced"
        for number in (77, 1199):
            best = backend.query(namespace=PLACE, vector=a_vector(number), where=None, limit=1)[0]
            assert best.payload["n"] == number
        assert backend.purge(namespace=PLACE).bytes_removed
        assert held(backend, PLACE) == found
    finally:
        backend.close()


def test_a_forked_child_is_refused_and_the_parent_goes_on(tmp_path: Path) -> None:
    require_forks_refused(ChromaPersistentBackend, tmp_path / "chroma")


CUTS = [
    pytest.param("securevec_chroma.persistent.copy_points", "before", marks=pytest.mark.soak),
    ("securevec_chroma.persistent.copy_points", "after"),
    pytest.param("securevec_adapters.layout._generation", "after", marks=pytest.mark.soak),
    ("securevec_adapters.layout.replace_file", "after"),
    pytest.param("securevec_adapters.embedded.remove_generation", "before", marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("function", "side"), CUTS)
def test_a_purge_cut_short_loses_nothing_and_can_be_repeated(tmp_path: Path, function: str, side: str) -> None:
    engine = "securevec_chroma.persistent.ChromaPersistentBackend"
    require_purges_repeatable(engine, tmp_path / "chroma", function=function, side=side)


def test_a_server_killed_under_us_is_an_error_and_its_restart_shows_what_was_acknowledged(tmp_path: Path) -> None:
    with chroma_server(tmp_path / "files") as (url, pid):
        backend = ChromaServerBackend(url)
        backend.ensure(namespace=PLACE, spec=SPEC)
        fill(backend, PLACE, range(50))
        backend.delete(namespace=PLACE, ids=[an_id(number) for number in range(10)])
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        for call in (
            lambda: fill(backend, PLACE, [99]),
            lambda: backend.count(namespace=PLACE),
            lambda: backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1),
            lambda: backend.drop(namespace=PLACE),
        ):
            with pytest.raises(BackendError):
                call()
        backend.close()
    with chroma_server(tmp_path / "files") as (url, _):
        again = ChromaServerBackend(url)
        assert held(again, PLACE) == set(range(10, 50))
        again.close()
