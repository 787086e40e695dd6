"""People and time: who a record speaks of, tombstones, holds on subjects, items of jobs, retention rules, quotas,
sources.

The manifest gains columns that revision 0001 has no values for (size, time of ingestion, subjects). They stand in the
sealed bodies only, which a migration cannot open; so a store that already holds records is refused, and nothing of it
is changed. Revision 0001 was never part of a release.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REBUILT = ("transit", "manifest", "hold")


def upgrade() -> None:
    _require_empty()
    op.drop_index("uq_transit_pending", table_name="transit")
    op.drop_index("ix_transit_request_id", table_name="transit")
    for table in _REBUILT:
        op.drop_table(table)
    op.add_column("collection", sa.Column("classification", sa.Text(), nullable=False, server_default=""))
    _manifest(("ingested_ms", "size"))
    _transit(("ingested_ms", "size"))
    op.create_table(
        "hold",
        *_hold_columns(),
        sa.Column("of_subject", sa.Boolean(), nullable=False),
        sa.CheckConstraint("record_ref IS NULL OR collection IS NOT NULL", name=op.f("ck_hold_scope")),
        sa.CheckConstraint(
            "NOT of_subject OR (collection IS NULL AND record_ref IS NULL)", name=op.f("ck_hold_of_subject")
        ),
        *_hold_keys(),
    )
    op.create_table(
        "hold_subject",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.hold_id"], name=op.f("fk_hold_subject_hold_id")),
        sa.PrimaryKeyConstraint("hold_id", "token", name=op.f("pk_hold_subject")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record_subject",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_record_subject_collection")),
        sa.PrimaryKeyConstraint("collection", "token", "ref", "generation", name=op.f("pk_record_subject")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_record_subject_record", "record_subject", ["collection", "ref", "generation"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_tombstone_tenant")),
        sa.ForeignKeyConstraint(["job_id"], ["job.job_id"], name=op.f("fk_tombstone_job_id")),
        sa.PrimaryKeyConstraint("tenant", "token", name=op.f("pk_tombstone")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_item",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("n_chunks", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.CheckConstraint("action IN ('delete', 'redact')", name=op.f("ck_job_item_action")),
        sa.ForeignKeyConstraint(["job_id"], ["job.job_id"], name=op.f("fk_job_item_job_id")),
        sa.PrimaryKeyConstraint("job_id", "collection", "ref", "generation", name=op.f("pk_job_item")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "retention_rule",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("classification", sa.Text(), nullable=False),
        sa.Column("label_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("max_age_ms", sa.BigInteger(), nullable=True),
        sa.Column("min_age_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "max_age_ms IS NOT NULL OR min_age_ms IS NOT NULL", name=op.f("ck_retention_rule_says_something")
        ),
        sa.PrimaryKeyConstraint("tenant", "collection", "classification", name=op.f("pk_retention_rule")),
    )
    op.create_table(
        "retention_plan",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_retention_plan")),
    )
    op.create_table(
        "quota",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("max_points", sa.BigInteger(), nullable=True),
        sa.Column("max_bytes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_quota_tenant")),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_quota")),
    )
    op.create_table(
        "source_file",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_source_file_collection")),
        sa.PrimaryKeyConstraint("collection", "source", "ref", name=op.f("pk_source_file")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """To the tables of revision 0001. Refused, as the upgrade is, once there are records or holds."""
    _require_empty()
    for table in ("source_file", "quota", "retention_plan", "retention_rule", "job_item", "tombstone"):
        op.drop_table(table)
    op.drop_index("ix_record_subject_record", table_name="record_subject")
    op.drop_index("uq_transit_pending", table_name="transit")
    op.drop_index("ix_transit_request_id", table_name="transit")
    for table in ("record_subject", "hold_subject", *_REBUILT):
        op.drop_table(table)
    op.drop_column("collection", "classification")
    _manifest(())
    _transit(())
    op.create_table(
        "hold",
        *_hold_columns(),
        sa.CheckConstraint("record_ref IS NULL OR collection IS NOT NULL", name=op.f("ck_hold_scope")),
        *_hold_keys(),
    )


def _require_empty() -> None:
    for table in _REBUILT:
        if op.get_bind().execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar():
            raise CommandError("The store already holds records or holds.")


def _record_columns(added: tuple[str, ...]) -> list[sa.Column[int] | sa.Column[bytes] | sa.Column[str]]:
    return [
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("n_chunks", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in added),
    ]


def _manifest(added: tuple[str, ...]) -> None:
    op.create_table(
        "manifest",
        *_record_columns(added),
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_manifest_collection")),
        sa.PrimaryKeyConstraint("collection", "ref", name=op.f("pk_manifest")),
        sqlite_with_rowid=False,
    )


def _transit(added: tuple[str, ...]) -> None:
    op.create_table(
        "transit",
        *_record_columns(added),
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


def _hold_columns() -> list[sa.Column[int] | sa.Column[bytes] | sa.Column[str]]:
    return [
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=True),
        sa.Column("record_ref", sa.LargeBinary(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("released_ms", sa.BigInteger(), nullable=True),
    ]


def _hold_keys() -> list[sa.ForeignKeyConstraint | sa.PrimaryKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(["collection"], ["collection.collection"], name=op.f("fk_hold_collection")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_hold_tenant")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold")),
    ]
