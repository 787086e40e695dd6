"""Tables of records and of the batches that write them: the manifest, and what is on its way in or out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from securevec.control.schema.metadata import metadata

# Key epochs that records of a collection were sealed in. No foreign key leads here: each would be looked for in the
# whole manifest when the collection goes.
key_epoch = Table(
    "key_epoch",
    metadata,
    Column("epoch_no", Integer, nullable=False),
    Column("collection_no", Integer, ForeignKey("collection.collection_no"), nullable=False),
    Column("epoch", Text, nullable=False),
    PrimaryKeyConstraint("epoch_no"),
    UniqueConstraint("collection_no", "epoch"),
)


def _generation() -> list[Column[Any]]:
    """What is known of a generation of a record, wherever it stands."""
    return [
        Column("collection_no", Integer, ForeignKey("collection.collection_no"), nullable=False),
        Column("ref", LargeBinary, nullable=False),
        Column("generation", BigInteger, nullable=False),
        Column("n_chunks", Integer, nullable=False),
        Column("content_digest", LargeBinary, nullable=False),
        Column("expires_ms", BigInteger),
        Column("epoch_no", Integer, nullable=False),
        Column("ingested_ms", BigInteger, nullable=False),
        # What the record takes in the store: envelopes and vectors of all its chunks, in bytes.
        Column("size", BigInteger, nullable=False),
    ]


# Live generations only: the primary key itself says that a record has one.
manifest = Table(
    "manifest",
    metadata,
    *_generation(),
    PrimaryKeyConstraint("collection_no", "ref"),
    sqlite_with_rowid=False,
)

batch = Table(
    "batch",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("collection", Text, ForeignKey("collection.collection"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("writer", Text, nullable=False),
    Column("lease_until_ms", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("committed", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id"),
    CheckConstraint("kind IN ('ingest', 'delete')", name="kind"),
    CheckConstraint("state IN ('open', 'switched')", name="state"),
    # An open batch is never the visible state, and a committed one is never open.
    CheckConstraint("state = 'switched' OR NOT committed", name="committed"),
)

# Generations on their way in (pending) or out (retiring); empty when nothing is being written.
transit = Table(
    "transit",
    metadata,
    *_generation(),
    Column("state", Text, nullable=False),
    Column("request_id", Text, ForeignKey("batch.request_id"), nullable=False),
    PrimaryKeyConstraint("collection_no", "ref", "generation"),
    CheckConstraint("state IN ('pending', 'retiring')", name="state"),
    Index("ix_transit_request_id", "request_id"),
    # One writer at a time per record.
    Index(
        "uq_transit_pending",
        "collection_no",
        "ref",
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    sqlite_with_rowid=False,
)

# Files of a source that were read: what lets a later run pass over them, and find those that are gone.
source_file = Table(
    "source_file",
    metadata,
    Column("collection_no", Integer, ForeignKey("collection.collection_no"), nullable=False),
    Column("source", LargeBinary, nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("collection_no", "source", "ref"),
    sqlite_with_rowid=False,
)
