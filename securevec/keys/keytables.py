"""Tables of the key store, version 3, and the one place where rows become values and values rows.

A key's row is small, because most installations keep one for every tenant, collection and month: what many rows say
alike (ids of tenant and collection, kind and purpose, epoch, wrapping key) stands in a table of its own and is named by
a number. Nothing in those tables is believed: all of it is authenticated when the key is unwrapped (wrap.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from securevec.crypto.wrap import ACTIVE, FULL, ROLLED, KeyRow, KeyUse
from securevec.errors import HomeRefused, KeyRejected
from securevec.keys.leases import BLOCK

USER_VERSION: Final = 3
"""1 kept every row's ids, words and a whole commitment with the row: three times the size (docs/adr/0030). 2 did not
count changes, so that an older copy put in its place was not told from it (docs/adr/0046)."""

SCHEMA: Final = (
    """CREATE TABLE places (
  place INTEGER PRIMARY KEY,
  tenant BLOB NOT NULL CHECK (length(tenant) IN (0, 16)),
  collection BLOB NOT NULL CHECK (length(collection) IN (0, 16)),
  UNIQUE (tenant, collection)
) STRICT""",
    """CREATE TABLE uses (
  use INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  purpose TEXT NOT NULL,
  UNIQUE (kind, purpose)
) STRICT""",
    "CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE wrappings (
  wrapping INTEGER PRIMARY KEY,
  wrapping_id BLOB NOT NULL UNIQUE CHECK (length(wrapping_id) IN (8, 16))
) STRICT""",
    """CREATE TABLE keys (
  row INTEGER PRIMARY KEY,
  key_id BLOB NOT NULL CHECK (length(key_id) = 16),
  place INTEGER NOT NULL,
  use INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state >= 0),
  wrapping INTEGER NOT NULL,
  wrapped BLOB NOT NULL CHECK (length(wrapped) = 48),
  blocks INTEGER NOT NULL CHECK (blocks >= 0),
  created_ms INTEGER NOT NULL
) STRICT""",
    "CREATE UNIQUE INDEX keys_one_active ON keys (place, use, epoch, state)",
    "CREATE INDEX keys_by_id ON keys (substr(key_id, 1, 4))",
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
    "CREATE TABLE changes (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL CHECK (count > 0)) STRICT",
)
"""Rows are far smaller than a page, so a wrapped key is never split over two and a byte search finds it whole."""

STATES: Final = (ACTIVE, FULL, ROLLED)
"""``state`` is 0 for the one active key of a use, else n * 8 + the place in this list, n from 1 counting them."""
_STATES_APART: Final = 8

_FROM: Final = """ FROM keys k JOIN places p ON p.place = k.place JOIN uses u ON u.use = k.use
  JOIN epochs e ON e.epoch = k.epoch JOIN wrappings w ON w.wrapping = k.wrapping WHERE """
SELECT_KEYS: Final = f"""SELECT k.key_id, u.kind, u.purpose, p.tenant, p.collection, e.name, k.state, w.wrapping_id,
  k.wrapped, k.blocks, k.created_ms{_FROM}"""
BY_ID: Final = "substr(k.key_id, 1, 4) = substr(?1, 1, 4) AND k.key_id = ?1"
OF_USE: Final = "p.tenant = ?1 AND p.collection = ?2 AND u.kind = ?3 AND u.purpose = ?4 AND e.name = ?5"
DELETE_KEY: Final = "DELETE FROM keys WHERE substr(key_id, 1, 4) = substr(?1, 1, 4) AND key_id = ?1"
SET_BLOCKS: Final = "UPDATE keys SET blocks = ?2 WHERE substr(key_id, 1, 4) = substr(?1, 1, 4) AND key_id = ?1"

NAMES: Final = (
    "INSERT OR IGNORE INTO places (tenant, collection) VALUES (:tenant, :collection)",
    "INSERT OR IGNORE INTO uses (kind, purpose) VALUES (:kind, :purpose)",
    "INSERT OR IGNORE INTO epochs (name) VALUES (:epoch)",
    "INSERT OR IGNORE INTO wrappings (wrapping_id) VALUES (:wrapping_id)",
)
"""Run before a row is inserted or put in another's place."""
INSERT_KEY: Final = """INSERT INTO keys (key_id, place, use, epoch, state, wrapping, wrapped, blocks, created_ms)
  SELECT :key_id, p.place, u.use, e.epoch, CASE :state WHEN 0 THEN 0 ELSE :state + 8 * (1 + COALESCE((SELECT MAX(
  o.state / 8) FROM keys o WHERE o.place = p.place AND o.use = u.use AND o.epoch = e.epoch), 0)) END,
  w.wrapping, :wrapped, :blocks, :created_ms
  FROM places p, uses u, epochs e, wrappings w WHERE p.tenant = :tenant AND p.collection = :collection
  AND u.kind = :kind AND u.purpose = :purpose AND e.name = :epoch AND w.wrapping_id = :wrapping_id"""
