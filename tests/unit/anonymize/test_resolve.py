"""Overlaps are settled once, and nothing that was called sensitive becomes visible again."""

from __future__ import annotations

from securevec.anonymize.findings import Finding
from securevec.anonymize.resolve import resolve

TEXT = "abcdefghij klmnopqrst uvwxyz"


def _finding(start: int, end: int, entity: str = "A", priority: int = 50, score: float = 0.9) -> Finding:
    return Finding(start, end, entity, score, "rule", priority)


def test_the_larger_priority_wins() -> None:
    low, high = _finding(0, 10, "LOW", 10), _finding(2, 8, "HIGH", 90)
    result = resolve([low, high], TEXT)
    assert [(f.start, f.end, f.entity) for f in result] == [(0, 2, "LOW"), (2, 8, "HIGH"), (8, 10, "LOW")]


def test_the_longer_wins_among_equals() -> None:
    assert resolve([_finding(0, 4), _finding(0, 9, "B")], TEXT) == [_finding(0, 9, "B")]


def test_the_higher_score_wins_among_equals_of_one_length() -> None:
    assert resolve([_finding(0, 4, "A", score=0.6), _finding(0, 4, "B", score=0.8)], TEXT)[0].entity == "B"


def test_a_remainder_of_punctuation_is_dropped() -> None:
    result = resolve([_finding(0, 11, "LOW", 10), _finding(0, 10, "HIGH", 90)], TEXT)
    assert [f.entity for f in result] == ["HIGH"]


def test_findings_that_touch_stay_apart() -> None:
    assert len(resolve([_finding(0, 5), _finding(5, 10)], TEXT)) == 2


def test_empty_ranges_are_dropped() -> None:
    assert resolve([_finding(3, 3)], TEXT) == []
