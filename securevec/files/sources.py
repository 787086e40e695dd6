"""What there is to do: every source listed, and its files sorted into documents and rows this collection takes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from securevec.errors import FileConflict, FileMismatch, SourceError, UsageError
from securevec.files.documents import Item
from securevec.files.kinds import is_rows
from securevec.files.options import FileOptions
from securevec.files.page import takes_documents
from securevec.files.report import FilesTally
from securevec.files.state import SourceState
from securevec.files.walk import Listing, Root, identity, open_root, walk
from securevec.state.runtime import CollectionScope, Runtime
from securevec.text import given_path


@dataclass(slots=True)
class Shown:
    """What one source shows, whether or not it could be read: paths, and whether anything could not be looked at."""

    paths: set[str] = field(default_factory=set[str])
    files: int = 0
    """Regular files of a kind this collection takes."""
    complete: bool = True
    single: bool = False


@dataclass(slots=True)
class Work:
    """Files to store, and what each source shows of itself."""

    documents: list[Item] = field(default_factory=list["Item"])
    rows: list[Item] = field(default_factory=list["Item"])
    sources: dict[SourceState, Shown] = field(default_factory=dict["SourceState", "Shown"])

    @property
    def size(self) -> int:
        return sum(item.found.size for item in (*self.documents, *self.rows))


def open_sources(paths: Sequence[str | Path], closing: contextlib.ExitStack) -> list[Root]:
    """Every source opened. Raises :class:`SourceError` for one that cannot be read at all."""
    if not isinstance(paths, list | tuple):
        # The characters of a path are paths too: "/" and "." among them.
        raise UsageError("Files and folders are named in a list.", next_step="Put the one path into a list: [path].")
    if not paths:
        raise UsageError("No file or folder was named.")
    roots: list[Root] = []
    for path in paths:
        root = open_root(given_path(path))
        closing.callback(root.close)
        roots.append(root)
    return roots


def list_sources(runtime: Runtime, paths: Sequence[str | Path], closing: contextlib.ExitStack) -> list[Listing]:
    """Every source listed; the home is left out. Raises as :func:`open_sources` does."""
    return [_listed(runtime, root) for root in open_sources(paths, closing)]


def _listed(runtime: Runtime, root: Root) -> Listing:
    return walk(root, leave_out=[identity(runtime.home)])


def sort_out(
    runtime: Runtime,
    collection: CollectionScope,
    roots: Sequence[Root],
    options: FileOptions,
    tally: FilesTally,
) -> Work:
    """List every source, and sort every file. What this collection does not take is refused; other kinds are counted.

    What is known of a source is read before it is listed: a file that comes later, and that another process stores, is
    then neither known here nor shown, and no sync takes it for gone.
    """
    work = Work()
    states: dict[str, SourceState] = {}
    taken: set[str] = set()
    wants_documents = takes_documents(collection.schema)
    for root in roots:
        name = options.source if options.source is not None else str(root.path)
        if name not in states:
            states[name] = SourceState(runtime, collection, name, encoding=options.encoding)
        listing = _listed(runtime, root)
        shown = work.sources.setdefault(states[name], Shown())
        shown.complete &= listing.complete
        shown.single |= bool(root.single)
        tally.skipped.update(listing.skipped)
        for passed in listing.refused:
            shown.paths.add(options.prefix + passed.relative)
            tally.refuse(options.prefix + passed.relative, passed.error)
        for found in listing.files:
            item = Item(found, options.prefix + found.relative, states[name])
            error = _misfit(item, wants_documents=wants_documents, taken=taken)
            if error is not None:
                tally.refuse(item.path, error)
                continue
            taken.add(item.path)
            shown.paths.add(item.path)
            shown.files += 1
            (work.rows if is_rows(found.kind) else work.documents).append(item)
    return work


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
