"""What every adapter checks before an engine sees a point.

Engines accept far too much (measured): NaN and infinite vectors that never surface again, ``bytes`` that become lists
of integers, integers beyond 64 bits that become floats, ``None`` that drops its key. So everything is checked here
first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from securevec.errors import BackendError, FilterError, QueryError, RecordError, VectorError
from securevec.filters import check_key
from securevec.types import Namespace, Scalar

TAGS: Final = ("t", "c")
"""Payload keys of the tenant tag and the collection tag."""

_HEX32 = re.compile(r"[0-9a-f]{32}\Z")


def tags_of(namespace: Namespace) -> dict[str, str]:
    """The tags every point of the namespace carries. A store that gives each namespace files or a collection of its own
    does not write them down with each point: it answers with these."""
    return dict(zip(TAGS, (namespace.tenant_tag, namespace.collection_tag), strict=True))


def check_namespace(namespace: Namespace) -> Namespace:
    """Refuse anything but 32 hex digits: a shard name becomes a directory name. Raises :class:`BackendError`."""
    for part in (namespace.shard, namespace.tenant_tag, namespace.collection_tag):
        if not _HEX32.match(part):
            raise BackendError("A namespace is three names of 32 lower-case hex digits.")
    return namespace


def unit_vector(vector: object, dimension: int) -> NDArray[np.float32]:
    """``vector`` scaled to length one, float32, shape (dimension,).

    Scaled here in double precision: engines square in float32, where a very long vector overflows to a zero one.
    Raises :class:`VectorError` when it is not float32, has another length, is not finite, or is zero.
    """
    if not isinstance(vector, np.ndarray) or vector.dtype != np.float32 or vector.ndim != 1:
        raise VectorError("A vector is a one-dimensional float32 array.")
    if vector.shape[0] != dimension:
        raise VectorError(f"A vector here has {dimension} components, this one has {vector.shape[0]}.")
    wide = vector.astype(np.float64)
    # NaN and infinity go through to the length, and no sum of squares of float32 numbers overflows a double.
    length = math.sqrt(np.dot(wide, wide))
    if not math.isfinite(length):
        raise VectorError("A vector holds NaN or infinity.")
    if length == 0.0:
        raise VectorError("A zero vector has no direction.")
    return (wide / length).astype(np.float32)


def check_id(point: object) -> UUID:
    """Ids are UUIDs. Raises :class:`RecordError`."""
    if not isinstance(point, UUID):
        raise RecordError("A point id is a UUID.")
    return point


def check_payload(payload: Mapping[str, object], namespace: Namespace) -> dict[str, Scalar]:
    """The payload, key by key. Raises :class:`RecordError` for keys and values outside the contract, and for a tenant
    or collection tag that names another place."""
    checked: dict[str, Scalar] = {}
    for key, value in payload.items():
        try:
            check_key(key)
        except FilterError as error:
            raise RecordError("A payload key is outside the key grammar.") from error
        checked[key] = _scalar(value)
    for key, tag in tags_of(namespace).items():
        if key in payload and payload[key] != tag:
            raise RecordError("A point is stamped for another tenant or collection than the one it is written to.")
    return checked


def check_score(score: Any) -> float:
    """A score or a distance that a store answered. Raises :class:`BackendError` for one that is not finite: nothing can
    be ranked by it, and it is below every least score and above it."""
    number = float(score)
    if not math.isfinite(number):
        raise BackendError("The store answered a search with a score that is no number.")
    return number


def check_cursor(cursor: str) -> UUID:
    """The id that a cursor names. Raises :class:`QueryError`."""
    try:
        return UUID(cursor)
    except ValueError as error:
        raise QueryError("This cursor was not given by this store.") from error


def _scalar(value: object) -> Scalar:
    # Exact types: a subclass (numpy.float64, an enum of strings) is serialised by the vendor in its own way.
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise RecordError("A payload string is not valid Unicode.") from error
        return value
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise RecordError("A payload integer does not fit in 64 bits.")
    if type(value) is float and not math.isfinite(value):
        raise RecordError("A payload number is not finite.")
    if type(value) is int or type(value) is float or type(value) is bool:
        return value
    raise RecordError("A payload value is a string, number or boolean.")
