"""Versions of a tenant's token key. Tenants known before are at the first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenant", sa.Column("token_version", sa.Integer()))


def downgrade() -> None:
    op.drop_column("tenant", "token_version")
