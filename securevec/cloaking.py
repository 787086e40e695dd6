"""What a cloak changes on the way to the store and back. Without one, everything passes through as it is.

The collection's embedder rotates what it makes (securevec.embed.cloaked), and :func:`rotated` what callers bring; so
all vectors inside are of one space, in which similarities are the true ones. Noise is put on last, when a point is
sealed, and taken away first, when its body was opened: its seed is the chunk's text, which only the body says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from securevec.body import chunk_view
from securevec.errors import BackendError, VectorError
from securevec.judge import Judged
from securevec.runtime import CollectionScope, Runtime
from securevec.types import Matrix, Vector

FETCH: Final = 5
"""How many times ``k`` a search looks at under noise, to choose by the true similarities."""

T = TypeVar("T")


def rotated(runtime: Runtime, collection: CollectionScope, vectors: Matrix) -> Matrix:
    """Given vectors (one, or rows of length one) in the collection's space. Raises :class:`KeyDestroyed`."""
    cloak = collection.vector_cloak(runtime)
    return cloak.rotate(vectors) if cloak is not None else vectors


def displaced(runtime: Runtime, collection: CollectionScope, vectors: Matrix, texts: Sequence[str]) -> Matrix:
    """Rows as the store is to keep them; ``texts`` are the anonymized texts of their chunks."""
    cloak = collection.vector_cloak(runtime)
    if cloak is None or not cloak.noise:
        return vectors
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return cloak.displace(vectors / lengths, [text.encode() for text in texts])


def undisplaced(runtime: Runtime, collection: CollectionScope, vectors: Matrix, texts: Sequence[str]) -> Matrix:
    """What :func:`displaced` was given, of length one. Raises :class:`BackendError` for vectors that are none."""
    cloak = collection.vector_cloak(runtime)
    if cloak is None or not cloak.noise or not texts:
        return vectors
    if vectors.shape != (len(texts), cloak.dimension):
        raise BackendError("The store answered with a vector that is none.")
    try:
        return cloak.restore(vectors, [text.encode() for text in texts])
    except VectorError as error:
        raise BackendError("The store answered with a vector that is none.") from error


def restored(runtime: Runtime, collection: CollectionScope, accepted: Sequence[Judged]) -> list[Judged]:
    """Judged points with their vectors free of noise, where they carry any; the bodies say what noise that was."""
    made = list(accepted)
    carrying = [number for number, judged in enumerate(accepted) if judged.point.vector is not None]
    if collection.cloak is None or not collection.cloak.noise or not carrying:
        return made
    shape = (collection.embedder.identity.dimension,)
    vectors = [np.asarray(accepted[number].point.vector, dtype=np.float32) for number in carrying]
    if any(vector.shape != shape for vector in vectors):
        raise BackendError("The store answered with a vector that is none.")
    texts = [chunk_view(accepted[number].body, collection.embedded_fields)[0] for number in carrying]
    clean = undisplaced(runtime, collection, np.vstack(vectors), texts)
    for number, vector in zip(carrying, clean, strict=True):
        made[number] = _with_vector(made[number], vector)
    return made


def _with_vector(judged: Judged, vector: Vector) -> Judged:
    return judged._replace(point=replace(judged.point, vector=vector))


def scored_again(
    runtime: Runtime, collection: CollectionScope, asked: Sequence[Vector], whole: Sequence[tuple[Judged, T]]
) -> list[tuple[Judged, T]]:
    """Under noise, the points by their true similarity to the nearest of what is asked, best first; else as given.

    One more read of the store: vectors do not come with an answer. A point that is gone by now is left out.
    """
    if collection.cloak is None or not collection.cloak.noise or not whole:
        return list(whole)
    ids = [judged.point.id for judged, _ in whole]
    points = runtime.backend().fetch(namespace=collection.namespace, ids=ids, with_vectors=True)
    vectors = {point.id: point.vector for point in points if point.vector is not None}
    there = [(judged, beside) for judged, beside in whole if judged.point.id in vectors]
    carrying = [_with_vector(judged, vectors[judged.point.id]) for judged, _ in there]
    directions = [question / float(np.linalg.norm(question)) for question in asked]
    scored: list[tuple[Judged, T]] = []
    for clean, (judged, beside) in zip(restored(runtime, collection, carrying), there, strict=True):
        score = max(float(np.dot(np.asarray(clean.point.vector), direction)) for direction in directions)
        scored.append((judged._replace(point=replace(judged.point, score=score)), beside))
    return sorted(scored, key=lambda pair: -pair[0].point.score)
