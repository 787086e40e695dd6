"""A process that moves a tenant is killed (``kill -9``) on either side of every commit of the move; another one reads
everything at once and carries the move on. The store is the stand-in, in this process: it outlives the dead one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
import securevec as sv
from securevec.testing.embedders import HashEmbedder
from securevec.types import Layout
from tests.support import warm
from tests.support.qdrant_engine import API_KEY
from tests.support.qdrant_wire import Line, line
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
COMMITS = [
    ("begin_move", 1),
    ("double_placement", 1),
    ("advance_job", 1),  # copied
    ("advance_job", 2),  # verified
    ("switch_placement", 1),
    ("advance_job", 3),  # removed
    ("finish_job", 1),
]
POINTS = [(method, nth, side) for method, nth in COMMITS for side in ("before", "after")]
CHOSEN = {("double_placement", 1, "after"), ("switch_placement", 1, "before")}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setenv("SECUREVEC_QDRANT_API_KEY", API_KEY)
    with line() as found:
        yield found


@pytest.mark.parametrize(
    ("method", "nth", "side"),
    [pytest.param(*point, marks=() if point in CHOSEN else pytest.mark.soak) for point in POINTS],
)
def test_a_killed_move_shows_everything_and_is_finished_by_another_process(
    tmp_path: Path, at: Line, method: str, nth: int, side: str
) -> None:
    home, key = tmp_path / "home", tmp_path / "keys" / "root.key"

    def opened() -> sv.SecureStore:
        address = f"qdrant://127.0.0.1:{at.port}"
        return sv.SecureStore.open(home, backend=address, key_file=key, embedder=HashEmbedder())

    with opened() as store:
        acme = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        acme.ingest([ticket(number, f"brickwork {number}") for number in range(20)])
    child = warm.run(["-m", "tests.support.promote_child"], str(home), str(key), method, str(nth), side)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    with opened() as store:
        acme = store.tenant("acme", actor=ACME).collection(Ticket)
        wanted = {f"T-{number}" for number in range(20)}
        assert {record.id for record in acme.iter()} == wanted
        acme.ingest([ticket(20, "brickwork since")])
        assert acme.delete(["T-0"]).deleted == 1
        wanted = {f"T-{number}" for number in range(1, 21)}
        for result in store.run_jobs():
            result.raise_if_incomplete()
        assert not store.runtime.control.jobs(open_only=True)
        assert {hit.record.id for hit in acme.search("brickwork", k=100)} == wanted
        acme.verify().raise_if_wrong()
        began = (method, side) != ("begin_move", "before")
        held: dict[Layout, int] = {"shared": 0 if began else 20, "collection": 0, "shard": 20 if began else 0}
        for layout, points in held.items():
            place = replace(acme._scope.namespace, layout=layout)
            assert store.runtime.backend().count(namespace=place) == points
