"""Parts of the names of known people. People known before are met by their whole names only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "name_part",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("part", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("stand_in", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.tenant"], name=op.f("fk_name_part_tenant")),
        sa.PrimaryKeyConstraint("tenant", "part", "person", name=op.f("pk_name_part")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_name_part_person", "name_part", ["tenant", "person"])


def downgrade() -> None:
    op.drop_table("name_part")
