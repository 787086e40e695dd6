"""kill -9 in the middle of bringing a collection under a new cloak key: whenever it comes, every record is there and
found by its meaning, and the next opening of the home ends what was accepted. No key dies before nothing needs it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from tests.support.crash_child import RECORDS, open_cloaked
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.killing import kill_at_chosen_points, kill_at_random_moments, kill_twice, traps
from tests.support.rewriting_desk import CALLS_WITH_KEYS, RewritingDesk, require_gone

TRAPS = traps({**CALLS_WITH_KEYS, "begin cloak": 1, "update identity": 1, "end cloak": 1})


class CloakingDesk(RewritingDesk):
    """A collection that is brought under a new cloak key, round after round, and killed over it."""

    name = "cloak-desk"
    work = "cloak anew"
    steps = ("accepted", "dual", "recloaked", "doomed", "keys_destroyed", "verified", "done")

    def open(self, store: sv.SecureStore, *, create: bool = False) -> sv.Collection[Any]:
        return open_cloaked(store, self.name, create=create)

    def remember(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        self.old = _keys(store, collection)
        self.answer = _answer(collection)

    def serves(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        assert _answer(collection) == pytest.approx(self.answer, abs=1e-4)

    def untouched(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        assert _keys(store, collection) == self.old

    def ended(self, store: sv.SecureStore, collection: sv.Collection[Any], predicate: Mapping[str, Any]) -> None:
        assert list(_keys(store, collection)) == [str(self.rounds + 1)]
        assert {bytes.fromhex(key_id) for key_id in self.old.values()} <= set(store.runtime.keys.destroyed_ids())
        assert not store.runtime.keys._store.pending_scopes("")
        require_gone(predicate)


def _answer(collection: sv.Collection[Any]) -> dict[tuple[object, int], float]:
    """The score of every chunk."""
    found = collection.search("the lift was late again this week, says part 2", k=200)
    assert {hit.id for hit in found} == {f"T-{number}" for number in range(RECORDS)}
    return {(hit.id, hit.chunk): hit.score for hit in found}


def _keys(store: sv.SecureStore, collection: sv.Collection[Any]) -> dict[str, str]:
    """The ids of the collection's cloak keys by version."""
    listed = [key for key in store.runtime.keys.list_keys(kind="tenant") if key.collection == collection.id]
    return {key.epoch: key.key_id for key in listed if key.purpose == "cloak"}


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> RewritingDesk:
    return CloakingDesk(Home.create(ground / "recloak"), nursery)


def test_killed_before_and_in_the_middle_of_cloaking_anew(desk: RewritingDesk) -> None:
    kill_at_chosen_points(desk, [("begin job", "before", 1), ("commit batch", "after", 1)])


@pytest.mark.soak
@pytest.mark.parametrize("second", [("insert", "after", 1), ("end cloak", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_cloaking_anew(desk: RewritingDesk, second: Trap) -> None:
    kill_twice(desk, ("begin cloak", "after", 1), second)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_cloaking_anew(desk: RewritingDesk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments_of_cloaking_anew(desk: RewritingDesk) -> None:
    kill_at_random_moments(desk, random.Random(), 100)
