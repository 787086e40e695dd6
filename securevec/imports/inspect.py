"""What a store that was filled without securevec holds, before anybody decides about it. No value is shown.

    per collection  count, vectors, distance, stored embedding functions, tenant indexes
    every point     fields by type and share; which of them names a tenant, and how many points it leaves without one
    a sample        evenly over the collection: what the detector finds, by field and entity; what an import would take

Read-only, and without a home: the detector runs, nothing is stored.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from securevec.anonymize import Detector, TenantKeys, default_detector
from securevec.discovery import open_source
from securevec.embed import Embedder
from securevec.errors import EmbedderError, MissingExtra, RecordError, SourceError, UsageError
from securevec.foreign import ForeignCollection, ForeignPoint, ForeignStore
from securevec.imports.inspection import CollectionInspection, Cost, FieldInspection, Inspection
from securevec.imports.look import Looking, Seen
from securevec.imports.options import ImportOptions
from securevec.imports.points import RowMaker, text_of
from securevec.imports.propose import proposed
from securevec.imports.sketch import nowhere, passing_keys
from securevec.rows.minimize import minimize
from securevec.rows.validate import validate
from securevec.state.runtime import CollectionScope
from securevec.types import RecordRef
from securevec.writing.prepare import prepare
from securevec.writing.report import Progress
from securevec.writing.sealing import Prepared

SAMPLE: Final = 200
"""Points of a collection in which the detector looks."""
MEASURED: Final = 32
"""Points of the sample that are anonymized and embedded to measure what an import takes."""


def inspect_source(
    url: str,
    *,
    collection: str | None = None,
    sample: int = SAMPLE,
    detector: Detector | None = None,
    embedder: Embedder | None = None,
    measured: bool = True,
    plain_http_hosts: Collection[str] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Inspection:
    """Look into every collection of a store, or into the named one. Nothing is written anywhere.

    Every point is read once, without its vector; the detector looks at ``sample`` of them in each collection.

    Args:
        url: as :meth:`securevec.SecureStore.import_from` takes it.
        detector: default is the built-in one, balanced.
        embedder: what an import would embed with; default is the built-in model, loaded when it is needed. It is handed
            anonymized texts of the sample. No list of models is asked: a list decides by tenant and classification,
            and what is inspected has neither yet.
        measured: whether to measure what an import takes; without, no model receives anything.
        progress: called while points are read, with points where an ingest has bytes.

    Raises:
        SourceError: no store there, or no collection of this name.
        ConfigError, MissingExtra: an unknown scheme, or a refused address.
        BackendError: the store does not answer, or is in use.
    """
    if sample < 1:
        raise UsageError("The sample of an inspection is one point or more.")
    with contextlib.closing(open_source(url, plain_http_hosts=plain_http_hosts)) as store:
        held = [each for each in store.collections() if collection in (None, each.name)]
        if collection is not None and not held:
            raise SourceError(
                "The source has no collection of this name.", next_step="List them: securevec inspect URL."
            )
        inspector = _Inspector(store, detector or default_detector(), embedder, sample, progress, measured=measured)
        inspector.total = sum(each.count for each in held if not each.ours)
        return Inspection(store.kind, tuple(inspector.inspect(each) for each in held))


class _Inspector:
    """One inspection of a store. ``total`` is the number of points it will read."""

    def __init__(
        self,
        store: ForeignStore,
        detector: Detector,
        embedder: Embedder | None,
        sample: int,
        progress: Callable[[Progress], None] | None,
        *,
        measured: bool,
    ) -> None:
        self.total = 0
        self._measured = measured
        self._store = store
        self._detector = detector
        self._embedder = embedder
        self._sample = sample
        self._progress = progress
        self._read = 0

    def inspect(self, held: ForeignCollection) -> CollectionInspection:
        looking = Looking(self._detector, held.tenant_indexes or ())
        for point, sampled in self._points(held):
            looking.add(point, sampled=sampled)
        text = looking.text_field()
        tenant, reason = looking.tenant_field()
        indexes = held.tenant_indexes
        return CollectionInspection(
            name=held.name,
            points=held.count if held.ours else looking.points,
            vectors=held.vectors,
            functions=held.functions,
            ours=held.ours,
            fields=tuple(_field(name, seen, looking) for name, seen in looking.fields.items()),
            fields_beyond=looking.beyond,
            sampled=looking.sampled,
            text_field=None if text is None else looking.shown(text),
            without_text=looking.points - looking.count(text, "text"),
            tenant_field=None if tenant is None else looking.shown(tenant),
            tenant_reason="" if held.ours else reason,
            tenants=0 if tenant is None else len(looking.fields[tenant].distinct),
            unscoped=looking.unscoped(tenant),
            missing_tenant_index=None if indexes is None or held.ours else not indexes or tenant not in indexes,
            cost=None if text is None else self._cost(looking, text),
        )

    def _points(self, held: ForeignCollection) -> Iterator[tuple[ForeignPoint, bool]]:
        """Every point, and whether it is of the sample. What securevec sealed itself is not looked into."""
        if held.ours:
            return
        number = 0
        for page in self._store.pages(held.name):
            for point in page:
                yield point, held.count <= self._sample or number * self._sample % held.count < self._sample
                number += 1
            self._read += len(page)
            if self._progress is not None:
                self._progress(Progress(self._read, self._read, max(self._read, self.total)))

    def _cost(self, looking: Looking, text: str) -> Cost | None:
        """Measured on a few of the sample: the very steps of an ingest, for nobody."""
        texts = [columns for columns in looking.sample if isinstance(columns.get(text), str)]
        model = self._model() if texts and self._measured else None
        if model is None:
            return None
        options = ImportOptions("sample", text, tenant="nobody")
        scope = nowhere(self._detector, model, proposed(texts, options, self._detector).schema.record_class())
        maker, keys = RowMaker(scope.record_class, options), passing_keys()
        chosen = texts[:: max(1, len(texts) // MEASURED)][:MEASURED]

        def prepared(rows: list[Mapping[str, object]]) -> list[Prepared]:
            made = (_prepared(scope, maker, keys, number, columns, options) for number, columns in enumerate(rows))
            return [each for each in made if each is not None]

        # The first of each is left out of the measure: it loads what the others use.
        first = prepared(chosen[:1])
        started = time.perf_counter()
        records = prepared(chosen)
        detecting = time.perf_counter() - started
        chunks = [chunk.text for record in records for chunk in record.chunks]
        if not chunks:
            return None
        model.embed([chunk.text for record in first for chunk in record.chunks] or chunks[:1])
        started = time.perf_counter()
        model.embed(chunks)
        embedding = time.perf_counter() - started
        share = looking.count(text, "text") / len(records)
        return Cost(
            measured=len(records),
            detect_seconds=detecting * share,
            embed_seconds=embedding * share,
            source_bytes=looking.bytes,
            stored_bytes=round(sum(record.size for record in records) * share),
            chunks=round(len(chunks) * share),
        )

    def _model(self) -> Embedder | None:
        """The embedder; ``None`` where the built-in one cannot run, which is no reason to say nothing of the rest."""
        if self._embedder is None:
            from securevec.embed.minilm import MiniLM

            try:
                self._embedder = MiniLM()
            except (MissingExtra, EmbedderError):
                return None
        return self._embedder


def _prepared(
    scope: CollectionScope,
    maker: RowMaker,
    keys: TenantKeys,
    number: int,
    columns: Mapping[str, object],
    options: ImportOptions,
) -> Prepared | None:
    """A record as an ingest would prepare it; ``None`` for one it would refuse."""
    try:
        record = validate(scope.record_class, maker.row(number, text_of(columns, options), columns))
        return prepare(
            scope,
            minimize(scope.schema, record),
            ref=RecordRef(bytes(16)),
            row=number,
            keys=keys,
            digest=b"",
            expires_ms=None,
            epoch="",
            ingested_ms=0,
            vector=None,
        )
    except RecordError:
        return None


def _field(name: str, seen: Seen, looking: Looking) -> FieldInspection:
    return FieldInspection(
        name=looking.shown(name),
        types=dict(seen.types),
        share=seen.present / looking.points,
        sampled=seen.sampled,
        found=dict(seen.found),
        too_large=seen.too_large,
    )
