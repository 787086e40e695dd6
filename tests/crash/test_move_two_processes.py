"""One process moves a tenant and stands still at its commits; another one reads everything, stores, changes, deletes,
erases and holds at each of them. The store is the stand-in of a server, which both reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.errors import LegalHold
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.crash_home import Home
from tests.support.promoting import at, whole
from tests.support.qdrant_engine import API_KEY
from tests.support.qdrant_wire import Line, line
from tests.support.step_child import COMMITS
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
N = 20


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setenv("SECUREVEC_QDRANT_API_KEY", API_KEY)
    with line() as found:
        yield found


class Desk:
    """What another process does meanwhile, one thing after the other, and which records there are by now."""

    def __init__(self, store: sv.SecureStore) -> None:
        self.store = store
        self.tenant = store.tenant("acme", create=True, actor=ACME)
        self.tickets: sv.Collection[Ticket] = self.tenant.collection(Ticket)
        self.tickets.ingest([ticket(number, f"brickwork {number}") for number in range(N)])
        self.wanted = {f"T-{number}" for number in range(N)}
        self.held: list[str] = []
        self.erased: list[str] = []
        acts: list[Callable[[], None]] = [self.hold, self.ingest, self.erase, self.delete, self.update]
        self._acts, self._fresh = cycle(acts), count(100)

    def _next(self) -> str:
        return min(self.wanted - set(self.held))

    def act(self) -> None:
        next(self._acts)()
        for record in self.held:
            with pytest.raises(LegalHold):
                self.tickets.delete([record])

    def hold(self) -> None:
        record = self._next()
        self.tenant.hold("case 1", collection="ticket", record=record)
        self.held.append(record)

    def ingest(self) -> None:
        number = next(self._fresh)
        assert self.tickets.ingest([ticket(number, "brickwork since")]).new == 1
        self.wanted.add(f"T-{number}")

    def erase(self) -> None:
        record = self._next()
        person = f"customer{record.removeprefix('T-')}@example.com"
        self.store.tenant("acme").erase_subject(person).raise_if_incomplete()
        self.erased.append(person)
        self.wanted.discard(record)

    def delete(self) -> None:
        record = self._next()
        assert self.tickets.delete([record]).deleted == 1
        self.wanted.discard(record)

    def update(self) -> None:
        self.tickets.update(self._next(), body=f"brickwork changed {len(self.wanted)}")


def test_a_move_beside_a_process_that_does_everything_else_loses_nothing_and_brings_nothing_back(
    tmp_path: Path, server: Line
) -> None:
    path, key = tmp_path / "home", tmp_path / "keys" / "root.key"
    address = f"qdrant://127.0.0.1:{server.port}"
    with sv.SecureStore.open(path, backend=address, key_file=key, embedder=HashEmbedder()) as store:
        store._caretaker.stop()  # the move is the other process's
        desk = Desk(store)
        seen: list[str] = []
        program = ["-m", "tests.support.step_child"]
        with warm.start(program, str(path), str(key), "acme", "shard") as mover:
            assert mover.stdin is not None
            for said in mover.stdout:
                if said == "done\n":
                    break
                seen.append(said.strip())
                desk.act()
                whole(desk.tickets, desk.wanted)
                mover.stdin.write("go on\n")
                mover.stdin.flush()
            assert mover.wait(60) == 0, mover.errors[-2000:]
        assert set(seen) == {f"{side} {name}" for name in COMMITS for side in ("before", "after")}
        assert len(seen) == 14
        assert len(desk.held) == len(desk.erased) == 3
        whole(desk.tickets, desk.wanted)
        for person in desk.erased:
            assert store.tenant("acme").find_subject(person).matches == ()
        assert (at(store, desk.tickets, "shared"), at(store, desk.tickets, "shard")) == (0, len(desk.wanted))
        keys: Any = store.runtime.keys
        home = Home(path, key, store.runtime.installation_id, keys.signing_key().public)
        home.verify_audit(store)
