"""Vectors the caller brings. Who embeds elsewhere must say what was embedded: a vector of raw text gives it away."""

from __future__ import annotations

import contextlib
import math
from typing import Any, Literal, cast

import numpy as np

from securevec.errors import VectorError
from securevec.guard import admit
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix

VectorsOf = Literal["anonymized_text", "unknown"]


def check_vectors(
    runtime: Runtime, collection: CollectionScope, vectors: Matrix | None, vectors_of: VectorsOf | None
) -> Matrix | None:
    """The given vectors as float32 of shape (rows, dimension), or ``None``.

    Raises :class:`VectorError` (shape, or nothing said of their origin) and :class:`PolicyDenied` (``unknown`` without
    the permission ``unsafe_vectors``; its use is audited).
    """
    if vectors is None:
        return None
    if vectors_of not in ("anonymized_text", "unknown"):
        raise VectorError(
            "Given vectors need to say what they were made of.",
            field="vectors_of",
            next_step='Pass vectors_of="anonymized_text", or "unknown" with the permission unsafe_vectors.',
        )
    if vectors_of == "unknown":
        admit(
            runtime,
            collection.scope,
            permission="unsafe_vectors",
            action="ingest",
            collection=collection.collection,
        ).note(detail={"unsafe_vectors": True})
    matrix = as_vectors(vectors, field="vectors")
    if matrix.ndim != 2 or matrix.shape[1] != collection.embedder.identity.dimension:
        raise VectorError(
            f"Given vectors must have shape (rows, {collection.embedder.identity.dimension}).", field="vectors"
        )
    return matrix


def vector_of(vectors: Matrix, position: int) -> Matrix:
    """The unit vector of one row. Raises :class:`VectorError` when it is absent, not finite or zero."""
    if position >= len(vectors):
        raise VectorError("There is no vector for this row.", field="vectors")
    return unit(vectors[position], field="vectors")


def as_vectors(given: object, *, field: str) -> Matrix:
    """What the caller gave as a float32 array of any shape. Raises :class:`VectorError` for what is not numbers."""
    # Raised outside: numpy's error spells the value that is no number, and would be the context.
    with contextlib.suppress(TypeError, ValueError, OverflowError), np.errstate(over="ignore"):
        if np.iscomplexobj(cast("Any", given)):
            raise TypeError("a part of each would be dropped")
        # Numbers beyond float32 become infinite here, and are refused where each row is looked at.
        return np.asarray(given, dtype=np.float32)
    raise VectorError("Given vectors are arrays of numbers.", field=field)


def unit(vector: Matrix, *, field: str) -> Matrix:
    """The vector at length one. Raises :class:`VectorError` when it is not finite or zero."""
    # In double precision: the square of a large float32 is not a float32.
    wide = vector.astype(np.float64)
    # NaN and infinity go through to the length, and no sum of squares of float32 numbers overflows a double.
    norm = math.sqrt(np.dot(wide, wide))
    if not math.isfinite(norm):
        raise VectorError("A given vector is not finite.", field=field)
    if norm == 0.0:
        raise VectorError("A given vector is zero.", field=field)
    return np.asarray(wide / norm, dtype=np.float32)
