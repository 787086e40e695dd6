"""The seam to a vector store that is not ours: collections some program filled without securevec, read and never
written. Adapters import nothing of securevec but this module, ``errors`` and ``limits``.

Rules every reader keeps:

1. It changes nothing: no file, no index, no lock that a running program would miss.
2. Nothing that is stored is run: no embedding function of a configuration, no pickle beyond plain values.
3. Vendor exceptions become :class:`BackendError` with their cause kept, also inside iteration.
4. A collection is read in a fixed order, each point once, as long as nobody writes to it meanwhile.
5. Nothing is logged, and no message holds a value, an id or a path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from securevec.text import given_path

PAGE: Final = 256
"""Points of one page."""

PointKey = str | int
"""The id a point has in its own store: text, or a number (Qdrant). UUIDs are text."""


@dataclass(frozen=True, slots=True, repr=False)
class ForeignPoint:
    """A point as its store holds it, without its vector. ``fields`` are JSON values: text, metadata, nested objects."""

    key: PointKey
    fields: Mapping[str, object]

    def __repr__(self) -> str:
        return f"ForeignPoint({len(self.fields)} fields)"


@dataclass(frozen=True, slots=True)
class ForeignVector:
    """One kind of vector of a collection. ``dimension`` is 0 for sparse vectors and where nothing was stored yet."""

    name: str
    dimension: int
    distance: str


@dataclass(frozen=True, slots=True)
class ForeignCollection:
    """What a store says of one collection.

    ``tenant_indexes`` are the fields that the store knows as a tenant's, ``None`` where it has no such index.
    ``functions`` names the embedding functions its configuration stores; they are never loaded. ``ours`` is true for
    what securevec made. ``drop`` is how its owner deletes it, as a line to type, and ``residual`` what stays then.
    """

    name: str
    count: int
    vectors: tuple[ForeignVector, ...]
    tenant_indexes: frozenset[str] | None
    functions: tuple[str, ...]
    ours: bool
    drop: str
    residual: str


class ForeignStore(Protocol):
    """A store that is read. Not thread-safe."""

    @property
    def kind(self) -> str:
        """In a few words: ``Chroma server``, ``Qdrant files``."""
        ...

    @property
    def identity(self) -> str:
        """The same for the same store from run to run: its address, or the absolute path of its files."""
        ...

    def collections(self) -> Sequence[ForeignCollection]:
        """Every collection, by name. Raises :class:`BackendError`."""
        ...

    def pages(self, name: str, *, size: int = PAGE) -> Iterator[Sequence[ForeignPoint]]:
        """Every point of a collection. Raises :class:`BackendError`, also when the collection is not there."""
        ...

    def close(self) -> None:
        """Release files and connections. Idempotent."""
        ...


class ForeignClass(Protocol):
    """What an entry point of the group ``securevec.sources`` names."""

    @staticmethod
    def open(location: str, *, plain_http_hosts: Collection[str] = ()) -> ForeignStore:
        """The store at ``location``: ``scheme://host:port``, or a path. Raises :class:`ConfigError`,
        :class:`SourceError` for a path that holds no store of this kind, :class:`BackendError`."""
        ...


def path_of(location: str) -> Path | None:
    """The directory that ``scheme:PATH`` names; ``None`` for the address of a server."""
    _, separator, rest = location.partition(":")
    return None if not separator or rest.startswith("//") else given_path(rest)
