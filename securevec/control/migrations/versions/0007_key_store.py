"""How far the key store had come when this store was last written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_store",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_key_store_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_store")),
    )


def downgrade() -> None:
    op.drop_table("key_store")
