"""A move in the middle of each job that writes a tenant anew, and each of them in the middle of a move: between any two
of them nothing is lost, nothing comes back, and nothing is left in the place the tenant moved from. On qdrant-client's
local mode; no Qdrant server ran here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.jobs import JobResult
from securevec.types import Layout
from securevec_qdrant.server import QdrantServerBackend
from tests.support.promoting import Home, Local, at, tickets, whole
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
N = 12
MOMENTS = ("fetch", "insert", "delete")
JOBS: dict[str, Callable[[sv.SecureStore, int], JobResult]] = {
    "reseal": lambda store, _: store.reseal("acme", "ticket"),
    "reindex": lambda store, _: store.reindex("acme", "ticket"),
    "recloak": lambda store, _: store.recloak("acme", "ticket"),
    "renewal": lambda store, _: store.renew_tokens("acme"),
    "resurrogation": lambda store, _: store.renew_surrogates("acme"),
    "erasure": lambda store, number: store.tenant("acme").erase_subject(f"customer{number}@example.com"),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    client = Local(":memory:")
    return Home(tmp_path, lambda: QdrantServerBackend(client=client))


def in_the_middle(home: Home, moment: str, act: Callable[[], JobResult]) -> list[str]:
    """``act`` is carried out before the next call of this name to the store; the list says then what it was."""
    done: list[str] = []

    def call(name: str, namespace: Any) -> None:
        if name == moment and not done:
            done.append(name)
            act().raise_if_incomplete()

    home.on_call = call
    return done


@pytest.mark.parametrize(
    ("job", "moments"),
    [
        ("reseal", ["insert"]),
        ("erasure", ["delete"]),
        *(pytest.param(job, MOMENTS, marks=pytest.mark.soak) for job in JOBS),
    ],
)
def test_a_move_and_a_job_in_each_others_middle_lose_nothing_and_leave_nothing(
    home: Home, job: str, moments: Sequence[str]
) -> None:
    with home.open() as store:
        store._caretaker.stop()
        tenant = store.tenant("acme", create=True, actor=ACME)
        acme = tenant.collection(Ticket, cloak="rotate", hybrid=True, retention="180d")
        acme.ingest([ticket(number, f"brickwork {number}, ask Jane Miller") for number in range(N)])
        wanted, people = tickets(range(N)), iter(range(N))
        here: Layout = "shared"
        for moment in moments:
            for inside in ("move", "job"):
                number = next(people)
                to: Layout = "collection" if here == "shared" else "shared"

                def move(to: Layout = to) -> JobResult:
                    return store.promote_tenant("acme", to=to)

                def exchange(number: int = number) -> JobResult:
                    return JOBS[job](store, number)

                outer, inner = (exchange, move) if inside == "move" else (move, exchange)
                done = in_the_middle(home, moment, inner)
                outer().raise_if_incomplete()
                home.on_call = lambda name, namespace: None
                if not done:  # an erasure that writes nothing anew inserts nothing
                    assert (job, moment, inside) == ("erasure", "insert", "move")
                    inner().raise_if_incomplete()
                wanted -= {f"T-{number}"} if job == "erasure" else set[str]()
                whole(acme, wanted)
                assert (at(store, acme, here), at(store, acme, to)) == (0, len(wanted))
                here = to
        assert not store.runtime.control.jobs(open_only=True)
