"""Connections and transactions over ``control.db``. The only file of this room that touches ``sqlite3`` connections.

Two connections per process: a reader that never writes, so that its ``PRAGMA data_version`` moves at every commit of
anyone else, this process's own writer included; and a writer whose transactions are ``BEGIN IMMEDIATE``, so a
read-then-write inside one sees no other writer. WAL with ``synchronous=FULL``: a commit that returned survives a power
cut. ``secure_delete`` zeroes deleted cells.

SQLAlchemy is not used here: importing it costs about 260 ms of CPU per command and several times the time of these
statements. The statements stay portable text; ``schema.py`` keeps them honest.

Both connections are closed before a ``fork`` and opened anew on either side. Opening anew in the child alone is not
enough: SQLite's record of file locks is inherited while the locks are not, so when the parent closes first it removes
the write-ahead log under the child, and what the child commits next is lost (sqlite.org/howtocorrupt.html, 2.6).
"""

from __future__ import annotations

import functools
import os
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from securevec.control.keptlog import bring_to_disk
from securevec.errors import ControlUnavailable
from securevec.forking import Rank, around_forks

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


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error of the Python driver."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def failure(error: sqlite3.Error) -> ControlUnavailable:
    """The typed error for ``error``. SQLite's own text is kept as the cause only: it may quote a path."""
    code = primary_code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ControlUnavailable("The control store is busy with another process.", next_step="Try again.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return ControlUnavailable(
            "The control store is damaged.", next_step="Stop every process on this home and restore it from a backup."
        )
    if code == sqlite3.SQLITE_FULL:
        return ControlUnavailable("The control store cannot grow.", next_step="Free space on the home's disk.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
        return ControlUnavailable(
            "The control store cannot be read or written.",
            next_step="Check that the home's disk is sound, not full and not read-only, and that the home is yours.",
        )
    return ControlUnavailable("The control store failed.")


def closed() -> ControlUnavailable:
    """What a store that its process closed answers, to whichever of its handles."""
    return ControlUnavailable("This store was closed.", next_step="Open it again: SecureStore.open(HOME).")


def replaced() -> ControlUnavailable:
    return ControlUnavailable(
        "Another file was put in the control store's place while it was open, and nothing is read or written.",
        next_step="Stop every process on this home, put the newest control.db back, and open the home again.",
    )


_NOT_KEPT: Final = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})


def disk_failed() -> ControlUnavailable:
    """A system that could not bring something to the disk says so once: it drops it from memory, and the next time it
    is asked says that all is there. What was committed behind that would be gone after a restart, and records of the
    audit log with it would be taken for those of a newer control store."""
    return ControlUnavailable(
        "The disk did not keep what was written to the control store; this process writes nothing more to it.",
        next_step="Look at the disk and the system's log. Then open the home again.",
    )


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file stands there. It is not given up while a connection has it open, so neither is its number."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def connect(path: Path) -> sqlite3.Connection:
    """A connection with this room's settings. Never creates the file. Raises ``sqlite3.Error``."""
    bring_to_disk(path)
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
        if _write_ahead(connection) != "wal":
            raise sqlite3.OperationalError("no write-ahead log on this file system")
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> str:
    """The journal mode after asking for a write-ahead log.

    A file's first change of mode needs it alone, and SQLite does not wait for that: of two creators one would fail.
    """
    patience = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(0.005)


@functools.lru_cache(maxsize=256)
def many(sql: str, count: int) -> str:
    """``sql`` with ``IN (*)`` widened to ``count`` positional parameters."""
    return sql.replace("IN (*)", "IN (" + ",".join("?" * count) + ")")


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


