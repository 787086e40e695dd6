"""The vendor's embedded engine as a careful program would use it without securevec: what ``securevec bench`` compares
with. The same engine settings as the adapter's, no adapter code around a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from numpy.typing import NDArray
from qdrant_edge import EdgeShard, KeywordIndexParams, Point, Query, QueryRequest, SearchParams, UpdateOperation

from securevec_qdrant.edge_shard import make_engine

PACKAGE: Final = "qdrant-edge-py"


class RawStore:
    """One shard. ``keys`` are the payload keys a program filters by; each gets a keyword index, as in the adapter."""

    def __init__(self, engine: EdgeShard) -> None:
        self._engine = engine

    @classmethod
    def create(cls, directory: Path, dimension: int, keys: Sequence[str]) -> RawStore:
        directory.mkdir()
        engine = make_engine(directory, dimension)
        for key in keys:
            engine.update(UpdateOperation.create_field_index(key, KeywordIndexParams()))
        return cls(engine)

    @classmethod
    def open(cls, directory: Path, dimension: int) -> RawStore:
        return cls(EdgeShard.load(str(directory)))

    def insert(self, ids: Sequence[UUID], vectors: NDArray[Any], payloads: Sequence[Mapping[str, str | int]]) -> None:
        rows = zip(ids, vectors.tolist(), payloads, strict=True)
        points = [Point(key, vector, dict(body)) for key, vector, body in rows]
        self._engine.update(UpdateOperation.upsert_points(points))

    def search(self, vector: NDArray[Any], k: int) -> list[str]:
        """The field ``id`` of the nearest, their payloads read."""
        found = self._engine.query(
            QueryRequest(
                limit=k, query=Query.Nearest(vector.tolist()), with_payload=True, params=SearchParams(exact=True)
            )
        )
        return [cast("str", (point.payload or {})["id"]) for point in found]

    def close(self) -> None:
        self._engine.flush()
        self._engine.close()
