"""Collections: what was bound to each at its creation, and the check-and-set that may change it."""

from __future__ import annotations

from typing import Any, Final

from securevec.control.minimums import require_above_minimum
from securevec.control.room import Room, require_active, require_open
from securevec.control.rows import CollectionRow
from securevec.errors import CollectionMismatch, CollectionNotFound, UsageError
from securevec.types import CollectionId, TenantId

_COLLECTION: Final = (
    "SELECT collection, tenant, name_token, name_sealed, schema_sealed, shard, dimension, identity, retention_ms,"
    " vault, created_ms, state, classification FROM collection"
)
SELECT_COLLECTION: Final = f"{_COLLECTION} WHERE collection = :collection"
SELECT_COLLECTION_BY_TOKEN: Final = f"{_COLLECTION} WHERE tenant = :tenant AND name_token = :name_token"
SELECT_COLLECTIONS: Final = f"{_COLLECTION} WHERE tenant = :tenant ORDER BY created_ms, collection_no"
SELECT_COLLECTION_TAKEN: Final = (
    "SELECT 1 FROM collection WHERE collection = :collection OR shard = :shard"
    " OR (tenant = :tenant AND name_token = :name_token)"
)
INSERT_COLLECTION: Final = (
    "INSERT INTO collection (collection, tenant, name_token, name_sealed, schema_sealed, shard, dimension, identity,"
    " retention_ms, vault, created_ms, state, classification) VALUES (:collection, :tenant, :name_token, :name_sealed,"
    " :schema_sealed, :shard, :dimension, :identity, :retention_ms, :vault, :created_ms, :state, :classification)"
)
UPDATE_IDENTITY: Final = (
    "UPDATE collection SET identity = :identity, schema_sealed = :schema_sealed"
    " WHERE collection = :collection AND identity = :expect"
)


class Collections(Room):
    def create_collection(self, row: CollectionRow) -> None:
        """Raises :class:`UsageError` when the name, id or shard is taken, :class:`TenantUnavailable`,
        :class:`RetentionConflict` when its own retention is shorter than a minimum that applies to it."""
        values = {name: getattr(row, name) for name in row.__slots__}
        with self._db.write() as tx:
            require_active(tx, row.tenant)
            if tx.row(SELECT_COLLECTION_TAKEN, values):
                raise UsageError("A collection of this name exists already.", next_step="Open it instead.")
            require_above_minimum(tx, row)
            tx.run(INSERT_COLLECTION, values)

    def collection(self, collection: CollectionId) -> CollectionRow | None:
        row = self._db.row(SELECT_COLLECTION, {"collection": collection})
        return collection_row(row) if row else None

    def collection_by_token(self, tenant: TenantId, name_token: bytes) -> CollectionRow | None:
        row = self._db.row(SELECT_COLLECTION_BY_TOKEN, {"tenant": tenant, "name_token": name_token})
        return collection_row(row) if row else None

    def collections(self, tenant: TenantId) -> list[CollectionRow]:
        """The tenant's collections, oldest first."""
        return [collection_row(row) for row in self._db.rows(SELECT_COLLECTIONS, {"tenant": tenant})]

    def update_identity(
        self, collection: CollectionId, *, expect: str, identity: str, schema_sealed: bytes
    ) -> CollectionRow:
        """Bind a new identity and schema, if the identity still is ``expect``.

        Raises :class:`CollectionMismatch` when another process changed it, :class:`CollectionNotFound`,
        :class:`TenantUnavailable`.
        """
        with self._db.write() as tx:
            found = tx.row(SELECT_COLLECTION, {"collection": collection})
            if found is None:
                raise CollectionNotFound("There is no such collection.")
            require_open(tx, collection_row(found).tenant)
            changed = tx.run(
                UPDATE_IDENTITY,
                {"collection": collection, "expect": expect, "identity": identity, "schema_sealed": schema_sealed},
            )
            if not changed:
                raise CollectionMismatch("The collection's identity is not the one this change starts from.")
            row = tx.row(SELECT_COLLECTION, {"collection": collection})
        return collection_row(row or found)


def collection_row(row: tuple[Any, ...]) -> CollectionRow:
    """A row of :data:`SELECT_COLLECTION` and its like."""
    values = list(row)
    values[9] = bool(row[9])  # SQLite keeps booleans as integers
    return CollectionRow(*values)
