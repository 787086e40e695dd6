"""What both Qdrant adapters check before an engine sees a point, and how a payload is written down.

The engines accept far too much (measured on 0.9): NaN and infinite vectors that never surface again, ``bytes`` that
become lists of integers, integers beyond 64 bits that become floats. So everything is checked here first.

Two values are stored in another shape than they are handed in, both to keep filters exact:

* A boolean at ``key`` is stored at ``key-bool`` as ``"true"`` or ``"false"``. The embedded engine's Python binding
  sends a boolean condition as the integer 1, and local mode compares by Python's ``1 == True``. ``-`` is outside the
  key grammar, so the name cannot collide.
* A whole float of 2^53 or more that fits in 64 bits is stored as the equal integer, so that equality beyond the exact
  range of a double is decided between integers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from securevec.errors import BackendError, FilterError, RecordError, VectorError
from securevec.filters import check_key
from securevec.types import Namespace, Scalar

BOOL_SUFFIX: Final = "-bool"
EXACT: Final = 2**53
"""Integers below this in magnitude are exact in an IEEE 754 double."""

_HEX32 = re.compile(r"[0-9a-f]{32}\Z")
_TAGS: Final = ("t", "c")


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
    if not bool(np.isfinite(wide).all()):
        raise VectorError("A vector holds NaN or infinity.")
    length = float(np.linalg.norm(wide))
    if length == 0.0:
        raise VectorError("A zero vector has no direction.")
    return (wide / length).astype(np.float32)


def check_id(point: object) -> UUID:
    """Ids are UUIDs. Raises :class:`RecordError`."""
    if not isinstance(point, UUID):
        raise RecordError("A point id is a UUID.")
    return point


def encode_payload(payload: Mapping[str, object], namespace: Namespace) -> dict[str, Scalar]:
    """The payload as the engine stores it. Raises :class:`RecordError` for keys and values outside the contract,
    and for a tenant or collection tag that names another place."""
    stored: dict[str, Scalar] = {}
    for key, value in payload.items():
        try:
            check_key(key)
        except FilterError as error:
            raise RecordError("A payload key is outside the key grammar.") from error
        if type(value) is bool:
            stored[key + BOOL_SUFFIX] = "true" if value else "false"
        else:
            stored[key] = _scalar(value)
    for key, tag in zip(_TAGS, (namespace.tenant_tag, namespace.collection_tag), strict=True):
        if key in payload and payload[key] != tag:
            raise RecordError("A point is stamped for another tenant or collection than the one it is written to.")
    return stored


def decode_payload(stored: Mapping[str, object] | None) -> dict[str, object]:
    """What :func:`encode_payload` was given. Anything else in the store is returned as it is: readers trust none of
    it.
    """
    payload: dict[str, object] = {}
    for key, value in (stored or {}).items():
        if key.endswith(BOOL_SUFFIX) and value in ("true", "false"):
            payload[key.removesuffix(BOOL_SUFFIX)] = value == "true"
        else:
            payload[key] = value
    return payload


def _scalar(value: object) -> Scalar:
    # Exact types: a subclass (numpy.float64, an enum of strings) is serialised by the vendor in its own way.
    if type(value) is int:
        if not -(2**63) <= value < 2**63:
            raise RecordError("A payload integer does not fit in 64 bits.")
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise RecordError("A payload number is not finite.")
        if abs(value) >= EXACT and -(2.0**63) <= value < 2.0**63:
            return int(value)
        return value
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise RecordError("A payload string is not valid Unicode.") from error
        return value
    raise RecordError("A payload value is a string, number or boolean.")
