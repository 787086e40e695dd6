"""Files of a store that is not ours, opened so that nothing of them changes and nothing in them is run."""

from __future__ import annotations

import io
import pickle
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from securevec.errors import BackendError, SourceError

_PLAIN: Final = frozenset({("uuid", "UUID"), ("datetime", "datetime"), ("datetime", "date"), ("datetime", "timezone")})
"""The classes a stored value is really made of, besides those Python writes without naming a class."""
_INERT: Final = ("qdrant_client.", "numpy.")
"""Packages whose objects are read as bare attributes; none of their code runs."""

_SHARED: Final = 16
"""Parts that a byte of a pickle stands for, at most."""


def directory_of(location: Path, *, holding: str, kind: str) -> Path:
    """The absolute path of a directory that holds such a file. Raises :class:`SourceError`."""
    try:
        path = location.resolve(strict=True)
        found = (path / holding).is_file()
    except OSError as error:
        raise SourceError(f"There is no directory of {kind} at this path.") from error
    if not found:
        raise SourceError(f"The directory holds no {kind}.", next_step=f"Name the one in which {holding} lies.")
    return path


class ReadOnly:
    """An SQLite database that some program may be writing to. A query holds its lock until it is answered.

    Raises :class:`BackendError` for one with a view: in a table's place it is a program of whoever made the file, run
    by whoever asks for the table, and need not end.
    """

    def __init__(self, path: Path) -> None:
        # The engine itself refuses every write through this connection, also that of a recovery.
        self._db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            self._db.execute("PRAGMA query_only = 1")
            self._db.execute("PRAGMA trusted_schema = OFF")
            if self.rows("SELECT 1 FROM sqlite_schema WHERE type = 'view' LIMIT 1"):
                raise BackendError("The source's files hold a view, which could run anything. They are not read.")
        except BaseException:
            self._db.close()
            raise

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(statement, tuple(parameters)).fetchall()

    def columns(self, table: str) -> set[str]:
        """The columns of a table; none when there is no such table."""
        return {str(row[0]) for row in self.rows("SELECT name FROM pragma_table_info(?)", (table,))}

    def close(self) -> None:
        self._db.close()


class Inert:
    """In the place of an object of a package that is not loaded: its attributes, and nothing it could do."""

    def __init__(self, *_: object) -> None:
        self.state: dict[str, object] = {}

    def __setstate__(self, state: object) -> None:
        held = cast("dict[str, object]", state) if isinstance(state, dict) else {}
        inner = held.get("__dict__", held)
        self.state = cast("dict[str, object]", inner) if isinstance(inner, dict) else {}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if f"{module}.".startswith(_INERT):
            return Inert
        raise BackendError("A stored point names code to be run when it is read. It was not loaded.")


def unpickled(data: bytes) -> object:
    """A pickled value of plain parts. Raises :class:`BackendError` for one that would run anything, or is damaged, or
    is no tree as JSON is."""
    try:
        value: object = _Unpickler(io.BytesIO(data)).load()
    except BackendError:
        raise
    except Exception as error:
        raise BackendError("A stored point cannot be read.") from error
    _require_tree(value, _SHARED * len(data))
    return value


def _require_tree(value: object, most: int) -> None:
    """A pickle may say the same part again by a number: in a part of itself, or a thousand times a thousand times."""
    todo = [value]
    while todo:
        most -= 1
        part = todo.pop()
        if isinstance(part, Inert):
            part = part.state
        if isinstance(part, dict):
            held = cast("dict[object, object]", part)
            if not all(isinstance(key, str) for key in held):
                most = -1
            todo += held.values()
        elif isinstance(part, list | tuple):
            todo += cast("Sequence[object]", part)
        if most < 0:
            raise BackendError("A stored point is built otherwise than any payload is.")
