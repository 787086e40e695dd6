"""kill -9 in the middle of sealing a collection anew: whenever it comes, every record is there, in one generation, and
the next opening of the home ends what was accepted. No key dies before nothing needs it; then it does.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from securevec.crypto.armour import from_text
from securevec.crypto.envelope import read_key_id
from securevec.errors import KeyDestroyed

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.killing import kill_at_chosen_points, kill_at_random_moments, kill_twice, traps
from tests.support.leaks import every_point
from tests.support.rewriting_desk import CALLS_WITH_KEYS, RewritingDesk, require_gone

TRAPS = traps({**CALLS_WITH_KEYS, "roll": 1, "destroy deks": 1})


class SealingDesk(RewritingDesk):
    """A collection that is sealed anew, round after round, and killed over it."""

    name = "sealing-desk"
    work = "seal anew"
    steps = ("accepted", "rolled", "resealed", "doomed", "keys_destroyed", "verified", "done")

    def remember(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        self.old = {
            read_key_id(from_text(point.payload[name]))
            for point in every_point(store, collection)
            for name in ("b", "v")
            if name in point.payload
        }

    def serves(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        assert len(collection.search("lift", k=3)) > 0

    def untouched(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        for key_id in self.old:
            store.runtime.keys.key_by_id(key_id)

    def ended(self, store: sv.SecureStore, collection: sv.Collection[Any], predicate: Mapping[str, Any]) -> None:
        keys = store.runtime.keys
        for key_id in self.old:
            with pytest.raises(KeyDestroyed):
                keys.key_by_id(key_id)
        assert {key.state for key in keys.list_keys() if key.kind == "dek"} == {"active"}
        assert predicate["manifest"]["keys"] == len(self.old)
        require_gone(predicate)


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> RewritingDesk:
    return SealingDesk(Home.create(ground / "reseal"), nursery)


def test_killed_at_five_chosen_points_of_sealing_anew(desk: RewritingDesk) -> None:
    chosen: list[Trap] = [
        ("begin job", "before", 1),
        ("roll", "after", 1),
        ("purge", "before", 1),
        ("bury keys", "after", 1),
        ("advance job", "before", 4),
    ]
    kill_at_chosen_points(desk, chosen)


@pytest.mark.soak
@pytest.mark.parametrize("second", [("vacuum keys", "before", 1), ("delete", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_sealing_anew(desk: RewritingDesk, second: Trap) -> None:
    kill_twice(desk, ("roll", "after", 1), second)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_sealing_anew(desk: RewritingDesk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments_of_sealing_anew(desk: RewritingDesk) -> None:
    kill_at_random_moments(desk, random.Random(), 100)
