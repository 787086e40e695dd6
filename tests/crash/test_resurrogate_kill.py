"""kill -9 while a tenant's surrogates are made anew: whenever it comes, every record is found by the address in it, and
the next opening of the home ends what was accepted. No surrogate of the version before is left then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.anonymize.surrogates.values import surrogate
from securevec.reading.opening import open_body
from securevec.reading.question import anonymize_query
from tests.support.crash_child import RECORDS
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.killing import kill_at_chosen_points, kill_at_random_moments, kill_twice, traps
from tests.support.leaks import every_point
from tests.support.rewriting_desk import CALLS, RewritingDesk

TRAPS = traps({**CALLS, "begin pseudonym": 1, "refuse begun": 1, "end pseudonyms": 1, "restate parts": 1, "scrub": 1})


class SurrogateDesk(RewritingDesk):
    """A tenant whose surrogates are made anew, round after round, and killed over it."""

    name = "surrogate-desk"
    work = "renew surrogates"
    steps = ("accepted", "dual", "rewritten", "retired", "done")
    early = b""

    def remember(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        self.early = store.runtime.tenant_keys(collection._scope.tenant).pseudonym

    def serves(self, store: sv.SecureStore, collection: sv.Collection[Any]) -> None:
        collection.verify().raise_if_wrong()
        asked = anonymize_query(store.runtime, collection._scope, "customer3@example.com")
        wordings = [each.text for each in (asked.text, asked.earlier) if each is not None]
        body = collection.get("T-3").body
        assert any(wording in body for wording in wordings)
        hits = collection.search(body[-80:], k=1)
        assert "@example.com" in hits.restore(hits.context())

    def ended(self, store: sv.SecureStore, collection: sv.Collection[Any], predicate: Mapping[str, Any]) -> None:
        keys = store.runtime.tenant_keys(collection._scope.tenant)
        assert keys.before is None
        points = every_point(store, collection)
        text = str([open_body(store.runtime.keys, collection._scope, point)[14:17] for point in points])
        for number in range(RECORDS):
            assert surrogate(self.early, "EMAIL", f"customer{number}@example.com") not in text
            assert surrogate(keys.pseudonym, "EMAIL", f"customer{number}@example.com") in text
        assert predicate["version"] == keys.naming == self.rounds + 1


@pytest.fixture(scope="module")
def desk(ground: Path, nursery: Nursery) -> RewritingDesk:
    return SurrogateDesk(Home.create(ground / "resurrogate"), nursery)


def test_killed_at_two_chosen_points_of_making_surrogates_anew(desk: RewritingDesk) -> None:
    chosen: list[Trap] = [("begin job", "before", 1), ("commit batch", "after", 1)]
    kill_at_chosen_points(desk, chosen)


@pytest.mark.soak
@pytest.mark.parametrize(
    "second", [("insert", "after", 1), ("end pseudonyms", "after", 1), ("finish job", "before", 1)]
)
def test_killed_again_by_the_opening_that_goes_on_with_making_surrogates_anew(
    desk: RewritingDesk, second: Trap
) -> None:
    kill_twice(desk, ("refuse begun", "after", 1), second)


@pytest.mark.soak
def test_killed_at_every_chosen_point_of_making_surrogates_anew(desk: RewritingDesk) -> None:
    kill_at_chosen_points(desk, TRAPS)


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments_of_making_surrogates_anew(desk: RewritingDesk) -> None:
    kill_at_random_moments(desk, random.Random(), 100)
