"""One Chroma database on disk: an engine of its own with the one collection of a namespace in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from securevec.errors import BackendError
from securevec.types import Namespace
from securevec_adapters.embedded import Writer, existing
from securevec_adapters.errors import mapped
from securevec_adapters.layout import tighten
from securevec_adapters.pool import Holder
from securevec_adapters.standing import Standing
from securevec_chroma.client import Client, create, find, open_files
from securevec_chroma.index_files import IndexFiles
from securevec_chroma.place import Place, Row
from securevec_chroma.sealed import SealedFile

_TIMES: Final = 6
"""How much of the disk a point takes in both files and their logs, at most, of what is handed over."""


class ChromaShard:
    """An open database. Not thread-safe: the pool hands it to one caller at a time."""

    def __init__(self, client: Client, directory: Path, sealed: SealedFile | None) -> None:
        self._client = client
        self._sealed = sealed
        self._directory = directory
        self.standing = Standing(directory)
        self._index = IndexFiles(directory)
        self._place: tuple[Namespace, Place] | None = None

    @classmethod
    def create(cls, directory: Path, namespace: Namespace, dimension: int) -> ChromaShard:
        """Make a database with an empty collection in an existing, empty directory."""
        with mapped("creating a collection"):
            client = open_files(directory)
            try:
                sealed = SealedFile.create(directory)
                try:
                    create(client.api, namespace, dimension, sealed=sealed.name)
                except BaseException:
                    sealed.close()
                    raise
            except BaseException:
                client.close()
                raise
            return cls(client, directory, sealed)

    @classmethod
    def load(cls, directory: Path) -> ChromaShard:
        """Open a database. Raises :class:`BackendError` for one that is damaged."""
        if not (directory / "chroma.sqlite3").is_file():
            raise BackendError("A shard's database is missing.")  # opening would make an empty one
        with mapped("opening a collection"):
            IndexFiles(directory).clear()  # of a process that was killed before it could
            sealed = SealedFile.load(directory)
            try:
                return cls(open_files(directory), directory, sealed)
            except BaseException:
                if sealed is not None:
                    sealed.close()
                raise

    def place(self, namespace: Namespace) -> Place:
        """The collection of ``namespace``. Raises :class:`BackendError` when it is absent, foreign or unsafe."""
        if self._place is None or self._place[0] != namespace:
            with mapped("opening a collection"):
                sealed = None if self._sealed is None else self._sealed.name
                found = find(self._client.api, namespace, sealed=sealed)
                if found is None:
                    raise BackendError("A shard's database has lost its collection.")
                self._place = namespace, Place(self._client.api, namespace, found, exclusive=True, sealed=self._sealed)
        return self._place[1]

    @property
    def dirty(self) -> bool:
        """Never: what was acknowledged is in SQLite's files."""
        return False

    def sync(self) -> None: ...

    def flush(self) -> None: ...

    def settle(self) -> None:
        """Clear the index's files of what the engine wrote along. A mere count may make them anew."""
        self._index.clear()

    def close(self) -> None:
        """End the engine and give its files back. What was acknowledged is in them already."""
        self._place = None
        with mapped("closing a collection"):
            try:
                if self._sealed is not None:
                    self._sealed.close()
            finally:
                self._client.close()
                there = self.standing.there
                self.standing.close()
            if there:
                self._index.clear()
                tighten(self._directory)


def copy_points(
    require_left: Callable[[int], None], source: Writer[ChromaShard], directory: Path, namespace: Namespace
) -> None:
    """Write every live point of the shard into a new database in ``directory``, and close it. Reads go on meanwhile.

    ``require_left`` is asked before each page for the bytes that it may take: Chroma on a full disk may not come back.
    Raises :class:`BackendError` when the copy does not hold as many points as the original, and what ``require_left``
    does.
    """

    def place_of(held: Holder[ChromaShard]) -> Place:
        return existing(held.get()).place(namespace)

    with source.turn() as held:
        target = ChromaShard.create(directory, namespace, place_of(held).dimension)
    try:
        place = target.place(namespace)
        with source.turn() as held:
            pages = place_of(held).rows()
        while True:
            with source.turn():
                rows = next(pages, None)
            if rows is None:
                break
            require_left(_TIMES * sum(map(_bytes, rows)))
            place.insert(rows, new=True)
            source.give_way()
        with source.turn() as held:
            expected = place_of(held).count()
        if place.count() != expected:
            raise BackendError("The purged copy does not hold every point; the original was kept.")
    finally:
        target.close()


def _bytes(row: Row) -> int:
    """What is handed over of one point: its vector, its metadata, and what is kept beside Chroma."""
    kept = sum(len(part) for part in row.kept or () if isinstance(part, str | bytes))
    return 4 * len(row.vector) + len(orjson.dumps(row.body)) + kept
