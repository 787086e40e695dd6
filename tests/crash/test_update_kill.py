"""kill -9 at every step of an update: the old version or the new one, whole, with its originals, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.crash_child import RECORDS, UPDATED, edition, open_collection
from tests.support.crash_home import Home, Nursery, Trap, require_consistent

TENANT = "crash-desk"
TRAPS: list[Trap] = [
    (point, side, nth)
    for point, nth in [
        ("begin batch", 1),
        ("add tokens", 1),
        ("audit", 1),
        ("insert", 1),
        ("commit batch", 1),
        ("delete", 1),
        ("fetch", 2),
        ("audit", 2),
        ("finish batch", 1),
        ("audit", 3),
    ]
    for side in ("before", "after")
]


@pytest.fixture(scope="module")
def home(ground: Path) -> Home:
    home = Home.create(ground / "update")
    with home.open() as store:
        open_collection(store, TENANT, create=True).ingest(edition(0))
    return home


def test_killed_at_every_third_step_of_an_update(home: Home, nursery: Nursery) -> None:
    updated_under(home, nursery, TRAPS[::3])


@pytest.mark.soak
def test_killed_at_every_step_of_an_update(home: Home, nursery: Nursery) -> None:
    updated_under(home, nursery, TRAPS)


def updated_under(home: Home, nursery: Nursery, traps: list[Trap]) -> None:
    """One update for each trap, killed there: the old edition or the new one, whole, and every intent answered."""
    stands, old, new = 0, 0, 0
    for trap in traps:
        following = stands + 1
        death = nursery.run(home, "update", tenant=TENANT, first=following, trap=trap)
        assert death.killed, (trap, death)
        home.verify_audit()
        interrupted = home.open_intents()
        with home.open() as store:
            editions = require_consistent(store, open_collection(store, TENANT))
            assert {number for number, found in editions.items() if found} <= {UPDATED}
            assert len(editions) == RECORDS
            assert editions[UPDATED] in (stands, following), trap
            for request in interrupted:
                [answer] = home.recoveries(request)
                assert answer.get("state") == ("present" if editions[UPDATED] == following else "absent"), trap
            home.verify_audit(store)
        old += editions[UPDATED] == stands
        new += editions[UPDATED] == following
        stands = editions[UPDATED]
    assert old > 2
    assert new > 2
