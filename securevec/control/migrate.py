"""Which revision a control store is of, and bringing a file to the newest one.

Opening a store that is up to date reads one row and imports neither Alembic nor SQLAlchemy. An unknown revision is
refused.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from securevec.control.database import Database, connect, failure
from securevec.errors import ControlUnavailable, HomeRefused

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD: Final = "0006"
"""The revision this release reads and writes; a test holds it equal to the newest file of ``migrations/versions``."""

SELECT_TABLES: Final = "SELECT COUNT(*), COALESCE(SUM(name = 'alembic_version'), 0) FROM sqlite_master"
SELECT_REVISION: Final = "SELECT version_num FROM alembic_version"


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
        raise HomeRefused(
            f"The control store is not of revision {HEAD}, the one this release reads.",
            next_step="Open it with the securevec release that wrote it, or ingest into a new home.",
        )


def upgrade(path: Path) -> None:
    """Create the tables, or bring an older store to the newest revision, in one transaction.

    Two processes may call it at once: the second waits and finds nothing to do. A process killed inside leaves the
    store as it was. Raises :class:`HomeRefused` for an unknown revision, :class:`ControlUnavailable`.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    config = Config()
    config.set_main_option("script_location", "securevec.control:migrations")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise failure(error.orig) from error
        raise ControlUnavailable("The control store failed.") from error
    except sqlite3.Error as error:
        raise failure(error) from error
    except CommandError as error:
        raise HomeRefused(
            "The control store is of a revision this release does not know.",
            next_step="Open it with the securevec release that wrote it, or ingest into a new home.",
        ) from error
    finally:
        engine.dispose()


def _begin_immediate(connection: Connection) -> None:
    # The driver is in autocommit mode: without this each statement of a migration would commit on its own.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
