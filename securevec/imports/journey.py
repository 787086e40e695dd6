"""An import, read top to bottom.

    look        the collection is there, and none of ours
    read        page by page; a point without a tenant, or with several, is refused
    per tenant  admit; the collection found or made
    per batch   conflicts: a record that is there and was not brought by this point is left as it is
                ingest: minimize, redact, embed anew, seal, read back (the journey of every other record)
                remember, keyed: which point each record came from, and what was stored
    verify      the source once more: each point is stored, whole and as it is shown now, or is listed as refused
    audit       counts, for each tenant

Killed anywhere, a second run passes over what is stored and lists every refusal again. The source is never written to.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, cast

from securevec.control.rows import ManifestRow
from securevec.errors import FileConflict, KeyDestroyed, RecordError, Refused, SecurevecError, UnscopedPoint
from securevec.files.state import SourceState
from securevec.foreign import ForeignStore
from securevec.guard import Admission, admit
from securevec.imports.conflicts import Conflicts
from securevec.imports.lanes import Point, Refusals, Sorter, find
from securevec.imports.options import ImportOptions
from securevec.imports.report import ImportReport, TenantImport
from securevec.ingest import ingest
from securevec.reading.live import whole_records
from securevec.rows.readers import Row
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef
from securevec.writing.batching import Candidate, batches
from securevec.writing.report import IngestReport, Progress, Tally, redactions_in


class Targets(Protocol):
    """Where tenants' records go."""

    def target(self, tenant: str) -> CollectionScope:
        """The tenant's collection, made if absent. Raises :class:`Refused`, :class:`RecordError`,
        :class:`SchemaError`."""
        ...


