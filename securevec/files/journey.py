"""An ingest of folders and files, read top to bottom.

    admit                      fence, policy; also for the deletions of a sync
    walk                       every source, before anything is read
    sort                       documents and rows, against what the collection takes
    documents                  read, recognized or parsed in other processes, stored in batches, remembered
    rows                       file by file, streamed, stored in batches, remembered
    sync                       what a source no longer shows is deleted, if that was asked for
    audit                      counts of the whole; no path

A file that cannot be read, or that its parser dies on, is refused and reported, and the others go on. Killed anywhere,
a second run passes over what is stored.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

from securevec.files.bar import Bar
from securevec.files.documents import Documents, Item
from securevec.files.options import FileOptions
from securevec.files.pool import ParserPool
from securevec.files.report import FilesReport, FilesTally, RowsFile
from securevec.files.rows import RowsReader
from securevec.files.sources import Work, open_sources, sort_out
from securevec.files.sync import carry_out, plans, require_trusted
from securevec.guard import Admission, admit
from securevec.ingest import ingest
from securevec.state.runtime import CollectionScope, Runtime
from securevec.writing.report import Progress


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
    deleting = (
        admit(runtime, collection.scope, permission="delete", action="delete", collection=collection.collection)
        if options.sync
        else None
    )
    tally = FilesTally()
    with admission.writing(tally.counts):
        with contextlib.ExitStack() as closing:
            work = sort_out(runtime, collection, open_sources(paths, closing), options, tally)
            if deleting is not None:
                require_trusted(work, options)
            bar = Bar(progress, work.size)
            if work.documents:
                _store_documents(runtime, collection, work.documents, options, tally, bar)
            read = [_store_rows(runtime, collection, item, options, tally, bar) for item in work.rows]
            if deleting is not None:
                _sync(runtime, collection, deleting, work, read, tally)
        admission.recheck()
    admission.note(counts=tally.counts())
    return tally.report(time.monotonic() - started)


def _store_documents(
    runtime: Runtime,
    collection: CollectionScope,
    items: Sequence[Item],
    options: FileOptions,
    tally: FilesTally,
    bar: Bar,
) -> None:
    with ParserPool(options.jobs, seconds=options.seconds) as pool:
        documents = Documents(
            runtime, collection, items, tally, pool=pool, encoding=options.encoding, advanced=bar.advance
        )
        with contextlib.closing(documents.rows()) as rows:
            source = cast("Iterator[dict[str, object]]", rows)
            report = ingest(runtime, collection, source, stored=documents.stored, over=documents.require_as_found)
    tally.reports.append(report)
    tally.documents -= len(report.refused)
    for row in report.refused:
        tally.refuse_as(documents.path_of(row.row), row)


def _store_rows(
    runtime: Runtime, collection: CollectionScope, item: Item, options: FileOptions, tally: FilesTally, bar: Bar
) -> RowsReader:
    reader = RowsReader(
        item,
        collection.record_class,
        advanced=bar.advance,
        remember=options.sync,
        encoding=options.encoding,
        seconds=options.seconds,
    )
    report = reader.store(runtime, collection)
    tally.bytes_read += reader.bytes_read
    if reader.failure is not None:
        tally.refuse(item.path, reader.failure)
    tally.rows_files.append(RowsFile(item.path, report))
    return reader


def _sync(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    work: Work,
    read: Sequence[RowsReader],
    tally: FilesTally,
) -> None:
    """Delete what the sources no longer show. Documents are known by their paths, rows by having been read."""
    deleted = tally.deleted
    with admission.writing(lambda: {"deleted": tally.deleted - deleted}):
        for state, plan in plans(runtime, collection, work, read):
            carry_out(runtime, collection, admission, state, plan, tally)
        admission.recheck()
    admission.note(counts={"deleted": tally.deleted - deleted})
