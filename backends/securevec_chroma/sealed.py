"""The sealed values of each point in a file of ours beside Chroma's, and its clear copies once more, so that a search
asks Chroma for nothing but ids and distances (docs/adr/0061).

Chroma keeps every string of its metadata twice, in a table and in an index, and takes 0.6 ms to give ten points' rows
back. From here they take a tenth of that. The file is one SQLite table in the shard's directory: whoever purges,
copies, drops or probes the directory has it.

A row is written, and on disk, before its point is added, and removed after its point is gone. So a process that ends
in between leaves a row without a point, which nobody is answered with: the write or delete that was not acknowledged is
repeated or undone by id, and a purge copies only what has a point. A point without its row was tampered with: it has
no body, and is judged as any other point whose body does not open.

Not thread-safe: the pool hands a shard to one caller at a time. Opened by one process at a time: the root is locked.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import stat
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import ormsgpack

from securevec.disk import write_again
from securevec.errors import BackendError

FILE: Final = "sealed.sqlite3"
_TABLE: Final = "CREATE TABLE kept (id BLOB NOT NULL UNIQUE, b, v, clear BLOB NOT NULL)"
_PRAGMAS: Final = (
    # Nobody else opens it, so no lock is taken and no shared memory made for a read.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    # After a large write the log is cut back to this; SQLite leaves it as long as it ever was otherwise.
    "PRAGMA journal_size_limit = 8388608",
)
_NAME: Final = ("application_id", "user_version")
"""Where SQLite keeps 32 bits each for whoever made a file: random ones here."""
_PAGE: Final = 8192
"""Bytes of a page: five rows of a kilobyte of text fill one to nine tenths, two fill one of 4,096 to seven."""
_ASKED: Final = 1000
"""Ids of one statement."""


class Kept(NamedTuple):
    """One row: the sealed values that are strings, and everything else of the payload without the tags."""

    body: object
    vault: object
    clear: bytes

    def payload(self) -> dict[str, object]:
        """The payload without the tags. Nothing in it is trusted by whoever reads it: clear copies that cannot be read
        are none."""
        try:
            read: object = ormsgpack.unpackb(self.clear)
        except ValueError:
            read = None
        payload = dict(cast("Mapping[str, object]", read)) if isinstance(read, dict) else {}
        payload.update(self.sealed())
        return payload

    def sealed(self) -> dict[str, object]:
        if self.vault is None:
            return {} if self.body is None else {"b": self.body}
        return {"b": self.body, "v": self.vault} if self.body is not None else {"v": self.vault}


class SealedFile:
    """The open file of one shard. :meth:`close` before the directory is given back."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self.name = name
        """Sixteen hex digits that the file and Chroma's collection both carry: another file is not taken for it."""
        self._pid = os.getpid()
        # Closed by close() and by nothing else. A forked child that forgets it, or ends, would close it too, take
        # itself for the last one, and remove the log that this process goes on writing.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))

    @classmethod
    def create(cls, directory: Path) -> SealedFile:
        """Make the file, empty, in a shard's directory that has none."""
        path = directory / FILE
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return cls._open(path, fresh=True)

    @classmethod
    def load(cls, directory: Path) -> SealedFile | None:
        """Open the file; ``None`` for a shard of the first format, whose points carry everything in Chroma's metadata.

        Raises :class:`BackendError` for a file that is not of this release's making.
        """
        path = directory / FILE
        # SQLite follows a link in the place of the file, and waits without end for a pipe in the place of its journal.
        there = [_is_file(path.with_name(FILE + beside)) for beside in ("", "-wal", "-journal")]
        if False in there:
            raise BackendError("Where a shard's sealed values are kept stands something that is not a file.")
        if there[0] and there[1]:
            write_again(path.with_name(f"{FILE}-wal"))  # of a shard that was not closed
        return cls._open(path, fresh=False) if there[0] else None

    @classmethod
    def _open(cls, path: Path, *, fresh: bool) -> SealedFile:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            if fresh:
                connection.execute(f"PRAGMA page_size = {_PAGE}")
            for pragma in _PRAGMAS:
                connection.execute(pragma).fetchall()
            if fresh:
                connection.execute(_TABLE)
                for pragma in _NAME:
                    connection.execute(f"PRAGMA {pragma} = {int.from_bytes(os.urandom(4), signed=True)}")
            held = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
            if held != [(_TABLE,)]:  # a trigger or a view would run as ours
                raise BackendError("A shard's file of sealed values has another shape than this release makes.")
            name = b"".join(
                connection.execute(f"PRAGMA {pragma}").fetchone()[0].to_bytes(4, signed=True) for pragma in _NAME
            )
        except BaseException:
            connection.close()
            raise
        return cls(connection, name.hex())

    def put(self, rows: Iterable[tuple[UUID, Kept]]) -> None:
        """Write rows of points that have none, and wait for the disk."""
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO kept (id, b, v, clear) VALUES (?, ?, ?, ?)", [(point.bytes, *kept) for point, kept in rows]
            )

    def read(self, ids: Sequence[UUID], *, vaults: bool = True) -> dict[bytes, Kept]:
        """The rows that are there, by the bytes of their id; without ``vaults`` these are left where they are."""
        found: dict[bytes, Kept] = {}
        vault = "v" if vaults else "NULL"
        for some in _chunks(ids):
            statement = f"SELECT id, b, {vault}, clear FROM kept WHERE id IN ({_marks(some)})"  # noqa: S608  # marks only
            rows: list[Any] = self._connection.execute(statement, some).fetchall()
            for point, *held in rows:
                found[point] = Kept(*held)
        return found

    def remove(self, ids: Sequence[UUID]) -> None:
        """Remove rows and see that they are gone. Ids without one are no error."""
        held = [(point,) for point in self.held(ids)]
        if held:
            with self._transaction():
                self._connection.executemany("DELETE FROM kept WHERE id = ?", held)
            if self.held(ids):
                raise BackendError("The store still holds sealed values of points that were deleted.")

    def close(self) -> None:
        """Write the log into the file and give both back. Idempotent. A forked child leaves both alone."""
        if self._pid == os.getpid():
            self._pid = 0
            self._connection.close()
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(self._connection))

    def held(self, ids: Sequence[UUID]) -> list[bytes]:
        """Which of these have a row, by their bytes."""
        found: list[bytes] = []
        for some in _chunks(ids):
            statement = f"SELECT id FROM kept WHERE id IN ({_marks(some)})"  # noqa: S608  # question marks only
            found += [point for (point,) in self._connection.execute(statement, some)]
        return found

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def kept(payload: Mapping[str, object], sealed: Mapping[str, str]) -> Kept:
    """A row of clear values and of the sealed ones at ``b`` and ``v``."""
    return Kept(sealed.get("b"), sealed.get("v"), ormsgpack.packb(dict(payload), option=ormsgpack.OPT_SORT_KEYS))


def _is_file(path: Path) -> bool | None:
    """``None`` where nothing is, not even a link to nothing."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return None


def _chunks(ids: Sequence[UUID]) -> Generator[list[bytes]]:
    for start in range(0, len(ids), _ASKED):
        yield [point.bytes for point in ids[start : start + _ASKED]]


def _marks(some: Sequence[bytes]) -> str:
    return ",".join("?" * len(some))
