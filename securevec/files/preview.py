"""What an ingest of folders and files would do, and what it would replace: nothing is stored and nothing embedded.

The same walk, parsers, checks and detector as the ingest itself; it ends where the embedder would begin.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from securevec.errors import DetectorError, RecordError
from securevec.files.bar import Bar
from securevec.files.documents import Documents, Item
from securevec.files.options import FileOptions
from securevec.files.pool import ParserPool
from securevec.files.report import FilePreview, FilesPreview, FilesTally
from securevec.files.rows import RowsReader
from securevec.files.sources import Work, open_sources, sort_out
from securevec.files.sync import DOUBTFUL, ELSEWHERE, HELD, SHARED, YOUNG, kept_back, plans, require_trusted, sift
from securevec.files.walk import Root
from securevec.guard import admit
from securevec.retention.rules import expired
from securevec.rows.readers import Row
from securevec.state.runtime import CollectionScope, Runtime
from securevec.writing.anonymizing import anonymize, redactions_of
from securevec.writing.batching import Candidate, batches
from securevec.writing.report import Progress, RefusedRow, Tally


@dataclass(slots=True)
class _Counted:
    """One file's preview while it is being made."""

    records: int = 0
    refused: list[RefusedRow] = field(default_factory=list["RefusedRow"])
    redactions: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class _Seen:
    """A row that would not be refused. ``redactions`` are ``None`` for one that is stored as it is."""

    candidate: Candidate
    redactions: Mapping[str, int] | None


def preview_files(
    runtime: Runtime,
    collection: CollectionScope,
    paths: Sequence[str | Path],
    *,
    options: FileOptions,
    stored: bool,
    progress: Callable[[Progress], None] | None = None,
) -> FilesPreview:
    """See :meth:`Collection.preview_files`. ``stored``: whether the collection exists, or is only thought of."""
    started = time.monotonic()
    name = collection.collection if stored else None
    admission = admit(runtime, collection.scope, permission="ingest", action="ingest", collection=name)
    preview = _Preview(runtime, collection, options)
    with admission.writing():
        with contextlib.ExitStack() as closing:
            preview.run(open_sources(paths, closing), progress)
        admission.recheck()
    done = preview.result(time.monotonic() - started)
    counts = {"files": len(done.files), "new": done.new, "updated": done.updated, "unchanged": done.unchanged}
    admission.note(counts=counts, redactions=done.redactions, detail={"dry_run": True})
    return done


class _Preview:
    """Counts while the files go by."""

    def __init__(self, runtime: Runtime, collection: CollectionScope, options: FileOptions) -> None:
        self._runtime = runtime
        self._collection = collection
        self._options = options
        self._keys = collection.tenant_keys(runtime)
        self._tally = FilesTally()
        self._files: dict[str, _Counted] = {}
        self._new = self._updated = self._unchanged = self._deleted = 0

    def run(self, roots: Sequence[Root], progress: Callable[[Progress], None] | None) -> None:
        work = sort_out(self._runtime, self._collection, roots, self._options, self._tally)
        if self._options.sync:
            require_trusted(work, self._options)
        bar = Bar(progress, work.size)
        if work.documents:
            self._documents(work, bar)
        read = [self._rows(item, bar) for item in work.rows]
        if self._options.sync:
            self._sync(work, read)

    def result(self, seconds: float) -> FilesPreview:
        tally = self._tally
        return FilesPreview(
            new=self._new,
            updated=self._updated,
            unchanged=self._unchanged + tally.passed_over,
            files=tuple(
                FilePreview(path, each.records, tuple(each.refused), dict(each.redactions))
                for path, each in self._files.items()
            ),
            refused_files=tuple(sorted(tally.refused, key=lambda refused: refused.path)),
            skipped=dict(tally.skipped),
            deleted=self._deleted,
            kept=dict(tally.kept),
            seconds=seconds,
        )

    def _documents(self, work: Work, bar: Bar) -> None:
        with ParserPool(self._options.jobs, seconds=self._options.seconds) as pool:
            documents = Documents(
                self._runtime,
                self._collection,
                work.documents,
                self._tally,
                pool=pool,
                encoding=self._options.encoding,
                advanced=bar.advance,
            )
            tally = Tally()
            with contextlib.closing(documents.rows()) as rows:
                for seen in self._looked_at(rows, tally):
                    if seen.redactions is not None:
                        self._count(documents.path_of(seen.candidate.row), seen.redactions)
            for row in tally.refused:
                self._tally.refuse_as(documents.path_of(row.row), row)

    def _rows(self, item: Item, bar: Bar) -> RowsReader:
        reader = RowsReader(
            item,
            self._collection.record_class,
            advanced=bar.advance,
            remember=self._options.sync,
            encoding=self._options.encoding,
            seconds=self._options.seconds,
        )
        counted = self._files.setdefault(item.path, _Counted())
        tally = Tally()
        for seen in self._looked_at(reader.rows(), tally):
            if seen.redactions is not None:
                self._count(item.path, seen.redactions)
            if self._options.sync:
                reader.seen.add(seen.candidate.ref)
        counted.refused = sorted(tally.refused, key=lambda refused: refused.row)
        reader.whole = reader.failure is None and not tally.refused
        if reader.failure is not None:
            self._tally.refuse(item.path, reader.failure)
        return reader

    def _looked_at(self, rows: Iterable[Row], tally: Tally) -> Iterator[_Seen]:
        """Every row that is not refused. What is bad about the others goes into ``tally``."""
        for part in batches(self._runtime, self._collection, rows, None, tally):
            current = self._runtime.control.current(self._collection.collection, [each.ref for each in part])
            now_ms = self._runtime.clock.now_ms()
            for candidate in part:
                row = current.get(candidate.ref)
                due = row is not None and expired(row.expires_ms, now_ms=now_ms)
                if row is not None and not due and row.content_digest == candidate.digest:
                    self._unchanged += 1
                    yield _Seen(candidate, None)
                    continue
                try:
                    anonymized = anonymize(self._collection, candidate.minimized, keys=self._keys)
                except RecordError as error:
                    tally.refuse(candidate.row, error)
                    continue
                except DetectorError as error:
                    tally.not_detected(candidate.row, error)
                    continue
                tally.detected()
                self._new += row is None
                self._updated += row is not None
                yield _Seen(candidate, redactions_of(self._collection, anonymized))
        tally.require_a_detector()

    def _count(self, path: str, redactions: Mapping[str, int]) -> None:
        counted = self._files.setdefault(path, _Counted())
        counted.records += 1
        counted.redactions.update(redactions)

    def _sync(self, work: Work, read: Sequence[RowsReader]) -> None:
        collection = self._collection
        for state, plan in plans(self._runtime, collection, work, read):
            self._tally.keep(DOUBTFUL, len(plan.doubtful))
            sifted = sift(self._runtime, collection, state, plan.gone)
            held, young = kept_back(self._runtime, collection, list(sifted.own))
            self._tally.keep(ELSEWHERE, len(sifted.elsewhere))
            self._tally.keep(SHARED, len(sifted.shared))
            self._tally.keep(HELD, len(held))
            self._tally.keep(YOUNG, len(young))
            self._deleted += len(sifted.own) - len(held) - len(young)
