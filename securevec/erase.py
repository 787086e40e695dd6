"""Deleting records by id: the manifest first, so that they are gone for readers at once; then the store, read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from securevec.body import RecordId
from securevec.errors import LegalHold, OutcomeUnknown, SecurevecError, TenantUnavailable
from securevec.guard import admit
from securevec.ingest import LEASE_MS
from securevec.limits import MAX_BATCH
from securevec.recover import remove_points, resolve_open_batches
from securevec.runtime import CollectionScope, Runtime


@dataclass(frozen=True, slots=True)
class DeleteReport:
    """``deleted`` records were there and are gone; ``missing`` ids named nothing."""

    deleted: int
    missing: int
    request_ids: tuple[str, ...]


def delete(runtime: Runtime, collection: CollectionScope, record_ids: Sequence[RecordId]) -> DeleteReport:
    """Delete records by id. See :meth:`Collection.delete`."""
    admission = admit(runtime, collection.scope, permission="delete", action="delete", collection=collection.collection)
    refs = list(dict.fromkeys(collection.record_ref(runtime, record_id) for record_id in record_ids))
    held = runtime.control.held_refs(collection.tenant, collection.collection, refs)
    if held:
        hold = LegalHold(
            "A legal hold keeps one of these records; none was deleted.", hold_id=next(iter(held.values()))
        )
        admission.note(outcome="denied", error=hold)
        raise hold
    resolve_open_batches(runtime, expired_only=True)
    deleted = 0
    requests: list[str] = []
    with runtime.write_lock(collection.collection):
        for start in range(0, len(refs), MAX_BATCH):
            part = refs[start : start + MAX_BATCH]
            present = list(runtime.control.current(collection.collection, part))
            if present:
                request_id, removed = _delete(runtime, collection, admission.fence, present)
                requests.append(request_id)
                deleted += removed
    admission.recheck()
    if not requests:
        admission.note(counts={"missing": len(refs)})
    return DeleteReport(deleted, len(refs) - deleted, tuple(requests))


def _delete(runtime: Runtime, collection: CollectionScope, fence: int, refs: Sequence[bytes]) -> tuple[str, int]:
    request = admit(runtime, collection.scope, permission="delete", action="delete", collection=collection.collection)
    now_ms = runtime.clock.now_ms()
    request.note(phase="intent", counts={"records": len(refs)}, record_ids=list(refs))
    try:
        rows = runtime.control.begin_delete(
            tenant=collection.tenant,
            collection=collection.collection,
            request_id=request.request_id,
            writer=runtime.audit.writer_id,
            fence=fence,
            refs=refs,
            lease_until_ms=now_ms + LEASE_MS,
            now_ms=now_ms,
        )
    except SecurevecError as error:
        refused = isinstance(error, TenantUnavailable | LegalHold)
        request.note(phase="result", outcome="denied" if refused else "failed", error=error)
        raise
    try:
        remove_points(runtime, collection.tenant, collection.namespace, collection.collection, rows)
        # Before the batch is forgotten: killed in between, recovery still knows of it and answers its intent.
        request.note(phase="result", counts={"deleted": len(rows)})
        runtime.control.finish_batch(request_id=request.request_id)
    except SecurevecError as error:
        raise OutcomeUnknown(
            "The records are gone for readers; the store has not confirmed the removal yet.",
            next_step="It is finished at the next write, or when the home is next opened.",
            request_id=request.request_id,
        ) from error
    return request.request_id, len(rows)
