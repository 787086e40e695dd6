"""A control store of an earlier build brought to the tables of this release, in one transaction (docs/adr/0068).

What the revisions since brought: 0005 numbers for tenants, collections, epochs and people in the tables that have a row
for each record or person; 0006 a tenant's `token_version`; 0007 `key_store`; 0008 `audit_next`; 0009 `model_list`.
Revisions before 0004 lie in homes of an older format, which no upgrade leads from.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from securevec.control.database import connect, failure
from securevec.control.revision import HEAD, SELECT_REVISION
from securevec.control.tables import TABLES
from securevec.errors import HomeRefused

FIRST: Final = "0004"
"""The oldest revision that is brought up: what homes of today's format began with."""

_NUMBERED: Final = "0005"
_COUNTED: Final = ("source_file", "record_subject", "name_part", "subject_token", "transit", "manifest")
"""Tables whose rows named things by text before revision 0005. None of their rows may be lost."""
_TENANT: Final = "tenant, name_token, name_sealed, state, fence, created_ms, updated_ms"
_COLLECTION: Final = (
    "collection, tenant, name_token, name_sealed, schema_sealed, shard, dimension, identity, retention_ms, vault,"
    " created_ms, state, next_generation, classification"
)
_GENERATION: Final = (
    "SELECT c.collection_no, k.ref, k.generation, k.n_chunks, k.content_digest, k.expires_ms, e.epoch_no,"
    " k.ingested_ms, k.size"
)
_PLACED: Final = (
    " k JOIN collection c ON c.collection = k.collection"
    " JOIN key_epoch e ON e.collection_no = c.collection_no AND e.epoch = k.epoch"
)
_RENUMBERED: Final = (
    f"INSERT INTO tenant ({_TENANT}) SELECT {_TENANT} FROM kept_tenant ORDER BY created_ms, 1",
    f"INSERT INTO collection ({_COLLECTION}) SELECT {_COLLECTION} FROM kept_collection ORDER BY created_ms, 1",
    "INSERT INTO key_epoch (collection_no, epoch) SELECT DISTINCT c.collection_no, k.epoch FROM"
    " (SELECT collection, epoch FROM kept_manifest UNION SELECT collection, epoch FROM kept_transit) k"
    " JOIN collection c ON c.collection = k.collection",
    "INSERT INTO subject_token (tenant_no, token, entity) SELECT t.tenant_no, k.token, k.entity"
    " FROM kept_subject_token k JOIN tenant t ON t.tenant = k.tenant",
    # Whom records speak of and no list names: a number without an entity.
    "INSERT OR IGNORE INTO subject_token (tenant_no, token, entity) SELECT DISTINCT t.tenant_no, k.token, ''"
    " FROM kept_record_subject k JOIN collection c ON c.collection = k.collection JOIN tenant t ON t.tenant = c.tenant",
    f"INSERT INTO manifest {_GENERATION} FROM kept_manifest{_PLACED}",
    f"INSERT INTO transit {_GENERATION}, k.state, k.request_id FROM kept_transit{_PLACED}",
    "INSERT INTO source_file SELECT c.collection_no, k.source, k.ref, k.digest FROM kept_source_file k"
    " JOIN collection c ON c.collection = k.collection",
    "INSERT INTO record_subject SELECT s.subject_no, c.collection_no, k.ref, k.generation, k.about"
    " FROM kept_record_subject k JOIN collection c ON c.collection = k.collection"
    " JOIN tenant t ON t.tenant = c.tenant JOIN subject_token s ON s.tenant_no = t.tenant_no AND s.token = k.token",
    # The sealed surrogate was written in hexadecimal digits.
    "INSERT INTO name_part SELECT t.tenant_no, k.part, s.subject_no, bytes_of(k.stand_in) FROM kept_name_part k"
    " JOIN tenant t ON t.tenant = k.tenant JOIN subject_token s ON s.tenant_no = t.tenant_no AND s.token = k.person",
)


def upgrade(path: Path) -> None:
    """Bring the store to the newest revision. Nothing to do for one that is there.

    Two processes may call it at once: the second waits and finds nothing to do. A process killed inside leaves the
    store as it was. Raises :class:`HomeRefused` for a revision that no step leads from and for rows that would be lost,
    :class:`ControlUnavailable`.
    """
    try:
        connection = connect(path)
        try:
            # Tables are away for a moment that rows of others name. What is missing in the end is looked for below.
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.create_function("bytes_of", 1, bytes.fromhex, deterministic=True)
            connection.execute("BEGIN IMMEDIATE")
            _bring_up(connection)
            connection.execute("COMMIT")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise failure(error) from error


def _bring_up(connection: sqlite3.Connection) -> None:
    row = connection.execute(SELECT_REVISION).fetchone()
    found = str(row[0]) if row else ""
    if found == HEAD:
        return
    if not found.isdecimal() or not FIRST <= found < HEAD:
        raise HomeRefused(
            "The control store is of a revision this release does not know.",
            next_step="Open it with the securevec release that wrote it, or ingest into a new home.",
        )
    if found < _NUMBERED:
        _set_aside(connection, *_COUNTED, "collection", "tenant")
    elif found == _NUMBERED:
        connection.execute("ALTER TABLE tenant ADD COLUMN token_version INTEGER")
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    for statement in TABLES:
        if statement.split("(", 1)[0].split(" ON ")[0].split()[-1] not in there:
            connection.execute(statement)
    if found < _NUMBERED:
        _renumber(connection)
    if "audit_next" not in there:
        # A log that is there already was announced as far as its newest head: an older copy of this store knows less.
        connection.execute("INSERT INTO audit_next (id, size) SELECT 1, size FROM audit_head")
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise _lost()
    connection.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))


def _set_aside(connection: sqlite3.Connection, *tables: str) -> None:
    for table in tables:
        connection.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")  # from the list above
        connection.execute(f"DROP TABLE {table}")


def _renumber(connection: sqlite3.Connection) -> None:
    for statement in _RENUMBERED:
        connection.execute(statement)
    for table in _COUNTED:
        count = f"SELECT (SELECT COUNT(*) FROM kept_{table}) > (SELECT COUNT(*) FROM {table})"  # from the list above
        if connection.execute(count).fetchone() != (0,):
            raise _lost()


def _lost() -> HomeRefused:
    return HomeRefused(
        "A row of the control store names a tenant, a collection or a person that is not there.",
        next_step="Open it with the securevec release that wrote it, or restore a backup.",
    )
