"""Searching with a record instead of a text: by the vectors its chunks are stored with."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from securevec.errors import RecordNotFound
from securevec.filters import Expr, matches
from securevec.guard import admit
from securevec.points.body import RecordId
from securevec.reading.hits import SearchResult
from securevec.reading.narrow import Narrow
from securevec.reading.question import Question, check_k, conditions
from securevec.schema import Record
from securevec.search import answer, deliver
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Vector
from securevec.vectors import unit
from securevec.writing.stored import Stored, load_live

R = TypeVar("R", bound=Record)

_ALMOST_ZERO: Final = 1e-6
"""Length of a mean of unit vectors that has no direction worth following."""


def search_like(
    runtime: Runtime,
    collection: CollectionScope,
    record_id: RecordId,
    *,
    record_class: type[R],
    where: Expr | None,
    k: int,
    narrow: Narrow,
) -> SearchResult[R]:
    """The ``k`` chunks nearest to a record, its own left out. See :meth:`Collection.search`."""
    k = check_k(k)
    admission = admit(runtime, collection.scope, permission="search", action="search", collection=collection.collection)
    row_filter = admission.decision.row_filter
    with admission.reading():
        ref = collection.record_ref(runtime, record_id)
        judged_on, hint = conditions(runtime, collection, admission, where)
        record = load_live(runtime, collection, ref, with_vaults=False)
        if row_filter is not None and not matches(row_filter, record.body.filters):
            raise RecordNotFound("The collection has no such record.")
        question = Question(_direction(record), judged_on, hint, ref, {})
        others = replace(narrow, exclude=ref, ahead=len(record.chunks))
        found = answer(runtime, collection, question, k, others, record_class)
        admission.recheck()
    return deliver(runtime, collection, admission, question, found)


def _direction(record: Stored) -> Vector:
    """The mean of the chunks' unit vectors; that of the first chunk where they cancel out."""
    vectors = np.vstack([unit(np.asarray(vector), field="like") for vector in record.vectors])
    mean = vectors.mean(axis=0, dtype=np.float64)
    if float(np.linalg.norm(mean)) < _ALMOST_ZERO:
        mean = vectors[0].astype(np.float64)
    return unit(mean.astype(np.float32), field="like")
