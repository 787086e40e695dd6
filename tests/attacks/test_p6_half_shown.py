"""P6, a record that the store shows in part while it is sealed anew: nothing of it is taken for the whole, and a vault
that is withheld is not lost with the next generation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from securevec.errors import CheckFailed
from securevec.reading.sheets import Sealed, opened_chunks
from securevec.types import StoredPoint
from tests.support.attacks import ACME_MARK, Pair, open_stage, text


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    home: Path = tmp_path_factory.mktemp("half")
    with open_stage(home, "memory") as stage:
        made = stage.pair()
        assert made.acme.ingest([text(number, ACME_MARK) for number in (1, 2)]).refused == ()
        yield made


def opened(pair: Pair, record: str, *, chunks: int = 1, meanwhile: Callable[[], object] | None = None) -> set[bytes]:
    """The refs of which chunks were opened, of a row that says it has so many. ``meanwhile``: once they were read."""
    runtime, scope, trap = pair.acme._runtime, pair.acme._scope, pair.stage.trap
    ref = scope.record_ref(runtime, record)
    row = runtime.control.current(scope.collection, [ref])[ref]
    place = Sealed(scope.tenant, scope.collection, scope.namespace, scope.vault)

    def then() -> None:
        trap.on_fetch = None
        if meanwhile is not None:
            meanwhile()

    trap.on_fetch = then
    return set(opened_chunks(runtime, place, [replace(row, n_chunks=chunks)]))


def test_a_vault_that_the_store_withholds_stops_what_would_seal_the_record_without_it(pair: Pair) -> None:
    assert pair.acme._scope.vault

    def without_vaults(points: list[StoredPoint]) -> list[StoredPoint]:
        return [
            replace(point, payload={key: value for key, value in point.payload.items() if key != "v"})
            for point in points
        ]

    assert len(opened(pair, "T-1")) == 1
    pair.stage.trap.edit_fetch = without_vaults
    try:
        with pytest.raises(CheckFailed):
            opened(pair, "T-1")
    finally:
        pair.stage.trap.edit_fetch = None


def test_a_live_record_without_its_last_piece_stops_what_would_seal_the_rest(pair: Pair) -> None:
    with pytest.raises(CheckFailed):
        opened(pair, "T-1", chunks=2)


def test_of_a_record_replaced_while_it_was_read_no_half_is_sealed_anew(pair: Pair) -> None:
    assert opened(pair, "T-2", chunks=2, meanwhile=lambda: pair.acme.ingest([text(2, "anew")])) == set()
