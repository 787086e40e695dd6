"""One truth about columns: what the migrations build, the Core tables, the statements and the row classes agree."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import re
import sqlite3
from dataclasses import fields
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

import securevec.control
from securevec.control import (
    batch_statements,
    collections,
    holds,
    jobs,
    migrate,
    schema,
    tenants,
)
from securevec.control.rows import BatchRow, CollectionRow, HoldRow, JobRow, JobStep, ManifestRow, OutboxRow, TenantRow
from tests.unit.control.desk import Desk

_PARTS = ("(SELECT ", "LEFT JOIN ", "CASE ")
"""How parts of statements begin, which are seen in the statements they are part of."""


def _statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(securevec.control.__path__, "securevec.control."):
        if module.ispkg or module.name.endswith((".schema", ".database")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for number, statement in enumerate(value if isinstance(value, tuple) else (value,)):
                if not name.isupper() or name.startswith("_") or not isinstance(statement, str):
                    continue
                if " " in statement and not statement.startswith(_PARTS):
                    found[f"{name}{number or ''}"] = statement
    return found


def test_the_room_has_statements_and_they_are_all_found() -> None:
    assert {"SELECT_CURRENT", "MAKE_LIVE", "FORGET_TENANT3", "UPSERT_HEAD", "SELECT_REVISION"} <= set(_statements())
    assert len(_statements()) > 60


def test_every_statement_fits_the_tables(control_file: Path) -> None:
    wrong: dict[str, str] = {}
    with contextlib.closing(sqlite3.connect(control_file)) as connection:
        for name, statement in _statements().items():
            asked = statement.replace("IN (*)", "IN (?, ?)")
            named = dict.fromkeys(re.findall(r":(\w+)", asked))
            try:
                connection.execute(f"EXPLAIN {asked}", named or [None] * asked.count("?")).close()
            except sqlite3.Error as error:
                wrong[name] = str(error)
    assert wrong == {}


def _migrated(path: Path) -> Engine:
    """A store that went through every revision."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "securevec.control:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return engine


def test_a_new_store_is_what_the_migrations_build(desk: Desk, tmp_path: Path) -> None:
    made = create_engine(f"sqlite:///{desk.path}")
    migrated = _migrated(tmp_path / "migrated.db")
    listing = text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%auto%'")
    with made.connect() as new, migrated.connect() as old:
        for side in (new, old):
            assert compare_metadata(MigrationContext.configure(side), schema.metadata) == []
            assert MigrationContext.configure(side).get_current_revision() == migrate.HEAD
        words = [
            {(kind, name): sorted(re.findall(r"\w+|[^\w\s,]", sql or "")) for kind, name, sql in side.execute(listing)}
            for side in (new, old)
        ]
    made.dispose()
    migrated.dispose()
    assert words[0] == words[1]


def test_the_revision_opened_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "securevec.control:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        (tenants.SELECT_TENANT, TenantRow),
        (collections.SELECT_COLLECTION, CollectionRow),
        (batch_statements.SELECT_BATCH, BatchRow),
        (batch_statements.SELECT_ROWS, ManifestRow),
        (jobs.SELECT_JOB, JobRow),
        (jobs.SELECT_STEPS, JobStep),
        (holds.SELECT_HOLD, HoldRow),
        ("SELECT id, payload, created_ms FROM outbox", OutboxRow),
    ],
)
def test_columns_are_read_in_the_order_of_the_row_class(statement: str, row: type) -> None:
    columns = statement.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")
    assert columns == [field.name for field in fields(row)]


def test_the_file_holds_no_column_for_a_clear_name() -> None:
    """Free text is limited to ids, states, JSON of digests and counts; every name column is sealed or keyed."""
    named = {
        f"{table.name}.{column.name}"
        for table in schema.metadata.tables.values()
        for column in table.columns
        if "name" in column.name or "reason" in column.name
    }
    assert all(column.endswith(("_sealed", "_token")) for column in named)


@pytest.mark.usefixtures("alone")
def test_downgrade_leaves_an_empty_file_that_can_be_filled_again(desk: Desk) -> None:
    engine = create_engine(f"sqlite:///{desk.path}")
    config = Config()
    config.set_main_option("script_location", "securevec.control:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    engine.dispose()
    assert desk.sql("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'") == [("alembic_version",)]
    migrate.upgrade(desk.path)
    assert desk.store.tenants() == []
