"""One truth about columns: new stores, those of earlier builds, the statements and the row classes agree."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import pkgutil
import re
import sqlite3
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

import securevec.control
from securevec.control import (
    batch_statements,
    collections,
    holds,
    jobs,
    older,
    tenants,
)
from securevec.control.revision import HEAD, SELECT_REVISION
from securevec.control.rows import BatchRow, CollectionRow, HoldRow, JobRow, JobStep, ManifestRow, OutboxRow, TenantRow
from tests.unit.control.desk import Desk

OLDEST: Final = Path(__file__).parents[2] / "vectors" / "control_0004.sql"

_PARTS = ("(SELECT ", "LEFT JOIN ", "CASE ")
"""How parts of statements begin, which are seen in the statements they are part of."""


def _statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(securevec.control.__path__, "securevec.control."):
        if module.ispkg or module.name.endswith((".tables", ".older", ".database")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for number, statement in enumerate(value if isinstance(value, tuple) else (value,)):
                if not name.isupper() or name.startswith("_") or name == "TABLES" or not isinstance(statement, str):
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


def _words(connection: sqlite3.Connection) -> dict[tuple[str, str], list[str]]:
    """What the file says its tables and indexes are, without names of constraints and in no order of them."""
    found: dict[tuple[str, str], list[str]] = {}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"):
        found[kind, name] = sorted(re.findall(r"\w+|[^\w\s,]", re.sub(r"CONSTRAINT \w+", "", sql)))
    return found


def _columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for table in tables
        if not table.startswith("sqlite_")
    }


def test_a_store_of_the_oldest_build_becomes_what_a_new_one_is(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.executescript(OLDEST.read_text(encoding="utf-8"))
    older.upgrade(path)
    with contextlib.closing(sqlite3.connect(path)) as brought, contextlib.closing(sqlite3.connect(desk.path)) as new:
        assert _words(brought) == _words(new)
        assert _columns(brought) == _columns(new)
        assert brought.execute(SELECT_REVISION).fetchall() == [(HEAD,)]


def test_tables_that_change_are_of_another_revision(desk: Desk) -> None:
    """Stores of this revision are opened without a look at their tables: these are the ones that they have."""
    with contextlib.closing(sqlite3.connect(desk.path)) as new:
        said = repr(sorted(_words(new).items())) + repr(sorted(_columns(new).items()))
    assert {HEAD: hashlib.sha256(said.encode()).hexdigest()[:16]} == {"0009": "51b78511da576d26"}


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


def test_the_file_holds_no_column_for_a_clear_name(desk: Desk) -> None:
    """Free text is limited to ids, states, JSON of digests and counts; every name column is sealed or keyed."""
    with contextlib.closing(sqlite3.connect(desk.path)) as new:
        columns = {column for listed in _columns(new).values() for column in listed}
    named = {column for column in columns if "name" in column or "reason" in column}
    assert named == {"name_token", "name_sealed", "reason_sealed"}
