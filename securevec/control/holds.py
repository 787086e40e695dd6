"""Legal holds: while one stands, what it covers is neither deleted nor replaced.

A hold covers a tenant, one collection, one record, or one subject: every record that carries one of its tokens, also
those written later. It is checked inside the transaction that would delete or replace (``batches``, ``jobs``), so one
added a moment before wins. Adding one needs a tenant that is not being deleted: once the keys may be gone there is
nothing left to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from securevec.control.database import Database, Transaction, many
from securevec.control.hot import parts
from securevec.control.minimums import require_past_minimum
from securevec.control.numbers import COLLECTION_NO, THIS_COLLECTION_NO
from securevec.control.room import Room, require_active, require_fence, require_open
from securevec.control.rows import HoldRow
from securevec.control.subjects import records_of
from securevec.errors import CollectionNotFound, LegalHold, RecordNotFound, UsageError
from securevec.types import CollectionId, TenantId

T = TypeVar("T")

_HOLD: Final = (
    "SELECT hold_id, tenant, collection, record_ref, reason_sealed, created_ms, released_ms, of_subject FROM hold"
)
SELECT_HOLDS: Final = f"{_HOLD} WHERE tenant = :tenant ORDER BY created_ms, rowid"
SELECT_STANDING: Final = f"{_HOLD} WHERE tenant = :tenant AND released_ms IS NULL ORDER BY created_ms, rowid LIMIT 1"
SELECT_HOLD: Final = f"{_HOLD} WHERE hold_id = :hold_id"
SELECT_OWNER: Final = "SELECT tenant FROM collection WHERE collection = :collection"
SELECT_LIVE: Final = f"SELECT 1 FROM manifest WHERE collection_no = {THIS_COLLECTION_NO} AND ref = :ref"
INSERT_HOLD: Final = (
    "INSERT INTO hold (hold_id, tenant, collection, record_ref, reason_sealed, created_ms, released_ms, of_subject)"
    " VALUES (:hold_id, :tenant, :collection, :record_ref, :reason_sealed, :now, NULL, :of_subject)"
)
INSERT_HOLD_SUBJECT: Final = "INSERT INTO hold_subject (hold_id, token) VALUES (?, ?)"
RELEASE_HOLD: Final = "UPDATE hold SET released_ms = :now WHERE hold_id = :hold_id AND released_ms IS NULL"
SELECT_HOLDS_ON: Final = (
    "SELECT h.hold_id FROM hold h JOIN hold_subject s ON s.hold_id = h.hold_id"
    " WHERE h.tenant = ? AND h.released_ms IS NULL AND s.token IN (*) LIMIT 1"
)
COVERS_LIVE: Final = (
    "CASE WHEN h.of_subject THEN EXISTS (SELECT 1 FROM record_subject r"
    " JOIN subject_token p ON p.subject_no = r.subject_no"
    " JOIN hold_subject s ON s.hold_id = h.hold_id AND s.token = p.token"
    " WHERE r.collection_no = m.collection_no AND r.ref = m.ref AND r.generation = m.generation)"
    " ELSE h.collection IS NULL OR ((h.record_ref IS NULL OR h.record_ref = m.ref)"
    " AND m.collection_no = (SELECT c.collection_no FROM collection c WHERE c.collection = h.collection)) END"
)
"""Whether the hold ``h``, of the same tenant, covers the live record ``m``."""
SELECT_HELD: Final = (
    "SELECT m.ref, MIN(h.hold_id) FROM manifest m JOIN hold h ON h.tenant = ? AND h.released_ms IS NULL"
    f" AND {COVERS_LIVE} WHERE m.collection_no = {COLLECTION_NO} AND m.ref IN (*) GROUP BY m.ref"
)


class Holds(Room):
    def add_hold(
        self,
        hold_id: str,
        tenant: TenantId,
        collection: CollectionId | None,
        record_ref: bytes | None,
        reason_sealed: bytes,
        now_ms: int,
        *,
        subject: Sequence[bytes] = (),
        fence: int | None = None,
        known_only: bool = False,
    ) -> HoldRow:
        """Hold a tenant, a collection of it, one record of that collection, or a subject by its tokens, from the
        commit on. With ``known_only`` there must be something to hold: a live record of that ref, or one that carries
        a token of the subject; otherwise :class:`RecordNotFound`.

        Raises :class:`UsageError` (id taken, record without collection, subject with a collection),
        :class:`CollectionNotFound`, :class:`TenantUnavailable` (also another ``fence``: tokens may be of another
        version by now), :class:`TenantNotFound`.
        """
        if record_ref is not None and collection is None:
            raise UsageError("A hold on a record names its collection.")
        if subject and collection is not None:
            raise UsageError("A hold on a subject covers all collections of the tenant.")
        hold = HoldRow(hold_id, tenant, collection, record_ref, reason_sealed, now_ms, None, bool(subject))
        with self._db.write() as tx:
            require_open(tx, tenant)
            if fence is not None:
                require_fence(tx, tenant, fence)
            if collection is not None and tx.row(SELECT_OWNER, {"collection": collection}) != (tenant,):
                raise CollectionNotFound("The tenant has no such collection.")
            if known_only:
                _require_something(tx, tenant, collection, record_ref, subject)
            if tx.row(SELECT_HOLD, {"hold_id": hold_id}):
                raise UsageError("A hold of this id exists already.")
            tx.run(
                INSERT_HOLD,
                {
                    "hold_id": hold_id,
                    "tenant": tenant,
                    "collection": collection,
                    "record_ref": record_ref,
                    "reason_sealed": reason_sealed,
                    "now": now_ms,
                    "of_subject": bool(subject),
                },
            )
            tx.run_many(INSERT_HOLD_SUBJECT, ((hold_id, token) for token in dict.fromkeys(subject)))
        return hold

    def hold(self, hold_id: str) -> HoldRow | None:
        """The hold of this id, standing or released."""
        row = self._db.row(SELECT_HOLD, {"hold_id": hold_id})
        return hold_row(row) if row else None

    def release_hold(self, hold_id: str, now_ms: int) -> None:
        """End a hold. Raises :class:`UsageError` when there is none of this id, or it was released before."""
        with self._db.write() as tx:
            if not tx.run(RELEASE_HOLD, {"hold_id": hold_id, "now": now_ms}):
                raise UsageError("There is no standing hold of this id.", next_step="See: securevec hold list TENANT")

    def holds(self, tenant: TenantId) -> list[HoldRow]:
        """Every hold of the tenant, released ones included, oldest first."""
        return [hold_row(row) for row in self._db.rows(SELECT_HOLDS, {"tenant": tenant})]

    def held_refs(self, tenant: TenantId, collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, str]:
        """Those among ``refs`` that are live and may not be replaced or deleted, each with a hold id."""
        return held_among(self._db, tenant, collection, refs)

    def while_unheld(
        self,
        tenant: TenantId,
        tokens: Sequence[bytes],
        refs: Mapping[CollectionId, Sequence[bytes]],
        act: Callable[[], T],
        *,
        now_ms: int,
    ) -> T:
        """What ``act`` returns, done where nobody can place a hold or set a minimum beside it: no hold stands on any of
        the records or people, no minimum keeps one of the records, and none can until it is over.

        Raises :class:`LegalHold`, :class:`RetentionMinimum` and :class:`TenantUnavailable` (not active), and then
        ``act`` was not called.
        """
        with self._db.write() as tx:
            require_active(tx, tenant)
            for collection, listed in refs.items():
                require_unheld(tx, tenant, collection, listed)
                require_past_minimum(tx, collection, listed, now_ms)
            for part in parts(list(tokens)):
                for (hold_id,) in tx.rows(many(SELECT_HOLDS_ON, len(part)), (tenant, *part)):
                    raise LegalHold("A legal hold covers this subject.", hold_id=hold_id)
            return act()


def _require_something(
    tx: Transaction,
    tenant: TenantId,
    collection: CollectionId | None,
    record_ref: bytes | None,
    subject: Sequence[bytes],
) -> None:
    if record_ref is not None and not tx.row(SELECT_LIVE, {"collection": collection, "ref": record_ref}):
        raise RecordNotFound("The collection has no such record to hold.")
    if subject and not records_of(tx, tenant, subject):
        raise RecordNotFound("No record of the tenant is about, or mentions, this subject.")


def hold_row(row: tuple[Any, ...]) -> HoldRow:
    values = list(row)
    values[7] = bool(row[7])  # SQLite keeps booleans as integers
    return HoldRow(*values)


def held_among(
    source: Database | Transaction, tenant: TenantId, collection: CollectionId, refs: Sequence[bytes]
) -> dict[bytes, str]:
    return {
        row[0]: row[1]
        for part in parts(refs)
        for row in source.rows(many(SELECT_HELD, len(part)), (tenant, collection, *part))
    }


def require_unheld(tx: Transaction, tenant: TenantId, collection: CollectionId, refs: Iterable[bytes]) -> None:
    """Raises :class:`LegalHold` when a live record among ``refs`` is held."""
    for hold_id in held_among(tx, tenant, collection, list(refs)).values():
        raise LegalHold("A legal hold covers a record of this batch.", hold_id=hold_id)


def require_tenant_unheld(tx: Transaction, tenant: TenantId) -> None:
    """Raises :class:`LegalHold` when the tenant, or any part of it, is held."""
    row = tx.row(SELECT_STANDING, {"tenant": tenant})
    if row is not None:
        raise LegalHold("A legal hold covers this tenant or a part of it.", hold_id=hold_row(row).hold_id)
