"""The embedded engine's conditions, for :func:`securevec_qdrant._filters.lower`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from qdrant_edge import FieldCondition, Filter, IsEmptyCondition, MatchAny, MatchValue, RangeFloat

from securevec.filters import Expr
from securevec_qdrant._filters import lower

_ALWAYS: Final = Filter(must=[IsEmptyCondition("-")])
_NEVER: Final = Filter(must_not=[IsEmptyCondition("-")])
"""The key ``-`` is outside the key grammar, so it is never stored."""


class EdgeDialect:
    """Every condition is a whole :class:`Filter`, so that nesting keeps its own must / should / must_not.

    ``tags`` are the namespace's: every point of a shard has them, and none has them written down, so a condition on
    them is decided here.
    """

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = tags

    def text(self, key: str, values: Sequence[str]) -> Filter:
        if key in self._tags:
            return _ALWAYS if self._tags[key] in values else _NEVER
        match = MatchValue(values[0]) if len(values) == 1 else MatchAny(list(values))
        return Filter(must=[FieldCondition(key=key, match=match)])

    def integer(self, key: str, value: int) -> Filter:
        return Filter(must=[FieldCondition(key=key, match=MatchValue(value))])

    def between(
        self,
        key: str,
        *,
        gte: float | None = None,
        gt: float | None = None,
        lte: float | None = None,
        lt: float | None = None,
    ) -> Filter:
        return Filter(must=[FieldCondition(key=key, range=RangeFloat(gte=gte, gt=gt, lte=lte, lt=lt))])

    def present(self, key: str) -> Filter:
        if key in self._tags:
            return _ALWAYS
        return Filter(must_not=[IsEmptyCondition(key)])

    def every(self, parts: Sequence[Filter]) -> Filter:
        return Filter(must=list(parts))

    def some(self, parts: Sequence[Filter]) -> Filter:
        return Filter(should=list(parts))

    def never(self, part: Filter) -> Filter:
        return Filter(must_not=[part])


def edge_filter(where: Expr | None, tags: Mapping[str, str]) -> Filter | None:
    """``None`` only for no condition at all. Raises :class:`FilterError`."""
    return None if where is None else lower(where, EdgeDialect(tags))
