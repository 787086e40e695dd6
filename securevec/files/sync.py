"""Deleting what a source no longer shows: only records that came from it, as it left them, and that nothing holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from securevec.control.rows import ManifestRow
from securevec.errors import LegalHold, RecordError, RetentionMinimum
from securevec.files.options import FileOptions
from securevec.files.plan import HALF, SyncPlan, plan_sync, require_trustworthy
from securevec.files.report import FilesTally
from securevec.files.rows import RowsReader
from securevec.files.sources import Work
from securevec.files.state import SourceState
from securevec.guard import Admission
from securevec.limits import MAX_BATCH
from securevec.removing.delete import delete_part
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef

DOUBTFUL: Final = "their file or folder was not read to its end"
ELSEWHERE: Final = "stored again from elsewhere"
SHARED: Final = "another source still shows them"
HELD: Final = "a legal hold keeps them"
YOUNG: Final = "a statutory minimum keeps them"


@dataclass(frozen=True, slots=True)
class Sifted:
    """Refs a plan calls gone, by what is to become of them. ``own`` may be deleted, unless they are held."""

    own: dict[bytes, ManifestRow]
    elsewhere: list[bytes]
    shared: list[bytes]
    absent: list[bytes]


def require_trusted(work: Work, options: FileOptions) -> None:
    """Before anything is stored. Raises :class:`SyncRefused` and :class:`UsageError`."""
    for state, shown in work.sources.items():
        require_trustworthy(state.known, shown.files, single=shown.single, allow_empty=options.allow_empty)


def plans(
    runtime: Runtime, collection: CollectionScope, work: Work, read: Sequence[RowsReader]
) -> Iterator[tuple[SourceState, SyncPlan]]:
    """What each source no longer shows. Documents are known by their paths, rows by having been read."""
    for state, shown in work.sources.items():
        seen: set[bytes] = {ref for path in shown.paths if (ref := _ref_of(runtime, collection, path)) is not None}
        doubted = {state.member_of(path) for path in shown.paths}
        for reader in read:
            if reader.state is state:
                seen |= reader.seen
                if reader.whole:
                    doubted.discard(reader.member)
        yield state, plan_sync(state.known, seen, doubted=doubted, complete=shown.complete)


def sift(runtime: Runtime, collection: CollectionScope, state: SourceState, gone: Sequence[bytes]) -> Sifted:
    """Which of these refs are still what this source left, and shown by no other."""
    refs = [RecordRef(ref) for ref in gone]
    live = runtime.control.current(collection.collection, refs)
    shared = state.listed_by_others(refs)
    mine = {ref: row for ref, row in live.items() if row.content_digest == state.known[ref][HALF:]}
    return Sifted(
        own={ref: row for ref, row in mine.items() if ref not in shared},
        elsewhere=[ref for ref in live if ref not in mine],
        shared=[ref for ref in mine if ref in shared],
        absent=[ref for ref in gone if ref not in live],
    )


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
    tally.keep(DOUBTFUL, len(plan.doubtful))
    for start in range(0, len(plan.gone), MAX_BATCH):
        sifted = sift(runtime, collection, state, plan.gone[start : start + MAX_BATCH])
        tally.keep(ELSEWHERE, len(sifted.elsewhere))
        tally.keep(SHARED, len(sifted.shared))
        # Replaced since by other means, or deleted already: no longer this source's to speak of.
        state.forget([RecordRef(ref) for ref in (*sifted.elsewhere, *sifted.shared, *sifted.absent)])
        _delete(runtime, collection, admission, state, sifted.own, tally)


def kept_back(
    runtime: Runtime, collection: CollectionScope, refs: Sequence[bytes]
) -> tuple[dict[bytes, str], set[bytes]]:
    """Which of these a legal hold keeps, with its id, and which of the others a statutory minimum keeps."""
    held = runtime.control.held_refs(collection.tenant, collection.collection, refs)
    young = runtime.control.too_young(collection.collection, refs, now_ms=runtime.clock.floor_ms())
    return held, set(young) - held.keys()


def _delete(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    state: SourceState,
    rows: dict[bytes, ManifestRow],
    tally: FilesTally,
) -> None:
    """Delete these generations, but for those that are kept. The transaction judges it again: a hold that is set
    meanwhile is looked for once more, and then left to speak for itself."""
    deleted: Sequence[ManifestRow] = ()
    for last in (False, False, True):
        held, young = kept_back(runtime, collection, list(rows))
        free = {ref: row.generation for ref, row in rows.items() if ref not in held and ref not in young}
        try:
            if free:
                refs = [RecordRef(ref) for ref in free]
                deleted = delete_part(runtime, collection, admission, refs, expect=free)[1]
        except (LegalHold, RetentionMinimum):
            if last:
                raise
        else:
            break
    hold_ids = sorted(set(held.values()))
    for hold_id in hold_ids:
        hold = LegalHold("A legal hold keeps records that are gone from their source.", hold_id=hold_id)
        admission.fresh().failure(hold)
    if young:
        minimum = RetentionMinimum("A statutory minimum keeps records that are gone from their source.")
        admission.fresh().failure(minimum)
    tally.keep(HELD, len(held))
    tally.keep(YOUNG, len(young))
    tally.holds += [hold_id for hold_id in hold_ids if hold_id not in tally.holds]
    tally.deleted += len(deleted)
    state.forget([RecordRef(ref) for ref in free])


def _ref_of(runtime: Runtime, collection: CollectionScope, path: str) -> RecordRef | None:
    try:
        return collection.record_ref(runtime, path)
    except RecordError:
        # No record can have this path.
        return None
