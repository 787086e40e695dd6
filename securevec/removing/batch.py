"""Deleting one batch of records, for whoever may: a caller by id or filter, an erasure, a retention job.

    audit intent (durable)
    begin_delete             one transaction: gone for every reader; holds, minimums and the fence judged in it
    delete points, read back
    audit result (durable), finish

Killed between any two steps, recovery finishes the batch forward and answers its intent: see ``recover``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from securevec.control.rows import ManifestRow
from securevec.errors import OutcomeUnknown, SecurevecError, UsageError
from securevec.guard import Admission
from securevec.removing.points import remove_points
from securevec.removing.recover import LEASE_MS
from securevec.state.runtime import Runtime
from securevec.types import Namespace


def remove_batch(
    runtime: Runtime,
    admission: Admission,
    namespace: Namespace,
    refs: Sequence[bytes],
    *,
    expect: Mapping[bytes, int] | None = None,
) -> tuple[str, list[ManifestRow]]:
    """Delete at most ``MAX_BATCH`` records of the admission's collection, under an intent of their own. Returns its
    request id and what was deleted. The caller holds the collection's write lock and has settled it.

    With ``expect``, ref to generation, a record that was replaced since is left alone. Raises what ``begin_delete``
    raises, after recording it, and then nothing was deleted; and :class:`OutcomeUnknown` when the store does not
    confirm: the records are gone for readers, and recovery finishes the rest.
    """
    if admission.collection is None:
        raise UsageError("A batch is deleted from one collection.")
    request = admission.fresh()
    tenant, collection, now_ms = admission.scope.tenant, admission.collection, runtime.clock.floor_ms()
    request.note(phase="intent", counts={"records": len(refs)}, record_ids=list(refs))
    try:
        rows = runtime.control.begin_delete(
            tenant=tenant,
            collection=collection,
            request_id=request.request_id,
            writer=runtime.audit.writer_id,
            fence=admission.fence,
            refs=refs,
            lease_until_ms=now_ms + LEASE_MS,
            now_ms=now_ms,
            expect=expect,
        )
    except SecurevecError as error:
        request.failure(error, phase="result")
        raise
    try:
        remove_points(runtime, tenant, namespace, collection, rows)
        # Before the batch is forgotten: killed in between, recovery still knows of it and answers its intent.
        request.note(phase="result", counts={"deleted": len(rows)})
        runtime.control.finish_batch(request_id=request.request_id)
    except SecurevecError as error:
        runtime.control.extend_lease(request.request_id, 0)
        raise OutcomeUnknown(
            f"The records are gone for readers; the store has not confirmed the removal yet. Why: {error.message}",
            next_step=f"{error.next_step} It is finished at the next write, or when the home is next opened.".lstrip(),
            request_id=request.request_id,
        ) from error
    return request.request_id, rows
