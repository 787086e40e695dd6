"""Deleting by a filter: chosen on sealed values, then deleted, each record in the version it was chosen in."""

from __future__ import annotations

from typing import Final

from securevec.errors import ControlUnavailable
from securevec.filters import Expr, matches
from securevec.guard import admit
from securevec.limits import MAX_BATCH
from securevec.removing.delete import DeleteReport, delete_part, require_unheld
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef
from securevec.verbs.walk import condition, open_records, walk

_ROUNDS: Final = 10
"""How often records that others replace meanwhile are judged again."""


def delete_where(runtime: Runtime, collection: CollectionScope, where: Expr) -> DeleteReport:
    """Delete every record that matches. See :meth:`Collection.delete`."""
    admission = admit(runtime, collection.scope, permission="delete", action="delete", collection=collection.collection)
    deleted = violations = 0
    requests: list[str] = []
    try:
        runtime.backend()
        judged_by = condition(runtime, collection, where, admission.decision.row_filter)
        chosen: dict[RecordRef, int] = {}
        for sheet in walk(runtime, collection, admission, where=judged_by):
            chosen.update((judged.ref, judged.body.generation) for judged in sheet.matching)
            violations += sheet.violations
        require_unheld(runtime, collection, list(chosen))
        for _ in range(_ROUNDS):
            replaced: list[RecordRef] = []
            refs = list(chosen)
            for start in range(0, len(refs), MAX_BATCH):
                part = refs[start : start + MAX_BATCH]
                request_id, rows = delete_part(
                    runtime, collection, admission, part, expect={ref: chosen[ref] for ref in part}
                )
                requests += [request_id] if request_id else []
                deleted += len(rows)
                gone = {row.ref for row in rows}
                replaced += [ref for ref in part if ref not in gone]
            opened, _ = open_records(runtime, collection, replaced)
            chosen = {
                ref: judged.body.generation
                for ref, judged in opened.items()
                if judged_by is None or matches(judged_by, judged.body.filters)
            }
            if not chosen:
                break
        else:
            raise ControlUnavailable("Other writers keep replacing these records.", next_step="Delete again.")
        admission.recheck()
    except BaseException as error:
        admission.failure(error, counts={"deleted": deleted, "violations": violations})
        raise
    admission.note(counts={"deleted": deleted, "violations": violations}, detail={"filtered": True})
    return DeleteReport(deleted, 0, tuple(requests), violations)
