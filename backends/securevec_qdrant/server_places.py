"""The places of a server: which namespaces exist there and the vector dimension each was made with.

A shared collection cannot say that: an empty namespace has no points in it, and a call carries no dimension. So each
namespace has one small point in a collection of its own kind, under the same fence as every other point.
"""

from __future__ import annotations

from uuid import UUID

from qdrant_client import QdrantClient
from qdrant_client.models import (
    Distance,
    FilterSelector,
    HnswConfigDiff,
    KeywordIndexParams,
    KeywordIndexType,
    PointStruct,
    VectorParams,
)

from securevec.errors import BackendError
from securevec.types import Namespace
from securevec_adapters.errors import mapped
from securevec_qdrant.server_filters import fenced


class Places:
    """Kept in collection ``name``. Dimensions are cached: a namespace never changes its own. That it still exists is
    not known from the cache, because any process may drop it; :meth:`confirmed` asks."""

    def __init__(self, client: QdrantClient, name: str) -> None:
        self._client = client
        self._name = name
        self._known: dict[Namespace, int] = {}

    def dimension(self, namespace: Namespace) -> int | None:
        """The dimension of a namespace; ``None`` when it does not exist, or did not when last asked."""
        known = self._known.get(namespace)
        return self.confirmed(namespace) if known is None else known

    def confirmed(self, namespace: Namespace) -> int | None:
        """The dimension of a namespace as the server says now; ``None`` when it does not exist."""
        self._known.pop(namespace, None)
        with mapped("looking up a collection"):
            if not self._client.collection_exists(self._name):
                return None
            found, _ = self._client.scroll(
                self._name, scroll_filter=fenced(namespace, ids=[UUID(namespace.shard)]), limit=1, with_payload=True
            )
        if not found:
            return None
        dimension = (found[0].payload or {}).get("dimension")
        if type(dimension) is not int or dimension < 1:
            raise BackendError("The store's description of a collection cannot be read.")
        self._known[namespace] = dimension
        return dimension

    def add(self, namespace: Namespace, dimension: int) -> None:
        """Remember a namespace. Raises :class:`BackendError` when its name is taken by another place."""
        with mapped("describing a collection"):
            make_shared(self._client, self._name, 1)
            self._client.upsert(
                self._name,
                [
                    PointStruct(
                        id=str(UUID(namespace.shard)),
                        vector=[1.0],
                        payload={"dimension": dimension, "t": namespace.tenant_tag, "c": namespace.collection_tag},
                    )
                ],
                update_filter=fenced(namespace),
                wait=True,
            )
        self._known.pop(namespace, None)
        if self.dimension(namespace) != dimension:
            raise BackendError("The store did not keep the description of a collection.")

    def remove(self, namespace: Namespace) -> None:
        """Forget a namespace."""
        self._known.pop(namespace, None)
        with mapped("forgetting a collection"):
            if self._client.collection_exists(self._name):
                selector = FilterSelector(filter=fenced(namespace, ids=[UUID(namespace.shard)]))
                self._client.delete(self._name, selector, wait=True)


def make_shared(client: QdrantClient, name: str, dimension: int) -> None:
    """Create a collection that tenants share, and its indexes before anything is written to it. Idempotent.

    No graph over all tenants, one for each: ``m=0``, ``payload_m=16``. Filter fields have no index here, because two
    tenants may give one name two types; within a tenant's points they are read from the payload.
    """
    if not client.collection_exists(name):
        try:
            client.create_collection(
                name,
                vectors_config=VectorParams(size=dimension, distance=Distance.COSINE),
                hnsw_config=HnswConfigDiff(m=0, payload_m=16),
            )
        except Exception:
            if not client.collection_exists(name):  # somebody else made it a moment ago: as good as ours
                raise
    for key, tenant in (("t", True), ("c", False)):
        schema = KeywordIndexParams(type=KeywordIndexType.KEYWORD, is_tenant=tenant)
        client.create_payload_index(name, key, schema, wait=True)
