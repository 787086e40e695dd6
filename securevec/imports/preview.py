"""A dry run: what an import would store, replace and refuse. The same reading, sorting, checks and detector as the
import itself; it ends where the embedder would begin, and makes no tenant and no collection."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from securevec.errors import FileConflict, RecordError, Refused
from securevec.files.state import SourceState
from securevec.foreign import ForeignStore
from securevec.guard import admit
from securevec.imports.conflicts import Conflicts
from securevec.imports.journey import source_name
from securevec.imports.lanes import Point, Refusals, Sorter, find
from securevec.imports.options import ImportOptions
from securevec.imports.report import ImportPreview, TenantPreview
from securevec.imports.sketch import nowhere, passing_keys
from securevec.rows.minimize import Minimized, minimize
from securevec.rows.readers import Row
from securevec.rows.validate import validate
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.writing.anonymizing import anonymize, redactions_of
from securevec.writing.batching import batches
from securevec.writing.report import Progress, Tally


class Sketches(Protocol):
    """Where tenants' records would go."""

    def sketch(self, tenant: str) -> CollectionScope | type[Record]:
        """The tenant's collection, made or only thought of; for a tenant that would have to be made, the record class.
        Raises as :meth:`securevec.imports.journey.Targets.target` does."""
        ...


def preview_import(
    runtime: Runtime,
    store: ForeignStore,
    options: ImportOptions,
    targets: Sketches,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> ImportPreview:
    """See :meth:`securevec.SecureStore.preview_import`."""
    started = time.monotonic()
    found = find(store, options)
    refusals = Refusals(runtime.detector())
    name = source_name(store, options)

    def told(read: int) -> None:
        if progress is not None:
            progress(Progress(read, read, found.count))

    with contextlib.ExitStack() as admitted:

        def lane(tenant: str) -> PreviewLane:
            return PreviewLane(runtime, tenant, targets.sketch(tenant), name, options, refusals, admitted)

        reading = Sorter(options, refusals, lane, told)
        if options.tenant is not None:
            reading.begin(options.tenant)
        reading.read(store, options.collection)
        tenants = tuple(each.result(refusals.of(tenant)) for tenant, each in sorted(reading.lanes.items()))
    return ImportPreview(
        source=store.kind,
        points=reading.fingerprint.points,
        tenants=tenants,
        refused=refusals.sorted(),
        seconds=time.monotonic() - started,
    )


class PreviewLane:
    """One tenant's part, counted."""

    def __init__(
        self,
        runtime: Runtime,
        tenant: str,
        target: CollectionScope | type[Record],
        source: str,
        options: ImportOptions,
        refusals: Refusals,
        admitted: contextlib.ExitStack,
    ) -> None:
        self.name = tenant
        self._runtime = runtime
        self._refusals = refusals
        self._exists = isinstance(target, CollectionScope)
        if isinstance(target, CollectionScope):
            self._scope = target
            # A dry run reads what is stored of the tenant, so it is decided and recorded as the import would be.
            self._admission = admit(runtime, target.scope, permission="ingest", action="import")
            admitted.enter_context(self._admission.writing())
            self._keys = target.tenant_keys(runtime)
            self._state = SourceState(runtime, target, source, encoding=None)
        else:
            self._scope = nowhere(runtime.detector(), runtime.embedder(), target)
            self._keys = passing_keys()
        self._counts: Counter[str] = Counter()
        self._redactions: Counter[str] = Counter()
        self._conflicts = Conflicts(options)

    @property
    def record_class(self) -> type[Record]:
        return self._scope.record_class

    def take(self, points: Sequence[Point]) -> Refused | None:
        if self._exists:
            self._look_up(points)
        else:
            for point in points:
                try:
                    minimized = minimize(self._scope.schema, validate(self._scope.record_class, point.row))
                    self._conflicts.require_first(minimized.record_id)
                    self._count("new", minimized)
                except (RecordError, FileConflict) as error:
                    self._refusals.add(point.number, point.key, self.name, error)
        return None

    def result(self, refused: int) -> TenantPreview:
        counts = self._counts
        if self._exists:
            self._admission.recheck()
            self._admission.note(
                counts={**counts, "refused": refused}, redactions=self._redactions, detail={"dry_run": True}
            )
        return TenantPreview(
            tenant=self.name,
            exists=self._exists,
            new=counts["new"],
            updated=counts["updated"],
            unchanged=counts["unchanged"],
            refused=refused,
            redactions=dict(self._redactions),
        )

    def _look_up(self, points: Sequence[Point]) -> None:
        runtime, scope = self._runtime, self._scope
        by_number = {point.number: point for point in points}
        tally = Tally()
        for part in batches(runtime, scope, (Row(point.number, point.row) for point in points), None, tally):
            current = runtime.control.current(scope.collection, [each.ref for each in part])
            now_ms = runtime.clock.now_ms()
            for each in part:
                try:
                    self._conflicts.require_first(each.ref)
                    row = current.get(each.ref)
                    self._count(self._conflicts.require_own(each, row, self._state, now_ms=now_ms), each.minimized)
                except (RecordError, FileConflict) as error:
                    point = by_number[each.row]
                    self._refusals.add(point.number, point.key, self.name, error)
        for refused in tally.refused:
            point = by_number[refused.row]
            found = RecordError(refused.reason, field=refused.field)
            self._refusals.add(point.number, point.key, self.name, found, refused.error)

    def _count(self, what: str, minimized: Minimized) -> None:
        """Raises :class:`RecordError` for a clear filter value the detector knows."""
        if what != "unchanged":
            self._redactions.update(redactions_of(self._scope, anonymize(self._scope, minimized, keys=self._keys)))
        self._counts[what] += 1
