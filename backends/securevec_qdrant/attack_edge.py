"""What the embedded engine by itself allows: the attempts of ``securevec attack`` on one shard that holds every
tenant's rows, kept apart by the payload key ``t``. Methods return whether the engine allowed it and what came of
it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

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

from securevec_adapters.attacked import Row, Seen
from securevec_qdrant.edge_engine import make_engine

if TYPE_CHECKING:
    from securevec.backend import VectorBackend

_NO_CALL = "the embedded engine has no such call"


class ServerAlone:
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

    def load(self, mine: Sequence[Row], theirs: Sequence[Row]) -> None:
        self.close()
        self._mine, self._theirs = list(mine), list(theirs)
        self._own: str = mine[0].payload["t"]
        self._foreign: str = theirs[0].payload["t"]
        self._path = self._directory / str(next(self._numbers))
        self._path.mkdir()
        self._shard = make_engine(self._path, len(mine[0].vector))
        self._shard.update(UpdateOperation.create_field_index("t", KeywordIndexParams()))
        self._put([*mine, *theirs])

    def close(self) -> None:
        if self._shard is not None:
            self._shard.close()
            self._shard = None

    # -- reading

    def read_by_id(self) -> Seen:
        return self._rows(self._open.retrieve([self._theirs[0].id], True, False))

    def query_by_vector(self) -> Seen:
        return self._rows(self._query(None))

    def prefetch_leaf(self) -> Seen:
        near = Query.Nearest(self._vector())
        leaves = [Prefetch(limit=20, query=near, filter=self._fence(self._own)), Prefetch(limit=20, query=near)]
        request = QueryRequest(limit=50, prefetches=leaves, query=cast("Fusion", Fusion.Rrf(k=60)), with_payload=True)
        return self._rows(self._open.query(request))

    def unfiltered_query(self) -> Seen:
        return self._rows(self._query(None))

    def unfiltered_scroll(self) -> Seen:
        return self._rows(self._scroll(None))

    def unfiltered_count(self) -> Seen:
        held = self._open.count(CountRequest(exact=True))
        return held > len(self._mine), f"{held} rows counted, {len(self._mine)} of them own"

    def facet(self) -> Seen:
        answer: Any = self._open.facet(FacetRequest(key="t"))
        hits = getattr(answer, "hits", answer)
        return len(hits) > 1, f"{len(hits)} tenants and their sizes listed"

    def callers_filter(self) -> Seen:
        return self._rows(self._scroll(self._fence(self._foreign)))

    def composed_filter(self) -> Seen:
        return self._rows(self._scroll(Filter(should=[self._condition(self._own), self._condition(self._foreign)])))

    def negated_filter(self) -> Seen:
        return self._rows(self._scroll(Filter(must_not=[self._condition("nobody", "absent")])))

    def array_tenant(self) -> Seen:
        self._put([self._theirs[0]], {"t": [self._own, self._foreign]})
        found = {row.id for row in self._scroll(self._fence(self._own))}
        return self._theirs[0].id in found, "a row of two tenants answers both"

    def json_path(self) -> Seen:
        self._put([self._theirs[0]], {"meta": {"owner": "x"}})
        return self._rows(self._scroll(Filter(must=[self._condition("x", "meta.owner")])))

    def vectors_out(self) -> Seen:
        found, _ = self._open.scroll(ScrollRequest(limit=100, with_payload=True, with_vector=True))
        told = sum(row.vector is not None and (row.payload or {}).get("t") == self._foreign for row in found)
        return bool(told), f"{told} foreign vectors returned"

    def unbounded(self) -> Seen:
        found = self._query(None, limit=1_000_000)
        return True, f"a limit of 1,000,000 was taken, {len(found)} rows returned"

    def raw_client(self) -> Seen:
        return True, "the shard object reaches every row"

    # -- writing

    def delete_by_id(self) -> Seen:
        self._open.update(UpdateOperation.delete_points([self._theirs[0].id]))
        return not self._open.retrieve([self._theirs[0].id], True, False), "a foreign row deleted"

    def empty_selector(self) -> Seen:
        self._open.update(UpdateOperation.delete_points_by_filter(Filter()))
        left = self._open.count(CountRequest(exact=True))
        return left == 0, f"an empty filter deleted all but {left} rows"

    def overwrite_by_id(self) -> Seen:
        self._put([self._theirs[0]], {"t": self._own})
        return self._payload(self._theirs[0].id).get("t") == self._own, "a foreign row overwritten, its owner changed"

    def retag(self) -> Seen:
        return self.overwrite_by_id()

    def upsert_merge(self) -> Seen:
        point = self._mine[0]
        self._open.update(UpdateOperation.upsert_points([Point(point.id, self._list(point), {"t": self._own})]))
        return "b" in self._payload(point.id), "an upsert replaces the payload as a whole"

    def list_ghosts(self) -> Seen:
        for tags in (["a", "b"], ["b"]):
            self._put([self._mine[0]], {"tags": tags})
        return bool(self._scroll(Filter(must=[self._condition("a", "tags")]))), "a removed list value no longer matches"

    # -- rows and files

    def relabelled_row(self) -> Seen:
        return self.overwrite_by_id()

    def copied_row(self) -> Seen:
        point, fresh = self._theirs[0], uuid4()
        payload = {**point.payload, "t": self._own}
        self._open.update(UpdateOperation.upsert_points([Point(fresh, self._list(point), payload)]))
        return self._served(fresh, "b", point.payload["b"]), "a copy of a foreign row is served as an own one"

    def swapped(self) -> Seen:
        one, two = self._mine[:2]
        self._put([one], {"b": two.payload["b"]})
        return self._served(one.id, "b", two.payload["b"]), "a row with another row's body is served"

    def rolled_back(self) -> Seen:
        self._put([self._mine[0]], {"b": "new"})
        self._put([self._mine[0]])
        return self._served(self._mine[0].id, "b", self._mine[0].payload["b"]), "the row of before is served"

    def plaintext(self) -> Seen:
        self._put([self._mine[0]], {"b": "not sealed"})
        return self._served(self._mine[0].id, "b", "not sealed"), "a body that is not sealed is served"

    def edited_metadata(self) -> Seen:
        self._put([self._mine[0]], {"f_status": "edited"})
        found = self._scroll(Filter(must=[self._condition("edited", "f_status")]))
        return bool(found), "a row is found by an edited value"

    def recreated_tenant(self) -> Seen:
        return self._rows(self._scroll(self._fence(self._foreign)))

    def text_in_rows(self) -> Seen:
        self._put([self._mine[0]], {"text": "person1@example.com"})
        return self._served(self._mine[0].id, "text", "person1@example.com"), "text is kept as it is given"

    def files_in_clear(self) -> Seen:
        self._put([self._mine[0]], {"text": "person1@example.com"})
        return self._in_files(b"person1@example.com"), "the text is in the shard's files"

    def deleted_on_disk(self) -> Seen:
        self._put([self._mine[0]], {"text": "person1@example.com"})
        self._open.update(UpdateOperation.delete_points([self._mine[0].id]))
        return self._in_files(b"person1@example.com"), "the text of a deleted row is in the shard's files"

    # -- parts

    @property
    def _open(self) -> EdgeShard:
        if self._shard is None:
            raise RuntimeError("no shard is open")
        return self._shard

    def _put(self, rows: Sequence[Row], changes: Mapping[str, Any] = {}) -> None:  # never changed
        points = [Point(row.id, self._list(row), {**row.payload, **changes}) for row in rows]
        self._open.update(UpdateOperation.upsert_points(points))

    def _list(self, row: Row) -> list[float]:
        return [float(value) for value in row.vector]

    def _vector(self) -> list[float]:
        return self._list(self._theirs[0])

    def _condition(self, value: str, key: str = "t") -> FieldCondition:
        return FieldCondition(key=key, match=MatchValue(value))

    def _fence(self, tag: str) -> Filter:
        return Filter(must=[self._condition(tag)])

    def _scroll(self, where: Filter | None) -> Sequence[Any]:
        return self._open.scroll(ScrollRequest(limit=100, filter=where, with_payload=True))[0]

    def _query(self, where: Filter | None, limit: int = 100) -> Sequence[Any]:
        request = QueryRequest(limit=limit, query=Query.Nearest(self._vector()), filter=where, with_payload=True)
        return self._open.query(request)

    def _rows(self, found: Sequence[Any]) -> Seen:
        told = sum((row.payload or {}).get("t") == self._foreign for row in found)
        return bool(told), f"{told} foreign rows returned"

    def _payload(self, point: UUID) -> Mapping[str, Any]:
        found = self._open.retrieve([point], True, False)
        return (found[0].payload or {}) if found else {}

    def _served(self, point: UUID, key: str, value: object) -> bool:
        return self._payload(point).get(key) == value

    def _in_files(self, text: bytes) -> bool:
        self._open.flush()
        return any(text in path.read_bytes() for path in self._path.rglob("*") if path.is_file())
