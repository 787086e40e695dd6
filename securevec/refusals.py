"""Rows that are sound and may not be written all the same: of an erased subject, or beyond the tenant's quota.

A look ahead, so that the other rows of the batch go through and the report names these; the transaction that announces
the batch judges both again.
"""

from __future__ import annotations

from collections.abc import Sequence

from securevec.control.quotas import require_within
from securevec.control.rows import NO_QUOTA
from securevec.errors import QuotaExceeded, SubjectErased
from securevec.prepare import Prepared
from securevec.report import Tally
from securevec.runtime import CollectionScope, Runtime


def without_erased(
    runtime: Runtime, collection: CollectionScope, prepared: Sequence[Prepared], tally: Tally
) -> list[Prepared]:
    """Refuse the rows about, or mentioning, a subject whose erasure still fences writes. The batch judges it again."""
    prepared = _without_shredded(runtime, collection, prepared, tally)
    tokens = {token for record in prepared for token in (*record.about, *record.mentions)}
    if not runtime.control.fence(collection.tenant).tombstoned or not tokens:
        return list(prepared)
    now_ms = runtime.clock.now_ms()
    stones = runtime.control.tombstones_among(collection.tenant, list(tokens))
    fenced = {token for token, (_, until_ms) in stones.items() if until_ms > now_ms}
    kept: list[Prepared] = []
    for record in prepared:
        if fenced.isdisjoint((*record.about, *record.mentions)):
            kept.append(record)
        else:
            tally.refuse(record.row, SubjectErased("The record is about, or mentions, a subject that was erased."))
    return kept


def _without_shredded(
    runtime: Runtime, collection: CollectionScope, prepared: Sequence[Prepared], tally: Tally
) -> Sequence[Prepared]:
    """Refuse the rows sealed under the key of somebody whose erasure is about to destroy it."""
    if all(record.shred is None for record in prepared):
        return prepared
    doomed = runtime.control.being_shredded(collection.tenant)
    kept: list[Prepared] = []
    for record in prepared:
        if record.shred in doomed:
            tally.refuse(record.row, SubjectErased("The record is about a subject that is being erased."))
        else:
            kept.append(record)
    return kept


def within_quota(
    runtime: Runtime, collection: CollectionScope, prepared: Sequence[Prepared], tally: Tally
) -> list[Prepared]:
    """Refuse the rows that would take the tenant over its quota, before anything is embedded for them. A row that is
    smaller, or replaces one as large, may still fit after one that does not. The batch counts again."""
    quota = runtime.control.quota(collection.tenant)
    if not prepared or quota == NO_QUOTA:
        return list(prepared)
    points, size = runtime.control.usage(collection.tenant)
    current = runtime.control.current(collection.collection, [record.ref for record in prepared])
    kept: list[Prepared] = []
    for record in prepared:
        before = current.get(record.ref)
        more_points = points + len(record.chunks) - (before.n_chunks if before else 0)
        more_size = size + record.size - (before.size if before else 0)
        try:
            require_within(quota, points=more_points, size=more_size)
        except QuotaExceeded as error:
            tally.refuse(record.row, error)
        else:
            kept.append(record)
            points, size = more_points, more_size
    return kept
