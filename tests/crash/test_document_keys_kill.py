"""kill -9 while records with keys of their own are written, replaced and deleted: after the next opening there is a key
for each generation that lives and for no other, and no older copy of what was replaced or deleted opens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import pytest

import securevec as sv
from securevec.errors import BoundKeyDestroyed
from securevec.reading.opening import open_body
from securevec.types import StoredPoint

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.crash_child import ACTOR, RECORDS, edition
from tests.support.crash_home import Home, Nursery, Trap, require_consistent
from tests.support.leaks import every_point
from tests.support.world import Ticket

Work = Literal["ingest", "delete records"]
WRITING = [
    *((point, side, 1) for point in ("begin batch", "insert", "commit batch") for side in ("before", "after")),
    ("document keys", "after", 1),
    ("delete", "after", 1),
    ("bury keys", "before", 1),
    ("bury keys", "after", 1),
    ("finish batch", "before", 1),
]
DELETING = [
    *((point, side, 1) for point in ("begin delete", "delete", "bury keys") for side in ("before", "after")),
    ("finish batch", "before", 1),
]
Desk = tuple[Home, Nursery, Iterator[int]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Desk:
    return Home.create(tmp_path_factory.mktemp("document")), nursery, itertools.count()


def opened(store: sv.SecureStore, tenant: str, *, create: bool = False) -> sv.Collection[Ticket]:
    place = store.tenant(tenant, create=create, actor=ACTOR)
    if create:
        return place.collection(Ticket, retention="180d", key_scope="document")
    return place.collection(Ticket, retention="180d")


def openable(store: sv.SecureStore, tickets: sv.Collection[Ticket], copies: list[StoredPoint]) -> set[int]:
    """The copies that still open, by number."""
    found: set[int] = set()
    for number, point in enumerate(copies):
        try:
            open_body(store.runtime.keys, tickets._scope, point)
        except BoundKeyDestroyed:
            continue
        found.add(number)
    return found


def die_and_judge(desk: Desk, work: Work, trap: Trap) -> int:
    """How many records there are afterwards in the new state: of the second edition, or deleted."""
    home, nursery, numbers = desk
    tenant = f"desk-{next(numbers)}"
    with home.open() as store:
        tickets = opened(store, tenant, create=True)
        assert tickets.ingest(edition(1)).new == RECORDS
        copies = list(every_point(store, tickets))
    death = nursery.run(home, work, tenant=tenant, first=2, trap=trap)
    assert death.killed, (work, trap, death)
    home.verify_audit()
    with home.open() as store:
        runtime, tickets = store.runtime, opened(store, tenant)
        now = require_consistent(store, tickets)
        tickets.verify().raise_if_wrong()
        live = {(ref, str(generation)) for ref, generation in runtime.control.refs_after(tickets.id, b"", limit=100)}
        rows = runtime.keys._store.all_rows(tenant=bytes.fromhex(tickets._scope.tenant), kind="document")
        assert {(row.use.collection, row.use.epoch) for row in rows} == live
        standing = {point.id for point in every_point(store, tickets)}
        kept = {number for number, point in enumerate(copies) if point.id in standing}
        assert openable(store, tickets, copies) == kept, "a copy opens exactly as long as its generation lives"
        # Whatever died goes with the next purge, and nothing else.
        store.tenant(tenant, actor=ACTOR).purge()
        assert openable(store, tickets, copies) == kept
        assert require_consistent(store, tickets) == now
        home.verify_audit(store)
        return sum(now.get(number, 2) == 2 for number in range(RECORDS))


def test_killed_in_the_middle_of_replacing_records_with_keys_of_their_own(desk: Desk) -> None:
    assert die_and_judge(desk, "ingest", ("bury keys", "before", 1)) > 0


@pytest.mark.soak
@pytest.mark.parametrize("trap", WRITING)
def test_killed_at_every_point_of_replacing_records_with_keys_of_their_own(desk: Desk, trap: Trap) -> None:
    assert 0 <= die_and_judge(desk, "ingest", trap) < RECORDS


@pytest.mark.soak
@pytest.mark.parametrize("trap", DELETING)
def test_killed_at_every_point_of_deleting_records_with_keys_of_their_own(desk: Desk, trap: Trap) -> None:
    assert die_and_judge(desk, "delete records", trap) == (0 if trap == ("begin delete", "before", 1) else RECORDS)
