"""A key store of version 2 brought to this release's: one table more, which counts changes (docs/adr/0046).

Nothing is unwrapped and no key is moved. The file is changed in one transaction; a process killed inside leaves it as
it was.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from securevec.errors import HomeRefused, KeyUnavailable
from securevec.keys.keyfile import BUSY_MS, FILE_NAME
from securevec.keys.keytables import SCHEMA, USER_VERSION, check_tables, schema_statements, user_version

FIRST: Final = 2
"""The oldest version that is brought up: what homes of today's format began with."""


def version_of(directory: Path) -> int:
    """The version of the key store in ``directory``. Raises :class:`KeyUnavailable`."""
    with _opened(directory, "ro") as connection:
        return user_version(connection)


def rehearse(directory: Path) -> int:
    """Upgrade a copy in memory, where it leaves nothing behind, and return how many keys it holds.

    Raises :class:`HomeRefused` for what is no key store of a known version, :class:`KeyUnavailable`.
    """
    with _opened(directory, "ro") as connection, contextlib.closing(sqlite3.connect(":memory:")) as copy:
        connection.backup(copy)
        return _upgrade(copy)


def upgrade(directory: Path) -> int:
    """Upgrade the key store in its place, and return how many keys it holds. Nothing to do for one of this version.

    Raises as :func:`rehearse`; then nothing was changed.
    """
    with _opened(directory, "rw") as connection:
        return _upgrade(connection)


def _upgrade(connection: sqlite3.Connection) -> int:
    connection.isolation_level = None
    connection.execute("BEGIN IMMEDIATE")
    if user_version(connection) == FIRST:
        # A trigger or view that was slipped in must not run, and not be taken over.
        if schema_statements(connection) != set(SCHEMA[:-1]):
            raise HomeRefused("This is not a securevec key store.", next_step="Restore keys.db from a backup.")
        connection.execute(SCHEMA[-1])
        connection.execute("INSERT INTO changes (id, count) VALUES (1, 1)")
        connection.execute(f"PRAGMA user_version = {USER_VERSION}")
    check_tables(connection)
    (keys,) = connection.execute("SELECT COUNT(*) FROM keys").fetchone()
    if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        raise HomeRefused("The key store is damaged.", next_step="Restore keys.db from a backup.")
    connection.execute("COMMIT")
    return int(keys)


@contextlib.contextmanager
def _opened(directory: Path, mode: str) -> Generator[sqlite3.Connection]:
    path = (directory / FILE_NAME).absolute()
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_MS / 1000)
        with contextlib.closing(connection):
            for setting in ("secure_delete = ON", "synchronous = EXTRA", "temp_store = MEMORY", "trusted_schema = OFF"):
                connection.execute(f"PRAGMA {setting}")
            yield connection
    except sqlite3.Error as error:
        raise KeyUnavailable(
            "The key store cannot be upgraded now.",
            next_step="Stop what uses it and check its disk, then run it again.",
        ) from error
