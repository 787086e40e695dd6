"""Going through a whole collection, record by record, without believing the store.

The manifest says which records there are, in the order of their refs; the store is only asked for the points it names,
by id. So a point that the store hides, moved or altered is an error and never a shorter answer, and a filter is decided
on sealed values alone: what a store did to the clear copies changes nothing, and is counted (docs/adr/0009).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from securevec.control.rows import ManifestRow
from securevec.crypto.derive import point_id
from securevec.errors import IsolationViolation
from securevec.filters import Expr, all_of, check, matches
from securevec.guard import Admission
from securevec.reading.judge import Judged, erased, judge
from securevec.reading.opening import clear_copies_differ, fetch_only
from securevec.retention.rules import expired
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef

STEP: Final = 256
"""Records read at once, and between two looks at the fence."""

SHEET_BYTES: Final = 32 * 1024 * 1024
"""Large records are read fewer at a time, so that memory does not grow with them."""


@dataclass(frozen=True, slots=True, repr=False)
class Sheet:
    """Some neighbouring records: chunk 0 of those that match, in the order of refs, and where the next sheet begins.

    ``size`` is what the records take in the store, in bytes. ``violations`` counts points whose clear copies differ
    from their sealed values.
    """

    matching: list[Judged]
    examined: int
    size: int
    violations: int
    last: RecordRef
    end: bool


def condition(
    runtime: Runtime, collection: CollectionScope, where: Expr | None, row_filter: Expr | None
) -> Expr | None:
    """What records are judged by: the caller's filter and the policy's. Raises :class:`FilterError`."""
    parts = [part for part in (where, row_filter) if part is not None]
    if not parts:
        return None
    whole = check(all_of(parts))
    # For its refusals only: a field that is not declared, a value of another type.
    collection.protector(runtime).lower(whole)
    return whole


def walk(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    *,
    where: Expr | None,
    after: RecordRef | None = None,
    step: int = STEP,
) -> Iterator[Sheet]:
    """Sheet by sheet through the live records whose ref is above ``after``; the fence is looked at again between two.

    ``where`` is what :func:`condition` made. Raises :class:`IsolationViolation` when the store does not show a record
    of the manifest as it was written, and what :meth:`Admission.recheck` and :func:`judge` raise.
    """
    last = after or RecordRef(b"")
    while True:
        rows = runtime.control.live_after(collection.collection, last, limit=step + 1, now_ms=runtime.clock.now_ms())
        if not rows:
            yield Sheet([], 0, 0, 0, last, True)
            return
        refs, size = _that_fit(rows[:step])
        opened, violations = open_records(runtime, collection, refs)
        last = refs[-1]
        matching = [
            judged
            for ref in refs
            if (judged := opened.get(ref)) is not None and (where is None or matches(where, judged.body.filters))
        ]
        end = len(refs) == len(rows)
        yield Sheet(matching, len(refs), size, violations, last, end)
        if end:
            return
        admission.recheck()


def _that_fit(rows: Sequence[ManifestRow]) -> tuple[list[RecordRef], int]:
    """As many of the rows, and at least one, as memory is given for; and their size."""
    refs: list[RecordRef] = []
    size = 0
    for row in rows:
        if refs and size + row.size > SHEET_BYTES:
            break
        refs.append(RecordRef(row.ref))
        size += row.size
    return refs, size


def open_records(
    runtime: Runtime, collection: CollectionScope, refs: Sequence[RecordRef]
) -> tuple[dict[RecordRef, Judged], int]:
    """Chunk 0 of the live generation of each record, and how many have edited clear copies.

    Records that are deleted or due meanwhile are left out; one that is replaced meanwhile is read again.
    """
    id_key = runtime.keys.tenant_key(collection.tenant, "id")
    protector = collection.protector(runtime)
    opened: dict[RecordRef, Judged] = {}
    waiting = list(refs)
    while waiting:
        rows = runtime.control.current(collection.collection, waiting)
        ids = [point_id(id_key, collection.collection, ref, rows[ref].generation, 0) for ref in waiting if ref in rows]
        verdicts = judge(runtime, collection, fetch_only(runtime, collection, ids), where=None)
        opened.update((judged.ref, judged) for judged in verdicts.accepted)
        lost = [ref for ref in waiting if ref in rows and ref not in opened and ref not in verdicts.erased]
        if verdicts.shredded:
            hidden = runtime.control.hidden_records(collection.tenant, collection.collection, lost)
            lost = [ref for ref in lost if (ref, rows[ref].generation) not in hidden]
        again = runtime.control.current(collection.collection, lost) if lost else {}
        now_ms = runtime.clock.now_ms()
        if any(again.get(ref) == rows[ref] and not expired(rows[ref].expires_ms, now_ms=now_ms) for ref in lost):
            raise IsolationViolation(
                "The store does not show a record of the manifest as it was written.",
                next_step="securevec audit tail shows this request; ingest what is missing again.",
            )
        waiting = [ref for ref in lost if ref in again and again[ref] != rows[ref]]
    edited = [each for each in opened.values() if clear_copies_differ(protector, each.point, each.body)]
    if edited:
        # A re-indexing may have begun since: those it rewrote are under its key.
        now = collection.protector(runtime)
        edited = [each for each in edited if clear_copies_differ(now, each.point, each.body)]
    return opened, len(edited)


def still_live(
    runtime: Runtime, collection: CollectionScope, kept: Sequence[Judged], *, where: Expr | None
) -> list[Judged]:
    """What is left of ``kept`` at the end of a read: the replaced read again; the deleted, due and erased left out."""
    live = runtime.control.current(collection.collection, [judged.ref for judged in kept]) if kept else {}
    replaced = [
        judged.ref for judged in kept if judged.ref in live and live[judged.ref].generation != judged.body.generation
    ]
    fresh, _ = open_records(runtime, collection, replaced)
    hidden = erased(runtime, collection, [(judged.ref, judged.body) for judged in kept])
    now_ms = runtime.clock.now_ms()
    answer: list[Judged] = []
    for judged in kept:
        current = fresh.get(judged.ref) if judged.ref in replaced else judged
        if current is judged and (judged.ref, judged.body.generation) in hidden:
            continue
        if judged.ref not in live or current is None or expired(current.body.expires_ms, now_ms=now_ms):
            continue
        if where is None or matches(where, current.body.filters):
            answer.append(current)
    return answer
