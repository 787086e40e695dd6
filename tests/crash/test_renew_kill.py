"""kill -9 while a tenant's tokens are made anew: whenever it comes, everybody is found, and the next opening of the
home ends what was accepted. No token of the version before is left then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.reading.opening import open_body
from tests.support.crash_child import ACTOR, RECORDS
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.killing import kill_at_chosen_points, kill_at_random_moments, kill_twice, traps
from tests.support.leaks import every_point
from tests.support.rewriting_desk import CALLS, RewritingDesk

TRAPS = traps({**CALLS, "begin version": 1, "lift tokens": 1, "drop names": 1, "scrub": 1})


class RenewalDesk(RewritingDesk):
    """A tenant whose tokens are made anew, round after round, and killed over it."""

    name = "renewal-desk"
    work = "renew tokens"
    steps = ("accepted", "switched", "resealed", "retired", "done")

    def remember(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        """The version is the number of the round."""

    def serves(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        collection.verify().raise_if_wrong()
        found = store.tenant(self.name, actor=ACTOR).find_subject("customer3@example.com")
        assert {each.record_id for each in found} == {"T-3"}

    def ended(self, store: sv.SecureStore, collection: sv.Collection[Any], predicate: Mapping[str, Any]) -> None:
        assert store.runtime.control.token_version(collection._scope.tenant) == self.rounds + 1
        points = every_point(store, collection)
        versions = {open_body(store.runtime.keys, collection._scope, point).tokens for point in points}
        assert versions == {self.rounds + 1}
        assert predicate["manifest"]["tokens"] >= RECORDS


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> RewritingDesk:
    return RenewalDesk(Home.create(ground / "renew"), nursery)


def test_killed_at_three_chosen_points_of_making_tokens_anew(desk: RewritingDesk) -> None:
    chosen: list[Trap] = [
        ("begin job", "before", 1),
        ("lift tokens", "after", 1),
        ("insert", "after", 1),
    ]
    kill_at_chosen_points(desk, chosen)


@pytest.mark.soak
@pytest.mark.parametrize("second", [("insert", "after", 1), ("drop names", "after", 1), ("finish job", "before", 1)])
def test_killed_again_by_the_opening_that_goes_on_with_making_tokens_anew(desk: RewritingDesk, second: Trap) -> None:
    kill_twice(desk, ("lift tokens", "after", 1), second)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_making_tokens_anew(desk: RewritingDesk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments_of_making_tokens_anew(desk: RewritingDesk) -> None:
    kill_at_random_moments(desk, random.Random(), 100)
