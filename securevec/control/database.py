"""Connections and transactions over ``control.db``. The only file of this room that touches ``sqlite3`` connections.

Two connections per process: a reader that never writes, so that its ``PRAGMA data_version`` moves at every commit of
anyone else, this process's own writer included; and a writer whose transactions are ``BEGIN IMMEDIATE``, so a
read-then-write inside one sees no other writer. WAL with ``synchronous=FULL``: a commit that returned survives a power
cut. ``secure_delete`` zeroes deleted cells.

SQLAlchemy is not used here: importing it costs about 260 ms of CPU per command and several times the time of these
statements. The statements stay portable text; ``schema.py`` keeps them honest.

After ``fork`` the child opens its own connections and never closes the inherited ones: closing could run a
checkpoint over files the parent is using (sqlite.org/howtocorrupt.html, section 2.6).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from securevec.errors import ControlUnavailable

Row = tuple[Any, ...]
Params = Sequence[object] | Mapping[str, object]

BUSY_MS: Final = 5_000
"""How long a writer waits for another process before it gives up."""

_SETTINGS: Final = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    # Sorting and VACUUM must not spill rows into a temporary directory outside the home.
    "PRAGMA temp_store = MEMORY",
    # A planted file must not run functions through its own views or triggers.
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)


def failure(error: sqlite3.Error) -> ControlUnavailable:
    """The typed error for ``error``. SQLite's own text is kept as the cause only: it may quote a path."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ControlUnavailable("The control store is busy with another process.", next_step="Try again.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return ControlUnavailable(
            "The control store is damaged.", next_step="Stop every process on this home and restore it from a backup."
        )
    if code == sqlite3.SQLITE_FULL:
        return ControlUnavailable("The control store cannot grow.", next_step="Free space on the home's disk.")
    return ControlUnavailable("The control store failed.")


def connect(path: Path) -> sqlite3.Connection:
    """A connection with this room's settings. Never creates the file. Raises ``sqlite3.Error``."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise sqlite3.OperationalError("no write-ahead log on this file system")
    except BaseException:
        connection.close()
        raise
    return connection


def many(sql: str, count: int) -> str:
    """``sql`` with ``(*)`` widened to ``count`` positional parameters."""
    return sql.replace("(*)", "(" + ",".join("?" * count) + ")")


class Transaction:
    """One write transaction. Values come back whole; no cursor outlives it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, params: Params = ()) -> int:
        """Execute; the number of rows changed."""
        return self._connection.execute(sql, params).rowcount

    def run_many(self, sql: str, params: Iterable[Params]) -> None:
        self._connection.executemany(sql, params)

    def row(self, sql: str, params: Params = ()) -> Row | None:
        row: Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()


class _Connections:
    """The two connections of one process, with their locks."""

    __slots__ = ("pid", "reader", "reading", "writer", "writing")

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        self.reading = threading.Lock()
        self.writing = threading.Lock()
        self.writer = connect(path)
        try:
            self.reader = connect(path)
            self.reader.execute("PRAGMA query_only = ON")
        except BaseException:
            self.writer.close()
            raise


class Database:
    """``control.db`` as this process sees it. Thread-safe; raises :class:`ControlUnavailable` and nothing of sqlite."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = 0
        self._inherited: list[_Connections] = []
        self._connections: _Connections | None = self._connect()

    def _connect(self) -> _Connections:
        try:
            connections = _Connections(self._path)
        except sqlite3.Error as error:
            raise failure(error) from error
        self._opened += 1
        return connections

    def _here(self) -> _Connections:
        connections = self._connections
        if connections is None:
            raise ControlUnavailable("The control store was closed.", next_step="Open it again.")
        if connections.pid != os.getpid():
            self._inherited.append(connections)
            connections = self._connections = self._connect()
        return connections

    def version(self) -> int:
        """A number that differs from an earlier one whenever anyone committed in between, or the file was reopened."""
        connections = self._here()
        try:
            with connections.reading:
                version: int = connections.reader.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise failure(error) from error
        # data_version counts per connection: after a fork the new one may repeat an old number.
        return self._opened << 32 | version

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """All rows of one reading statement, which sees the newest commit."""
        connections = self._here()
        try:
            with connections.reading:
                return connections.reader.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise failure(error) from error

    def row(self, sql: str, params: Params = ()) -> Row | None:
        rows = self.rows(sql, params)
        return rows[0] if rows else None

    @contextmanager
    def write(self) -> Generator[Transaction, None, None]:
        """One transaction, committed when the block ends, rolled back when it raises. Not nested."""
        connections = self._here()
        with connections.writing:
            writer = connections.writer
            try:
                if writer.in_transaction:
                    writer.rollback()
                writer.execute("BEGIN IMMEDIATE")
                try:
                    yield Transaction(writer)
                    writer.execute("COMMIT")
                except BaseException:
                    if writer.in_transaction:
                        writer.rollback()
                    raise
            except sqlite3.Error as error:
                raise failure(error) from error

    def scrub(self) -> bool:
        """Rewrite the file without its free space and empty the write-ahead log.

        True when both were done, so that bytes deleted before this call are in no live file of the store. False when
        another process holds a snapshot or the write lock: nothing is lost, call again later.
        """
        connections = self._here()
        try:
            with connections.writing:
                connections.writer.execute("VACUUM")
                busy: int = connections.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return False
            raise failure(error) from error
        except sqlite3.Error as error:
            raise failure(error) from error
        return busy == 0

    def close(self) -> None:
        """Release the file. Idempotent; in a forked child the inherited connections are left alone."""
        connections, self._connections = self._connections, None
        if connections is None or connections.pid != os.getpid():
            if connections is not None:
                self._inherited.append(connections)
            return
        try:
            with connections.reading:
                connections.reader.close()
            with connections.writing:
                connections.writer.close()
        except sqlite3.Error as error:
            raise failure(error) from error
