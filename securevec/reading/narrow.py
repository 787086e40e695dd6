"""Which of the judged hits of a search count: near enough, one of each record, and not the record that was asked with.

Decided after the judgement, so that nothing unproven stands for a record, and before counting up to ``k``, so that what
is passed over is made up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from securevec.crypto.cloak import VectorCloak
from securevec.errors import QueryError
from securevec.points.body import Body
from securevec.reading.judge import Judged
from securevec.types import RecordRef, StoredPoint

GroupBy = Literal["record"]


@dataclass(frozen=True, slots=True)
class Narrow:
    """``ahead``: how many further points to ask for at once, because so many will be passed over for sure."""

    min_score: float | None = None
    by_record: bool = False
    exclude: RecordRef | None = None
    ahead: int = 0

    def keep(self, whole: Sequence[tuple[Judged, Body]]) -> list[tuple[Judged, Body]]:
        """What counts, in the order given, which is best first."""
        kept: list[tuple[Judged, Body]] = []
        seen: set[RecordRef] = set()
        for judged, first in whole:
            near = self.min_score is None or judged.point.score >= self.min_score
            if near and judged.ref != self.exclude and not (self.by_record and judged.ref in seen):
                kept.append((judged, first))
                seen.add(judged.ref)
        return kept

    def ended(self, points: Sequence[StoredPoint], cloak: VectorCloak | None = None) -> bool:
        """Whether whatever the store has beyond these points, which come best first, is not near enough. Under noise
        the scores are the displaced vectors'."""
        if self.min_score is None or not points:
            return False
        last = points[-1].score
        return (last if cloak is None else cloak.score_at_most(last)) < self.min_score


def narrow(min_score: object, group_by: object) -> Narrow:
    """From what a caller says. Raises :class:`QueryError`."""
    least: float | None = None
    if min_score is not None:
        if not isinstance(min_score, int | float) or isinstance(min_score, bool) or not -1 <= min_score <= 1:
            raise QueryError("min_score is a number from -1 to 1: the least cosine similarity.")
        least = float(min_score)
    if group_by not in (None, "record"):
        raise QueryError('group_by is "record" or nothing.')
    return Narrow(min_score=least, by_record=group_by == "record")