def import_points(
    runtime: Runtime,
    store: ForeignStore,
    options: ImportOptions,
    targets: Targets,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> ImportReport:
    """Carry a foreign collection over. See :meth:`securevec.SecureStore.import_from`."""
    started = time.monotonic()
    found = find(store, options)
    refusals = Refusals(runtime.detector())
    name = source_name(store, options)

    def told(before: int) -> Callable[[int], None]:
        return lambda read: progress(Progress(read, before + read, 2 * found.count)) if progress else None

    with contextlib.ExitStack() as admitted:

        def lane(tenant: str) -> ImportLane:
            return ImportLane(runtime, tenant, targets.target(tenant), name, options, refusals, admitted)

        reading = Sorter(options, refusals, lane, told(0))
        if options.tenant is not None:
            reading.begin(options.tenant)  # one tenant that is not there is an error, and no list of refused points
        reading.read(store, options.collection)
        for each in reading.lanes.values():
            each.close()

        def check(tenant: str) -> CheckLane:
            if tenant not in reading.lanes:
                raise UnscopedPoint("The point was not there when the source was first read.")
            return CheckLane(reading.lanes[tenant])

        later = Refusals(runtime.detector())  # what is refused only now came later: the source changed
        again = Sorter(options, later, check, told(found.count), skipped=refusals)
        again.read(store, options.collection)
        tenants = tuple(
            each.result(reading.points[tenant], again.lanes.get(tenant))
            for tenant, each in sorted(reading.lanes.items())
        )
        for each in reading.lanes.values():
            each.note()
    return ImportReport(
        source=store.kind,
        points=reading.fingerprint.points,
        tenants=tenants,
        refused=refusals.sorted(),
        changed=reading.fingerprint != again.fingerprint,
        drop=found.drop,
        residual=found.residual,
        seconds=time.monotonic() - started,
    )


def source_name(store: ForeignStore, options: ImportOptions) -> str:
    """What the control store knows the source by, keyed: another id field makes other records of the same points."""
    return "\0".join(("import", store.identity, options.collection, options.id_field or ""))


class ImportLane:
    """One tenant's collection while points come in."""

    def __init__(
        self,
        runtime: Runtime,
        tenant: str,
        scope: CollectionScope,
        source: str,
        options: ImportOptions,
        refusals: Refusals,
        admitted: contextlib.ExitStack,
    ) -> None:
        self.name = tenant
        self.scope = scope
        self.runtime = runtime
        self._refusals = refusals
        self._admission: Admission = admit(
            runtime, scope.scope, permission="ingest", action="import", collection=scope.collection
        )
        admitted.enter_context(self._admission.writing(self._counts))
        self.state = SourceState(runtime, scope, source, encoding=None)
        self._conflicts = Conflicts(options)
        self._refs: dict[int, RecordRef] = {}
        self._reports: list[IngestReport] = []
        self.closed: Refused | None = None

    @property
    def record_class(self) -> type[Record]:
        return self.scope.record_class

    def take(self, points: Sequence[Point]) -> Refused | None:
        """Store a batch. When the tenant is closed meanwhile, what is not stored by then is refused. Raises what
        :func:`securevec.ingest.ingest` does."""
        done: set[RecordRef] = set()
        try:
            try:
                self._store(points, done)
            except KeyDestroyed as error:
                self._admission.fenced(error)
                raise
        except Refused as error:
            self.closed = error
            for point in points:
                if self._refs.get(point.number) not in done:
                    self._refuse(point, error)
        self._refs.clear()
        return self.closed

    def _store(self, points: Sequence[Point], done: set[RecordRef]) -> None:
        by_number = {point.number: point for point in points}
        tally = Tally()
        candidates = [each for part in batches(self.runtime, self.scope, _rows(points), None, tally) for each in part]
        for row in tally.refused:
            self._refuse(by_number[row.row], RecordError(row.reason, field=row.field), row.error)
        wanted = {each.row: each for each in self._first_ones(candidates, by_number)}
        refs = {each.ref: by_number[each.row] for each in wanted.values()}
        self._refs = {each.row: each.ref for each in wanted.values()}

        def stored(records: Sequence[tuple[RecordRef, bytes]]) -> None:
            self.state.note((ref, self._origin(refs[ref]), content) for ref, content in records)
            done.update(ref for ref, _ in records)

        kept = [point for point in points if point.number in wanted]
        rows = cast("Iterator[dict[str, object]]", _rows(kept))
        report = ingest(self.runtime, self.scope, rows, stored=stored, over=self._over)
        self._reports.append(report)
        for row in report.refused:
            self._refuse(by_number[row.row], RecordError(row.reason, field=row.field), row.error)

    def close(self) -> None:
        """After the last point: may the actor still do this?"""
        try:
            self._admission.recheck()
        except Refused as error:
            self.closed = error

    def result(self, points: int, checked: CheckLane | None) -> TenantImport:
        return TenantImport(
            tenant=self.name,
            points=points,
            new=sum(report.new for report in self._reports),
            updated=sum(report.updated for report in self._reports),
            unchanged=sum(report.unchanged for report in self._reports),
            stored=0 if checked is None else checked.stored,
            refused=self._refusals.of(self.name),
            chunks=sum(report.chunks for report in self._reports),
            redactions=redactions_in(self._reports),
        )

    def note(self) -> None:
        """The audit record of the tenant's part."""
        if self.closed is not None:
            self._admission.failure(self.closed, counts=self._counts())
        else:
            self._admission.note(counts=self._counts())

    def _counts(self) -> dict[str, int]:
        new, updated, unchanged = (
            sum(getattr(report, name) for report in self._reports) for name in ("new", "updated", "unchanged")
        )
        refused = self._refusals.of(self.name)
        return {
            "points": new + updated + unchanged + refused,
            "new": new,
            "updated": updated,
            "unchanged": unchanged,
            "refused": refused,
        }

    def _over(self, candidate: Candidate, row: ManifestRow | None) -> None:
        self._conflicts.require_own(candidate, row, self.state, now_ms=self.runtime.clock.now_ms())

    def _first_ones(self, candidates: Sequence[Candidate], by_number: dict[int, Point]) -> Iterator[Candidate]:
        for each in candidates:
            try:
                self._conflicts.require_first(each.ref)
            except FileConflict as error:
                self._refuse(by_number[each.row], error)
            else:
                yield each

    def _origin(self, point: Point) -> bytes:
        kind = "n" if isinstance(point.key, int) else "t"
        return self.state.member_of(f"{kind}{point.key}")

    def _refuse(self, point: Point, error: SecurevecError, name: str = "") -> None:
        self._refusals.add(point.number, point.key, self.name, error, name)


class CheckLane:
    """The same tenant when the source is read again: counts the points whose record is stored as they are shown."""

    def __init__(self, lane: ImportLane) -> None:
        self._lane = lane
        self.stored = 0

    @property
    def name(self) -> str:
        return self._lane.name

    @property
    def record_class(self) -> type[Record]:
        return self._lane.record_class

    def take(self, points: Sequence[Point]) -> Refused | None:
        if self._lane.closed is not None:
            return self._lane.closed  # nothing of a closed tenant is looked at, so nothing of it counts as stored
        runtime, scope = self._lane.runtime, self._lane.scope
        for part in batches(runtime, scope, _rows(points), None, Tally()):
            current = runtime.control.current(scope.collection, [each.ref for each in part])
            digests = {each.ref: each.digest for each in part}
            self.stored += len(whole_records(runtime, scope, digests, current, now_ms=runtime.clock.now_ms()))
        return None


def _rows(points: Sequence[Point]) -> Iterator[Row]:
    return (Row(point.number, point.row) for point in points)