class _Side:
    """One connection with its lock, opened at first use: ``with side as connection``."""

    __slots__ = (
        *("__weakref__", "_connection", "_file", "_lock", "_path", "_paused", "_pid", "_settings", "closed", "opened"),
    )

    def __init__(self, path: Path, *settings: str) -> None:
        self._path = path
        self._settings = settings
        # Whoever holds it may have it again: an interrupt between taking and giving back leaves it to its thread, which
        # is the one that then closes the store.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._pid = 0
        self._paused = False
        self.opened = 0
        self.closed = False

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            if self._connection is None or self._pid != os.getpid():
                return self._open()
            # SQLite goes on with the file it opened: what it is told then, nobody else sees, and what others decide in
            # the new one, nobody here.
            if _file_at(self._path) != self._file:
                raise replaced()
            return self._connection
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *raised: object) -> None:
        self._lock.release()

    def _open(self) -> sqlite3.Connection:
        if self.closed:
            raise closed()
        if self._connection is not None:
            raise ControlUnavailable(
                "The control store was in use when this process was forked.", next_step="Open it in the child."
            )
        there = _file_at(self._path)
        connection = connect(self._path)
        for setting in self._settings:
            connection.execute(setting)
        if _file_at(self._path) != there:
            connection.close()  # one of the two was opened, and nothing says which
            raise replaced()
        self._connection, self._pid, self._file = connection, os.getpid(), there
        self.opened += 1
        return connection

    def before_fork(self) -> None:
        """No connection, and none until :meth:`after_fork`. A side in the middle of a use stays as it is."""
        self._paused = self._lock.acquire(timeout=2 * BUSY_MS / 1000)
        ours = self._connection if self._paused and self._pid == os.getpid() else None
        if ours is not None and not ours.in_transaction:
            ours.close()
            self._connection = None

    def after_fork(self) -> None:
        """In the parent."""
        if self._paused:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Whoever held the lock is not here to release it."""
        self._lock = threading.RLock()

    def close(self) -> None:
        with self._lock:
            self.closed = True
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
                self._connection = None


_ANNOUNCED: Final = "SELECT size FROM audit_next WHERE id = 1"
IN_HEADER: Final = 0x7FFFFFFF
"""What of a count the header of the file holds: SQLite keeps 32 bits there for the application, with a sign."""


def _note_in_header(writer: sqlite3.Connection) -> None:
    """Say in the file's first page, in every commit, how long the audit log was announced to be.

    SQLite plays back any write-ahead log that lies beside the file, also one of before that somebody put there. The
    first page is in it then, as it was, and says less than the table does, or than the log is long (docs/adr/0055).
    """
    announced = writer.execute(_ANNOUNCED).fetchone()
    if announced is not None:
        writer.execute(f"PRAGMA application_id = {announced[0] & IN_HEADER}")


class Database:
    """``control.db`` as this process sees it. Thread-safe; raises :class:`ControlUnavailable` and nothing of sqlite."""

    def __init__(self, path: Path) -> None:
        self._reader = _Side(path, "PRAGMA query_only = ON")
        self._writer = _Side(path)
        # Notes come one after another, with rising numbers, and the writer alone says which was written last: neither
        # waits for the other.
        self._aside: tuple[str, int] = ("", 0)
        self._written = 0
        self._writing = False
        self._disk_failed = False
        for side in (self._writer, self._reader):
            around_forks(side, Rank.CONTROL)

    def write_aside(self, sql: str, number: int) -> None:
        """Run ``sql`` with ``:number`` in the next transaction that commits: no commit of its own, and true no later
        than what that one says. Callers take turns; a number that is not above the last one noted is passed over."""
        if number > self._aside[1]:
            self._aside = (sql, number)

    @property
    def waits_aside(self) -> bool:
        """Whether something noted by :meth:`write_aside` waits for a commit."""
        return self._aside[1] > self._written

    def version(self) -> int:
        """A number that differs from an earlier one whenever anyone committed in between, or the file was reopened."""
        try:
            with self._reader as reader:
                version: int = reader.execute("PRAGMA data_version").fetchone()[0]
                # data_version counts per connection: a reopened one may repeat an old number.
                return self._reader.opened << 32 | version
        except sqlite3.Error as error:
            raise failure(error) from error

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """All rows of one reading statement, which sees the newest commit."""
        try:
            with self._reader as reader:
                return reader.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise failure(error) from error

    def row(self, sql: str, params: Params = ()) -> Row | None:
        rows = self.rows(sql, params)
        return rows[0] if rows else None

    @contextmanager
    def write(self) -> Generator[Transaction, None, None]:
        """One transaction, committed when the block ends, rolled back when it raises.

        Raises :class:`ControlUnavailable`, also inside of another one, whose statements it would undo, and once the
        disk did not keep what was written.
        """
        try:
            with self._writer as writer:
                if self._disk_failed:
                    raise disk_failed()
                if self._writing:
                    raise ControlUnavailable("A transaction of the control store was begun inside another one.")
                if writer.in_transaction:
                    writer.rollback()
                writer.execute("BEGIN IMMEDIATE")
                unchanged = writer.total_changes
                try:
                    self._writing = True
                    yield Transaction(writer)
                    aside = self._aside
                    if aside[1] > self._written:
                        writer.execute(aside[0], {"number": aside[1]})
                    if writer.total_changes != unchanged:
                        _note_in_header(writer)
                    writer.execute("COMMIT")
                    self._written = max(self._written, aside[1])
                except BaseException:
                    if writer.in_transaction:
                        writer.rollback()
                    raise
                finally:
                    self._writing = False
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) in _NOT_KEPT:
                self._disk_failed = True
                raise disk_failed() from error
            raise failure(error) from error

    def scrub(self) -> bool:
        """Rewrite the file without its free space and empty the write-ahead log.

        Both are needed: deleted rows stand in the log until it is emptied, and ``secure_delete`` misses copies that
        page splits left behind (one deleted row in two of six measured runs). True when both were done, so that bytes
        deleted before this call are in no live file of the store. False when another process holds a snapshot or the
        write lock: nothing is lost, call again later.
        """
        try:
            with self._writer as writer:
                writer.execute("VACUUM")
                busy: int = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                return busy == 0
        except sqlite3.Error as error:
            if primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return False
            raise failure(error) from error

    def close(self) -> None:
        """Release the file. Idempotent."""
        try:
            self._writer.close()
            self._reader.close()
        except sqlite3.Error as error:
            raise failure(error) from error
