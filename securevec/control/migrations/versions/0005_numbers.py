"""Numbers for tenants, collections, key epochs and people, in the tables that have a row for each record or person.

All rows are carried over: those with a text for an id get the number of the row that has it. A row that names what is
not there would be lost, so the store is refused then, and nothing of it is changed. The way back is for empty stores.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_REBUILT = ("source_file", "record_subject", "name_part", "subject_token", "transit", "manifest")
_TENANT = "tenant, name_token, name_sealed, state, fence, created_ms, updated_ms"
_COLLECTION = (
    "collection, tenant, name_token, name_sealed, schema_sealed, shard, dimension, identity, retention_ms, vault,"
    " created_ms, state, next_generation, classification"
)


_LISTED = {
    "manifest": "SELECT c.collection_no, k.ref, k.generation, k.n_chunks, k.content_digest, k.expires_ms, e.epoch_no,"
    " k.ingested_ms, k.size FROM kept_manifest k JOIN collection c ON c.collection = k.collection"
    " JOIN key_epoch e ON e.collection_no = c.collection_no AND e.epoch = k.epoch",
    "transit": "SELECT c.collection_no, k.ref, k.generation, k.n_chunks, k.content_digest, k.expires_ms, e.epoch_no,"
    " k.ingested_ms, k.size, k.state, k.request_id FROM kept_transit k JOIN collection c ON c.collection = k.collection"
    " JOIN key_epoch e ON e.collection_no = c.collection_no AND e.epoch = k.epoch",
    "source_file": "SELECT c.collection_no, k.source, k.ref, k.digest FROM kept_source_file k"
    " JOIN collection c ON c.collection = k.collection",
    "record_subject": "SELECT s.subject_no, c.collection_no, k.ref, k.generation, k.about FROM kept_record_subject k"
    " JOIN collection c ON c.collection = k.collection JOIN tenant t ON t.tenant = c.tenant"
    " JOIN subject_token s ON s.tenant_no = t.tenant_no AND s.token = k.token",
}
"""What each table holds now, in the order of its columns."""
_EPOCHS = (
    "INSERT INTO key_epoch (collection_no, epoch) SELECT DISTINCT c.collection_no, k.epoch FROM"
    " (SELECT collection, epoch FROM kept_manifest UNION SELECT collection, epoch FROM kept_transit) k"
    " JOIN collection c ON c.collection = k.collection"
)
_PEOPLE = (
    "INSERT INTO subject_token (tenant_no, token, entity) SELECT t.tenant_no, k.token, k.entity"
    " FROM kept_subject_token k JOIN tenant t ON t.tenant = k.tenant",
    # Whom records speak of and no list names: a number without an entity.
    "INSERT OR IGNORE INTO subject_token (tenant_no, token, entity) SELECT DISTINCT t.tenant_no, k.token, ''"
    " FROM kept_record_subject k JOIN collection c ON c.collection = k.collection JOIN tenant t ON t.tenant = c.tenant",
)
_PARTS = (
    "SELECT t.tenant_no, k.part, s.subject_no, k.stand_in FROM kept_name_part k JOIN tenant t ON t.tenant = k.tenant"
    " JOIN subject_token s ON s.tenant_no = t.tenant_no AND s.token = k.person"
)


def upgrade() -> None:
    for table in _REBUILT:
        op.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")
    _rebuild(numbered=True)
    for statement in (_EPOCHS, *_PEOPLE):
        op.execute(statement)
    for table, selected in _LISTED.items():
        op.execute(f"INSERT INTO {table} {selected}")
    # The sealed surrogate was written in hexadecimal digits.
    found = op.get_bind().exec_driver_sql(_PARTS).all()
    for tenant, part, person, stand_in in found:
        op.get_bind().exec_driver_sql(
            "INSERT INTO name_part VALUES (?, ?, ?, ?)", (tenant, part, person, bytes.fromhex(stand_in))
        )
    for table in _REBUILT:
        if _count(f"kept_{table}") > _count(table):
            raise CommandError("A row names a tenant, a collection or a person that is not there.")
        op.execute(f"DROP TABLE kept_{table}")


def _count(table: str) -> int:
    return int(op.get_bind().execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())


def downgrade() -> None:
    """To the tables of revision 0004. Refused once there are records or tokens."""
    _rebuild(numbered=False)


def _rebuild(*, numbered: bool) -> None:
    if not numbered and any(map(_count, _REBUILT)):
        raise CommandError("The store already holds records or tokens.")
    for table in _REBUILT:
        op.drop_table(table)
    if not numbered:
        op.drop_table("key_epoch")
    # Rows of other tables name tenants and collections that are away for a moment; they are there again at the commit.
    op.execute("PRAGMA defer_foreign_keys = ON")
    for table, columns in (("collection", _COLLECTION), ("tenant", _TENANT)):
        op.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT {columns} FROM {table} ORDER BY created_ms, 1")
        op.drop_table(table)
    _tenant(numbered)
    _collection(numbered)
    for table, columns in (("tenant", _TENANT), ("collection", _COLLECTION)):
        op.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{table} ORDER BY rowid")
        op.execute(f"DROP TABLE kept_{table}")
    if numbered:
        op.create_table(
            "key_epoch",
            sa.Column("epoch_no", sa.Integer(), nullable=False),
            *_owner("collection", "key_epoch", numbered),
            sa.Column("epoch", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("epoch_no", name=op.f("pk_key_epoch")),
            sa.UniqueConstraint("collection_no", "epoch", name=op.f("uq_key_epoch_collection_no_epoch")),
        )
    _records(numbered)
    _people(numbered)


def _name(table: str, numbered: bool) -> str:
    """The column that names a row of ``table``."""
    return f"{table}_no" if numbered else table


def _key(table: str, numbered: bool) -> list[Any]:
    """Columns and constraints of a table whose rows have a text for an id, and here a number as well."""
    if not numbered:
        return [sa.Column(table, sa.Text(), nullable=False), sa.PrimaryKeyConstraint(table, name=op.f(f"pk_{table}"))]
    return [
        sa.Column(f"{table}_no", sa.Integer(), nullable=False),
        sa.Column(table, sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(f"{table}_no", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(table, name=op.f(f"uq_{table}_{table}")),
    ]


def _owner(owner: str, table: str, numbered: bool) -> list[Any]:
    """A column of ``table`` that names a tenant or a collection."""
    column = _name(owner, numbered)
    return [
        sa.Column(column, sa.Integer() if numbered else sa.Text(), nullable=False),
        sa.ForeignKeyConstraint([column], [f"{owner}.{column}"], name=op.f(f"fk_{table}_{column}")),
    ]


def _person(column: str, table: str) -> list[Any]:
    return [
        sa.Column(column, sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint([column], ["subject_token.subject_no"], name=op.f(f"fk_{table}_{column}")),
    ]


def _tenant(numbered: bool) -> None:
    op.create_table(
        "tenant",
        *_key("tenant", numbered),
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
        sa.UniqueConstraint("name_token", name=op.f("uq_tenant_name_token")),
    )


def _collection(numbered: bool) -> None:
    op.create_table(
        "collection",
        *_key("collection", numbered),
        *_owner("tenant", "collection", numbered=False),
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
        sa.Column("classification", sa.Text(), server_default="", nullable=False),
        sa.UniqueConstraint("shard", name=op.f("uq_collection_shard")),
        sa.UniqueConstraint("tenant", "name_token", name=op.f("uq_collection_tenant_name_token")),
    )


def _generation(numbered: bool) -> list[Any]:
    return [
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("n_chunks", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column(_name("epoch", numbered), sa.Integer() if numbered else sa.Text(), nullable=False),
        sa.Column("ingested_ms", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
    ]


def _records(numbered: bool) -> None:
    collection = _name("collection", numbered)
    op.create_table(
        "manifest",
        *_owner("collection", "manifest", numbered),
        *_generation(numbered),
        sa.PrimaryKeyConstraint(collection, "ref", name=op.f("pk_manifest")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transit",
        *_owner("collection", "transit", numbered),
        *_generation(numbered),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'retiring')", name=op.f("ck_transit_state")),
        sa.ForeignKeyConstraint(["request_id"], ["batch.request_id"], name=op.f("fk_transit_request_id")),
        sa.PrimaryKeyConstraint(collection, "ref", "generation", name=op.f("pk_transit")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_transit_request_id", "transit", ["request_id"], unique=False)
    op.create_index(
        "uq_transit_pending",
        "transit",
        [collection, "ref"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "source_file",
        *_owner("collection", "source_file", numbered),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(collection, "source", "ref", name=op.f("pk_source_file")),
        sqlite_with_rowid=False,
    )


def _people(numbered: bool) -> None:
    tenant, collection = _name("tenant", numbered), _name("collection", numbered)
    token = sa.Column("token", sa.LargeBinary(), nullable=False)
    kept: list[Any] = [
        *_owner("tenant", "subject_token", numbered),
        token,
        sa.Column("entity", sa.Text(), nullable=False),
    ]
    if numbered:
        op.create_table(
            "subject_token",
            sa.Column("subject_no", sa.Integer(), nullable=False),
            *kept,
            sa.PrimaryKeyConstraint("subject_no", name=op.f("pk_subject_token")),
            sa.UniqueConstraint("tenant_no", "token", name=op.f("uq_subject_token_tenant_no_token")),
        )
    else:
        op.create_table(
            "subject_token",
            *kept,
            sa.PrimaryKeyConstraint("tenant", "token", name=op.f("pk_subject_token")),
            sqlite_with_rowid=False,
        )
    person = "person_no" if numbered else "person"
    op.create_table(
        "name_part",
        *_owner("tenant", "name_part", numbered),
        sa.Column("part", sa.LargeBinary(), nullable=False),
        *(_person(person, "name_part") if numbered else [sa.Column(person, sa.LargeBinary(), nullable=False)]),
        sa.Column("stand_in", sa.LargeBinary() if numbered else sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(tenant, "part", person, name=op.f("pk_name_part")),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_name_part_{person}", "name_part", [person] if numbered else ["tenant", person])
    subject = "subject_no" if numbered else "token"
    if numbered:
        columns = [*_person(subject, "record_subject"), *_owner("collection", "record_subject", numbered)]
        key = [subject, collection, "ref", "generation"]
    else:
        columns = [
            *_owner("collection", "record_subject", numbered),
            sa.Column(subject, sa.LargeBinary(), nullable=False),
        ]
        key = [collection, subject, "ref", "generation"]
    op.create_table(
        "record_subject",
        *columns,
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(*key, "ref", "generation", name=op.f("pk_record_subject")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_record_subject_record", "record_subject", [collection, "ref", "generation"], unique=False)
