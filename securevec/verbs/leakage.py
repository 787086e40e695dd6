"""What the tokens of a collection tell whoever reads the store: equality and frequency, measured.

A keyed token hides a value, and not that two records hold the same one. Somebody who knows how often each value occurs
(a census, last year's copy, the public share of a diagnosis) puts values and tokens in order of frequency and reads
them side by side. How far that goes is a matter of the data, so it is measured on the collection's own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from securevec.errors import PolicyDenied
from securevec.guard import admit
from securevec.points.leaking import FieldLeakage, measured, tokenized
from securevec.state.runtime import CollectionScope, Runtime
from securevec.verbs.walk import walk


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
