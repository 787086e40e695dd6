"""How broadly a vector index has to be looked through for the right answers, measured on the shard it belongs to.

What is broad enough depends on the vectors: where they lie in clusters, 64 candidates find the ten nearest; where they
have nothing to do with each other, 2,000 do not. So whoever has built an index asks it what can be known exactly: the
neighbours of points between stored ones, once by the scan and once by the index. Where no breadth answers as
the scan does, or none that does is quicker, the scan stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, cast
from uuid import UUID, uuid4

import numpy as np
from qdrant_edge import EdgeShard, Query, QueryRequest, ScrollRequest, SearchParams

from securevec.types import Matrix
from securevec_qdrant._points import split_vector

BREADTHS: Final = (128, 256, 512, 1024)
RIGHT: Final = 0.995
"""Share of the nearest that an index has to find: of the measured points, which are harder than questions are."""
SOONER: Final = 0.75
"""Share of the scan's time that a search by the index may take."""
_ASKED: Final = 100
_NEAREST: Final = 10
_WAY: Final = 0.4
"""Up to a third such points are found more easily than real questions, at a half much harder (docs/adr/0051)."""
_DRAWS: Final = 32
"""Places at which stored points are taken, a few neighbours by id at each: ids say nothing of vectors."""
_AT_ONCE: Final = 8


def measured_breadth(engine: EdgeShard) -> int:
    """The least of :data:`BREADTHS` that is right and quick; 0 where none is."""
    questions = _between(_drawn(engine))
    if not len(questions):
        return 0
    exact, scan = _answers(engine, questions, SearchParams(exact=True))
    for breadth in BREADTHS:
        found, took = _answers(engine, questions, SearchParams(hnsw_ef=breadth))
        if took > SOONER * scan:
            return 0
        hits = sum(len(one & other) for one, other in zip(exact, found, strict=True))
        if hits >= RIGHT * sum(map(len, exact)):
            return breadth
    return 0


def _answers(engine: EdgeShard, questions: Matrix, params: SearchParams) -> tuple[list[set[object]], float]:
    """The nearest of each, and the median of the processor time one took, in seconds: the first ones read files."""
    answers: list[set[object]] = []
    times: list[float] = []
    for question in questions:
        request = QueryRequest(
            limit=_NEAREST, query=Query.Nearest(question.tolist()), params=params, with_payload=False
        )
        began = time.process_time()
        found = engine.query(request)
        times.append(time.process_time() - began)
        answers.append({point.id for point in found})
    return answers, float(np.median(times))


def _between(stored: Matrix) -> Matrix:
    """Points on the way from one stored vector to another: near none of the two, as a question is."""
    if len(stored) < 2:
        return stored[:0]
    one, other = np.random.default_rng().integers(0, len(stored), (2, _ASKED))
    mixed = stored[one] * (1 - _WAY) + stored[other] * _WAY
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    return cast("Matrix", (mixed / lengths).astype(np.float32)[lengths[:, 0] > 0])


def _drawn(engine: EdgeShard) -> Matrix:
    """Stored vectors, taken at random ids."""
    found: dict[object, list[float]] = {}
    for start in _starts():
        points, _ = engine.scroll(ScrollRequest(offset=start, limit=_AT_ONCE, with_payload=False, with_vector=True))
        found |= {point.id: split_vector(point.vector)[0] for point in points}
    return np.asarray(list(found.values()), dtype=np.float32)


def _starts() -> Iterator[UUID | None]:
    """Random ids, and the first one there is: a store whose ids are not spread has something too."""
    yield None
    for _ in range(_DRAWS):
        yield uuid4()
