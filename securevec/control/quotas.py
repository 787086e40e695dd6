"""What a tenant may hold. Judged inside the transaction that announces new records, so no race of writers passes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from securevec.control.batch_rows import abort
from securevec.control.database import Database, Transaction, many
from securevec.control.hot import parts
from securevec.control.numbers import COLLECTION_NO
from securevec.control.room import Room, require_open
from securevec.control.rows import NO_QUOTA, NewRecord, Quota
from securevec.errors import QuotaExceeded
from securevec.types import CollectionId, TenantId

SELECT_QUOTA: Final = "SELECT max_points, max_bytes FROM quota WHERE tenant = :tenant"
UPSERT_QUOTA: Final = (
    "INSERT INTO quota (tenant, max_points, max_bytes) VALUES (:tenant, :max_points, :max_bytes)"
    " ON CONFLICT (tenant) DO UPDATE SET max_points = excluded.max_points, max_bytes = excluded.max_bytes"
)
DELETE_QUOTA: Final = "DELETE FROM quota WHERE tenant = :tenant"
# Live and announced generations; what retires is on its way out, and so is what a writer announced that died since.
SELECT_USAGE: Final = (
    "SELECT COALESCE(SUM(n), 0), COALESCE(SUM(b), 0) FROM ("
    "SELECT SUM(m.n_chunks) AS n, SUM(m.size) AS b FROM manifest m"
    " JOIN collection c ON c.collection_no = m.collection_no WHERE c.tenant = :tenant"
    " UNION ALL SELECT SUM(t.n_chunks), SUM(t.size) FROM transit t"
    " JOIN collection c ON c.collection_no = t.collection_no JOIN batch b ON b.request_id = t.request_id"
    " WHERE c.tenant = :tenant AND t.state = 'pending' AND b.lease_until_ms > :now) AS held"
)
SELECT_OVERDUE: Final = (
    "SELECT request_id FROM batch WHERE tenant = :tenant AND state = 'open' AND lease_until_ms <= :now"
)
SELECT_REPLACED: Final = (
    "SELECT COALESCE(SUM(n_chunks), 0), COALESCE(SUM(size), 0) FROM manifest"
    f" WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"
)


class Quotas(Room):
    def set_quota(self, tenant: TenantId, *, max_points: int | None, max_bytes: int | None) -> None:
        """Limit a tenant from the commit on; both ``None`` lifts the limit. What is stored already stays.

        Raises :class:`TenantUnavailable`, :class:`TenantNotFound`.
        """
        with self._db.write() as tx:
            require_open(tx, tenant)
            if max_points is None and max_bytes is None:
                tx.run(DELETE_QUOTA, {"tenant": tenant})
            else:
                tx.run(UPSERT_QUOTA, {"tenant": tenant, "max_points": max_points, "max_bytes": max_bytes})

    def quota(self, tenant: TenantId) -> Quota:
        """The tenant's limits; no limit where none was set."""
        return _quota(self._db, tenant) or NO_QUOTA

    def usage(self, tenant: TenantId, *, now_ms: int) -> tuple[int, int]:
        """Points and bytes the tenant holds, records on their way in included, replaced ones until they are."""
        row = self._db.row(SELECT_USAGE, {"tenant": tenant, "now": now_ms})
        return (row[0], row[1]) if row else (0, 0)


def require_room(
    tx: Transaction, tenant: TenantId, collection: CollectionId, rows: Sequence[NewRecord], now_ms: int
) -> None:
    """Refuse records that would take the tenant over its quota; a record that is replaced counts once. A batch whose
    lease is over, in whichever collection, is given up for them: nobody else may come by to do it.

    What takes no more room than before is let through, also over a quota that was lowered since: a record from which
    a person is erased must not wait for room.

    Raises :class:`QuotaExceeded`. Costs a pass over the tenant's manifest, and nothing where there is no quota.
    """
    quota = _quota(tx, tenant)
    if quota is None:
        return
    for (request_id,) in tx.rows(SELECT_OVERDUE, {"tenant": tenant, "now": now_ms}):
        abort(tx, request_id)
    usage = tx.row(SELECT_USAGE, {"tenant": tenant, "now": now_ms}) or (0, 0)
    points = usage[0] + sum(row.n_chunks for row in rows)
    size = usage[1] + sum(row.size for row in rows)
    for part in parts([row.ref for row in rows]):
        replaced = tx.row(many(SELECT_REPLACED, len(part)), (collection, *part)) or (0, 0)
        points, size = points - replaced[0], size - replaced[1]
    if points > usage[0] or size > usage[1]:
        require_within(quota, points=points, size=size)


def require_within(quota: Quota, *, points: int, size: int) -> None:
    """Raises :class:`QuotaExceeded` naming the first limit that points, or bytes, of this number would pass."""
    for limit, asked, most in (("points", points, quota.max_points), ("bytes", size, quota.max_bytes)):
        if most is not None and asked > most:
            raise QuotaExceeded(
                f"The tenant's quota of {most} {limit} would be passed.",
                limit=limit,
                next_step="Delete records, or have the operator raise the quota.",
            )


def _quota(source: Database | Transaction, tenant: TenantId) -> Quota | None:
    row = source.row(SELECT_QUOTA, {"tenant": tenant})
    return Quota(row[0], row[1]) if row else None
