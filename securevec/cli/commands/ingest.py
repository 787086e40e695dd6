"""``ingest``: folders and files into a collection."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.records import load_record
from securevec.cli.reports import files_json, files_tables, preview_json, preview_tables, progress_bar
from securevec.cli.session import Session, split_place
from securevec.errors import CollectionNotFound, UsageError

if TYPE_CHECKING:
    from securevec.crypto.cloak import Cloak
    from securevec.files.options import FileOptions
    from securevec.files.report import FilesPreview, FilesReport
    from securevec.schema import Record
    from securevec.store import Collection, Tenant
    from securevec.types import KeyScope
    from securevec.writing.report import Progress


def register(group: Group) -> None:
    group.command("ingest")(ingest)


def ingest(
    session: Session,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="Folders and files: .md .txt .html .pdf .docx become one record each, .csv .jsonl .parquet one a row.",
            show_default=False,
        ),
    ],
    to: Annotated[str, typer.Option("--to", metavar="TENANT/COLLECTION", help="Where to.", show_default=False)],
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="FILE.py:Class", help="Needed once for rows: the collection remembers it."),
    ] = None,
    retention: Annotated[
        str | None, typer.Option("--retention", metavar="180d", help="Fixed when the collection is made.")
    ] = None,
    classification: Annotated[
        str | None,
        typer.Option(
            "--classification",
            metavar="LABEL",
            help="What rules of retention and of models call it. Fixed when the collection is made. Default: internal.",
            show_default=False,
        ),
    ] = None,
    hybrid: Annotated[
        bool | None,
        typer.Option("--hybrid/--no-hybrid", help="Searchable by words too. Fixed when the collection is made."),
    ] = None,
    key_scope: Annotated[
        str | None,
        typer.Option("--key-scope", metavar="bucket|document", help="A key for each record. Fixed when it is made."),
    ] = None,
    cloak: Annotated[
        str | None,
        typer.Option("--cloak", metavar="rotate|NOISE", help="Obfuscate vectors. Fixed when the collection is made."),
    ] = None,
    accept_new_detector: Annotated[
        bool,
        typer.Option("--accept-new-detector", help="Go on with a newer detector than the collection was made with."),
    ] = False,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="What to call a folder whose path changes from run to run."),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="TEXT", help="In front of each path, to keep two folders apart.")
    ] = "",
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="NAME", help="Of text files, for example cp1252.")
    ] = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Also delete records that came from these folders and are gone from them.")
    ] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Let --sync delete everything of a folder that shows no file.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be stored and replaced. Nothing is stored, nothing embedded."),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", metavar="N", min=1, max=64, help="Processes that parse documents.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when any row or file was refused.")] = False,
) -> None:
    """Store folders and files: anonymized, embedded, sealed.

    A record replaces the stored one of the same id or path; files that are stored as they are are passed over, so an
    interrupted run is simply run again. A bad row or file is refused by name and reason, and never loses the others.
    Links are not followed. Exit 0 when something was stored or nothing was refused, else 1; 2 when the one file named
    cannot be read at all.
    """
    from securevec.files.options import FileOptions

    split_place(to)
    _require_sources(paths)
    options = FileOptions(
        source=source, prefix=prefix, encoding=encoding, jobs=jobs, sync=sync, allow_empty=allow_empty
    )
    label = paths[0].name if len(paths) == 1 else f"{len(paths)} sources"
    if dry_run:
        with progress_bar(label, quiet=session.out.as_json) as progress:
            preview = _preview(session, paths, to, schema=schema, options=options, progress=progress)
        session.out.show(preview_json(preview), *preview_tables(preview))
        return
    fixed = Fixed(retention, hybrid, _cloak(cloak), _key_scope(key_scope), classification)
    collection = _target(session, paths, to, schema=schema, fixed=fixed, accept=accept_new_detector)
    with progress_bar(label, quiet=session.out.as_json) as progress:
        report = collection.ingest_files(paths, options=options, progress=progress)
    _require_read(paths, report)
    session.out.show(files_json(report), *files_tables(report))
    refused = len(report.refused) + len(report.refused_files)
    stored = report.new + report.updated + report.unchanged
    if refused and (strict or not stored):
        raise typer.Exit(1)


def _require_sources(paths: Sequence[Path]) -> None:
    """Before anything is opened. Raises :class:`SourceError`."""
    from securevec.files.walk import open_root

    for path in paths:
        open_root(path).close()


def _require_read(paths: Sequence[Path], report: FilesReport) -> None:
    """One file that could not be read is an error and not a report. Raises what it was refused with."""
    from securevec import errors

    if len(paths) != 1 or paths[0].is_dir() or len(report.refused_files) != 1 or report.refused:
        return
    if report.new + report.updated + report.unchanged == 0:
        refused = report.refused_files[0]
        kind = getattr(errors, refused.error, errors.SourceError)
        known = kind if issubclass(kind, errors.SourceError) else errors.SourceError
        raise known(refused.reason, next_step=refused.next_step)


def _preview(
    session: Session,
    paths: Sequence[Path],
    place: str,
    *,
    schema: str | None,
    options: FileOptions,
    progress: Callable[[Progress], None] | None,
) -> FilesPreview:
    """What would happen, in the collection that is there or in one that is only thought of."""
    tenant_name, name = split_place(place)
    record = load_record(schema) if schema is not None else None
    tenant = session.tenant(tenant_name)
    try:
        collection = tenant.existing_collection(name)
    except CollectionNotFound:
        record = record or _record_for(session, paths)
        return tenant.preview_files(record, paths, options=options, progress=progress)
    if record is not None:
        # The library compares it with what the collection was made with.
        tenant.collection(record, name=name)
    return collection.preview_files(paths, options=options, progress=progress)


def _target(
    session: Session,
    paths: Sequence[Path],
    place: str,
    *,
    schema: str | None,
    fixed: Fixed,
    accept: bool,
) -> Collection[Record]:
    """The collection to write to. A new one takes documents, unless a schema says otherwise."""
    tenant_name, name = split_place(place)
    record = load_record(schema) if schema is not None else None
    tenant = session.tenant(tenant_name)
    if record is not None:
        return fixed.collection(tenant, record, name, accept=accept)
    try:
        collection = tenant.existing_collection(name, accept_new_detector=accept)
    except CollectionNotFound:
        made = fixed.collection(tenant, _record_for(session, paths), name)
        session.out.say(f"made the collection {name} for documents")
        return made
    if fixed != Fixed():
        # The library compares it with what the collection was made with.
        fixed.collection(tenant, collection.schema.record_class(), name)
    return collection


@dataclass(frozen=True)
class Fixed:
    """What is fixed when a collection is made, as it was typed; ``None`` takes it as it is."""

    retention: str | None = None
    hybrid: bool | None = None
    cloak: Cloak | None = None
    key_scope: KeyScope | None = None
    classification: str | None = None

    def collection(
        self, tenant: Tenant, record: type[Record], name: str, *, accept: bool = False
    ) -> Collection[Record]:
        return tenant.collection(
            record,
            name=name,
            retention=self.retention,
            hybrid=self.hybrid,
            cloak=self.cloak,
            key_scope=self.key_scope,
            classification=self.classification,
            accept_new_detector=accept,
        )


def _key_scope(typed: str | None) -> KeyScope | None:
    match typed:
        case None | "bucket" | "document":
            return typed
        case _:
            raise UsageError("A key scope is `bucket` or `document`.")


def _cloak(typed: str | None) -> Cloak | None:
    """``rotate``, or the strength of the noise. Raises :class:`UsageError`, :class:`ConfigError`."""
    from securevec.crypto.cloak import Cloak

    if typed is None or typed == "rotate":
        return None if typed is None else Cloak()
    try:
        return Cloak(noise=float(typed))
    except ValueError as error:
        raise UsageError("A cloak is `rotate`, or the strength of its noise from 0 to 3.") from error


def _record_for(session: Session, paths: Sequence[Path]) -> type[Record]:
    """``Page`` when there are documents. Raises :class:`UsageError` for rows, whose columns nobody has declared."""
    import contextlib

    from securevec.files.kinds import is_rows
    from securevec.files.page import Page
    from securevec.files.sources import list_sources

    with contextlib.ExitStack() as closing:
        listings = list_sources(session.store.runtime, paths, closing)
        found = [each for listing in listings for each in listing.files]
        if any(not is_rows(each.kind) for each in found):
            return Page
        if not found:
            for listing in listings:
                for passed in listing.refused:
                    raise passed.error
            raise UsageError("The source holds no file that is read, so no collection was made.")
        file = found[0].relative if found[0].root.single else found[0].root.path / found[0].relative
    raise UsageError(
        "A new collection needs a schema that says which columns to keep.",
        next_step=f"Run: securevec schema infer {shlex.quote(str(file))} > schema.py, correct it, "
        "and pass --schema schema.py:CLASS",
    )
