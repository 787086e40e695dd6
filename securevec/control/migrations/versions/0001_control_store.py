"""The first revision: every table of the control store. Never edited once released; later changes are later files.

No column holds a name, a record id or a value in clear (docs/formats.md, section 9): ``*_token`` and ``ref`` are keyed
hashes of 16 bytes, ``*_sealed`` envelopes, ``tenant`` and ``collection`` random ids in hex, ``*_ms`` UTC milliseconds.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "principal",
        sa.Column("actor_token", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor_token", name=op.f("pk_principal")),
    )
    op.create_table(
        "tenant",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name_token", sa.LargeBinary(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state <> 'deleted' OR (name_token IS NULL AND name_sealed IS NULL)", name=op.f("ck_tenant_forgotten")
        ),
        sa.CheckConstraint("state IN ('active', 'suspended', 'deleting', 'deleted')", name=op.f("ck_tenant_state")),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name_token", name=op.f("uq_tenant_name_token")),
    )
    op.create_table(
        "time_floor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("floor_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_time_floor_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_floor")),
    )
    op.create_table(
        "collection",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name_token", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("schema_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("shard", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("retention_ms", sa.BigInteger(), nullable=True),
        sa.Column("vault", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("next_generation", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_collection_tenant")),
        sa.PrimaryKeyConstraint("collection", name=op.f("pk_collection")),
        sa.UniqueConstraint("shard", name=op.f("uq_collection_shard")),
        sa.UniqueConstraint("tenant", "name_token", name=op.f("uq_collection_tenant_name_token")),
    )
    op.create_table(
        "job",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.CheckConstraint("state <> 'done' OR receipt IS NOT NULL", name=op.f("ck_job_receipt")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_job_tenant")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job")),
    )
    op.create_table(
        "principal_grant",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("actor_token", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_principal_grant_tenant")),
        sa.PrimaryKeyConstraint("tenant", "actor_token", "role", name=op.f("pk_principal_grant")),
    )
    op.create_table(
        "subject_token",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_subject_token_tenant")),
        sa.PrimaryKeyConstraint("tenant", "token", name=op.f("pk_subject_token")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batch",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("committed", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('ingest', 'delete')", name=op.f("ck_batch_kind")),
        sa.CheckConstraint("state = 'switched' OR NOT committed", name=op.f("ck_batch_committed")),
        sa.CheckConstraint("state IN ('open', 'switched')", name=op.f("ck_batch_state")),
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_batch_collection")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_batch_tenant")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_batch")),
    )
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=True),
        sa.Column("record_ref", sa.LargeBinary(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("released_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("record_ref IS NULL OR collection IS NOT NULL", name=op.f("ck_hold_scope")),
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_hold_collection")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_hold_tenant")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold")),
    )
    op.create_table(
        "job_step",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.job_id"], name=op.f("fk_job_step_job_id")),
        sa.PrimaryKeyConstraint("job_id", "step", name=op.f("pk_job_step")),
    )
    op.create_table(
        "manifest",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("n_chunks", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_manifest_collection")),
        sa.PrimaryKeyConstraint("collection", "ref", name=op.f("pk_manifest")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transit",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("n_chunks", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'retiring')", name=op.f("ck_transit_state")),
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_transit_collection")),
        sa.ForeignKeyConstraint(["request_id"], ["batch.request_id"], name=op.f("fk_transit_request_id")),
        sa.PrimaryKeyConstraint("collection", "ref", "generation", name=op.f("pk_transit")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_transit_request_id", "transit", ["request_id"], unique=False)
    op.create_index(
        "uq_transit_pending",
        "transit",
        ["collection", "ref"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    """To nothing: drops every table with what it holds."""
    for table in (
        "transit",
        "manifest",
        "job_step",
        "hold",
        "batch",
        "subject_token",
        "principal_grant",
        "job",
        "collection",
        "time_floor",
        "tenant",
        "principal",
        "outbox",
        "audit_head",
    ):
        op.drop_table(table)
