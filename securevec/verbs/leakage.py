"""What the tokens of a collection tell whoever reads the store: equality and frequency, measured.

A keyed token hides a value, and not that two records hold the same one. Somebody who knows how often each value occurs
(a census, last year's copy, the public share of a diagnosis) puts values and tokens in order of frequency and reads
them side by side. How far that goes is a matter of the data, so it is measured on the collection's own.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

from securevec.errors import PolicyDenied
from securevec.guard import admit
from securevec.runtime import CollectionScope, Runtime
from securevec.schema import LISTS, FieldSpec
from securevec.verbs.walk import walk

WEAK: Final = 0.5
"""From this share of values read by their frequency alone a token hides next to nothing."""


@dataclass(frozen=True, slots=True)
class FieldLeakage:
    """What the store sees of one tokenized field, over the live records.

    ``values``: how many are held (each of a list counts). ``distinct``: different tokens. ``entropy_bits``: Shannon's,
    of the distribution. ``top_share``: of the most frequent one. ``readable_share``: of the values that somebody who
    knows every frequency exactly, and has nothing else, is expected to name: one of each group of tokens that occur
    equally often. ``alone``: tokens that occur once.
    """

    field: str
    values: int
    distinct: int
    entropy_bits: float
    top_share: float
    readable_share: float
    alone: int

    @property
    def weak(self) -> bool:
        """Whether tokens hide little here: frequencies alone give half of the values away, or there are too few."""
        return self.values > 0 and (self.readable_share >= WEAK or self.distinct <= 2)  # yes and no


@dataclass(frozen=True, slots=True)
class Leakage:
    """The answer of :func:`leakage`: a line for each field of which the store holds tokens, in declared order."""

    records: int
    fields: tuple[FieldLeakage, ...]
    request_id: str

    @property
    def weak(self) -> tuple[str, ...]:
        """The names of the fields whose tokens hide little."""
        return tuple(field.field for field in self.fields if field.weak)


def tokenized(spec: FieldSpec) -> bool:
    """Whether the store holds tokens of this field's values: a list gives them in either mode."""
    return spec.kind == "filter" and (spec.mode != "clear" or spec.type in LISTS)


def leakage(runtime: Runtime, collection: CollectionScope) -> Leakage:
    """Measure what tokens leak. See :meth:`Collection.leakage`."""
    admission = admit(runtime, collection.scope, permission="count", action="leakage", collection=collection.collection)
    specs = [spec for spec in collection.schema.fields if tokenized(spec)]
    counts: dict[str, Counter[str]] = {spec.name: Counter() for spec in specs}
    records = 0
    with admission.reading():
        if admission.decision.row_filter is not None:
            raise PolicyDenied("The policy narrows what this actor may see, and a measurement leaves nothing out.")
        protector = collection.protector(runtime)
        for sheet in walk(runtime, collection, admission, where=None):
            for judged in sheet.matching:
                records += 1
                for spec in specs:
                    counts[spec.name].update(protector.tokens(spec, judged.body.filters.get(spec.name)))
        admission.recheck()
    found = tuple(measured(name, counted) for name, counted in counts.items())
    admission.note(counts={"records": records, "fields": len(found)})
    return Leakage(records, found, admission.request_id)


def measured(field: str, counts: Counter[str]) -> FieldLeakage:
    """The figures of one field, from how often each token occurs."""
    total = counts.total()
    if not total:
        return FieldLeakage(field, 0, 0, 0.0, 0.0, 0.0, 0)
    entropy = -sum(count / total * math.log2(count / total) for count in counts.values())
    # Tokens that occur equally often cannot be told apart: put in any order, one of them is expected to be right.
    readable = sum(set(counts.values()))
    alone = sum(count == 1 for count in counts.values())
    return FieldLeakage(field, total, len(counts), entropy + 0.0, max(counts.values()) / total, readable / total, alone)
