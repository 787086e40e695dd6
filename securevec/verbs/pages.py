"""Listing a collection: pages of typed records that a cursor continues, and the generator over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from securevec import limits
from securevec.errors import LimitExceeded, QueryError
from securevec.filters import Expr
from securevec.guard import admit
from securevec.reading.hits import record_of
from securevec.reading.judge import Judged
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.verbs import cursors
from securevec.verbs.walk import SHEET_BYTES, STEP, condition, still_live, walk

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True, repr=False)
class RecordPage(Generic[R_co]):
    """Records, anonymized as stored, in an order that is fixed and says nothing about them.

    ``cursor`` continues the listing; ``None`` ends it. A page may hold fewer records than asked for, when they are
    large, or were deleted while it was made: only ``cursor`` says whether there are more. ``violations`` counts records
    whose clear copies in the store differ from their sealed values; what is returned are the sealed ones.
    """

    records: tuple[R_co, ...]
    cursor: str | None
    violations: int
    request_id: str

    def __repr__(self) -> str:
        return f"RecordPage({len(self.records)} records, {'more' if self.cursor else 'end'})"


def page(
    runtime: Runtime,
    collection: CollectionScope,
    *,
    record_class: type[R],
    where: Expr | None = None,
    cursor: str | None = None,
    limit: int = STEP,
) -> RecordPage[R]:
    """One page, admitted and audited by itself. See :meth:`Collection.page`."""
    check_limit(limit)
    admission = admit(runtime, collection.scope, permission="get", action="list", collection=collection.collection)
    with admission.reading():
        judged_by = condition(runtime, collection, where, admission.decision.row_filter)
        after = cursors.read(runtime, collection, cursor) if cursor is not None else None
        found: list[Judged] = []
        violations = size = 0
        step = limit if judged_by is None else max(limit, STEP)
        end = False
        for sheet in walk(runtime, collection, admission, where=judged_by, after=after, step=step):
            found += sheet.matching
            violations += sheet.violations
            size += sheet.size if sheet.matching else 0
            end, after = sheet.end, sheet.last
            if len(found) >= limit or size >= SHEET_BYTES:
                break
        if len(found) > limit:
            end, after = False, found[limit - 1].ref
        kept = still_live(runtime, collection, found[:limit], where=judged_by)
        records = tuple(record_of(collection, judged.body, record_class) for judged in kept)
        following = cursors.issue(runtime, collection, after) if not end and after is not None else None
        admission.recheck()
    admission.note(
        counts={"records": len(records), "violations": violations}, record_ids=[judged.ref for judged in kept]
    )
    return RecordPage(records, following, violations, admission.request_id)


def iterate(
    runtime: Runtime,
    collection: CollectionScope,
    *,
    record_class: type[R],
    where: Expr | None,
    page_size: int,
) -> Iterator[R]:
    """Every record, page by page. See :meth:`Collection.iter`."""
    cursor: str | None = None
    while True:
        part = page(runtime, collection, record_class=record_class, where=where, cursor=cursor, limit=page_size)
        yield from part.records
        cursor = part.cursor
        if cursor is None:
            return


def check_limit(limit: int) -> None:
    """Raises :class:`QueryError` and :class:`LimitExceeded`."""
    if type(limit) is not int or limit < 1:
        raise QueryError("A page holds a whole number of records, at least 1.")
    if limit > limits.MAX_PAGE:
        raise LimitExceeded(f"A page holds at most {limits.MAX_PAGE} records.", field="limit")
