"""A writer whose batch is live already and whose store fails behind that: what it takes back is its own and dead.

Until the store answers with its error others go on, in other processes: they replace and delete records of that very
batch. What they did is no reason to take the rest of it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from securevec.errors import BackendError, OutcomeUnknown
from tests.support.attacks import Pair, Stage
from tests.support.world import ticket


@pytest.fixture
def stage(lone_stage: Stage) -> Stage:
    return lone_stage


@pytest.fixture
def pair(stage: Stage) -> Pair:
    """Three records, which are about to be replaced."""
    made = stage.pair()
    made.acme.ingest([ticket(number, f"lantern {number}", status="open") for number in (1, 2, 3)])
    return made


def fails_late(stage: Stage, patch: pytest.MonkeyPatch, meanwhile: Callable[[], Any]) -> None:
    """The next deletion, of what a batch replaced, fails; while the store is at it, another process acts."""
    honest = stage.trap.delete

    def delete(*, namespace: Any, ids: Sequence[UUID]) -> None:
        patch.setattr(stage.trap, "delete", honest)
        meanwhile()
        raise BackendError("The store does not answer.")

    patch.setattr(stage.trap, "delete", delete)


def settle(stage: Stage, pair: Pair) -> None:
    """The next write, once the batch has no writer."""
    stage.time.forward(120_000)
    pair.acme.ingest([ticket(9, "a bicycle")])
    pair.acme.verify().raise_if_wrong()


def rewrite(pair: Pair, *numbers: int) -> None:
    with pytest.raises(OutcomeUnknown):
        pair.acme.ingest([ticket(number, f"lantern {number} is lit", status="open") for number in numbers])


def test_a_late_failure_does_not_take_records_along_because_another_of_their_batch_was_deleted(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_late(stage, monkeypatch, lambda: pair.acme.delete("T-2"))
    rewrite(pair, 1, 2, 3)
    assert [record.body for record in pair.acme.get_many(["T-1", "T-2", "T-3"])] == [
        "lantern 1 is lit",
        "lantern 3 is lit",
    ]
    settle(stage, pair)


def test_a_late_failure_does_not_take_records_along_because_another_of_their_batch_was_replaced(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_late(stage, monkeypatch, lambda: pair.acme.update("T-2", status="closed"))
    rewrite(pair, 1, 2, 3)
    found = pair.acme.get_many(["T-1", "T-2", "T-3"])
    assert [(record.id, record.status) for record in found] == [("T-1", "open"), ("T-2", "closed"), ("T-3", "open")]
    settle(stage, pair)


def test_what_a_batch_replaced_is_not_forgotten_because_the_batch_was_replaced_as_a_whole(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its points are still in the store, and nothing but the batch's own rows names them."""
    fails_late(stage, monkeypatch, lambda: pair.acme.update("T-1", status="closed"))
    rewrite(pair, 1)
    assert pair.acme.get("T-1").status == "closed"
    settle(stage, pair)


def test_a_late_failure_takes_nothing_along_of_a_batch_that_others_finished_and_of_which_they_replaced_one_record(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def others() -> None:
        stage.time.forward(120_000)  # past the lease: whoever writes next finishes the batch
        pair.acme.update("T-2", status="closed")

    fails_late(stage, monkeypatch, others)
    rewrite(pair, 1, 2, 3)
    found = pair.acme.get_many(["T-1", "T-2", "T-3"])
    assert [(record.id, record.status) for record in found] == [("T-1", "open"), ("T-2", "closed"), ("T-3", "open")]
    settle(stage, pair)
