"""Searching for hits that answer the question and not each other: maximal marginal relevance.

Carbonell and Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998. The candidates are the judged hits of
an ordinary search; the vectors they are compared by are read from the store by the hits' own point ids. So a store can
spoil the order of what belongs here, and nothing that does not belong here can enter.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import numpy as np

from securevec.errors import BackendError, QueryError, VectorError
from securevec.filters import Expr
from securevec.guard import admit
from securevec.reading.cloaking import restored
from securevec.reading.hits import SearchResult
from securevec.reading.judge import judge
from securevec.reading.narrow import Narrow
from securevec.reading.question import Question, check_k, question_of
from securevec.schema import Record
from securevec.search import OVERTAKEN_TWICE, Answer, answer, deliver, looked_at_again
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix, StoredPoint, Vector
from securevec.vectors import unit

R = TypeVar("R", bound=Record)


def search_diverse(
    runtime: Runtime,
    collection: CollectionScope,
    text: str | None,
    *,
    record_class: type[R],
    where: Expr | None,
    k: int,
    fetch: int,
    balance: float,
    vector: Vector | None,
) -> SearchResult[R]:
    """``k`` records out of the ``fetch`` nearest. See :meth:`Collection.search_diverse`."""
    k = check_k(k)
    fetch = check_k(fetch)
    if fetch < k:
        raise QueryError("fetch is at least k: the hits are chosen among so many.")
    weight = _weight(balance)
    admission = admit(runtime, collection.scope, permission="search", action="search", collection=collection.collection)
    with admission.reading():
        question = question_of(runtime, collection, admission, text, vector, where)

        def ask(_: int) -> Answer[R]:
            again = OVERTAKEN_TWICE
            while True:
                found = answer(runtime, collection, question, fetch, Narrow(by_record=True), record_class)
                vectors = _true_vectors(runtime, collection, [hit.point for hit in found.hits])
                # A record that was replaced since has no vector any more where it was found.
                if again and any(hit.point not in vectors for hit in found.hits):
                    again -= 1
                    continue
                return _chosen(question, found, vectors, k=k, balance=weight)

        (picked,) = looked_at_again(runtime, collection, [ask(0)], ask)
        picked = replace(picked, complete=len(picked.hits) == k or picked.complete)
        admission.recheck()
    return deliver(runtime, collection, admission, question, picked)


def _chosen(
    question: Question, found: Answer[R], vectors: Mapping[UUID, Vector], *, k: int, balance: float
) -> Answer[R]:
    """``k`` of the hits that have a vector."""
    whole = [number for number, hit in enumerate(found.hits) if hit.point in vectors]
    rows = (
        np.vstack([vectors[found.hits[number].point] for number in whole])
        if whole
        else np.empty((0, 0), dtype=np.float32)
    )
    asked = np.vstack([wording.vector for wording in question.wordings])
    chosen = [whole[number] for number in choose(asked, rows, k=k, balance=balance)]
    return replace(found, hits=[found.hits[each] for each in chosen], refs=[found.refs[each] for each in chosen])


def choose(asked: Matrix, candidates: Matrix, *, k: int, balance: float) -> list[int]:
    """Row numbers, best first: each the one whose ``balance * likeness to the question - (1 - balance) * likeness to
    what was chosen before`` is highest. Likeness is the dot product, with the nearest row of ``asked``; rows are of
    length one. Pure."""
    if not len(candidates):
        return []
    likeness = (candidates @ asked.T).max(axis=1)
    chosen = [int(np.argmax(likeness))]
    nearest = candidates @ candidates[chosen[0]]
    while len(chosen) < min(k, len(candidates)):
        worth = balance * likeness - (1 - balance) * nearest
        worth[chosen] = -np.inf
        chosen.append(int(np.argmax(worth)))
        nearest = np.maximum(nearest, candidates @ candidates[chosen[-1]])
    return chosen


def _weight(balance: object) -> float:
    if not isinstance(balance, int | float) or isinstance(balance, bool) or not 0 <= balance <= 1:
        raise QueryError("balance is a number from 0 (unlike each other) to 1 (like the question).")
    return float(balance)


def _true_vectors(runtime: Runtime, collection: CollectionScope, ids: Sequence[UUID]) -> dict[UUID, Vector]:
    """The vectors of these points as the model made them, at length one. Under a cloak the bodies are opened again:
    they say how it is taken off."""
    found = _vectors(runtime, collection, ids)
    if collection.cloak is not None:
        accepted = judge(runtime, collection, list(found.values()), where=None).accepted
        found = {judged.point.id: judged.point for judged in restored(runtime, collection, accepted)}
    return {point: np.asarray(held.vector, dtype=np.float32) for point, held in found.items()}


def _vectors(runtime: Runtime, collection: CollectionScope, ids: Sequence[UUID]) -> dict[UUID, StoredPoint]:
    """These points with vectors of length one. Raises :class:`BackendError` for one that is none."""
    if not ids:
        return {}
    wanted, shape = set(ids), (collection.embedder.identity.dimension,)
    found: dict[UUID, StoredPoint] = {}
    failure: BackendError | None = None
    for point in runtime.backend().fetch(namespace=collection.namespace, ids=list(ids), with_vectors=True):
        if point.id not in wanted or point.vector is None:
            continue
        with contextlib.suppress(VectorError, TypeError, ValueError):
            vector = np.asarray(point.vector, dtype=np.float32)
            if vector.shape == shape:
                found[point.id] = replace(point, vector=unit(vector, field="vector"))
                continue
        failure = BackendError("The store answered with a vector that is none.")
    if failure is not None:
        raise failure
    return found
