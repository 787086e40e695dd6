"""Which revision a control store is of, and making a new one. Another revision than this release's is refused here;
``older`` brings one up when it is asked to.
"""

from __future__ import annotations

from typing import Final

from securevec.control.database import Database
from securevec.control.tables import TABLES
from securevec.errors import HomeRefused

HEAD: Final = "0009"
"""The revision this release reads and writes: that of ``tables``."""

SELECT_TABLES: Final = "SELECT COUNT(*), COALESCE(SUM(name = 'alembic_version'), 0) FROM sqlite_master"
SELECT_REVISION: Final = "SELECT version_num FROM alembic_version"
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
    """Make the tables of an empty store, in one transaction.

    Two processes may call it at once: the second waits and finds nothing to do. A process killed inside leaves the
    store empty. Raises :class:`ControlUnavailable`.
    """
    with database.write() as tx:
        if tx.row(SELECT_TABLES) == (0, 0):
            for statement in TABLES:
                tx.run(statement)
            tx.run(_PUT_VERSION, (HEAD,))
