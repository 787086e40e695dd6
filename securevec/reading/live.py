"""Records as they stand in the store, for whoever asks for records and not for points. All of them are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from securevec.control.rows import ManifestRow
from securevec.crypto.derive import RecordIds
from securevec.errors import IsolationViolation, RecordNotFound, UnknownFormat, UnknownKey
from securevec.points.body import Body
from securevec.reading.judge import Judged, judge
from securevec.reading.opening import fetch_only
from securevec.removing.points import ids_of
from securevec.retention.rules import expired
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef


def live_record(runtime: Runtime, collection: CollectionScope, ref: RecordRef) -> Body:
    """Chunk 0 of the record's live generation. A record that is replaced meanwhile is read again.

    Raises :class:`RecordNotFound` and, when the store shows something else or nothing, :class:`IsolationViolation`.
    """
    ids = RecordIds(runtime.keys.tenant_key(collection.tenant, "id"), collection.collection)
    row = runtime.control.current(collection.collection, [ref]).get(ref)
    while row is not None:
        points = fetch_only(runtime, collection, [ids.point(ref, row.generation, 0)])
        verdicts = judge(runtime, collection, points, where=None)
        if verdicts.accepted:
            return verdicts.accepted[0].body
        before, row = row, runtime.control.current(collection.collection, [ref]).get(ref)
        if row != before:
            continue
        if verdicts.erased:
            break
        if verdicts.shredded and runtime.control.hidden_records(collection.tenant, collection.collection, [ref]):
            break
        if not points:
            raise IsolationViolation(
                "The store does not show a record the manifest names as live.", next_step="Ingest the record again."
            )
        if verdicts.violations or not expired(before.expires_ms, now_ms=runtime.clock.now_ms()):
            raise IsolationViolation("The stored record does not open in its place; it was altered in the store.")
        break
    raise RecordNotFound("The collection has no such record.")


def first_chunks(
    runtime: Runtime, collection: CollectionScope, accepted: Sequence[Judged]
) -> dict[tuple[bytes, int], Body]:
    """Chunk 0 of the records that were hit further in, by ref and generation. Those that fail are left out."""
    further = [judged for judged in accepted if judged.body.chunk]
    if not further:
        return {}
    ids = RecordIds(runtime.keys.tenant_key(collection.tenant, "id"), collection.collection)
    wanted = {ids.point(judged.ref, judged.body.generation, 0) for judged in further}
    verdicts = judge(runtime, collection, fetch_only(runtime, collection, sorted(wanted)), where=None)
    return {(judged.ref, judged.body.generation): judged.body for judged in verdicts.accepted}


def intact(runtime: Runtime, collection: CollectionScope, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the points that are stored and pass judgement. What cannot be read for whatever reason is not intact."""
    points = fetch_only(runtime, collection, ids)
    try:
        return {judged.point.id for judged in judge(runtime, collection, points, where=None).accepted}
    except (UnknownKey, UnknownFormat):
        return set()


def whole_records(
    runtime: Runtime,
    collection: CollectionScope,
    digests: Mapping[RecordRef, bytes],
    current: Mapping[bytes, ManifestRow],
    *,
    now_ms: int,
) -> set[RecordRef]:
    """Those of the records that are live with this content digest, not due, and open in the store as a whole."""
    same = [
        row
        for ref, digest in digests.items()
        if (row := current.get(ref)) is not None
        and row.content_digest == digest
        and not expired(row.expires_ms, now_ms=now_ms)
    ]
    ids = {RecordRef(row.ref): ids_of(runtime, collection.tenant, collection.collection, [row]) for row in same}
    readable = intact(runtime, collection, [point for points in ids.values() for point in points])
    return {ref for ref, points in ids.items() if readable.issuperset(points)}
