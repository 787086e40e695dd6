"""A policy that narrows what an actor sees while an answer is on its way: what was begun under the wider one is not
handed out. A role is taken back, a rule is exchanged; the next look at the policy permits as before, and shows less."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import securevec as sv
from securevec.errors import PolicyDenied
from securevec.filters import Expr
from securevec.policy import BuiltinPolicy, Decision, Request
from securevec.verbs import pages
from tests.support.attacks import Pair, open_stage
from tests.support.world import Ticket

Reads = Callable[[sv.Collection[Ticket]], Any]


class Narrowing(BuiltinPolicy):
    """As built in, for the rows of ``shown``."""

    shown: Expr | None = None
    denied = ""

    def decide(self, request: Request) -> Decision:
        decision = super().decide(request)
        return Decision(decision.allowed and request.permission != self.denied, decision.rule, self.shown)


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, Narrowing]]:
    policy = Narrowing()
    with open_stage(tmp_path_factory.mktemp("governed"), "memory", policy=policy) as stage:
        yield stage.pair().fill(), policy


@pytest.fixture
def narrowed(governed: tuple[Pair, Narrowing]) -> Iterator[tuple[Pair, Narrowing]]:
    yield governed
    governed[1].shown, governed[1].denied = None, ""
    governed[0].stage.trap.on_query = governed[0].stage.trap.on_fetch = None


READS: dict[str, Reads] = {
    "search": lambda tickets: tickets.search("refund", k=8),
    "search_batch": lambda tickets: tickets.search_batch(["refund"], k=8),
    "search_diverse": lambda tickets: tickets.search_diverse("refund", k=3, fetch=8),
    "like": lambda tickets: tickets.search(like="T-1"),
    "get": lambda tickets: tickets.get("T-1"),
    "get_many": lambda tickets: tickets.get_many(["T-1", "T-2"]),
    "exists": lambda tickets: tickets.exists("T-1"),
    "page": lambda tickets: tickets.page(),
    "count": lambda tickets: tickets.count(where=sv.F("status").exists()),
}


@pytest.mark.parametrize("name", READS)
def test_an_answer_that_was_begun_under_a_wider_view_is_not_returned(
    narrowed: tuple[Pair, Narrowing], name: str
) -> None:
    pair, policy = narrowed

    def narrow() -> None:
        policy.shown = sv.F("status") == "open"

    pair.stage.trap.on_query = pair.stage.trap.on_fetch = narrow
    with pytest.raises(PolicyDenied):
        READS[name](pair.acme)
    assert pair.stage.audit()[0]["outcome"] == "denied"
    pair.stage.trap.on_query = pair.stage.trap.on_fetch = None
    assert READS[name](pair.acme) is not None, "begun anew it is answered, with what is shown now"
    assert {record.status for record in pair.acme.iter()} == {"open"}


def test_an_export_ends_where_its_actor_is_shown_less(
    narrowed: tuple[Pair, Narrowing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before has left; nothing of what is not shown any more follows."""
    pair, policy = narrowed
    target = io.BytesIO()

    def narrow() -> None:
        policy.shown = sv.F("status") == "open"

    pair.stage.trap.on_fetch = narrow
    with pytest.raises(PolicyDenied):
        pair.acme.export(target)
    assert target.getvalue() == b""


def test_a_filter_that_stays_the_same_is_no_other_one(narrowed: tuple[Pair, Narrowing]) -> None:
    """An engine makes it anew for each decision."""
    pair, policy = narrowed
    policy.shown = sv.F("status") == "open"

    def again() -> None:
        policy.shown = sv.F("status") == "open"

    pair.stage.trap.on_query = pair.stage.trap.on_fetch = again
    assert {hit.record.status for hit in pair.acme.search("refund", k=8)} == {"open"}
    assert pages.page(pair.stage.store.runtime, pair.acme._scope, record_class=Ticket).records


def test_counting_by_a_filter_needs_the_permission_to_search(narrowed: tuple[Pair, Narrowing]) -> None:
    """How many match says what records hold."""
    pair, policy = narrowed
    policy.denied = "search"
    assert pair.acme.count()
    with pytest.raises(PolicyDenied):
        pair.acme.count(where=sv.F("status") == "open")
