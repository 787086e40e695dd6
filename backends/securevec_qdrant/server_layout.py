"""Where a namespace lives on a server: which collection, which shard of it, and making and removing these.

    shared       one collection for all tenants of a vector dimension             <prefix>-<dimension>
    collection   a collection for each tenant (and dimension)                     <prefix>-<tenant tag>-<dimension>
    shard        one collection with a shard for each tenant, named by its tag    <prefix>-shards-<dimension>

Whatever the layout, every point carries both tags and every request the filter on them: a collection or shard of one's
own is a place, not a permission. A request to a sharded collection that names no shard reaches all of them, so the
shard is part of the :class:`Spot` and never left to a caller. Custom shards need a server in cluster mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from qdrant_client import QdrantClient
from qdrant_client.models import (
    CollectionParams,
    Distance,
    HnswConfigDiff,
    KeywordIndexParams,
    KeywordIndexType,
    Modifier,
    ShardingMethod,
    SparseVectorParams,
    StrictModeConfig,
    VectorParams,
)

from securevec import limits
from securevec.errors import BackendError
from securevec.types import Layout, Namespace
from securevec_qdrant._points import TERMS

LAYOUTS: Final[tuple[Layout, ...]] = ("shared", "collection", "shard")
IDS: Final = 1000
"""Ids of one request."""
ROWS: Final = 256
"""Points of one upsert, at most."""
FACETS: Final = 100_000
"""Tenants that one listing may name."""

STRICT: Final = StrictModeConfig(
    enabled=True,
    max_query_limit=FACETS,
    upsert_max_batchsize=ROWS,
    condition_max_size=max(IDS, limits.MAX_FILTER_VALUES),
    # What deletes or overwrites selects by the indexed tags and by ids, and by nothing else.
    unindexed_filtering_update=False,
    # Filter fields have no index: two tenants may give one name two types.
    unindexed_filtering_retrieve=True,
)
"""Set when a collection is made: the server itself refuses what this adapter never sends."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A collection, and the shard of it where it has custom shards. ``own``: nobody but one tenant lives there."""

    collection: str
    dimension: int
    shard_key: str | None = None
    own: bool = False

    @property
    def routing(self) -> dict[str, Any]:
        """The argument that keeps a request on the shard; none where there are no custom shards."""
        return {} if self.shard_key is None else {"shard_key_selector": self.shard_key}


class Spots:
    """The collections of one adapter, all of one prefix."""

    def __init__(self, client: QdrantClient, prefix: str, layout: Layout) -> None:
        self._client = client
        self._prefix = prefix
        self._default: Layout = layout

    def layout(self, namespace: Namespace) -> Layout:
        return self._default if namespace.layout is None else namespace.layout

    def spot(self, namespace: Namespace, dimension: int) -> Spot:
        layout = self.layout(namespace)
        if layout == "collection":
            return Spot(f"{self._prefix}-{namespace.tenant_tag}-{dimension}", dimension, own=True)
        if layout == "shard":
            return Spot(f"{self._prefix}-shards-{dimension}", dimension, namespace.tenant_tag, own=True)
        return Spot(f"{self._prefix}-{dimension}", dimension)

    def make(self, namespace: Namespace, dimension: int) -> None:
        """Make sure of the collection, its indexes and the shard, in this order and before anything is written."""
        spot = self.spot(namespace, dimension)
        layout = self.layout(namespace)
        make_collection(self._client, spot.collection, dimension, layout=layout)
        if spot.shard_key is None or spot.shard_key in self._shards(spot.collection):
            return
        try:
            self._client.create_shard_key(spot.collection, spot.shard_key)
        except Exception:
            if spot.shard_key not in self._shards(spot.collection):  # somebody else made it a moment ago
                raise

    def unmake(self, spot: Spot) -> None:
        """Remove a tenant's own collection or shard, which holds nothing of anybody any more."""
        if spot.shard_key is None:
            self._client.delete_collection(spot.collection)
        elif spot.shard_key in self._shards(spot.collection):
            self._client.delete_shard_key(spot.collection, spot.shard_key)

    def exists(self, namespace: Namespace, dimension: int) -> bool:
        spot = self.spot(namespace, dimension)
        if not self._client.collection_exists(spot.collection):
            return False
        return spot.shard_key is None or spot.shard_key in self._shards(spot.collection)

    def reach(self, namespace: Namespace) -> list[Spot]:
        """Every spot of the namespace's layout that may hold points of its tenant, of any dimension."""
        layout = self.layout(namespace)
        kinds = {"shared": "", "collection": f"{namespace.tenant_tag}-", "shard": "shards-"}
        names = self.named(f"{kinds[layout]}[0-9]+")
        spots = [self.spot(namespace, int(name.rpartition("-")[2])) for name in names]
        return [spot for spot in spots if spot.shard_key is None or spot.shard_key in self._shards(spot.collection)]

    def everything(self) -> Iterator[str]:
        """Every collection that may hold points or places, of all tenants."""
        yield from self.named("([0-9a-f]{32}-|shards-)?[0-9]+|places")

    def named(self, rest: str) -> list[str]:
        held = self._client.get_collections().collections
        return sorted(each.name for each in held if re.fullmatch(rf"{self._prefix}-({rest})", each.name))

    def _shards(self, collection: str) -> set[str]:
        return {str(each.key) for each in self._client.list_shard_keys(collection).shard_keys or []}


def make_collection(client: QdrantClient, name: str, dimension: int, *, layout: Layout = "shared") -> None:
    """Create a collection and its indexes, before anything is written to it. Idempotent.

    In a shared one there is no graph over all tenants but one for each: ``m=0``, ``payload_m=16``. Raises
    :class:`BackendError` for one of this name that somebody else made, otherwise than it is made here.
    """
    if not client.collection_exists(name):
        try:
            client.create_collection(
                name,
                vectors_config=VectorParams(size=dimension, distance=Distance.COSINE),
                # No modifier: the server would take its statistics over every tenant of the collection.
                sparse_vectors_config={TERMS: SparseVectorParams()},
                hnsw_config=HnswConfigDiff(m=0, payload_m=16) if layout == "shared" else None,
                sharding_method=ShardingMethod.CUSTOM if layout == "shard" else None,
                strict_mode_config=STRICT,
            )
        except Exception:
            if not client.collection_exists(name):  # somebody else made it a moment ago: as good as ours
                raise
    _require_ours(client.get_collection(name).config.params, dimension, layout)
    for key, tenant in (("t", True), ("c", False)):
        schema = KeywordIndexParams(type=KeywordIndexType.KEYWORD, is_tenant=tenant)
        client.create_payload_index(name, key, schema, wait=True)


def _require_ours(params: CollectionParams, dimension: int, layout: Layout) -> None:
    """Whether a collection compares as ours do, and takes no statistics over its tenants: any program may have made one
    of our name. How it is indexed and what its strict mode allows is its operator's to change."""
    dense, terms = params.vectors, (params.sparse_vectors or {}).get(TERMS)
    if (
        not isinstance(dense, VectorParams)
        or (dense.size, dense.distance) != (dimension, Distance.COSINE)
        or dense.multivector_config is not None
        or terms is None
        or terms.modifier not in (None, Modifier.NONE)
        or (params.sharding_method == ShardingMethod.CUSTOM) is not (layout == "shard")
    ):
        raise BackendError(
            "A collection of this name was made by another program, or by another release.",
            next_step="Remove it, or keep this store's collections on a server of their own.",
        )
