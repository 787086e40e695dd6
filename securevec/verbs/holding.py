"""What a legal hold keeps beyond the end of its key bucket is sealed anew under a key of the hold, so that the bucket's
keys can die on time for everybody else (docs/adr/0032).

Done by the retention job at the moment at which nothing but held records stands between a bucket and the end of its
keys: a hold that is released before has cost nothing. The hold's key dies with the last record under it.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict

from securevec.audit import error_name
from securevec.control.rows import CollectionRow, JobRow, ManifestRow
from securevec.errors import CheckFailed, RecordChanged
from securevec.guard import commission
from securevec.jobs import note, renew
from securevec.reading.sheets import Sealed, sheets
from securevec.removing.recover import settle_collection
from securevec.retention.rules import bucket_end, hold_epoch
from securevec.state.runtime import Runtime
from securevec.writing.resealing import reseal


def reseal_held(runtime: Runtime, job: JobRow) -> None:
    """Seal the held records of the tenant's ended buckets anew, bucket by bucket. May be repeated.

    A record that the store does not show as it was written stays under its bucket's key, which lives on then; that is
    recorded and stops nothing.
    """
    for row in runtime.control.collections(job.tenant):
        for epoch, kept in _kept_by_holds(runtime, row).items():
            try:
                _move(runtime, job, row, epoch, kept)
            except CheckFailed as error:
                note(
                    runtime,
                    job,
                    action="key.reseal",
                    outcome="failed",
                    collection=row.collection,
                    detail={"epoch": epoch},
                    error=error_name(error),
                )


def _kept_by_holds(runtime: Runtime, row: CollectionRow) -> dict[str, list[ManifestRow]]:
    """Ended buckets of a collection of which nothing is left but what holds keep."""
    now_ms = runtime.clock.now_ms()
    in_use = runtime.control.epochs_in_use(row.collection)
    ended = {epoch for epoch in in_use if (end := bucket_end(epoch)) is not None and now_ms >= end}
    if not ended:
        return {}
    kept: dict[str, list[ManifestRow]] = defaultdict(list)
    for sheet in sheets(runtime, row.collection):
        old = [each for each in sheet if each.epoch in ended]
        held = runtime.control.held_refs(row.tenant, row.collection, [each.ref for each in old])
        for each in old:
            if each.ref in held:
                kept[each.epoch].append(each)
    return {epoch: rows for epoch, rows in kept.items() if len(rows) == in_use[epoch]}


def _move(runtime: Runtime, job: JobRow, row: CollectionRow, epoch: str, kept: list[ManifestRow]) -> None:
    place = Sealed(row.tenant, row.collection, runtime.names.namespace(row.tenant, row.collection), row.vault)
    listed = {each.ref for each in kept}
    for sheet in sheets(runtime, row.collection):
        refs = [each.ref for each in sheet if each.ref in listed]
        if not refs:
            continue
        renew(runtime, job)
        admission = commission(runtime, job, permission="retention", action="key.reseal", collection=row.collection)
        with runtime.write_lock(row.collection):
            settle_collection(runtime, row.collection)
            held = runtime.control.held_refs(row.tenant, row.collection, refs)
            now = runtime.control.current(row.collection, refs)
            rows = [each for each in now.values() if each.ref in held and each.epoch == epoch]
            # One that another process replaced first is looked at again by the next plan.
            with contextlib.suppress(RecordChanged):
                reseal(
                    runtime, admission, place, rows, epochs={ref: hold_epoch(hold_id) for ref, hold_id in held.items()}
                )
