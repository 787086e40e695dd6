"""A question put to the store: once, or once under each version of the collection's cloak while its key is exchanged.

Vectors under two versions have nothing to do with each other, so each version is asked with a vector of its own, and
only for points that say they are under it. A record moves from the older version to the newer and never back; the older
is asked first, so a record that moves in between is met at least once. What a point says is a hint: its sealed body
decides (``Shown.in_place``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from securevec.backend import HYBRID_DEPTH, RRF_K
from securevec.crypto.cloak import VectorCloak
from securevec.filters import Compare, Exists, Expr, Not, all_of
from securevec.keys.cloaks import Cloaks
from securevec.points.protect import CLOAK_KEY
from securevec.reading.cloaking import likeness, with_vectors
from securevec.reading.judge import Judged
from securevec.reading.narrow import Narrow
from securevec.reading.question import Hint, Question, words_of
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import StoredPoint, Terms, Vector


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """What the store answered: for each version of the cloak (0 without one) and each wording of the question a list of
    at most ``limit`` points, best first. ``nearest`` has each point once, with the version it was asked by."""

    lists: Sequence[tuple[int, Sequence[StoredPoint]]]
    limit: int
    nearest: dict[UUID, tuple[StoredPoint, int]]

    @classmethod
    def of(cls, lists: Sequence[tuple[int, Sequence[StoredPoint]]], limit: int) -> Shown:
        """Each point by its highest score."""
        if len(lists) == 1:
            ((version, points),) = lists
            alone: dict[UUID, tuple[StoredPoint, int]] = {}
            for point in points:
                alone.setdefault(point.id, (point, version))
            return cls(lists, limit, alone)
        found = [(point, version) for version, points in lists for point in points]
        if found:
            found.sort(key=lambda each: -each[0].score)
        nearest: dict[UUID, tuple[StoredPoint, int]] = {}
        for point, version in found:
            nearest.setdefault(point.id, (point, version))
        return cls(lists, limit, nearest)

    @property
    def points(self) -> list[StoredPoint]:
        """All of them, each once, best first."""
        return [point for point, _ in self.nearest.values()]

    def in_place(self, accepted: Sequence[Judged]) -> tuple[list[Judged], int]:
        """The points whose vectors really are under the version they were asked by, and how many others the store
        passed off as such: what it says of their likeness is chance."""
        kept = [judged for judged in accepted if self.nearest[judged.point.id][1] in (0, judged.body.cloak)]
        return kept, len(accepted) - len(kept)

    def exhausted(self, narrow: Narrow, cloaks: Cloaks | None) -> bool:
        """Whether the store has nothing more to show that counts."""
        noisy = cloaks.newest if cloaks is not None and cloaks.newest.noise else None
        return all(len(points) < self.limit or narrow.ended(points, noisy) for _, points in self.lists)


def ask(
    runtime: Runtime,
    collection: CollectionScope,
    question: Question,
    hint: Hint,
    pushed: Expr | None,
    cloaks: Cloaks | None,
    *,
    limit: int,
) -> Shown:
    """The store's answers to each wording of the question, of ``limit`` points at most, under each cloak."""
    backend = runtime.backend()
    under: Sequence[tuple[int, VectorCloak | None]] = [(0, None)] if cloaks is None else cloaks.versions
    if cloaks is not None and ranked_again(question, cloaks):
        limit = 2 * max(limit, HYBRID_DEPTH)
    lists: list[tuple[int, Sequence[StoredPoint]]] = []
    for version, cloak in under:
        where = _under(pushed, version) if len(under) > 1 else pushed
        for vector, words in question.wordings:
            found = backend.query(
                namespace=collection.namespace,
                vector=vector if cloak is None else cloak.rotate(vector),
                where=where,
                limit=limit,
                exclude=("v",) if collection.vault else (),
                terms=None if words is None or hint.keys is None else words_of(collection, words, hint.keys),
            )
            lists.append((version, found))
    return Shown.of(lists, limit)


def ranked_again(question: Question, cloaks: Cloaks) -> bool:
    """Whether both lists of a hybrid search are made again of what the store holds: a place in a part is none in the
    whole, and a place by displaced vectors is none by those that the model made."""
    return question.words is not None and (len(cloaks.versions) > 1 or bool(cloaks.newest.noise))


def fused(
    runtime: Runtime,
    collection: CollectionScope,
    question: Question,
    hint: Hint,
    accepted: Sequence[Judged],
    *,
    limit: int,
) -> list[Judged]:
    """The best of points that several questions found, by the rule of hybrid search (:mod:`securevec.backend`, rule 7),
    each by the wording it stands higher for."""
    held = [judged for judged, _ in with_vectors(runtime, collection, [(each, None) for each in accepted])]
    best = [0.0] * len(held)
    for vector, words in question.wordings:
        if words is not None and hint.keys is not None:
            terms = words_of(collection, words, hint.keys)
            best = list(map(max, best, _fused(held, vector, terms, max(limit, HYBRID_DEPTH))))
    order = sorted((at for at in range(len(held)) if best[at]), key=lambda at: -best[at])[:limit]
    return [held[at]._replace(point=replace(held[at].point, score=best[at])) for at in order]


def _fused(held: Sequence[Judged], vector: Vector, terms: Terms, depth: int) -> list[float]:
    scores = [0.0] * len(held)
    near = [likeness(judged.point.vector, vector) for judged in held]
    worded = [_product(judged.point.terms, terms) for judged in held]
    for list_of, least in ((near, -np.inf), (worded, 0.0)):
        ranked = sorted((at for at in range(len(held)) if list_of[at] > least), key=lambda at: -list_of[at])
        for place, at in enumerate(ranked[:depth]):
            scores[at] += 1.0 / (RRF_K + place)
    return scores


def _product(stored: Terms | None, asked: Terms) -> float:
    if stored is None:
        return 0.0
    _, here, there = np.intersect1d(stored.indices, asked.indices, assume_unique=True, return_indices=True)
    return float(stored.weights[here] @ asked.weights[there])


def _under(pushed: Expr | None, version: int) -> Expr:
    """The filter, of points under this version."""
    told = Compare(CLOAK_KEY, "eq", version) if version > 1 else Not(Exists(CLOAK_KEY))
    return told if pushed is None else all_of([pushed, told])
