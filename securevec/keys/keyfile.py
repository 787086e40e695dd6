"""The key store's file: how it is opened, locked, rewritten and carried over a fork (docs/formats.md section 2).

Rollback journal, not WAL: with a reader holding a snapshot, a WAL keeps deleted rows on disk however often it is
checkpointed, while ``journal_mode=DELETE`` with ``secure_delete`` overwrites them. Every such setting is read back,
because SQLite ignores what it cannot honour.

A connection must not cross a fork, and no transaction may be open while one happens (the child's copy would roll it
back). So a fork waits for the lock, and the child opens a connection of its own at first use.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from securevec.crypto.wrap import KeyRow
from securevec.errors import HomeRefused, KeyUnavailable
from securevec.forking import Rank, around_forks
from securevec.keys.keytables import COUNT_CHANGE, IN_HEADER, SELECT_CHANGES, check_tables, create_tables

FILE_NAME: Final = "keys.db"
BUSY_MS: Final = 5000

_SETTINGS: Final = (
    ("journal_mode", "DELETE", "delete"),
    ("synchronous", "EXTRA", 3),
    ("secure_delete", "ON", 1),
    ("temp_store", "MEMORY", 2),  # VACUUM would otherwise copy wrapped keys to a temporary directory
    ("trusted_schema", "OFF", 0),
)


class Version(NamedTuple):
    """Changes when another process, or another connection, changed the store, and after a fork."""

    pid: int
    data_version: int


class KeyFile:
    """One connection to ``keys.db`` and a lock. Callers hold :attr:`lock` around what belongs together.

    ``create`` makes a new store that holds these rows. Opening raises :class:`HomeRefused` for a file that is not
    private, not a key store or of a newer format. Every method raises :class:`KeyUnavailable` when the file does not
    answer or stays busy for ``busy_ms``.
    """

    def __init__(self, directory: Path, *, create: Sequence[KeyRow] | None = None, busy_ms: int = BUSY_MS) -> None:
        self.directory: Final = directory
        self.path: Final = directory / FILE_NAME
        self.lock: Final = threading.RLock()
        self._busy_ms = busy_ms
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection] = []
        self._pid = os.getpid()
        self._closed = False
        self._changed = False
        self.least = 0
        """What :meth:`changes` cannot be below, unless an older copy is in this file's place: the highest that this
        process has seen, or was told of by who keeps it."""
        self.told: Callable[[int], None] = lambda changes: None
        """Told the new count after each commit that changed which keys there are. Called under :attr:`lock`, so it
        waits for nothing."""
        if create is not None:
            _create_file(directory, self.path)
        _check_private(directory, self.path)
        self._connection = self._connect(create)
        self.least = self.changes()
        around_forks(self, Rank.KEY_FILE)

    def version(self) -> Version:
        """Where the store stands now; compare with an earlier one. About 4 microseconds."""
        (row,) = self._run("PRAGMA data_version")
        return Version(self._pid, row[0])

    def changes(self) -> int:
        """How often it was changed which keys there are, what they lie under, or which are gone: from 1 on, and never
        less than before in one file. Leased messages are not counted."""
        found = self._run(SELECT_CHANGES)
        if not found:
            raise HomeRefused("The key store was altered.", next_step="Restore keys.db from a backup.")
        ((changes, in_header),) = found
        if in_header not in (0, changes & IN_HEADER):  # 0: nothing was changed since the header says it
            raise HomeRefused(
                "The key store was put together from two moments: a rollback journal of before was put beside it.",
                next_step="Restore keys.db from a backup.",
            )
        return int(changes)

    def require_format(self) -> None:
        """Raises :class:`HomeRefused` unless the file is of this version, as at its opening."""
        with self.lock:
            connection = self._current()
            try:
                check_tables(connection)
            except sqlite3.Error as error:
                raise _unavailable(error) from error

    def close(self) -> None:
        """Close the connection. Idempotent."""
        with self.lock:
            self._closed = True
            connection, self._connection = self._connection, None
            if connection is not None and self._pid == os.getpid():
                connection.close()

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """A write transaction, begun at once (so that two writers queue instead of failing half-way) and durable.

        Raises :class:`HomeRefused`, and changes nothing, in an older copy: its count would come up to what is kept.
        """
        with self.lock:
            self._run("BEGIN IMMEDIATE")
            self._changed = False
            try:
                yield
                ((changes,),) = self._run(COUNT_CHANGE) if self._changed else ((0,),)
                if self._changed and changes <= self.least:
                    raise older_copy()
                if self._changed:
                    # In the first page, which every rollback journal holds as it was: one of before that was put beside
                    # the file is played back, and the header then tells of another moment (docs/adr/0055).
                    self._run(f"PRAGMA application_id = {changes & IN_HEADER}")
                self._run("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            if changes:
                self.least = changes
                self.told(changes)

    @contextmanager
    def exclusive(self) -> Generator[None, None, None]:
        """Nobody else reads or writes the store inside, in any process; nothing may be written inside either."""
        with self.lock:
            self._run("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                self._roll_back()

    def vacuum(self) -> None:
        """Rewrite the file from its live rows."""
        with self.lock:
            self._run("VACUUM")

    def before_fork(self) -> None:
        """Wait until no statement and no transaction is under way in any thread."""
        self.lock.acquire()

    def after_fork(self) -> None:
        """In the parent."""
        self.lock.release()

    def after_fork_in_child(self) -> None:
        self.lock.release()

    def _run(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[Any, ...]]:
        with self.lock:
            connection = self._current()
            try:
                return connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise _unavailable(error) from error

    def _roll_back(self) -> None:
        connection = self._connection
        if connection is not None and connection.in_transaction and self._pid == os.getpid():
            connection.rollback()

    def _current(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            self._reopen_after_fork()
        if self._connection is None:
            raise KeyUnavailable("The key store is closed.", next_step="Open the store again.")
        return self._connection

    def _reopen_after_fork(self) -> None:
        if self._connection is not None:
            # Closing the parent's connection here is not safe (SQLite, "How To Corrupt", 2.6); it is only kept.
            self._inherited.append(self._connection)
        self._connection = None
        self._pid = os.getpid()
        if not self._closed:
            self._connection = self._connect()

    def _connect(self, create: Sequence[KeyRow] | None = None) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=self._busy_ms / 1000,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        try:
            for name, wanted, read_back in _SETTINGS:
                connection.execute(f"PRAGMA {name} = {wanted}")
                if connection.execute(f"PRAGMA {name}").fetchone() != (read_back,):
                    raise HomeRefused("SQLite here does not honour a setting the key store depends on.")
            if create is not None:
                create_tables(connection, create)
            check_tables(connection)
        except sqlite3.Error as error:
            connection.close()
            raise _unavailable(error) from error
        except BaseException:
            connection.close()
            raise
        return connection


def _create_file(directory: Path, path: Path) -> None:
    """An empty private file. One that is there already is left alone: whether it holds a store, SQLite tells."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise KeyUnavailable(
            "The key store cannot be created.", next_step="Check the home's owner and disk."
        ) from error


