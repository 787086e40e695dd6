"""Tables of the people whom records are about or mention, by keyed tokens."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from securevec.control.schema.metadata import metadata

# `entity` is empty for a token that has its number for a record being written and is not known to queries yet.
subject_token = Table(
    "subject_token",
    metadata,
    Column("subject_no", Integer, nullable=False),
    Column("tenant_no", Integer, ForeignKey("tenant.tenant_no"), nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("entity", Text, nullable=False),
    PrimaryKeyConstraint("subject_no"),
    UniqueConstraint("tenant_no", "token"),
)

# Parts of the names of known people, so that a query by surname or initial meets the person: tokens again, and the
# surrogate of that part, sealed by the caller, which stands for it in the vectors. Forgotten with the person's token.
name_part = Table(
    "name_part",
    metadata,
    Column("tenant_no", Integer, ForeignKey("tenant.tenant_no"), nullable=False),
    Column("part", LargeBinary, nullable=False),
    Column("person_no", Integer, ForeignKey("subject_token.subject_no"), nullable=False),
    Column("stand_in", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant_no", "part", "person_no"),
    Index("ix_name_part_person_no", "person_no"),
    sqlite_with_rowid=False,
)

# Which people a generation is about or mentions: written with its pending row, forgotten with its retiring one.
record_subject = Table(
    "record_subject",
    metadata,
    Column("subject_no", Integer, ForeignKey("subject_token.subject_no"), nullable=False),
    Column("collection_no", Integer, ForeignKey("collection.collection_no"), nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("about", Boolean, nullable=False),
    PrimaryKeyConstraint("subject_no", "collection_no", "ref", "generation"),
    Index("ix_record_subject_record", "collection_no", "ref", "generation"),
    sqlite_with_rowid=False,
)

# Erased subjects. What was ingested up to `at_ms` is hidden from every reader; nothing may be written until `until_ms`.
tombstone = Table(
    "tombstone",
    metadata,
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("job_id", Text, ForeignKey("job.job_id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "token"),
    sqlite_with_rowid=False,
)
