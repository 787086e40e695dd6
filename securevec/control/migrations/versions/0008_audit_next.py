"""How long the log of audit writers may be: announced before each line of it is written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_next",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_next_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_next")),
    )
    # A log that is there already was announced as far as its newest head: an older copy of this store knows of less.
    op.execute("INSERT INTO audit_next (id, size) SELECT 1, size FROM audit_head")


def downgrade() -> None:
    op.drop_table("audit_next")
