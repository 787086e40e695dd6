"""What stands behind the loopback stand-ins for a Qdrant server (``qdrant_rest``, ``qdrant_grpc``): qdrant-client's
local mode for points and filters, and around it what a server has and local mode lacks: custom shards, strict mode, an
API key, a version. It is no Qdrant server, and no test may call it one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from qdrant_client import QdrantClient
from qdrant_client.http import models

API_KEY = "canary-key-of-the-stand-in"


class Refusal(Exception):
    """What a server answers with instead: an HTTP status, and the name of the gRPC code."""

    def __init__(self, status: int, code: str, says: str) -> None:
        super().__init__(says)
        self.status, self.code, self.says = status, code, says


@dataclass
class Recorded:
    """One request as it arrived. ``body`` is the JSON of it, in the words of the REST API on either wire."""

    method: str
    collection: str
    body: dict[str, Any]
    headers: dict[str, str]
    query: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def shard_key(self) -> Any:
        return self.body.get("shard_key")


@dataclass
class _Held:
    config: dict[str, Any]
    indexes: dict[str, Any] = field(default_factory=dict[str, Any])
    shards: list[str] = field(default_factory=list[str])

    @property
    def custom(self) -> bool:
        return self.config.get("sharding_method") == "custom"


class StandIn:
    """The state of a stand-in. ``failing`` lists methods that fail once; ``before`` runs something before a method."""

    def __init__(self, *, version: str = "1.19.0", api_key: str | None = API_KEY, cluster: bool = True) -> None:
        self.version, self.api_key, self.cluster = version, api_key, cluster
        self.requests: list[Recorded] = []
        self._local = QdrantClient(":memory:")
        self._held: dict[str, _Held] = {}
        self._lock = threading.RLock()

    def close(self) -> None:
        self._local.close()

    def answer(self, request: Recorded) -> Any:
        """What the server says: a value of ``models`` or plain data. Raises :class:`Refusal`."""
        with self._lock:
            self.requests.append(request)
            if self.api_key is not None and request.headers.get("api-key") != self.api_key:
                raise Refusal(401, "UNAUTHENTICATED", "Must provide an API key or an Authorization bearer token")
            held = self._held.get(request.collection)
            calls = {"root": self._root, "list": self._list, "exists": self._exists, "create": self._create}
            if request.method in calls:
                return calls[request.method](request)
            if held is None:
                raise Refusal(404, "NOT_FOUND", f"Not found: Collection `{request.collection}` doesn't exist!")
            return getattr(self, f"_{request.method}")(request, held)

    def named(self, *methods: str) -> list[Recorded]:
        return [each for each in self.requests if each.method in methods]

    def _root(self, request: Recorded) -> Any:
        return models.VersionInfo(title="qdrant - vector search engine", version=self.version)

    def _list(self, request: Recorded) -> Any:
        return {"collections": [{"name": name} for name in self._held]}

    def _exists(self, request: Recorded) -> Any:
        return {"exists": request.collection in self._held}

    def _create(self, request: Recorded) -> Any:
        asked = models.CreateCollection.model_validate(request.body)
        if request.collection in self._held:
            raise Refusal(409, "ALREADY_EXISTS", "Collection already exists")
        held = self._held[request.collection] = _Held(asked.model_dump(mode="json", exclude_none=True))
        if held.custom and not self.cluster:
            del self._held[request.collection]
            raise Refusal(400, "INVALID_ARGUMENT", "Custom sharding needs distributed mode")
        if not held.custom:
            self._make(request.collection, held)
        return True

    def _info(self, request: Recorded, held: _Held) -> Any:
        made = models.CreateCollection.model_validate(held.config)
        params = models.CollectionParams(
            vectors=made.vectors, sparse_vectors=made.sparse_vectors, sharding_method=made.sharding_method
        )
        config = models.CollectionConfig(
            params=params,
            hnsw_config=models.HnswConfig(m=16, ef_construct=100, full_scan_threshold=10_000),
            optimizer_config=models.OptimizersConfig(
                deleted_threshold=0.2, vacuum_min_vector_number=1000, default_segment_number=0, flush_interval_sec=5
            ),
            wal_config=models.WalConfig(wal_capacity_mb=32, wal_segments_ahead=0),
        )
        return models.CollectionInfo(
            status=models.CollectionStatus.GREEN,
            optimizer_status=models.OptimizersStatusOneOf.OK,
            segments_count=1,
            config=config,
            payload_schema={},
        )

    def _drop(self, request: Recorded, held: _Held) -> Any:
        for name in self._stores(request, held, reading=True):
            self._local.delete_collection(name)
        del self._held[request.collection]
        return True

    def _index(self, request: Recorded, held: _Held) -> Any:
        asked = models.CreateFieldIndex.model_validate(request.body)
        held.indexes[asked.field_name] = request.body.get("field_schema")
        return _done()

    def _create_shard(self, request: Recorded, held: _Held) -> Any:
        key = str(models.CreateShardingKey.model_validate(request.body).shard_key)
        if not held.custom or key in held.shards:
            raise Refusal(400, "INVALID_ARGUMENT", "Bad request: the shard key exists or sharding is automatic")
        held.shards.append(key)
        self._make(f"{request.collection}@{key}", held)
        return True

    def _delete_shard(self, request: Recorded, held: _Held) -> Any:
        key = str(models.DropShardingKey.model_validate(request.body).shard_key)
        if key not in held.shards:
            raise Refusal(400, "INVALID_ARGUMENT", "Bad request: no such shard key")
        held.shards.remove(key)
        self._local.delete_collection(f"{request.collection}@{key}")
        return True

    def _shards(self, request: Recorded, held: _Held) -> Any:
        return {"shard_keys": [{"key": key} for key in held.shards]}

    def _upsert(self, request: Recorded, held: _Held) -> Any:
        asked = models.PointsList.model_validate(request.body)
        strict = held.config.get("strict_mode_config", {})
        if len(asked.points) > strict.get("upsert_max_batchsize", len(asked.points)):
            raise Refusal(400, "INVALID_ARGUMENT", "Strict mode: upsert batch too large")
        for name in self._stores(request, held, reading=False):
            self._local.upsert(name, asked.points, update_filter=asked.update_filter)
        return _done()

    def _delete(self, request: Recorded, held: _Held) -> Any:
        asked = models.FilterSelector.model_validate(request.body)
        self._check(held, asked.filter, writing=True)
        for name in self._stores(request, held, reading=False):
            self._local.delete(name, models.FilterSelector(filter=asked.filter))
        return _done()

    def _scroll(self, request: Recorded, held: _Held) -> Any:
        asked = models.ScrollRequest.model_validate(request.body)
        self._check(held, asked.filter, limit=asked.limit)
        records: list[models.Record] = []
        following: Any = None
        for name in self._stores(request, held, reading=True):
            found, following = self._local.scroll(
                name,
                scroll_filter=asked.filter,
                limit=asked.limit or 10,
                offset=asked.offset,
                with_payload=asked.with_payload if asked.with_payload is not None else True,
                with_vectors=asked.with_vector or False,
            )
            records += found
        return models.ScrollResult(points=records, next_page_offset=following)

    def _query(self, request: Recorded, held: _Held) -> Any:
        asked = models.QueryRequest.model_validate(request.body)
        self._check(held, asked.filter, limit=asked.limit)
        points: list[models.ScoredPoint] = []
        for name in self._stores(request, held, reading=True):
            points += self._local.query_points(
                name,
                query=asked.query,
                prefetch=asked.prefetch,
                using=asked.using,
                query_filter=asked.filter,
                limit=asked.limit or 10,
                with_payload=asked.with_payload if asked.with_payload is not None else True,
                with_vectors=asked.with_vector or False,
            ).points
        return models.QueryResponse(points=points)

    def _count(self, request: Recorded, held: _Held) -> Any:
        asked = models.CountRequest.model_validate(request.body)
        self._check(held, asked.filter)
        stores = self._stores(request, held, reading=True)
        return models.CountResult(
            count=sum(self._local.count(name, count_filter=asked.filter, exact=True).count for name in stores)
        )

    def _facet(self, request: Recorded, held: _Held) -> Any:
        asked = models.FacetRequest.model_validate(request.body)
        self._check(held, asked.filter, limit=asked.limit)
        hits: list[models.FacetValueHit] = []
        for name in self._stores(request, held, reading=True):
            hits += self._local.facet(name, key=asked.key, facet_filter=asked.filter, limit=asked.limit or 10).hits
        return models.FacetResponse(hits=hits)

    def _make(self, name: str, held: _Held) -> None:
        asked = models.CreateCollection.model_validate(held.config)
        self._local.create_collection(name, vectors_config=asked.vectors, sparse_vectors_config=asked.sparse_vectors)

    def _stores(self, request: Recorded, held: _Held, *, reading: bool) -> list[str]:
        """Local collections that a request reaches. Without a shard key a read goes to every shard."""
        if not held.custom:
            if request.shard_key is not None:
                raise Refusal(400, "INVALID_ARGUMENT", "Bad request: no shard keys in automatic sharding")
            return [request.collection]
        given = request.shard_key
        if given is None and not reading:
            raise Refusal(400, "INVALID_ARGUMENT", "Bad request: shard key not specified")
        wanted = held.shards if given is None else [str(key) for key in (given if isinstance(given, list) else [given])]
        if not set(wanted) <= set(held.shards):
            raise Refusal(404, "NOT_FOUND", "Not found: Shard key not found")
        return [f"{request.collection}@{key}" for key in wanted]

    def _check(
        self, held: _Held, asked: models.Filter | None, *, limit: int | None = None, writing: bool = False
    ) -> None:
        """Strict mode, as far as the adapter sets it."""
        strict = held.config.get("strict_mode_config", {})
        if limit is not None and limit > strict.get("max_query_limit", limit):
            raise Refusal(400, "INVALID_ARGUMENT", "Strict mode: limit too large")
        if writing and strict.get("unindexed_filtering_update") is False and asked is not None:
            used = set(_keys(asked.model_dump(mode="json", exclude_none=True)))
            if not used <= set(held.indexes):
                raise Refusal(400, "INVALID_ARGUMENT", "Strict mode: index required but not found")


def _keys(value: Any) -> list[str]:
    """Every payload key a filter names."""
    if isinstance(value, list):
        return [key for each in value for key in _keys(each)]
    if not isinstance(value, dict):
        return []
    own = [value["key"]] if isinstance(value.get("key"), str) else []
    return own + [key for each in value.values() for key in _keys(each)]


def _done() -> models.UpdateResult:
    return models.UpdateResult(operation_id=1, status=models.UpdateStatus.COMPLETED)
