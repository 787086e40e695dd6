"""An ingest of folders and files, read top to bottom.

    admit                      fence, policy; also for the deletions of a sync
    walk                       every source, before anything is read
    sort                       documents and rows, against what the collection takes
    documents                  read, recognized or parsed in other processes, stored in batches, remembered
    rows                       file by file, streamed, stored in batches, remembered
    audit                      counts of the whole; no path

A file that cannot be read, or that its parser dies on, is refused and reported, and the others go on. Killed anywhere,
a second run passes over what is stored.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from securevec.errors import AuditUnavailable, FileConflict, FileMismatch, SourceError, UsageError
from securevec.files.documents import Documents, Item
from securevec.files.kinds import is_rows
from securevec.files.page import takes_documents
from securevec.files.pool import ParserPool
from securevec.files.report import FilesReport, FilesTally, RowsFile
from securevec.files.rows import RowsReader
from securevec.files.state import SourceState
from securevec.files.walk import Listing, Root, identity, open_root, walk
from securevec.guard import admit
from securevec.ingest import ingest
from securevec.report import Progress
from securevec.runtime import CollectionScope, Runtime


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How files become records.

    ``source`` names where they come from in place of the folder's absolute path; ``prefix`` is put in front of their
    paths; ``encoding`` is that of text files when it is known; ``jobs`` and ``seconds`` are the parsers' processes and
    the time each file gets.
    """

    source: str | None = None
    prefix: str = ""
    encoding: str | None = None
    jobs: int | None = None
    seconds: float | None = None


def ingest_files(
    runtime: Runtime,
    collection: CollectionScope,
    paths: Sequence[str | Path],
    *,
    options: FileOptions,
    progress: Callable[[Progress], None] | None = None,
) -> FilesReport:
    """Store the documents or rows of folders and files. See :meth:`Collection.ingest_files`."""
    started = time.monotonic()
    admission = admit(runtime, collection.scope, permission="ingest", action="ingest", collection=collection.collection)
    tally = FilesTally()
    try:
        with contextlib.ExitStack() as closing:
            listings = list_sources(runtime, paths, closing)
            documents, rows = _sorted_out(runtime, collection, listings, options, tally)
            bar = _Bar(progress, sum(item.found.size for item in (*documents, *rows)))
            if documents:
                _store_documents(runtime, collection, documents, options, tally, bar)
            for item in rows:
                _store_rows(runtime, collection, item, tally, bar)
        admission.recheck()
    except BaseException as error:
        with contextlib.suppress(AuditUnavailable):
            admission.failure(error, counts=tally.counts())
        raise
    admission.note(counts=tally.counts())
    return tally.report(time.monotonic() - started)


def list_sources(runtime: Runtime | None, paths: Sequence[str | Path], closing: contextlib.ExitStack) -> list[Listing]:
    """Every source listed. Raises :class:`SourceError` for one that is not there or cannot be read."""
    if not paths:
        raise UsageError("No file or folder was named.")
    left_out = [] if runtime is None else [identity(runtime.home)]
    roots: list[Root] = []
    for path in paths:
        root = open_root(Path(path))
        closing.callback(root.close)
        roots.append(root)
    return [walk(root, leave_out=left_out) for root in roots]


def _sorted_out(
    runtime: Runtime,
    collection: CollectionScope,
    listings: Sequence[Listing],
    options: FileOptions,
    tally: FilesTally,
) -> tuple[list[Item], list[Item]]:
    """Documents and files of rows that this collection takes. Everything else is refused or counted."""
    documents: list[Item] = []
    rows: list[Item] = []
    states: dict[str, SourceState] = {}
    taken: set[str] = set()
    wants_documents = takes_documents(collection.schema)
    for listing in listings:
        name = options.source if options.source is not None else str(listing.root.path)
        if name not in states:
            states[name] = SourceState(runtime, collection, name, encoding=options.encoding)
        tally.skipped.update(listing.skipped)
        for passed in listing.refused:
            tally.refuse(options.prefix + passed.relative, passed.error)
        for found in listing.files:
            item = Item(found, options.prefix + found.relative, states[name])
            error = _misfit(item, wants_documents=wants_documents, taken=taken)
            if error is not None:
                tally.refuse(item.path, error)
            else:
                taken.add(item.path)
                (rows if is_rows(found.kind) else documents).append(item)
    return documents, rows


def _misfit(item: Item, *, wants_documents: bool, taken: set[str]) -> SourceError | None:
    rows = is_rows(item.found.kind)
    if rows and wants_documents:
        return FileMismatch(
            "A file of rows does not fit a collection of documents.",
            next_step="Ingest it into a collection whose record class declares its columns.",
        )
    if not rows and not wants_documents:
        return FileMismatch(
            "A document does not fit this collection's record class.",
            next_step="Ingest documents into a collection of securevec.Page.",
        )
    if not rows and item.path in taken:
        return FileConflict(
            "Another source of this run holds a file of the same path.",
            next_step="Ingest them one by one with --prefix.",
        )
    return None


def _store_documents(
    runtime: Runtime,
    collection: CollectionScope,
    items: Sequence[Item],
    options: FileOptions,
    tally: FilesTally,
    bar: _Bar,
) -> None:
    with ParserPool(options.jobs, seconds=options.seconds) as pool:
        documents = Documents(
            runtime, collection, items, tally, pool=pool, encoding=options.encoding, advanced=bar.advance
        )
        with contextlib.closing(documents.rows()) as rows:
            source = cast("Iterator[dict[str, object]]", rows)
            report = ingest(runtime, collection, source, stored=documents.stored)
    tally.reports.append(report)
    tally.documents -= len(report.refused)
    for row in report.refused:
        tally.refuse_as(documents.path_of(row.row), row)


def _store_rows(runtime: Runtime, collection: CollectionScope, item: Item, tally: FilesTally, bar: _Bar) -> None:
    reader = RowsReader(item, advanced=bar.advance)
    report = reader.store(runtime, collection)
    tally.bytes_read += reader.bytes_read
    if reader.failure is not None:
        tally.refuse(item.path, reader.failure)
    tally.rows_files.append(RowsFile(item.path, report))


class _Bar:
    """Progress over all files, in bytes."""

    def __init__(self, progress: Callable[[Progress], None] | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._files = 0
        self._bytes = 0

    def advance(self, files: int, size: int) -> None:
        self._files += files
        self._bytes += size
        if self._progress is not None:
            self._progress(Progress(self._files, self._bytes, self._total))
