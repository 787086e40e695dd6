"""``ingest``, ``search``, ``get``, ``count``, ``delete``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.output import cell, confirm, pairs, table
from securevec.cli.records import conditions, load_record, record_id
from securevec.cli.reports import progress_bar, report_json, report_tables
from securevec.cli.session import Session, split_place
from securevec.errors import CollectionNotFound, UsageError

if TYPE_CHECKING:
    from securevec.schema import Record
    from securevec.store import Collection

Place = Annotated[str, typer.Argument(metavar="TENANT/COLLECTION", show_default=False)]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="FIELD=VALUE", help="A condition on a filter field; repeat to add more."),
]


def register(group: Group) -> None:
    group.command("ingest")(ingest)
    group.command("search")(search)
    group.command("get")(get)
    group.command("count")(count)
    group.command("delete")(delete)


def ingest(
    session: Session,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".csv or .jsonl files.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="TENANT/COLLECTION", help="Where to.", show_default=False)],
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="FILE.py:Class", help="Needed once: the collection remembers it."),
    ] = None,
    retention: Annotated[
        str | None, typer.Option("--retention", metavar="180d", help="Fixed when the collection is made.")
    ] = None,
    accept_new_detector: Annotated[
        bool,
        typer.Option("--accept-new-detector", help="Go on with a newer detector than the collection was made with."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when any row was refused.")] = False,
) -> None:
    """Store the records of files: anonymized, embedded, sealed.

    A record replaces the stored one of the same id. A bad row is refused, reported by row and field, and never loses
    the others. Exit 0 when something was stored or nothing was refused, else 1.
    """
    from securevec.readers import source_size

    split_place(to)
    for file in files:
        source_size(file)
    collection = _target(session, files[0], to, schema=schema, retention=retention, accept=accept_new_detector)
    reports: list[tuple[Path, Any]] = []
    for file in files:
        with progress_bar(file.name, quiet=session.out.as_json) as progress:
            reports.append((file, collection.ingest(file, progress=progress)))
    documents = [{"file": str(file), **report_json(report)} for file, report in reports]
    shown = [part for file, report in reports for part in report_tables(file.name, report)]
    session.out.show(documents[0] if len(documents) == 1 else documents, *shown)
    refused = sum(len(report.refused) for _, report in reports)
    stored = sum(report.new + report.updated + report.unchanged for _, report in reports)
    if refused and (strict or not stored):
        raise typer.Exit(1)


def search(
    session: Session,
    place: Place,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.", show_default=False)],
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many hits.")] = 10,
    where: Where = None,
) -> None:
    """The records nearest to a text, among this tenant's only. The text itself is anonymized before it is embedded."""
    collection = session.collection(place)
    found = collection.search(text, where=conditions(collection.schema, where or []), k=k)
    document = {
        "hits": [
            {
                "id": hit.id,
                "score": round(hit.score, 4),
                "text": hit.text,
                "chunk": hit.chunk,
                "chunks": hit.chunks,
                "record": hit.record.model_dump(mode="json"),
            }
            for hit in found
        ],
        "violations": found.violations,
        "complete": found.complete,
        "request_id": found.request_id,
    }
    rows = [(f"{hit.score:.3f}", hit.id, cell(hit.text, limit=240)) for hit in found]
    session.out.show(document, table([">score", "id", "text, anonymized"], rows))
    if found.violations:
        session.out.say(
            f"securevec: {found.violations} stored points did not belong here and were dropped. "
            "See: securevec audit tail"
        )


def get(session: Session, place: Place, identifier: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One record by its id, anonymized as stored."""
    collection = session.collection(place)
    record = collection.get(record_id(collection.schema, identifier)).model_dump(mode="json")
    session.out.show(record, pairs(record))


def count(session: Session, place: Place, where: Where = None) -> None:
    """The number of records that are neither deleted nor expired, or of those that meet every condition."""
    collection = session.collection(place)
    number = collection.count(conditions(collection.schema, where or []))
    session.out.show({"records": number}, str(number))


def delete(
    session: Session,
    place: Place,
    identifiers: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", show_default=False)] = None,
    where: Where = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --where on a terminal: do not ask.")] = False,
) -> None:
    """Delete records by id, or every record that meets all conditions, and read back that they are gone."""
    if bool(identifiers) == bool(where):
        raise UsageError(
            "A deletion names record ids or conditions, and not both.", next_step="For example --where status=closed."
        )
    collection = session.collection(place)
    if identifiers:
        report = collection.delete([record_id(collection.schema, identifier) for identifier in identifiers])
    else:
        chosen = conditions(collection.schema, where or [])
        if not yes and sys.stdin.isatty():
            confirm("Delete every record that meets the conditions? It cannot be undone")
        report = collection.delete(where=chosen)
    document = {
        "deleted": report.deleted,
        "missing": report.missing,
        "violations": report.violations,
        "request_ids": list(report.request_ids),
    }
    session.out.show(document, f"{report.deleted} deleted, {report.missing} not there")


def _target(
    session: Session, file: Path, place: str, *, schema: str | None, retention: str | None, accept: bool
) -> Collection[Record]:
    """The collection to write to, made when a schema is given and it is not there."""
    tenant_name, name = split_place(place)
    record = load_record(schema) if schema is not None else None
    tenant = session.tenant(tenant_name)
    if record is not None:
        return tenant.collection(record, name=name, retention=retention, accept_new_detector=accept)
    if accept:
        raise UsageError("--accept-new-detector needs the schema again.", next_step="Pass --schema FILE.py:Class.")
    try:
        collection = tenant.existing_collection(name)
    except CollectionNotFound as error:
        raise UsageError(
            "A new collection needs a schema that says which columns to keep.",
            next_step=f"Run: securevec schema infer {shlex.quote(str(file))} > schema.py, correct it, "
            "and pass --schema schema.py:CLASS",
        ) from error
    if retention is not None:
        # The library compares it with what the collection was made with.
        tenant.collection(collection.schema.record_class(), name=name, retention=retention)
    return collection
