"""Where tenants live on a store that has more than one layout. Every tenant stays where it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "placement",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("moving_to", sa.Text(), nullable=True),
        sa.CheckConstraint("layout IN ('shared', 'collection', 'shard')", name=op.f("ck_placement_layout")),
        sa.CheckConstraint(
            "moving_to IS NULL OR moving_to IN ('shared', 'collection', 'shard')", name=op.f("ck_placement_moving_to")
        ),
        sa.CheckConstraint("moving_to IS NULL OR moving_to <> layout", name=op.f("ck_placement_moves")),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_placement_tenant")),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_placement")),
        sa.UniqueConstraint("tag", name=op.f("uq_placement_tag")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("placement")
