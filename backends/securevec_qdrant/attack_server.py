"""What a Qdrant server by itself allows: the attempts of ``securevec attack`` with the vendor's client, no adapter code
around a call. All rows lie in one collection, kept apart by the payload key ``t``.

Every method returns whether the server allowed it and what came of it. Collections are named ``securevec-
attack-...``, are made anew for each attempt, and are removed at the end.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from qdrant_client import QdrantClient
from qdrant_client import models as m

from securevec_adapters.attacked import Attempts, Payloads, Row, Seen, as_list, payloads

if TYPE_CHECKING:
    from securevec.backend import VectorBackend

_RARE: Final = 7


class ServerAlone(Attempts):
    """The vendor's client of an opened server adapter."""

    absent: Mapping[str, str] = {
        "uuid_access": "a collection has no other id than its name",
        "database_switch": "there are no databases",
        "files_in_clear": "the server's files are not on this machine",
        "deleted_on_disk": "the server's files are not on this machine",
    }

    def __init__(self, backend: VectorBackend, directory: Path) -> None:
        self._client: QdrantClient = vars(backend)["_client"]
        self._made: list[str] = []
        self._name = ""

    def _make(self, dimension: int) -> None:
        self.close()
        self._name = self._create(dimension)

    def close(self) -> None:
        while self._made:
            with contextlib.suppress(Exception):
                self._client.delete_collection(self._made[-1])
            self._made.pop()

    def query_by_id(self) -> Seen:
        found = self._client.query_points(
            self._name, query=str(self._theirs[0].id), query_filter=self._fence(self._own), limit=3
        ).points
        return bool(found), f"{len(found)} own rows scored by a foreign vector"

    def lookup_from(self) -> Seen:
        other = self._create(len(self._mine[0].vector))
        point = self._theirs[0]
        self._client.upsert(other, [m.PointStruct(id=str(point.id), vector=list(point.vector))], wait=True)
        found = self._client.query_points(
            self._name,
            query=str(point.id),
            lookup_from=m.LookupLocation(collection=other),
            query_filter=self._fence(self._own),
            limit=3,
        ).points
        return bool(found), "scores by a vector of another collection"

    def group_lookup(self) -> Seen:
        other = self._create(len(self._mine[0].vector))
        point = self._theirs[0]
        self._client.upsert(
            other, [m.PointStruct(id=1, vector=list(point.vector), payload={"t": self._foreign})], wait=True
        )
        self._client.set_payload(self._name, payload={"group": 1}, points=m.Filter())
        groups = self._client.query_points_groups(
            self._name,
            group_by="group",
            query=self._vector(),
            query_filter=self._fence(self._own),
            with_lookup=other,
            limit=3,
        ).groups
        told = sum(
            group.lookup is not None and (group.lookup.payload or {}).get("t") == self._foreign for group in groups
        )
        return bool(told), f"{told} foreign payloads looked up"

    def prefetch_leaf(self) -> Seen:
        leaves = [
            m.Prefetch(query=self._vector(), filter=self._fence(self._own), limit=20),
            m.Prefetch(query=self._vector(), limit=20),
        ]
        fused = m.FusionQuery(fusion=m.Fusion.RRF)
        found = self._client.query_points(self._name, prefetch=leaves, query=fused, limit=50).points
        return self._told(payloads(found))

    def batch_element(self) -> Seen:
        asked = [
            m.QueryRequest(query=self._vector(), filter=self._fence(self._own), limit=20, with_payload=True),
            m.QueryRequest(query=self._vector(), limit=20, with_payload=True),
        ]
        answers = self._client.query_batch_points(self._name, asked)
        return self._told(payloads([point for answer in answers for point in answer.points]))

    def facet(self) -> Seen:
        hits = self._client.facet(self._name, key="t", exact=True).hits
        return len(hits) > 1, f"{len(hits)} tenants and their sizes listed"

    def composed_filter(self) -> Seen:
        merged = m.Filter(should=[self._condition(self._own), self._condition(self._foreign)])
        return self._told(self._scroll(merged))

    def negated_filter(self) -> Seen:
        return self._told(self._scroll(m.Filter(must_not=[self._condition("x", "absent")])))

    def snapshot(self) -> Seen:
        made = self._client.create_snapshot(self._name)
        if made is None:
            return False, "not made"
        self._client.delete_snapshot(self._name, made.name)
        return True, "a snapshot of all tenants was made, and removed"

    def alias(self) -> Seen:
        alias = f"{self._name}-alias"
        create = m.CreateAliasOperation(create_alias=m.CreateAlias(collection_name=self._name, alias_name=alias))
        self._client.update_collection_aliases([create])
        try:
            return self._told(payloads(self._client.scroll(alias, limit=100)[0]))
        finally:
            delete = m.DeleteAliasOperation(delete_alias=m.DeleteAlias(alias_name=alias))
            self._client.update_collection_aliases([delete])

    def listing(self) -> Seen:
        names = [each.name for each in self._client.get_collections().collections]
        return self._name in names, f"{len(names)} collections listed by name"

    def shard_key(self) -> Seen:
        found = self._client.query_points(
            self._name, query=self._vector(), limit=100, shard_key_selector="other"
        ).points
        return self._told(payloads(found))

    def vectors_out(self) -> Seen:
        found = self._client.scroll(self._name, limit=100, with_vectors=True)[0]
        told = sum(row.vector is not None and (row.payload or {}).get("t") == self._foreign for row in found)
        return bool(told), f"{told} foreign vectors returned"

    def shared_statistics(self) -> Seen:
        name = f"securevec-attack-{secrets.token_hex(6)}"
        self._client.create_collection(
            name, vectors_config={}, sparse_vectors_config={"words": m.SparseVectorParams(modifier=m.Modifier.IDF)}
        )
        self._made.append(name)

        def put(tag: str, words: Sequence[int]) -> None:
            vector: dict[str, Any] = {"words": m.SparseVector(indices=list(words), values=[1.0] * len(words))}
            self._client.upsert(name, [m.PointStruct(id=str(uuid4()), vector=vector, payload={"t": tag})], wait=True)

        def score() -> float:
            found = self._client.query_points(
                name,
                query=m.SparseVector(indices=[_RARE], values=[1.0]),
                using="words",
                query_filter=self._fence(self._own),
                limit=1,
            ).points
            return found[0].score

        put(self._own, (1, _RARE))
        put(self._own, (2, 3))
        before = score()
        for _ in range(4):
            put(self._foreign, (_RARE,))
        after = score()
        return before != after, f"an own score went from {before:.2f} to {after:.2f}"

    def raw_client(self) -> Seen:
        return True, "the client itself reaches every collection"

    def empty_selector(self) -> Seen:
        self._client.delete(self._name, points_selector=m.FilterSelector(filter=m.Filter()), wait=True)
        left = self._count()
        return left == 0, f"an empty filter deleted all but {left} rows"

    def retag(self) -> Seen:
        point = self._theirs[0]
        self._client.set_payload(self._name, payload={"t": self._own}, points=[str(point.id)], wait=True)
        return self._serves(point, "t", self._own), "a foreign row moved to the own tenant"

    # -- its calls

    def _create(self, dimension: int) -> str:
        name = f"securevec-attack-{secrets.token_hex(6)}"
        self._made.append(name)
        self._client.create_collection(name, vectors_config=m.VectorParams(size=dimension, distance=m.Distance.COSINE))
        self._client.create_payload_index(
            name, "t", m.KeywordIndexParams(type=m.KeywordIndexType.KEYWORD, is_tenant=True)
        )
        return name

    def _put(self, rows: Sequence[Row], changes: Mapping[str, Any] = {}) -> None:  # never changed
        points = [
            m.PointStruct(id=str(row.id), vector=as_list(row), payload={**row.payload, **changes}) for row in rows
        ]
        self._client.upsert(self._name, points, wait=True)

    def _by_id(self, point: UUID) -> Payloads:
        return payloads(self._client.retrieve(self._name, [str(point)]))

    def _where(self, key: str, value: Any) -> Payloads:
        return self._scroll(m.Filter(must=[self._condition(value, key)]))

    def _all(self) -> Payloads:
        return self._scroll(None)

    def _near(self, limit: int) -> Payloads:
        return payloads(self._client.query_points(self._name, query=self._vector(), limit=limit).points)

    def _count(self) -> int:
        return self._client.count(self._name, exact=True).count

    def _remove(self, point: UUID) -> None:
        self._client.delete(self._name, points_selector=[str(point)], wait=True)

    def _condition(self, value: str, key: str = "t") -> m.FieldCondition:
        return m.FieldCondition(key=key, match=m.MatchValue(value=value))

    def _fence(self, tag: str) -> m.Filter:
        return m.Filter(must=[self._condition(tag)])

    def _scroll(self, where: m.Filter | None) -> Payloads:
        return payloads(self._client.scroll(self._name, scroll_filter=where, limit=100)[0])
