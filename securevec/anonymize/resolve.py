"""The one place where overlapping findings are settled.

Order: larger priority, then longer, then higher score, then earlier. A loser keeps the part that no winner covers,
so that every character some detector called sensitive stays covered: a wrong boundary never uncovers a value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

from securevec.anonymize.findings import Finding

_KEPT_REMAINDER = 2
"""A remainder with fewer letters or digits than this is punctuation or a fragment that says nothing."""


def resolve(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Findings without overlaps, sorted by position. Empty ranges are dropped. O(n log n) in the usual case."""
    ranked = sorted(
        (finding for finding in findings if finding.start < finding.end),
        key=lambda f: (-f.priority, f.start - f.end, -f.score, f.start, f.rule),
    )
    starts: list[int] = []
    ends: list[int] = []
    accepted: list[Finding] = []
    for finding in ranked:
        whole = True
        for start, end in _uncovered(finding.start, finding.end, starts, ends):
            if (start, end) != (finding.start, finding.end):
                whole = False
            if not whole:
                start, end = _trim(text, start, end)
                if sum(map(str.isalnum, text[start:end])) < _KEPT_REMAINDER:
                    continue
            insort(starts, start)
            insort(ends, end)
            accepted.append(Finding(start, end, finding.entity, finding.score, finding.rule, finding.priority))
    accepted.sort(key=lambda f: f.start)
    return accepted


def _uncovered(start: int, end: int, starts: list[int], ends: list[int]) -> list[tuple[int, int]]:
    """Parts of ``[start, end)`` outside the accepted ranges, which are disjoint and sorted in both lists."""
    first, last = bisect_right(ends, start), bisect_left(starts, end)
    parts: list[tuple[int, int]] = []
    position = start
    for index in range(first, last):
        if starts[index] > position:
            parts.append((position, starts[index]))
        position = max(position, ends[index])
    if position < end:
        parts.append((position, end))
    return parts


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return start, end
