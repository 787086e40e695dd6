"""Tables of what ends a record, or keeps it: jobs, holds, rules."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from securevec.control.schema.metadata import metadata

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
