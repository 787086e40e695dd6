"""Points on their way to a server and back: in requests that it takes, and believed only where they belong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from qdrant_client.models import Filter, PointStruct, Prefetch, Rrf, RrfQuery, SparseVector, VectorStruct

from securevec.backend import HYBRID_DEPTH, RRF_K
from securevec.errors import BackendError
from securevec.types import Namespace, StoredPoint, Terms
from securevec_qdrant._points import TERMS, decode_payload, split_vector
from securevec_qdrant.server_layout import IDS, ROWS

_REQUEST_BYTES: Final = 8 * 1024 * 1024
"""What one upsert carries, about; a server takes 32 MiB unless it was told otherwise."""
_NUMBER_BYTES: Final = 24
"""A component of a vector in JSON, at most."""


def stored_point(
    namespace: Namespace, point: object, payload: dict[str, object] | None, *, score: float = 0.0, vector: object = None
) -> StoredPoint:
    held = payload or {}
    if held.get("t") != namespace.tenant_tag or held.get("c") != namespace.collection_tag:
        raise BackendError("The store answered with a point of another place.")
    if vector is None:
        return StoredPoint(UUID(str(point)), decode_payload(held), score)
    dense, terms = split_vector(vector)
    return StoredPoint(UUID(str(point)), decode_payload(held), score, np.asarray(dense, dtype=np.float32), terms)


def next_page(points: Sequence[StoredPoint], start: UUID | None, following: object) -> UUID | None:
    """Where the next page begins. Raises :class:`BackendError` for one that does not begin behind this one: whoever
    scans would be given the same points again and again."""
    if following is None:
        return None
    begins = UUID(str(following))
    if not points or any(begins <= point.id for point in points) or (start is not None and begins <= start):
        raise BackendError("The store answered with a page that does not lead on.")
    return begins


def both(vector: list[float], terms: Terms | None) -> VectorStruct:
    """A point's vectors as the client takes them."""
    return vector if terms is None else {"": vector, TERMS: sparse(terms)}


def ranking(vector: list[float], terms: Terms | None, condition: Filter, limit: int) -> dict[str, Any]:
    """What a search ranks by. Each of the lists that are fused carries the condition, and so does their root."""
    if terms is None:
        return {"query": vector}
    depth = max(limit, HYBRID_DEPTH)
    lists = [Prefetch(query=vector, filter=condition, limit=depth)]
    if len(terms):
        lists.append(Prefetch(query=sparse(terms), using=TERMS, filter=condition, limit=depth))
    return {"prefetch": lists, "query": RrfQuery(rrf=Rrf(k=RRF_K))}


def sparse(terms: Terms) -> SparseVector:
    return SparseVector(indices=terms.indices.tolist(), values=terms.weights.tolist())


def id_parts(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), IDS):
        yield ids[start : start + IDS]


def point_parts(points: Sequence[PointStruct]) -> Iterator[list[PointStruct]]:
    """The points in requests that a server takes: not too many, and not too large."""
    part: list[PointStruct] = []
    size = 0
    for point in points:
        if part and (len(part) == ROWS or size > _REQUEST_BYTES):
            yield part
            part, size = [], 0
        part.append(point)
        size += sum(len(value) for value in (point.payload or {}).values() if isinstance(value, str))
        dense, terms = split_vector(point.vector)
        size += _NUMBER_BYTES * (len(dense) + 2 * len(terms or ()))
    if part:
        yield part
