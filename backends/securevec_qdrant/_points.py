"""How both Qdrant adapters write a payload down.

Two values are stored in another shape than they are handed in, to keep filters exact:

* A boolean at ``key`` is stored at ``key-bool`` as ``"true"`` or ``"false"``. The embedded engine's Python binding
  sends a boolean condition as the integer 1, and local mode compares by Python's ``1 == True``. ``-`` is outside the
  key grammar, so the name cannot collide.
* A whole float of 2^53 or more that fits in 64 bits is stored as the equal integer, so that equality beyond the exact
  range of a double is decided between integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import numpy as np

from securevec.types import Namespace, Scalar, Terms
from securevec_adapters.points import TAGS, check_payload

BOOL_SUFFIX: Final = "-bool"
EXACT: Final = 2**53
"""Integers below this in magnitude are exact in an IEEE 754 double."""


TERMS: Final = "terms"
"""Name of the sparse vector."""


def split_vector(vector: object) -> tuple[list[float], Terms | None]:
    """The vector and the terms of what an engine answers: a list, or both by their names."""
    if not isinstance(vector, dict):
        return cast("list[float]", vector), None
    named = cast("dict[str, Any]", vector)
    held = named.get(TERMS)
    if held is None:
        return cast("list[float]", named[""]), None
    indices, weights = np.array(held.indices, dtype=np.uint32), np.array(held.values, dtype=np.float32)
    order = np.argsort(indices)
    return cast("list[float]", named[""]), Terms(indices[order], weights[order])


def encode_payload(payload: Mapping[str, object], namespace: Namespace, *, tagged: bool = True) -> dict[str, Scalar]:
    """The payload as the engine stores it, with or without the two tags. Raises :class:`RecordError` for what is
    outside the contract."""
    stored: dict[str, Scalar] = {}
    for key, value in check_payload(payload, namespace).items():
        if key in TAGS and not tagged:
            continue
        if isinstance(value, bool):
            stored[key + BOOL_SUFFIX] = "true" if value else "false"
        elif isinstance(value, float) and abs(value) >= EXACT and -(2.0**63) <= value < 2.0**63:
            stored[key] = int(value)
        else:
            stored[key] = value
    return stored


def decode_payload(stored: Mapping[str, object] | None) -> dict[str, object]:
    """What :func:`encode_payload` was given. Anything else in the store is returned as it is: readers trust none of
    it.
    """
    payload = dict(stored or {})
    for key in [key for key in payload if "-" in key and key.endswith(BOOL_SUFFIX)]:
        if payload[key] in ("true", "false"):
            payload[key.removesuffix(BOOL_SUFFIX)] = payload.pop(key) == "true"
    return payload
