"""Deleting records: the manifest first, so that they are gone for readers at once; then the store, read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from securevec.control.rows import ManifestRow
from securevec.errors import LegalHold, RetentionMinimum
from securevec.guard import Admission, admit
from securevec.limits import MAX_BATCH
from securevec.points.body import RecordId
from securevec.removing.batch import remove_batch
from securevec.removing.recover import settle_collection
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef


@dataclass(frozen=True, slots=True)
class DeleteReport:
    """``deleted`` records were there and are gone; ``missing`` ids named nothing.

    ``violations``, of a deletion by filter: records whose clear copies in the store differ from their sealed values,
    on which the filter was judged.
    """

    deleted: int
    missing: int
    request_ids: tuple[str, ...]
    violations: int = 0


def delete(runtime: Runtime, collection: CollectionScope, record_ids: Sequence[RecordId]) -> DeleteReport:
    """Delete records by id. See :meth:`Collection.delete`."""
    admission = admit(runtime, collection.scope, permission="delete", action="delete", collection=collection.collection)
    deleted = 0
    requests: list[str] = []
    with admission.writing(lambda: {"deleted": deleted}):
        # Before anything is promised: a store that another process holds, or that came through a fork, is refused here.
        runtime.backend()
        refs = list(dict.fromkeys(collection.record_ref(runtime, record_id) for record_id in record_ids))
        require_unheld(runtime, collection, refs)
        for start in range(0, len(refs), MAX_BATCH):
            request_id, removed = delete_part(runtime, collection, admission, refs[start : start + MAX_BATCH])
            requests += [request_id] if request_id else []
            deleted += len(removed)
        admission.recheck()
    admission.note(counts={"deleted": deleted, "missing": len(refs) - deleted})
    return DeleteReport(deleted, len(refs) - deleted, tuple(requests))


def require_unheld(runtime: Runtime, collection: CollectionScope, refs: Sequence[RecordRef]) -> None:
    """Raises :class:`LegalHold` when one of these records is held, and :class:`RetentionMinimum` when a minimum keeps
    one, before any is deleted."""
    held = runtime.control.held_refs(collection.tenant, collection.collection, refs)
    if held:
        raise LegalHold("A legal hold keeps one of these records; none was deleted.", hold_id=next(iter(held.values())))
    if runtime.control.too_young(collection.collection, refs, now_ms=runtime.clock.floor_ms()):
        raise RetentionMinimum("A statutory minimum keeps one of these records; none was deleted.")


def delete_part(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    refs: Sequence[RecordRef],
    *,
    expect: Mapping[bytes, int] | None = None,
) -> tuple[str, list[ManifestRow]]:
    """Delete at most ``MAX_BATCH`` records under an intent of their own. Returns its request id and what was deleted.

    With ``expect``, ref to generation, a record that was replaced since is left alone. Without any record there is no
    intent, and the request id is empty.
    """
    with runtime.write_lock(collection.collection):
        settle_collection(runtime, collection.collection)
        admission.recheck()
        live = runtime.control.current(collection.collection, refs)
        present = [ref for ref in refs if ref in live and (expect is None or live[ref].generation == expect[ref])]
        if not present:
            return "", []
        return remove_batch(runtime, admission, collection.namespace, present, expect=expect)
