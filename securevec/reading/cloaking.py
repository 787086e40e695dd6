"""What a cloak changes on the way to the store and back. Without one, everything passes through as it is.

All vectors inside are those the model made, or callers brought: a cloak is put on last, when a point is sealed, and
taken away first, when its body was opened. The body says under which version of the key its vector is, and the chunk's
text, which only the body says, is the seed of the noise. So nothing but this knows that there may be two versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from securevec.crypto.cloak import VectorCloak
from securevec.embed.wrapped import WrappedEmbedder
from securevec.errors import BackendError
from securevec.keys.cloaks import Cloaks
from securevec.points.body import chunk_view
from securevec.reading.judge import Judged
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix, Vector

FETCH: Final = 5
"""How many times ``k`` a search looks at under noise, to choose by the true similarities."""

_SHORTEST: Final = 0.01
_LONGEST: Final = 100.0
"""Of the square of a stored vector's length. It is one but for noise, as every store is given it; and far from one it
has no likeness to anything that float32 could hold. What is not finite is in no range."""

T = TypeVar("T")


def cloaked(runtime: Runtime, collection: CollectionScope, vectors: Matrix, texts: Sequence[str]) -> tuple[Matrix, int]:
    """Rows as the store is to keep them, and the version of the cloak key they are under (1 without a cloak).

    ``texts`` are the anonymized texts of their chunks. Called when their batch was announced: who exchanges the key
    waits for batches that were announced before. Raises :class:`KeyDestroyed`.
    """
    cloaks = collection.cloaks(runtime)
    return (vectors, 1) if cloaks is None else (put_on(cloaks.newest, vectors, texts), cloaks.version)


def put_on(cloak: VectorCloak, vectors: Matrix, texts: Sequence[str]) -> Matrix:
    """The rows under this cloak."""
    turned = cloak.rotate(vectors)
    if not cloak.noise:
        return turned
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    return cloak.displace(turned / lengths, [text.encode() for text in texts])


def taken_off(cloak: VectorCloak, vectors: Matrix, texts: Sequence[str]) -> Matrix:
    """What :func:`put_on` was given, under noise at length one. Raises :class:`VectorError` for rows that are none."""
    clean = cloak.restore(vectors, [text.encode() for text in texts]) if cloak.noise else vectors
    return cloak.rotate_back(clean)


def uncloaked(
    cloaks: Cloaks, dimension: int, vectors: Sequence[Vector], texts: Sequence[str], versions: Sequence[int]
) -> list[Vector]:
    """The true vectors of stored ones, each with its chunk's text and the version its body says.

    Raises :class:`BackendError` for vectors that are none, and :class:`KeyRejected` for a version without a key.
    """
    rows = _rows(dimension, vectors)
    for version, places in _by_version(versions).items():
        clean = taken_off(cloaks.of(version), np.vstack([rows[at] for at in places]), [texts[at] for at in places])
        for at, row in zip(places, clean, strict=True):
            rows[at] = row
    return rows


def _rows(dimension: int, vectors: Sequence[Vector]) -> list[Vector]:
    """Raises :class:`BackendError` for what is no vector of the model's: what a store answers may be anything."""
    try:
        rows = [np.asarray(vector, dtype=np.float32) for vector in vectors]
    except (TypeError, ValueError) as error:
        raise BackendError("The store answered with a vector that is none.") from error
    if any(row.shape != (dimension,) or not _SHORTEST <= _square(row) <= _LONGEST for row in rows):
        raise BackendError("The store answered with a vector that is none.")
    return rows


def _square(row: Vector) -> float:
    wide = row.astype(np.float64)
    return float(np.dot(wide, wide))


def _by_version(versions: Sequence[int]) -> dict[int, list[int]]:
    under: dict[int, list[int]] = defaultdict(list)
    for at, version in enumerate(versions):
        under[version].append(at)
    return under


