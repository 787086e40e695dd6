"""Tables of tenants, of who may do what in them, and of their collections."""

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
    UniqueConstraint,
    text,
)

from securevec.control.schema.metadata import metadata

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
