"""Tables with one row, or one queue, for the whole installation."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from securevec.control.schema.metadata import metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    # Ids of delivered rows are never used again.
    sqlite_autoincrement=True,
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", Text, nullable=False),
    Column("note", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="single"),
)

time_floor = Table(
    "time_floor",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    Column("floor_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="single"),
)

key_store = Table(
    "key_store",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    Column("changes", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="single"),
)

audit_next = Table(
    "audit_next",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="single"),
)

# Which models may receive what, as one sealed document: an edited list does not open. No row is no list.
model_list = Table(
    "model_list",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="single"),
)
