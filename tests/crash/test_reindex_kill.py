"""kill -9 in the middle of indexing a collection anew: whenever it comes, every record is there and found by its words,
and the next opening of the home ends what was accepted. The old key is there until nothing needs it, and not longer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from tests.support.crash_child import open_words
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.killing import kill_at_chosen_points, kill_at_random_moments, kill_twice, traps
from tests.support.leaks import every_point
from tests.support.rewriting_desk import CALLS, RewritingDesk, require_gone

TRAPS = traps({**CALLS, "begin rotation": 1, "end rotation": 1})


class IndexingDesk(RewritingDesk):
    """A collection that is indexed anew, round after round, and killed over it."""

    name = "index-desk"
    work = "index anew"
    steps = ("accepted", "dual", "reindexed", "retired", "done")

    def open(self, store: sv.SecureStore, *, create: bool = False) -> sv.Collection[Any]:
        return open_words(store, self.name, create=create)

    def remember(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        self.old = _numbers(store, collection)

    def serves(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        collection.verify().raise_if_wrong()
        assert {hit.record.id for hit in collection.search("t3", hybrid=True, k=50)} >= {"T-3"}

    def untouched(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        assert _numbers(store, collection) == self.old

    def ended(self, store: sv.SecureStore, collection: sv.Collection[Any], predicate: Mapping[str, Any]) -> None:
        now = _numbers(store, collection)
        assert len(now & self.old) <= 1, "numbers of 32 bits may meet, and hardly ever do"
        listed = [key for key in store.runtime.keys.list_keys() if key.collection == collection.id]
        assert [key.epoch for key in listed if key.purpose == "filter"] == [str(self.rounds + 1)]
        require_gone(predicate)


def _numbers(store: sv.SecureStore, collection: sv.Collection[Any]) -> set[int]:
    """What the store knows the words by."""
    place = collection._scope.namespace
    ids = [point.id for point in every_point(store, collection)]
    held = store.runtime.backend().fetch(namespace=place, ids=ids, with_vectors=True)
    return {number for point in held if point.terms is not None for number in point.terms.indices.tolist()}


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> RewritingDesk:
    return IndexingDesk(Home.create(ground / "reindex"), nursery)


def test_killed_at_three_chosen_points_of_indexing_anew(desk: RewritingDesk) -> None:
    chosen: list[Trap] = [
        ("begin job", "before", 1),
        ("begin rotation", "after", 1),
        ("purge", "after", 1),
    ]
    kill_at_chosen_points(desk, chosen)


@pytest.mark.soak
@pytest.mark.parametrize("second", [("insert", "after", 1), ("end rotation", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_indexing_anew(desk: RewritingDesk, second: Trap) -> None:
    kill_twice(desk, ("begin rotation", "after", 1), second)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_indexing_anew(desk: RewritingDesk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments_of_indexing_anew(desk: RewritingDesk) -> None:
    kill_at_random_moments(desk, random.Random(), 100)
