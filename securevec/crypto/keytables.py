"""Tables of the key store, version 1, and the one place where rows become values and values rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.errors import HomeRefused, KeyRejected

USER_VERSION: Final = 1

SCHEMA: Final = (
    """CREATE TABLE keys (
  key_id BLOB PRIMARY KEY CHECK (length(key_id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('installation', 'kek', 'tenant', 'dek')),
  purpose TEXT NOT NULL,
  tenant BLOB NOT NULL CHECK (length(tenant) IN (0, 16)),
  collection BLOB NOT NULL CHECK (length(collection) IN (0, 16)),
  epoch TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'full')),
  wrapping_id BLOB NOT NULL CHECK (length(wrapping_id) IN (8, 16)),
  wrapped BLOB NOT NULL CHECK (length(wrapped) = 60),
  commitment BLOB NOT NULL CHECK (length(commitment) = 32),
  leased INTEGER NOT NULL CHECK (leased >= 0),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX keys_one_active ON keys (tenant, kind, collection, epoch, purpose) WHERE state = 'active'",
    "CREATE INDEX keys_by_tenant ON keys (tenant)",
    """CREATE TABLE destroyed (
  key_id BLOB PRIMARY KEY CHECK (length(key_id) = 16),
  kind TEXT NOT NULL,
  tenant BLOB NOT NULL,
  destroyed_ms INTEGER NOT NULL,
  evidence TEXT NOT NULL
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX destroyed_by_tenant ON destroyed (tenant, kind)",
    """CREATE TABLE pending_destruction (
  scope TEXT PRIMARY KEY,
  key_ids BLOB NOT NULL,
  begun_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID""",
)
"""Rows are far smaller than a page, so a wrapped key is never split over two and a byte search finds it whole."""


SELECT_KEYS: Final = """SELECT key_id, kind, purpose, tenant, collection, epoch, state, wrapping_id, wrapped,
  commitment, leased, created_ms FROM keys WHERE """
INSERT_KEY: Final = """INSERT INTO keys (key_id, kind, purpose, tenant, collection, epoch, state, wrapping_id, wrapped,
  commitment, leased, created_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"""


def create_tables(connection: sqlite3.Connection, rows: Sequence[KeyRow]) -> None:
    """Tables and first rows in one transaction: a store is there whole or not at all.

    Raises :class:`HomeRefused` when the file holds anything already.
    """
    connection.execute("BEGIN IMMEDIATE")
    if user_version(connection) != 0 or schema_statements(connection):
        raise HomeRefused("There is a key store already.", next_step="Open it instead of creating one.")
    for statement in SCHEMA:
        connection.execute(statement)
    for row in rows:
        connection.execute(INSERT_KEY, insert_values(row))
    connection.execute(f"PRAGMA user_version = {USER_VERSION}")
    connection.execute("COMMIT")


def check_tables(connection: sqlite3.Connection) -> None:
    """Raises :class:`HomeRefused` unless the file is a key store of version 1 and holds nothing besides."""
    found = user_version(connection)
    if found > USER_VERSION:
        raise HomeRefused(
            "The key store was written by a newer release.", next_step="Upgrade securevec, then open the home again."
        )
    # A trigger or view slipped into the file could copy keys aside when they are deleted.
    if found != USER_VERSION or schema_statements(connection) != set(SCHEMA):
        raise HomeRefused("This is not a securevec key store.", next_step="Restore keys.db from a backup.")


def user_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def schema_statements(connection: sqlite3.Connection) -> set[str]:
    """What the file itself says its tables, indexes, triggers and views are."""
    return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}


def insert_values(row: KeyRow) -> tuple[object, ...]:
    use = row.use
    return (
        row.key_id,
        use.kind,
        use.purpose,
        use.tenant,
        use.collection,
        use.epoch,
        row.state,
        row.wrapping_id,
        row.wrapped,
        row.commitment,
        row.leased,
        row.created_ms,
    )


def read_row(columns: Sequence[object]) -> KeyRow:
    """The row of these columns. Types are checked: a file edited by hand keeps no promise of its schema."""
    match columns:
        case (
            bytes(key_id),
            str(kind),
            str(purpose),
            bytes(tenant),
            bytes(collection),
            str(epoch),
            str(state),
            bytes(wrapping_id),
            bytes(wrapped),
            bytes(commitment),
            int(leased),
            int(created_ms),
        ):
            use = KeyUse(kind=kind, purpose=purpose, tenant=tenant, collection=collection, epoch=epoch)
            return KeyRow(key_id, use, state, wrapping_id, wrapped, commitment, leased, created_ms)
        case _:
            raise KeyRejected("A row of the key store was altered.", next_step="Restore keys.db from a backup.")
