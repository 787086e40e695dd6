"""Places and organizations of one text put together: spans that overlap are one, and a house is worth more."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from securevec.anonymize.findings import Finding

PLACE_PRIORITY: Final = 26
HOUSE_PRIORITY: Final = 31
"""Above people: a hospital is called after somebody now and then."""


class Spans:
    """Ranges of a text in order, overlapping ones as one."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self.all: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if self.all and start < self.all[-1][1]:
                start, end = self.all[-1][0], max(self.all[-1][1], end)
                self.all.pop()
            self.all.append((start, end))
        self._ends = [end for _, end in self.all]

    def touch(self, start: int, end: int) -> bool:
        """Whether any of them overlaps this range. Takes time by the logarithm of their number."""
        at = bisect_left(self._ends, start + 1)
        return at < len(self.all) and self.all[at][0] < end


def found(places: Iterable[tuple[int, int]], houses: Spans) -> Iterator[Finding]:
    """Findings of all ``houses`` and ``places``. A place inside a house loses to it."""
    for start, end in houses.all:
        yield Finding(start, end, "ORG", 0.8, "script-house", HOUSE_PRIORITY)
    for start, end in places:
        yield Finding(start, end, "LOCATION", 0.8, "script-place", PLACE_PRIORITY)
