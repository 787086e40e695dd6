"""Edge copies points into new files that take the place of the old: what the engine did not take is noticed first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from securevec.errors import BackendError
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, an_id, everything, held
from securevec.types import Terms

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_qdrant import edge_optimize
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_index import _catch_up
from securevec_qdrant.edge_shard import Row, Shard

PLACE = a_namespace("mine")
Change = Callable[[Row], Row]


def terms(number: int) -> Terms:
    return Terms(np.array([number, number + 1], dtype=np.uint32), np.array([1.0, 0.5], dtype=np.float32))


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[EdgeBackend]:
    opened = EdgeBackend(tmp_path / "edge")
    opened.ensure(namespace=PLACE, spec=replace(SPEC, sparse=True))
    opened.insert(namespace=PLACE, points=[replace(a_point(PLACE, number), terms=terms(number)) for number in range(6)])
    yield opened
    opened.close()


def another_payload(row: Row) -> Row:
    return (row[0], row[1], row[2] | {"b": "old"}, row[3])


def another_vector(row: Row) -> Row:
    return (row[0], [-value for value in row[1]], row[2], row[3])


def other_terms(row: Row) -> Row:
    return (row[0], row[1], row[2], terms(99))


def another_id(row: Row) -> Row:
    return (an_id(99), row[1], row[2], row[3])


CHANGES = [another_payload, another_vector, other_terms, another_id]


def changing(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """The engine takes the last row of each call otherwise than it is given."""
    honest = Shard.upsert

    def upsert(self: Shard, rows: Sequence[Row]) -> None:
        honest(self, [*rows[:-1], change(rows[-1])])

    monkeypatch.setattr(Shard, "upsert", upsert)


@pytest.mark.parametrize("change", [another_payload, another_id])
def test_a_purge_whose_copy_differs_keeps_the_original(
    backend: EdgeBackend, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    before = everything(backend, PLACE)
    changing(monkeypatch, change)
    with pytest.raises(BackendError, match="as it was copied"):
        backend.purge(namespace=PLACE)
    monkeypatch.undo()
    assert everything(backend, PLACE) == before
    backend.purge(namespace=PLACE)
    assert everything(backend, PLACE) == before


def test_a_purge_that_was_not_given_every_point_keeps_the_original(
    backend: EdgeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, honest = everything(backend, PLACE), Shard.rows

    def fewer(self: Shard, start: UUID | None) -> tuple[list[Row], UUID | None]:
        return honest(self, start)[0][:-1], None

    monkeypatch.setattr(Shard, "rows", fewer)
    with pytest.raises(BackendError, match="does not hold every point"):
        backend.purge(namespace=PLACE)
    assert everything(backend, PLACE) == before


@pytest.mark.parametrize("change", [*CHANGES, None])
def test_an_index_over_a_point_that_was_replaced_meanwhile_and_not_taken_over_is_not_used(
    backend: EdgeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change | None
) -> None:
    """The count is right: the point is there, as it was before. Nobody would miss it until it is read."""
    copies = [tmp_path / name / PLACE.shard / "gen-0" for name in ("one", "other")]
    for copy in copies:
        assert backend.copy_files(namespace=PLACE, target=copy.parent.parent)
        edge_optimize.main(copy)
    # Written under another id, one that was not there before is missed by no count either.
    written = [3, max(range(6, 99), key=an_id)] if change is another_id else [3]
    points = [replace(a_point(PLACE, number, {"b": "new"}), terms=terms(7)) for number in written]
    backend.insert(namespace=PLACE, points=points)
    backend.delete(namespace=PLACE, ids=[an_id(4)])
    changed = sorted(an_id(number) for number in (*written, 4))

    def forget(self: Shard, rows: Sequence[Row]) -> None: ...

    if change is None:
        monkeypatch.setattr(Shard, "upsert", forget)
    else:
        changing(monkeypatch, change)
    with backend._store.hold(PLACE) as holder:
        shard = holder.get()
        assert shard is not None
        with pytest.raises(BackendError, match="as it was copied"):
            _catch_up(shard, copies[0], changed)
        monkeypatch.undo()
        _catch_up(shard, copies[1], changed)
    assert held(backend, PLACE) == {0, 1, 2, 3, 5, *written}
