"""How many, and whether at all: counted from the manifest, and by a filter on sealed values."""

from __future__ import annotations

from securevec.errors import RecordNotFound
from securevec.filters import Expr, matches
from securevec.guard import admit
from securevec.points.body import RecordId
from securevec.reading.judge import erased
from securevec.reading.live import live_record
from securevec.retention.rules import expired
from securevec.state.runtime import CollectionScope, Runtime
from securevec.verbs.walk import condition, walk


def count(runtime: Runtime, collection: CollectionScope, where: Expr | None = None) -> tuple[int, int]:
    """Live records and their chunks. Without any filter the manifest alone answers.

    Counting by a filter tells what records hold, so it needs the permission ``search``. A row filter of the policy
    narrows either.
    """
    admission = admit(
        runtime,
        collection.scope,
        permission="count" if where is None else "search",
        action="count",
        collection=collection.collection,
    )
    counts: dict[str, int] = {}
    with admission.reading():
        judged_by = condition(runtime, collection, where, admission.decision.row_filter)
        if judged_by is None:
            records, chunks = runtime.control.count_shown(
                collection.tenant, collection.collection, now_ms=runtime.clock.now_ms()
            )
        else:
            records = chunks = violations = 0
            for sheet in walk(runtime, collection, admission, where=judged_by):
                records += len(sheet.matching)
                chunks += sum(judged.body.chunks for judged in sheet.matching)
                violations += sheet.violations
            counts["violations"] = violations
        admission.recheck()
    admission.note(counts={"records": records, "chunks": chunks, **counts}, detail={"filtered": where is not None})
    return records, chunks


def exists(runtime: Runtime, collection: CollectionScope, record_id: RecordId) -> bool:
    """Whether there is such a record for this actor. Raises :class:`IsolationViolation` when it was altered."""
    admission = admit(runtime, collection.scope, permission="get", action="exists", collection=collection.collection)
    row_filter = admission.decision.row_filter
    with admission.reading():
        ref = collection.record_ref(runtime, record_id)
        try:
            body = live_record(runtime, collection, ref)
            found = row_filter is None or matches(row_filter, body.filters)
            row = runtime.control.current(collection.collection, [ref]).get(ref)
            found = found and row is not None and row.generation == body.generation
            found = found and not erased(runtime, collection, [(ref, body)])
            found = found and not expired(body.expires_ms, now_ms=runtime.clock.now_ms())
        except RecordNotFound:
            found = False
        admission.recheck()
    admission.note(counts={"found": int(found)}, record_ids=[ref])
    return found