def restored(runtime: Runtime, collection: CollectionScope, accepted: Sequence[Judged]) -> list[Judged]:
    """Judged points with their true vectors, where they carry any. Raises :class:`BackendError` for a vector that is
    none."""
    made = list(accepted)
    carrying = [number for number, judged in enumerate(accepted) if judged.point.vector is not None]
    if not carrying:
        return made
    cloaks, embedder = collection.cloaks(runtime), collection.embedder
    dimension = embedder.dimension if isinstance(embedder, WrappedEmbedder) else embedder.identity.dimension
    held = [accepted[number] for number in carrying]
    vectors = [judged.point.vector for judged in held if judged.point.vector is not None]
    if cloaks is None:
        clean = _rows(dimension, vectors)
    else:
        texts = [chunk_view(judged.body, collection.embedded_fields)[0] for judged in held]
        clean = uncloaked(cloaks, dimension, vectors, texts, [judged.body.cloak for judged in held])
    for number, vector in zip(carrying, clean, strict=True):
        made[number] = _with_vector(made[number], vector)
    return made


def with_vectors(
    runtime: Runtime, collection: CollectionScope, whole: Sequence[tuple[Judged, T]]
) -> list[tuple[Judged, T]]:
    """Points with their true vectors and their terms. A point that is gone by now is left out."""
    there = _as_stored(runtime, collection, whole)
    clean = restored(runtime, collection, [judged for judged, _ in there])
    return [(judged, beside) for judged, (_, beside) in zip(clean, there, strict=True)]


def _as_stored(
    runtime: Runtime, collection: CollectionScope, whole: Sequence[tuple[Judged, T]]
) -> list[tuple[Judged, T]]:
    """Points with vectors and terms as they are stored: one more read of the store, since neither comes with an
    answer."""
    ids = [judged.point.id for judged, _ in whole]
    points = runtime.backend().fetch(namespace=collection.namespace, ids=ids, with_vectors=True)
    held = {point.id: point for point in points if point.vector is not None}
    return [
        (judged._replace(point=replace(judged.point, vector=found.vector, terms=found.terms)), beside)
        for judged, beside in whole
        if (found := held.get(judged.point.id)) is not None
    ]


def scored_again(
    runtime: Runtime, collection: CollectionScope, asked: Sequence[Vector], whole: Sequence[tuple[Judged, T]]
) -> list[tuple[Judged, T]]:
    """Under noise, the points by their true similarity to the nearest of what is asked, best first; else as given.

    What is asked is turned under each cloak, rather than every point turned back: that is one vector for fifty.
    """
    cloaks = collection.cloaks(runtime) if collection.cloak is not None and collection.cloak.noise else None
    if cloaks is None or not whole:
        return list(whole)
    there = _as_stored(runtime, collection, whole)
    rows = _rows(
        collection.embedder.identity.dimension,
        [judged.point.vector for judged, _ in there if judged.point.vector is not None],
    )
    directions: Matrix = np.asarray([each / np.linalg.norm(each) for each in asked], dtype=np.float32)
    scored: list[tuple[Judged, T]] = []
    for version, places in _by_version([judged.body.cloak for judged, _ in there]).items():
        cloak = cloaks.of(version)
        seeds = [chunk_view(there[at][0].body, collection.embedded_fields)[0].encode() for at in places]
        clean = cloak.restore(np.vstack([rows[at] for at in places]), seeds)
        scores = (clean @ cloak.rotate(directions).T).max(axis=1)
        for at, score in zip(places, scores, strict=True):
            judged, beside = there[at]
            scored.append((_with_score(judged, float(score)), beside))
    return sorted(scored, key=lambda pair: -pair[0].point.score)


def likeness(vector: Vector | None, question: Vector) -> float:
    """The cosine of a true vector and what is asked, whose lengths are one up to what a store and a caller made of
    them."""
    held = np.asarray(vector, dtype=np.float32)
    lengths = float(np.linalg.norm(question)) * float(np.linalg.norm(held))
    return float(np.dot(held, question)) / lengths if lengths else 0.0


def _with_vector(judged: Judged, vector: Vector) -> Judged:
    return judged._replace(point=replace(judged.point, vector=vector))


def _with_score(judged: Judged, score: float) -> Judged:
    return judged._replace(point=replace(judged.point, score=score))
