"""What a cloak would do for one collection, measured on its own vectors: recall, cost, and who is identified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from securevec.crypto.cloak import Cloak
from securevec.errors import BackendError, PolicyDenied, QueryError, UsageError
from securevec.guard import Admission, admit
from securevec.points.body import chunk_view
from securevec.reading.cloaking import with_vectors
from securevec.reading.judge import Judged
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix
from securevec.vectors import unit
from securevec.verbs.cloak_figures import CloakFigures, measure
from securevec.verbs.walk import STEP, walk

SAMPLE: Final = 2000
"""Records measured at most: every pair of them is compared."""
LEAST: Final = 100
"""Fewer say nothing about who is found among them."""
STRENGTHS: Final = (0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class CloakReport:
    """The figures of each strength on the first chunks of ``records`` live records, and the collection's own cloak.

    Every strength is measured, under a key that is made for it and thrown away: no key of the collection tells more.
    """

    cloak: Cloak | None
    records: int
    dimension: int
    figures: tuple[CloakFigures, ...]
    request_id: str


def cloak_report(runtime: Runtime, collection: CollectionScope, *, sample: int = SAMPLE) -> CloakReport:
    """Measure cloaks. See :meth:`Collection.cloak_report`."""
    if type(sample) is not int or not LEAST <= sample <= SAMPLE:
        raise QueryError(f"sample is a whole number from {LEAST} to {SAMPLE}.")
    admission = admit(
        runtime, collection.scope, permission="count", action="cloak.report", collection=collection.collection
    )
    with admission.reading():
        if admission.decision.row_filter is not None:
            raise PolicyDenied("The policy narrows what this actor may see, and a measurement leaves nothing out.")
        judged = _first_records(runtime, collection, admission, sample)
        if len(judged) < LEAST:
            raise UsageError(
                f"A cloak is measured on at least {LEAST} records.",
                next_step="Ingest more of them, then measure again.",
            )
        texts = [chunk_view(each.body, collection.embedded_fields)[0] for each in judged]
        vectors = _true_vectors(runtime, collection, judged)
        own = collection.cloak.noise if collection.cloak is not None else 0.0
        strengths = sorted({*STRENGTHS, own})
        figures = tuple(measure(vectors, texts, strength) for strength in strengths)
        admission.recheck()
    admission.note(counts={"records": len(judged)})
    return CloakReport(collection.cloak, len(judged), vectors.shape[1], figures, admission.request_id)


def _first_records(runtime: Runtime, collection: CollectionScope, admission: Admission, sample: int) -> list[Judged]:
    """The first chunks of up to ``sample`` records, in the order of their refs, which is a random one."""
    found: list[Judged] = []
    for sheet in walk(runtime, collection, admission, where=None):
        found += sheet.matching
        if len(found) >= sample:
            break
    return found[:sample]


def _true_vectors(runtime: Runtime, collection: CollectionScope, judged: Sequence[Judged]) -> Matrix:
    """The vectors the model made of these points, out of the stored ones; rows of length one."""
    pairs = [(each, None) for each in judged]
    clean = [
        each
        for at in range(0, len(pairs), STEP)
        for each, _ in with_vectors(runtime, collection, pairs[at : at + STEP])
    ]
    vectors = [np.asarray(each.point.vector, dtype=np.float32) for each in clean]
    shape = (collection.embedder.identity.dimension,)
    if len(clean) < len(judged) or any(vector.shape != shape for vector in vectors):
        raise BackendError("The store does not show a vector that it keeps.", next_step="Run it again; verify T/C.")
    return np.vstack([unit(vector, field="vector") for vector in vectors])
