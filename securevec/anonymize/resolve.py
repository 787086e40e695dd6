"""The one place where overlapping findings are settled.

Order: larger priority, then longer, then higher score, then earlier. A loser keeps the parts that no winner covers, so
that every character some detector called sensitive stays covered: a wrong boundary never uncovers a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from securevec.anonymize.findings import Finding

_START = attrgetter("start")

_KEPT_REMAINDER = 2
"""A remainder with fewer letters or digits than this is punctuation or a fragment that says nothing."""


def resolve(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Findings without overlaps, sorted by position. Empty ranges are dropped.

    The text is cut at all ends of findings; winners take the cuts in order of rank, and taken cuts are skipped by a
    disjoint-set forest (Tarjan 1975), so that the cost is that of sorting however findings overlap. Findings that no
    other one reaches are taken as they are.
    """
    ordered = [finding for finding in findings if finding.start < finding.end]
    if len(ordered) < 2:
        return ordered
    ordered.sort(key=_START)
    accepted: list[Finding] = []
    group: list[Finding] = []
    reach = -1
    for finding in ordered:
        if finding.start >= reach and group:
            accepted += _winners(group, reach, text) if len(group) > 1 else group
            group = []
        group.append(finding)
        reach = max(reach, finding.end)
    accepted += _winners(group, reach, text) if len(group) > 1 else group
    return accepted


def _winners(group: list[Finding], reach: int, text: str) -> list[Finding]:
    """``group``: neighbours in order, ``reach``: their furthest end. Mostly the first in rank covers all others."""
    first = min(group, key=_rank)
    if first.start == group[0].start and first.end == reach:
        return [first]
    return _settled(group, text)


def _rank(finding: Finding) -> tuple[int, int, float, int, str]:
    start = finding.start
    return -finding.priority, start - finding.end, -finding.score, start, finding.rule


def _settled(findings: list[Finding], text: str) -> list[Finding]:
    ranked = sorted(findings, key=_rank)
    points = sorted({point for finding in ranked for point in (finding.start, finding.end)})
    index = {point: number for number, point in enumerate(points)}
    free = list(range(len(points)))
    accepted: list[Finding] = []
    for finding in ranked:
        last = index[finding.end]
        cut = _next_free(free, index[finding.start])
        while cut < last:
            end = cut
            while end < last and free[end] == end:
                end += 1
            part = _part(finding, points[cut], points[end], text)
            if part is not None:
                accepted.append(part)
                for taken in range(cut, end):
                    free[taken] = end
            cut = _next_free(free, end)
    accepted.sort(key=_START)
    return accepted


def _next_free(free: list[int], cut: int) -> int:
    while free[cut] != cut:
        free[cut] = free[free[cut]]
        cut = free[cut]
    return cut


def _part(finding: Finding, start: int, end: int, text: str) -> Finding | None:
    """The finding cut to a range; without edges of punctuation, and None when nothing is left, if it was cut."""
    if (start, end) == (finding.start, finding.end):
        return finding
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    if sum(map(str.isalnum, text[start:end])) < _KEPT_REMAINDER:
        return None
    return Finding(start, end, finding.entity, finding.score, finding.rule, finding.priority)
