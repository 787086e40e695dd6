"""Tables of revision 0006 as SQLAlchemy Core. Imported by migrations and tests only, never on the way to a search.

The statements of the other files are standard SQL with the named or positional parameters of DB-API; a test prepares
each of them against these tables, and another holds these tables equal to what the migrations build.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# Tables with a row for each record, or person, name tenants, collections, epochs and people by number (`numbers`).
tenant = Table(
    "tenant",
    metadata,
    Column("tenant_no", Integer, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("name_token", LargeBinary),
    Column("name_sealed", LargeBinary),
    Column("state", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    # The version of its token key that all its tokens are of; null while that is the first.
    Column("token_version", Integer),
    PrimaryKeyConstraint("tenant_no"),
    UniqueConstraint("tenant"),
    UniqueConstraint("name_token"),
    CheckConstraint("state IN ('active', 'suspended', 'deleting', 'deleted')", name="state"),
    CheckConstraint("state <> 'deleted' OR (name_token IS NULL AND name_sealed IS NULL)", name="forgotten"),
)

principal = Table(
    "principal",
    metadata,
    Column("actor_token", LargeBinary, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("actor_token"),
)

principal_grant = Table(
    "principal_grant",
    metadata,
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("actor_token", LargeBinary, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "actor_token", "role"),
)

collection = Table(
    "collection",
    metadata,
    Column("collection_no", Integer, nullable=False),
    Column("collection", Text, nullable=False),
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("name_token", LargeBinary, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("schema_sealed", LargeBinary, nullable=False),
    Column("shard", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("identity", Text, nullable=False),
    Column("retention_ms", BigInteger),
    Column("vault", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    # One number per batch, given to all its records, never given twice: a deleted record's generation cannot return.
    Column("next_generation", BigInteger, nullable=False, server_default=text("1")),
    # Keyed token of the collection's label, which retention rules name. Empty until it is next opened where revision
    # 0001 made it.
    Column("classification", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("collection_no"),
    UniqueConstraint("collection"),
    UniqueConstraint("tenant", "name_token"),
    UniqueConstraint("shard"),
)

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

# Live generations only: the primary key itself says that a record has one.
manifest = Table(
    "manifest",
    metadata,
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
    Column("collection_no", Integer, ForeignKey("collection.collection_no"), nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("n_chunks", Integer, nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("expires_ms", BigInteger),
    Column("epoch_no", Integer, nullable=False),
    Column("ingested_ms", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
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

job = Table(
    "job",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("state", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("receipt", LargeBinary),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("lease_until_ms", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("job_id"),
    CheckConstraint("state <> 'done' OR receipt IS NOT NULL", name="receipt"),
)

job_step = Table(
    "job_step",
    metadata,
    Column("job_id", Text, ForeignKey("job.job_id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("job_id", "step"),
)

hold = Table(
    "hold",
    metadata,
    Column("hold_id", Text, nullable=False),
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("collection", Text, ForeignKey("collection.collection")),
    Column("record_ref", LargeBinary),
    Column("reason_sealed", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("released_ms", BigInteger),
    # A hold on a subject covers the records that carry one of its tokens (`hold_subject`), not the whole tenant.
    Column("of_subject", Boolean, nullable=False),
    PrimaryKeyConstraint("hold_id"),
    CheckConstraint("record_ref IS NULL OR collection IS NOT NULL", name="scope"),
    CheckConstraint("NOT of_subject OR (collection IS NULL AND record_ref IS NULL)", name="of_subject"),
)

hold_subject = Table(
    "hold_subject",
    metadata,
    Column("hold_id", Text, ForeignKey("hold.hold_id"), nullable=False),
    Column("token", LargeBinary, nullable=False),
    PrimaryKeyConstraint("hold_id", "token"),
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

# What a job is going to do, fixed before it does anything: one row per record generation.
job_item = Table(
    "job_item",
    metadata,
    Column("job_id", Text, ForeignKey("job.job_id"), nullable=False),
    Column("collection", Text, nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("n_chunks", Integer, nullable=False),
    Column("action", Text, nullable=False),
    PrimaryKeyConstraint("job_id", "collection", "ref", "generation"),
    CheckConstraint("action IN ('delete', 'redact')", name="action"),
    sqlite_with_rowid=False,
)

# Empty text stands for every tenant, collection or classification. A classification is a keyed token; `label_sealed` is
# its label, empty where there is none.
retention_rule = Table(
    "retention_rule",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("collection", Text, nullable=False),
    Column("classification", Text, nullable=False),
    Column("label_sealed", LargeBinary, nullable=False),
    Column("max_age_ms", BigInteger),
    Column("min_age_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "collection", "classification"),
    CheckConstraint("max_age_ms IS NOT NULL OR min_age_ms IS NOT NULL", name="says_something"),
)

retention_plan = Table(
    "retention_plan",
    metadata,
    Column("digest", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("digest"),
)

quota = Table(
    "quota",
    metadata,
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("max_points", BigInteger),
    Column("max_bytes", BigInteger),
    PrimaryKeyConstraint("tenant"),
)

# Where a tenant lives that was moved, or is being moved: then `moving_to` is its next layout, and written to as well.
# Namespaces of the tenant carry its `tag`.
placement = Table(
    "placement",
    metadata,
    Column("tenant", Text, ForeignKey("tenant.tenant"), nullable=False),
    Column("tag", Text, nullable=False),
    Column("layout", Text, nullable=False),
    Column("moving_to", Text),
    PrimaryKeyConstraint("tenant"),
    UniqueConstraint("tag"),
    CheckConstraint("layout IN ('shared', 'collection', 'shard')", name="layout"),
    CheckConstraint("moving_to IS NULL OR moving_to IN ('shared', 'collection', 'shard')", name="moving_to"),
    CheckConstraint("moving_to IS NULL OR moving_to <> layout", name="moves"),
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
