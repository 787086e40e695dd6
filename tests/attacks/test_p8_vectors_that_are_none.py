"""P8, a store that answers with something else than the vectors it was given: what was asked ends in a typed error,
under a cloak and without one, and nothing of it is written back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import securevec as sv
from securevec.errors import BackendError
from securevec.types import Matrix, StoredPoint
from tests.support.attacks import Stage, open_stage, text
from tests.support.world import Ticket

LIES: dict[str, Callable[[Matrix], Matrix]] = {
    "too short": lambda vector: vector[:-1],
    "too long": lambda vector: np.append(vector, np.float32(1.0)),
    "empty": lambda vector: vector[:0],
    "a table": lambda vector: np.stack([vector, vector]),
    "no numbers": lambda vector: np.full_like(vector, np.nan),
    "without end": lambda vector: np.full_like(vector, np.inf),
    "zero": np.zeros_like,
    "words": lambda vector: np.array(["x"] * len(vector)),
    "nothing at all": lambda vector: np.array([None] * len(vector), dtype=object),
}
LENGTHS: dict[str, Callable[[Matrix], Matrix]] = {
    "too large to turn": lambda vector: np.full_like(vector, 3e38),
    "next to nothing": lambda vector: np.full_like(vector, 1e-45),
    "a hundred long": lambda vector: vector * np.float32(100.0),
}
"""A diverse search brings what it is shown to length one itself, whatever length it has."""
CALLS: dict[str, Callable[[sv.Collection[Ticket]], object]] = {
    "a diverse search": lambda handle: handle.search_diverse("refund", k=3),
    "what is like a record": lambda handle: handle.search(like="T-1"),
    "an update that keeps the vector": lambda handle: handle.update("T-2", status="closed"),
}


@pytest.fixture(scope="module", params=[None, "rotate", sv.Cloak(noise=1.0)], ids=["plain", "turned", "noisy"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stage, sv.Collection[Ticket]]]:
    home: Path = tmp_path_factory.mktemp("none")
    with open_stage(home, "memory") as stage:
        handle = stage.acme.collection(Ticket, name="vectors", retention="180d", cloak=request.param)
        assert handle.ingest([text(number, "mark") for number in range(1, 9)]).refused == ()
        yield stage, handle


@pytest.mark.parametrize(("lie", "call"), [*product(LIES, CALLS), *product(LENGTHS, [*CALLS][1:])])
def test_what_is_no_vector_of_the_models_is_believed_by_nobody(
    filled: tuple[Stage, sv.Collection[Ticket]], lie: str, call: str
) -> None:
    stage, handle = filled
    told = (LIES | LENGTHS)[lie]

    def edit(points: list[StoredPoint]) -> list[StoredPoint]:
        return [
            point if point.vector is None else replace(point, vector=told(np.asarray(point.vector))) for point in points
        ]

    before = handle.get("T-2").status
    stage.trap.edit_fetch = edit
    try:
        with pytest.raises(BackendError):
            CALLS[call](handle)
    finally:
        stage.trap.edit_fetch = None
    assert handle.get("T-2").status == before
    handle.verify().raise_if_wrong()
