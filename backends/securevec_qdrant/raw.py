"""The vendor's embedded engine as a careful program would use it without securevec: what ``securevec bench`` compares
with. The same engine settings as the adapter's, no adapter code around a call.

The engine builds no vector index by itself. Where the adapter has one, :meth:`RawStore.index` makes the same: built by
the same process, looked through as broadly. :meth:`RawStore.scan` is the vendor as it comes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from numpy.typing import NDArray
from qdrant_edge import EdgeShard, KeywordIndexParams, Point, Query, QueryRequest, SearchParams, UpdateOperation

from securevec.backend import CollectionSpec
from securevec.errors import BackendError
from securevec_qdrant.edge_engine import make_engine
from securevec_qdrant.edge_meta import META, NOTHING, Indexed, read_meta, search_params
from securevec_qdrant.edge_shard import Shard

PACKAGE: Final = "qdrant-edge-py"
_EXACTLY: Final = SearchParams(exact=True)


class RawStore:
    """One shard. ``keys`` are the payload keys a program filters by; each gets a keyword index, as in the adapter."""

    def __init__(self, engine: EdgeShard, directory: Path, dimension: int, index: Indexed = NOTHING) -> None:
        self._engine = engine
        self._directory = directory
        self._dimension = dimension
        self._index = index

    @classmethod
    def create(cls, directory: Path, dimension: int, keys: Sequence[str]) -> RawStore:
        directory.mkdir()
        engine = make_engine(directory, dimension)
        for key in keys:
            engine.update(UpdateOperation.create_field_index(key, KeywordIndexParams()))
        return cls(engine, directory, dimension)

    @classmethod
    def open(cls, directory: Path, dimension: int) -> RawStore:
        index = read_meta(directory / META)[1] if (directory / META).exists() else NOTHING
        return cls(EdgeShard.load(str(directory)), directory, dimension, index)

    def insert(self, ids: Sequence[UUID], vectors: NDArray[Any], payloads: Sequence[Mapping[str, str | int]]) -> None:
        rows = zip(ids, vectors.tolist(), payloads, strict=True)
        points = [Point(key, vector, dict(body)) for key, vector, body in rows]
        self._engine.update(UpdateOperation.upsert_points(points))

    def index(self, breadth: int) -> None:
        """Build a vector index, to be looked through as broadly as the adapter does with its own."""
        # Only here: a program that opens a store and searches imports none of it.
        from securevec_qdrant.edge_index import child_command

        self.close()
        Shard.describe(self._directory, CollectionSpec(self._dimension))
        if subprocess.run(child_command(self._directory), check=False).returncode != 0:  # noqa: S603  # this interpreter, and a module of this package
            raise BackendError("The vendor's index could not be built.")
        shard = Shard.load(self._directory)
        shard.accept_breadth(breadth)
        shard.close()
        reopened = self.open(self._directory, self._dimension)
        self._engine, self._index = reopened._engine, reopened._index

    def search(self, vector: NDArray[Any], k: int) -> list[str]:
        """The field ``id`` of the nearest, their payloads read."""
        return self._search(vector, k, search_params(self._index, k))

    def scan(self, vector: NDArray[Any], k: int) -> list[str]:
        """The same without the vector index."""
        return self._search(vector, k, _EXACTLY)

    def _search(self, vector: NDArray[Any], k: int, params: SearchParams) -> list[str]:
        found = self._engine.query(
            QueryRequest(limit=k, query=Query.Nearest(vector.tolist()), with_payload=True, params=params)
        )
        return [cast("str", (point.payload or {})["id"]) for point in found]

    def close(self) -> None:
        self._engine.flush()
        self._engine.close()
