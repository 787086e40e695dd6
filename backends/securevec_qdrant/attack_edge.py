"""What the embedded engine by itself allows: the attempts of ``securevec attack`` on one shard that holds every
tenant's rows, kept apart by the payload key ``t``. Methods return whether the engine allowed it and what came of
it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from qdrant_edge import (
    CountRequest,
    EdgeShard,
    FacetRequest,
    FieldCondition,
    Filter,
    Fusion,
    KeywordIndexParams,
    MatchValue,
    Point,
    Prefetch,
    Query,
    QueryRequest,
    ScrollRequest,
    UpdateOperation,
)

from securevec_adapters.attacked import AttemptsOnFiles, Payloads, Row, Seen, as_list, payloads
from securevec_qdrant.edge_engine import make_engine

if TYPE_CHECKING:
    from securevec.backend import VectorBackend

_NO_CALL = "the embedded engine has no such call"


class ServerAlone(AttemptsOnFiles):
    """Shards of the engine in a directory of their own."""

    absent: Mapping[str, str] = {
        "query_by_id": "queries take vectors only",
        "lookup_from": _NO_CALL,
        "group_lookup": _NO_CALL,
        "batch_element": "the same call as an unfiltered query",
        "snapshot": "a shard is a directory; there is no server to ask for a snapshot",
        "alias": _NO_CALL,
        "listing": _NO_CALL,
        "shard_key": _NO_CALL,
        "uuid_access": "a shard has no other id than its directory",
        "database_switch": "there are no databases",
        "shared_statistics": "the store uses no sparse vectors here",
    }

    def __init__(self, backend: VectorBackend, directory: Path) -> None:
        self._directory = directory
        self._numbers = count()
        self._shard: EdgeShard | None = None

    def _make(self, dimension: int) -> None:
        self.close()
        self._path = self._directory / str(next(self._numbers))
        self._path.mkdir()
        self._shard = make_engine(self._path, dimension)
        self._shard.update(UpdateOperation.create_field_index("t", KeywordIndexParams()))

    def close(self) -> None:
        if self._shard is not None:
            self._shard.close()
            self._shard = None

    def prefetch_leaf(self) -> Seen:
        near = Query.Nearest(self._vector())
        leaves = [Prefetch(limit=20, query=near, filter=self._fence(self._own)), Prefetch(limit=20, query=near)]
        request = QueryRequest(limit=50, prefetches=leaves, query=cast("Fusion", Fusion.Rrf(k=60)), with_payload=True)
        return self._told(payloads(self._open.query(request)))

    def facet(self) -> Seen:
        answer: Any = self._open.facet(FacetRequest(key="t"))
        hits = getattr(answer, "hits", answer)
        return len(hits) > 1, f"{len(hits)} tenants and their sizes listed"

    def composed_filter(self) -> Seen:
        return self._told(self._scroll(Filter(should=[self._condition(self._own), self._condition(self._foreign)])))

    def negated_filter(self) -> Seen:
        return self._told(self._scroll(Filter(must_not=[self._condition("nobody", "absent")])))

    def vectors_out(self) -> Seen:
        found, _ = self._open.scroll(ScrollRequest(limit=100, with_payload=True, with_vector=True))
        told = sum(row.vector is not None and (row.payload or {}).get("t") == self._foreign for row in found)
        return bool(told), f"{told} foreign vectors returned"

    def raw_client(self) -> Seen:
        return True, "the shard object reaches every row"

    def empty_selector(self) -> Seen:
        self._open.update(UpdateOperation.delete_points_by_filter(Filter()))
        left = self._count()
        return left == 0, f"an empty filter deleted all but {left} rows"

    # -- its calls

    @property
    def _open(self) -> EdgeShard:
        if self._shard is None:
            raise RuntimeError("no shard is open")
        return self._shard

    def _put(self, rows: Sequence[Row], changes: Mapping[str, Any] = {}) -> None:  # never changed
        points = [Point(row.id, as_list(row), {**row.payload, **changes}) for row in rows]
        self._open.update(UpdateOperation.upsert_points(points))

    def _by_id(self, point: UUID) -> Payloads:
        return payloads(self._open.retrieve([point], True, False))

    def _where(self, key: str, value: Any) -> Payloads:
        return self._scroll(Filter(must=[self._condition(value, key)]))

    def _all(self) -> Payloads:
        return self._scroll(None)

    def _near(self, limit: int) -> Payloads:
        return payloads(
            self._open.query(QueryRequest(limit=limit, query=Query.Nearest(self._vector()), with_payload=True))
        )

    def _count(self) -> int:
        return self._open.count(CountRequest(exact=True))

    def _remove(self, point: UUID) -> None:
        self._open.update(UpdateOperation.delete_points([point]))

    def _condition(self, value: str, key: str = "t") -> FieldCondition:
        return FieldCondition(key=key, match=MatchValue(value))

    def _fence(self, tag: str) -> Filter:
        return Filter(must=[self._condition(tag)])

    def _scroll(self, where: Filter | None) -> Payloads:
        return payloads(self._open.scroll(ScrollRequest(limit=100, filter=where, with_payload=True))[0])

    def _folder(self) -> Path:
        self._open.flush()
        return self._path