REPLACE_KEY: Final = """UPDATE keys SET state = CASE :state WHEN 0 THEN 0 ELSE :state + 8 * (1 + COALESCE((SELECT MAX(
  o.state / 8) FROM keys o WHERE o.place = keys.place AND o.use = keys.use AND o.epoch = keys.epoch), 0)) END,
  wrapping = (SELECT wrapping FROM wrappings WHERE wrapping_id = :wrapping_id),
  wrapped = :wrapped, blocks = :blocks, created_ms = :created_ms
  WHERE substr(key_id, 1, 4) = substr(:key_id, 1, 4) AND key_id = :key_id"""
"""The key stays the key of its use; its state, its wrapping and its budget are new."""
REWRAP_KEY: Final = """UPDATE keys SET wrapping = (SELECT wrapping FROM wrappings WHERE wrapping_id = :wrapping_id),
  wrapped = :wrapped WHERE substr(key_id, 1, 4) = substr(:key_id, 1, 4) AND key_id = :key_id"""
"""Another wrapping of the same key in the same state."""
SELECT_CHANGES: Final = "SELECT c.count, h.application_id FROM changes c, pragma_application_id h WHERE c.id = 1"
COUNT_CHANGE: Final = "UPDATE changes SET count = count + 1 WHERE id = 1 RETURNING count"
IN_HEADER: Final = 0x7FFFFFFF
"""What of the count the header of the file holds: SQLite keeps 32 bits there for the application, with a sign."""
FORGET_NAMES: Final = (
    "DELETE FROM places WHERE place NOT IN (SELECT place FROM keys)",
    "DELETE FROM epochs WHERE epoch NOT IN (SELECT epoch FROM keys)",
    "DELETE FROM wrappings WHERE wrapping NOT IN (SELECT wrapping FROM keys)",
)
"""Ids and words that no row names any more."""


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
        values = insert_values(row)
        for statement in (*NAMES, INSERT_KEY):
            connection.execute(statement, values)
    connection.execute("INSERT INTO changes (id, count) VALUES (1, 1)")
    connection.execute(f"PRAGMA user_version = {USER_VERSION}")
    connection.execute("COMMIT")


def check_tables(connection: sqlite3.Connection) -> None:
    """Raises :class:`HomeRefused` unless the file is a key store of this version and holds nothing besides."""
    found = user_version(connection)
    if found > USER_VERSION:
        raise HomeRefused(
            "The key store was written by a newer release.", next_step="Upgrade securevec, then open the home again."
        )
    if found == 2:
        raise HomeRefused(
            "The key store was written by an earlier build.",
            next_step="Look what an upgrade would do: securevec upgrade --dry-run",
        )
    if found == 1:
        raise HomeRefused(
            "The key store is of a format that no release wrote.", next_step="Make a new home, and ingest again."
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


def insert_values(row: KeyRow) -> dict[str, object]:
    """What the statements above name. Messages are counted in blocks, rounded up: a budget is never given back."""
    use = row.use
    return {
        "key_id": row.key_id,
        "kind": use.kind,
        "purpose": use.purpose,
        "tenant": use.tenant,
        "collection": use.collection,
        "epoch": use.epoch,
        "state": STATES.index(row.state),
        "wrapping_id": row.wrapping_id,
        "wrapped": row.wrapped,
        "blocks": blocks(row.leased),
        "created_ms": row.created_ms,
    }


def blocks(messages: int) -> int:
    return -(-messages // BLOCK)


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
            int(state),
            bytes(wrapping_id),
            bytes(wrapped),
            int(leased),
            int(created_ms),
        ) if state >= 0 and state % _STATES_APART < len(STATES):
            use = KeyUse(kind=kind, purpose=purpose, tenant=tenant, collection=collection, epoch=epoch)
            word = STATES[state % _STATES_APART]
            return KeyRow(key_id, use, word, wrapping_id, wrapped, leased * BLOCK, created_ms)
        case _:
            raise KeyRejected("A row of the key store was altered.", next_step="Restore keys.db from a backup.")
