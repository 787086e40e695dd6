"""Which hits count: near enough, one of each record, and not the record that was asked with."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import pytest

from securevec.errors import QueryError
from securevec.reading.judge import Judged
from securevec.reading.narrow import Narrow, narrow
from securevec.types import RecordRef, StoredPoint

A, B = RecordRef(b"a" * 16), RecordRef(b"b" * 16)


def hit(number: int, ref: RecordRef, score: float) -> tuple[Judged, Any]:
    return Judged(StoredPoint(UUID(int=number), {}, score), cast("Any", None), ref), None


HITS = [hit(1, A, 0.9), hit(2, A, 0.8), hit(3, B, 0.5), hit(4, B, 0.2)]


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (Narrow(), [1, 2, 3, 4]),
        (Narrow(min_score=0.5), [1, 2, 3]),
        (Narrow(exclude=A), [3, 4]),
        (Narrow(by_record=True), [1, 3]),
        (Narrow(min_score=0.5, by_record=True, exclude=B), [1]),
    ],
)
def test_each_rule_counts_alone_and_with_the_others(rule: Narrow, kept: list[int]) -> None:
    assert [judged.point.id.int for judged, _ in rule.keep(HITS)] == kept


def test_a_store_has_ended_when_its_last_point_is_not_near_enough_and_not_before() -> None:
    points = [judged.point for judged, _ in HITS]
    assert Narrow(min_score=0.3).ended(points)
    assert not Narrow(min_score=0.2).ended(points)
    assert not Narrow(min_score=0.3).ended([])
    assert not Narrow().ended(points)


@pytest.mark.parametrize("least", [True, "0.5", 1.01, -1.01, float("nan")])
def test_a_least_similarity_that_is_none_is_refused(least: object) -> None:
    with pytest.raises(QueryError):
        narrow(least, None)


def test_a_group_that_is_none_is_refused() -> None:
    assert narrow(1, "record") == Narrow(min_score=1.0, by_record=True)
    with pytest.raises(QueryError):
        narrow(None, "person")
