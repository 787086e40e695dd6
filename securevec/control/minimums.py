"""Statutory minimums: what a rule keeps at least so long is not deleted before.

Judged by statements inside the transaction that would delete, as holds are, and after them: hold, minimum, erasure,
maximum age. A minimum does not forbid that a record is corrected: the new generation begins an age of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from securevec.control.database import Database, Transaction, many
from securevec.control.hot import parts
from securevec.control.numbers import THIS_COLLECTION_NO
from securevec.control.rows import CollectionRow
from securevec.errors import RetentionConflict, RetentionMinimum
from securevec.types import CollectionId, TenantId

_APPLIES: Final = (
    "retention_rule r WHERE r.min_age_ms IS NOT NULL AND r.tenant IN ('', c.tenant)"
    " AND r.collection IN ('', c.collection) AND r.classification IN ('', c.classification)"
)
SELECT_TOO_YOUNG: Final = (
    "SELECT m.ref FROM collection c JOIN manifest m ON m.collection_no = c.collection_no"
    " WHERE c.collection = ? AND m.ref IN (*)"
    f" AND EXISTS (SELECT 1 FROM {_APPLIES} AND m.ingested_ms + r.min_age_ms > ?)"
)
SELECT_TENANT_MINIMUMS: Final = (
    f"SELECT c.collection, (SELECT MAX(r.min_age_ms) FROM {_APPLIES}) FROM collection c WHERE c.tenant = :tenant"
)
SELECT_YOUNGER: Final = (
    f"SELECT 1 FROM manifest WHERE collection_no = {THIS_COLLECTION_NO} AND ingested_ms > :before LIMIT 1"
)
SELECT_LONGER_MINIMUM: Final = (
    "SELECT 1 FROM retention_rule r WHERE r.min_age_ms > :retention_ms AND r.tenant IN ('', :tenant)"
    " AND r.collection IN ('', :collection) AND r.classification IN ('', :classification) LIMIT 1"
)
SELECT_ANY_MINIMUM: Final = "SELECT 1 FROM retention_rule WHERE min_age_ms IS NOT NULL LIMIT 1"


def too_young(
    source: Database | Transaction, collection: CollectionId, refs: Sequence[bytes], now_ms: int
) -> list[bytes]:
    """Those live records among ``refs`` that a statutory minimum keeps."""
    if source.row(SELECT_ANY_MINIMUM) is None:
        return []
    return [
        row[0]
        for part in parts(refs)
        for row in source.rows(many(SELECT_TOO_YOUNG, len(part)), (collection, *part, now_ms))
    ]


def require_past_minimum(tx: Transaction, collection: CollectionId, refs: Sequence[bytes], now_ms: int) -> None:
    """Raises :class:`RetentionMinimum` when a live record among ``refs`` is kept by a minimum."""
    if too_young(tx, collection, refs, now_ms):
        raise RetentionMinimum("A statutory minimum keeps one of these records.")


def require_tenant_past_minimum(tx: Transaction, tenant: TenantId, now_ms: int) -> None:
    """Raises :class:`RetentionMinimum` when a record of the tenant is kept by a minimum."""
    # The fence of a deletion waits for this: rules once for each collection, never once for each record.
    for collection, minimum_ms in tx.rows(SELECT_TENANT_MINIMUMS, {"tenant": tenant}):
        if minimum_ms is None:
            continue
        if tx.row(SELECT_YOUNGER, {"collection": collection, "before": now_ms - minimum_ms}):
            raise RetentionMinimum("A statutory minimum keeps records of this tenant.")


def require_above_minimum(tx: Transaction, row: CollectionRow) -> None:
    """Raises :class:`RetentionConflict` when a new collection would let records go before a minimum does."""
    if row.retention_ms is None:
        return
    scope = {
        "retention_ms": row.retention_ms,
        "tenant": row.tenant,
        "collection": row.collection,
        "classification": row.classification,
    }
    if tx.row(SELECT_LONGER_MINIMUM, scope):
        raise RetentionConflict(
            "The collection's own retention is shorter than a minimum that applies to it.", scopes=("collection",)
        )
