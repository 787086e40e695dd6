"""Points on their way to a server and back: in requests that it takes, and believed only where they belong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, cast
from uuid import UUID

import numpy as np
from qdrant_client.models import PointStruct

from securevec.errors import BackendError
from securevec.types import Namespace, StoredPoint
from securevec_qdrant._points import decode_payload
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
    row = None if vector is None else np.asarray(vector, dtype=np.float32)
    return StoredPoint(UUID(str(point)), decode_payload(held), score, row)


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
        size += _NUMBER_BYTES * len(cast("list[float]", point.vector))
    if part:
        yield part
