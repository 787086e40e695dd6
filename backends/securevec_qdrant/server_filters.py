"""The server client's conditions, and the fence: every request of the adapter carries the filter made here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from qdrant_client.models import (
    FieldCondition,
    Filter,
    HasIdCondition,
    IsEmptyCondition,
    MatchAny,
    MatchValue,
    PayloadField,
    Range,
)

from securevec.filters import Expr
from securevec.types import Namespace
from securevec_qdrant._filters import lower


class ServerDialect:
    """Every condition is a whole :class:`Filter`, so that nesting keeps its own must / should / must_not."""

    def text(self, key: str, values: Sequence[str]) -> Filter:
        match = MatchValue(value=values[0]) if len(values) == 1 else MatchAny(any=list(values))
        return Filter(must=[FieldCondition(key=key, match=match)])

    def integer(self, key: str, value: int) -> Filter:
        return Filter(must=[FieldCondition(key=key, match=MatchValue(value=value))])

    def between(
        self,
        key: str,
        *,
        gte: float | None = None,
        gt: float | None = None,
        lte: float | None = None,
        lt: float | None = None,
    ) -> Filter:
        return Filter(must=[FieldCondition(key=key, range=Range(gte=gte, gt=gt, lte=lte, lt=lt))])

    def present(self, key: str) -> Filter:
        return Filter(must_not=[IsEmptyCondition(is_empty=PayloadField(key=key))])

    def every(self, parts: Sequence[Filter]) -> Filter:
        return Filter(must=list(parts))

    def some(self, parts: Sequence[Filter]) -> Filter:
        return Filter(should=list(parts))

    def never(self, part: Filter) -> Filter:
        return Filter(must_not=[part])


def fenced(namespace: Namespace, *, where: Expr | None = None, ids: Sequence[UUID] | None = None) -> Filter:
    """``must[tenant, collection, ids, where]``. The caller's condition is nested whole: merged into ours, a
    ``should`` of the caller would widen it. Raises :class:`FilterError` for a condition that cannot be decided
    exactly.
    """
    must: list[FieldCondition | HasIdCondition | Filter] = [
        FieldCondition(key="t", match=MatchValue(value=namespace.tenant_tag)),
        FieldCondition(key="c", match=MatchValue(value=namespace.collection_tag)),
    ]
    if ids is not None:
        must.append(HasIdCondition(has_id=[str(each) for each in ids]))
    if where is not None:
        must.append(lower(where, ServerDialect()))
    return Filter(must=list(must))
