"""Reading several records by their ids: one decision, one look at the manifest, one record in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from securevec import limits
from securevec.errors import LimitExceeded, RecordError
from securevec.filters import matches
from securevec.guard import admit
from securevec.points.body import RecordId
from securevec.reading.hits import record_of
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.verbs.walk import condition, open_records, still_live

R = TypeVar("R", bound=Record)


def get_many(
    runtime: Runtime, collection: CollectionScope, record_ids: Sequence[RecordId], *, record_class: type[R]
) -> list[R]:
    """The records of these ids that there are, each once. See :meth:`Collection.get_many`."""
    if isinstance(record_ids, str | bytes | bytearray | memoryview) or not isinstance(record_ids, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise RecordError("Several records are named by a list of ids.")
    if len(record_ids) > limits.MAX_PAGE:
        raise LimitExceeded(f"At most {limits.MAX_PAGE} records are read at once.", field="record_ids")
    admission = admit(runtime, collection.scope, permission="get", action="get", collection=collection.collection)
    with admission.reading():
        judged_by = condition(runtime, collection, None, admission.decision.row_filter)
        refs = list(dict.fromkeys(collection.record_ref(runtime, record_id) for record_id in record_ids))
        opened, violations = open_records(runtime, collection, refs)
        found = [
            opened[ref]
            for ref in refs
            if ref in opened and (judged_by is None or matches(judged_by, opened[ref].body.filters))
        ]
        kept = still_live(runtime, collection, found, where=judged_by)
        records = [record_of(collection, judged.body, record_class) for judged in kept]
        admission.recheck()
    admission.note(
        counts={"records": len(records), "violations": violations}, record_ids=[judged.ref for judged in kept]
    )
    return records