def _check_private(directory: Path, path: Path) -> None:
    """The directory and file must be this user's alone, and the journal beside it a file: a pipe is waited for."""
    with contextlib.suppress(OSError):  # there is none, or the look at the file itself says what is wrong
        if not stat.S_ISREG(path.with_name(f"{path.name}-journal").lstat().st_mode):
            raise HomeRefused("The journal of the key store is not a regular file.", next_step="Remove it.")
    for place, is_kind in ((directory, stat.S_ISDIR), (path, stat.S_ISREG)):
        try:
            status = place.lstat()
        except FileNotFoundError as error:
            raise HomeRefused(
                "The home's key store is gone.",
                next_step="Put keys/keys.db back, or make a new home from a backup: securevec backup restore --help",
            ) from error
        except OSError as error:
            raise KeyUnavailable("The key store cannot be read.", next_step="Check the home's owner.") from error
        if not is_kind(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise HomeRefused(
                "The key store is not private to this user.",
                next_step="Own it, then chmod 700 the directory and 600 the file.",
            )


def _unavailable(error: sqlite3.Error) -> KeyUnavailable | HomeRefused:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return KeyUnavailable(
            "The key store is in use by another process, and this is not done.",
            next_step="Wait until it is free, or stop what holds it, and run the same again.",
        )
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED:
        return KeyUnavailable(
            "Another file was put in the key store's place while it was open, and nothing is written.",
            next_step="Put the newest one back, then open the home again.",
        )
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return HomeRefused("The key store is damaged or is none.", next_step="Restore keys.db from a backup.")
    return KeyUnavailable("The key store did not answer.", next_step="Check the disk and the home's permissions.")


def older_copy() -> HomeRefused:
    return HomeRefused(
        "The key store is older than the control store: a copy of it was put back, in which keys that were destroyed "
        "since are there again, and newer ones are missing.",
        next_step="Put the newest one back, or restore a backup: securevec backup restore. To go on with this one all "
        "the same: securevec doctor --accept-key-store",
    )
