"""Which revision a control store is of, and bringing a file to the newest one.

Opening a store that is up to date reads one row and imports neither Alembic nor SQLAlchemy. An unknown revision is
refused.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from securevec.control.database import Database, connect, failure
from securevec.errors import ControlUnavailable, HomeRefused

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.schema import ExecutableDDLElement

HEAD: Final = "0009"
"""The revision this release reads and writes; a test holds it equal to the newest file of ``migrations/versions``."""

SELECT_TABLES: Final = "SELECT COUNT(*), COALESCE(SUM(name = 'alembic_version'), 0) FROM sqlite_master"
SELECT_REVISION: Final = "SELECT version_num FROM alembic_version"
_MAKE_VERSION: Final = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
"""As Alembic makes it."""
_PUT_VERSION: Final = "INSERT INTO alembic_version (version_num) VALUES (?)"


def revision(database: Database) -> str | None:
    """The revision of the store, ``None`` for an empty file.

    Raises :class:`HomeRefused` for a database that is not a control store, :class:`ControlUnavailable`.
    """
    tables = database.row(SELECT_TABLES)
    if tables is None or tables[0] == 0:
        return None
    found = database.rows(SELECT_REVISION) if tables[1] else []
    if len(found) != 1:
        raise HomeRefused("This file is not a securevec control store.", next_step="Name the home's own directory.")
    return str(found[0][0])


def require_head(database: Database) -> None:
    """Raises :class:`HomeRefused` unless the store is of the revision this release writes."""
    found = revision(database)
    if found is None:
        raise HomeRefused("The control store is empty: its creation was interrupted.", next_step="Run: securevec init")
    if found != HEAD:
        older = found.isdecimal() and len(found) == len(HEAD) and found < HEAD
        raise HomeRefused(
            f"The control store is not of revision {HEAD}, the one this release reads.",
            next_step="Look what an upgrade would do: securevec upgrade --dry-run"
            if older
            else "Open it with the securevec release that wrote it, or ingest into a new home.",
        )


def build(database: Database) -> None:
    """Make the tables of an empty store, in one transaction and at the newest revision at once.

    That the steps that led there end at the same tables is tested. Two processes may call it at once: the second waits
    and finds nothing to do. A process killed inside leaves the store empty. Raises :class:`ControlUnavailable`.
    """
    with database.write() as tx:
        if tx.row(SELECT_TABLES) == (0, 0):
            for statement in _tables():
                tx.run(statement)
            tx.run(_MAKE_VERSION)
            tx.run(_PUT_VERSION, (HEAD,))


@cache
def _tables() -> tuple[str, ...]:
    from sqlalchemy.dialects.sqlite import dialect
    from sqlalchemy.schema import CreateIndex, CreateTable

    from securevec.control.schema import metadata

    tables = metadata.sorted_tables
    made: list[ExecutableDDLElement] = [CreateTable(table) for table in tables]
    made += [CreateIndex(index) for table in tables for index in sorted(table.indexes, key=lambda each: str(each.name))]
    return tuple(str(each.compile(dialect=dialect())) for each in made)


def upgrade(path: Path) -> None:
    """Bring an older store to the newest revision, in one transaction.

    Two processes may call it at once: the second waits and finds nothing to do. A process killed inside leaves the
    store as it was. Raises :class:`HomeRefused` for an unknown revision, :class:`ControlUnavailable`.
    """
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            _migrate(connection)
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise failure(error.orig) from error
        raise ControlUnavailable("The control store failed.") from error
    except sqlite3.Error as error:
        raise failure(error) from error
    finally:
        engine.dispose()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "securevec.control:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise HomeRefused(
            "The control store is of a revision this release does not know.",
            next_step="Open it with the securevec release that wrote it, or ingest into a new home.",
        ) from error


def _begin_immediate(connection: Connection) -> None:
    # The driver is in autocommit mode: without this each statement of a migration would commit on its own.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
