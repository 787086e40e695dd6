"""The places of a server: which namespaces exist there, in which layout, and the vector dimension each was made with.

A collection cannot say that: an empty namespace has no points in it, and a call carries no dimension. So each namespace
has one small point for each layout it is in, in a collection of its own kind, under the same fence as every other
point. While a tenant is moved its namespaces have two.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from qdrant_client import QdrantClient
from qdrant_client.models import FieldCondition, Filter, FilterSelector, MatchValue, PointStruct

from securevec.errors import BackendError
from securevec.types import Layout, Namespace
from securevec_adapters.recent import Recent
from securevec_qdrant.server_client import calling
from securevec_qdrant.server_filters import fenced
from securevec_qdrant.server_layout import make_collection

Place = tuple[Namespace, Layout]


class Places:
    """Kept in collection ``name``. Dimensions are cached: a place never changes its own. That it still exists is not
    known from the cache, because any process may drop it; :meth:`confirmed` asks."""

    def __init__(self, client: QdrantClient, name: str) -> None:
        self._client = client
        self._name = name
        self._known = Recent[Place, int]()

    def dimension(self, place: Place) -> int | None:
        """The dimension of a place; ``None`` when it does not exist, or did not when last asked."""
        known = self._known.get(place)
        return self.confirmed(place) if known is None else known

    def confirmed(self, place: Place) -> int | None:
        """The dimension of a place as the server says now; ``None`` when it does not exist."""
        namespace, layout = place
        self._known.forget(place)
        with calling("looking up a collection"):
            if not self._client.collection_exists(self._name):
                return None
            found, _ = self._client.scroll(
                self._name, scroll_filter=fenced(namespace, ids=[_id(place)]), limit=1, with_payload=True
            )
        if not found:
            return None
        held = found[0].payload or {}
        dimension = held.get("dimension")
        if type(dimension) is not int or dimension < 1 or held.get("layout") != layout:
            raise BackendError("The store's description of a collection cannot be read.")
        self._known.keep(place, dimension)
        return dimension

    def add(self, place: Place, dimension: int) -> None:
        """Remember a place. Raises :class:`BackendError` when its name is taken by another one."""
        namespace, layout = place
        with calling("describing a collection"):
            make_collection(self._client, self._name, 1)
            self._client.upsert(
                self._name,
                [
                    PointStruct(
                        id=str(_id(place)),
                        vector=[1.0],
                        payload={
                            "dimension": dimension,
                            "layout": layout,
                            "t": namespace.tenant_tag,
                            "c": namespace.collection_tag,
                        },
                    )
                ],
                update_filter=fenced(namespace),
                wait=True,
            )
        self._known.forget(place)
        if self.dimension(place) != dimension:
            raise BackendError("The store did not keep the description of a collection.")

    def remove(self, place: Place) -> None:
        """Forget a place. Raises :class:`BackendError` when the store does not: inserts go by it."""
        self._known.forget(place)
        with calling("forgetting a collection"):
            if self._client.collection_exists(self._name):
                selector = FilterSelector(filter=fenced(place[0], ids=[_id(place)]))
                self._client.delete(self._name, selector, wait=True)
        if self.confirmed(place) is not None:
            raise BackendError("The store still describes a collection that was removed.")

    def neighbours(self, place: Place, dimension: int) -> int:
        """How many places its tenant has in this layout and dimension."""
        namespace, layout = place
        mine: list[tuple[str, str | int]] = [
            ("t", namespace.tenant_tag),
            ("layout", layout),
            ("dimension", dimension),
        ]
        asked = Filter(must=[FieldCondition(key=key, match=MatchValue(value=value)) for key, value in mine])
        with calling("looking up a collection"):
            if not self._client.collection_exists(self._name):
                return 0
            return self._client.count(self._name, count_filter=asked, exact=True).count


def _id(place: Place) -> UUID:
    namespace, layout = place
    if layout == "shared":
        return UUID(namespace.shard)
    return UUID(bytes=hashlib.sha256(f"{namespace.shard}/{layout}".encode()).digest()[:16])
