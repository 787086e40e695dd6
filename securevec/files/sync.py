"""Deleting what a source no longer shows: only records that came from it, as it left them, and that nothing holds."""

from __future__ import annotations

from collections.abc import Sequence

from securevec.control.rows import ManifestRow
from securevec.erase import delete_part
from securevec.errors import LegalHold
from securevec.files.plan import HALF, SyncPlan
from securevec.files.report import FilesTally
from securevec.files.state import SourceState
from securevec.guard import Admission
from securevec.limits import MAX_BATCH
from securevec.runtime import CollectionScope, Runtime
from securevec.types import RecordRef

DOUBTFUL = "their file or folder was not read to its end"
ELSEWHERE = "stored again from elsewhere"
SHARED = "another source still shows them"
HELD = "a legal hold keeps them"


def carry_out(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    state: SourceState,
    plan: SyncPlan,
    tally: FilesTally,
) -> None:
    """Delete what is gone, and read back that it is. A run that is killed in between is finished by the next one.

    Raises what a deletion does; a legal hold is not an error here: what it keeps is reported, and recorded.
    """
    if plan.doubtful:
        tally.kept[DOUBTFUL] += len(plan.doubtful)
    for start in range(0, len(plan.gone), MAX_BATCH):
        part = [RecordRef(ref) for ref in plan.gone[start : start + MAX_BATCH]]
        live = runtime.control.current(collection.collection, part)
        shared = state.listed_by_others(part)
        own = {ref: row for ref, row in live.items() if row.content_digest == state.known[ref][HALF:]}
        kept_shared = [ref for ref in own if ref in shared]
        # Replaced since by other means, or deleted already: no longer this source's to speak of.
        state.forget([ref for ref in part if ref not in own or ref in shared])
        if len(live) > len(own):
            tally.kept[ELSEWHERE] += len(live) - len(own)
        if kept_shared:
            tally.kept[SHARED] += len(kept_shared)
        _delete(runtime, collection, admission, state, {r: row for r, row in own.items() if r not in shared}, tally)


def _delete(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    state: SourceState,
    rows: dict[bytes, ManifestRow],
    tally: FilesTally,
) -> None:
    """Delete these generations, but for those that are held. A hold that is set meanwhile is looked at again."""
    while rows:
        held = runtime.control.held_refs(collection.tenant, collection.collection, list(rows))
        free = {ref: row.generation for ref, row in rows.items() if ref not in held}
        try:
            deleted = _delete_free(runtime, collection, admission, free)
        except LegalHold:
            if not runtime.control.held_refs(collection.tenant, collection.collection, list(free)):
                raise
            continue
        for hold_id in sorted(set(held.values())):
            admission.fresh().failure(
                LegalHold("A legal hold keeps records that are gone from their source.", hold_id=hold_id)
            )
        if held:
            tally.kept[HELD] += len(held)
            tally.holds += [hold_id for hold_id in sorted(set(held.values())) if hold_id not in tally.holds]
        tally.deleted += len(deleted)
        state.forget([RecordRef(ref) for ref in free])
        return


def _delete_free(
    runtime: Runtime, collection: CollectionScope, admission: Admission, free: dict[bytes, int]
) -> Sequence[ManifestRow]:
    if not free:
        return ()
    return delete_part(runtime, collection, admission, [RecordRef(ref) for ref in free], expect=free)[1]
