"""``import``: a collection that was filled without securevec, carried over to its tenants."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from securevec.cli.command import Group
from securevec.cli.output import cell, table
from securevec.cli.records import load_record
from securevec.cli.reports import progress_bar
from securevec.cli.session import Session
from securevec.errors import SourceError, TenantNotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from securevec.imports.report import ImportPreview, ImportReport, RefusedPoint

_SHOWN: Final = 20


def register(group: Group) -> None:
    group.command("import")(import_)


Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="chroma:DIRECTORY, chroma://host:8000, qdrant:DIRECTORY, qdrants://host:6333 or https://host:6333.",
        show_default=False,
    ),
]


def import_(
    session: Session,
    url: Url,
    collection: Annotated[str, typer.Option("--collection", metavar="NAME", help="Of the source.", show_default=False)],
    text_field: Annotated[
        str,
        typer.Option(
            "--text-field", metavar="FIELD", help="What is searched in. In Chroma: document.", show_default=False
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="COLLECTION", help="In each tenant; made if absent.", show_default=False)
    ],
    tenant_field: Annotated[
        str | None, typer.Option("--tenant-field", metavar="FIELD", help="Its value names the tenant.")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Instead: all is this one's.")] = None,
    tenants: Annotated[
        Path | None,
        typer.Option(
            "--tenants", metavar="FILE.csv", help="Two columns: value of the tenant field, name of the tenant."
        ),
    ] = None,
    id_field: Annotated[
        str | None, typer.Option("--id-field", metavar="FIELD", help="Default: the point's own id.")
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="FILE.py:Class", help="Default: as the source's fields suggest."),
    ] = None,
    retention: Annotated[
        str | None, typer.Option("--retention", metavar="180d", help="Fixed when a collection is made.")
    ] = None,
    create_tenants: Annotated[
        bool, typer.Option("--create-tenants", help="Make tenants that are not there; else their points are refused.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also replace records that this source did not bring.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be stored and replaced. Nothing is stored, nothing embedded."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when any point was refused.")] = False,
) -> None:
    """Import a collection of another Chroma or Qdrant store. Anonymized, embedded anew, sealed, each point in its
    tenant.

    The source is only read. Nested fields are named with dots, as metadata.tenant. A point without a tenant, with
    several, or without a text is refused and listed. At the end the source is read again, and every point must be
    stored or listed. Interrupted, the same command goes on. Exit 0 when something was stored or nothing was refused,
    else 1; 5 when the source changed meanwhile or a point is neither stored nor listed.
    """
    from securevec.imports.options import ImportOptions

    options = ImportOptions(
        collection=collection,
        text_field=text_field,
        tenant_field=tenant_field,
        tenant=tenant,
        id_field=id_field,
        tenants=None if tenants is None else read_mapping(tenants),
        replace=replace,
    )
    record = load_record(schema) if schema is not None else None
    store, hosts = session.store, session.settings.plain_http_hosts
    if dry_run:
        with progress_bar(collection, quiet=session.out.as_json) as progress:
            preview = store.preview_import(
                url,
                to=to,
                options=options,
                record=record,
                create_tenants=create_tenants,
                plain_http_hosts=hosts,
                progress=progress,
            )
        session.out.show(preview_json(preview), *preview_tables(preview))
        return
    with progress_bar(collection, quiet=session.out.as_json) as progress:
        report = store.import_from(
            url,
            to=to,
            options=options,
            record=record,
            retention=retention,
            create_tenants=create_tenants,
            plain_http_hosts=hosts,
            progress=progress,
        )
    session.out.show(report_json(report), *report_tables(report))
    report.raise_if_incomplete()
    if report.refused and (strict or not report.stored):
        raise typer.Exit(1)


def read_mapping(path: Path) -> dict[str, str]:
    """The file of ``--tenants``. Raises :class:`SourceError`, :class:`UsageError`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise SourceError("The mapping of tenants cannot be read.", next_step="It is a CSV file in UTF-8.") from error
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not all(row):
            raise UsageError(f"Line {number} of the mapping of tenants is not two columns.")
    mapping = {row[0]: row[1] for row in rows}
    if len(mapping) != len(rows):
        raise UsageError("The mapping of tenants names a value twice.")
    return mapping


def report_json(report: ImportReport) -> dict[str, Any]:
    """The report with stable keys."""
    return {
        "source": report.source,
        "points": report.points,
        "complete": report.complete,
        "changed": report.changed,
        "tenants": [
            {
                "tenant": each.tenant,
                "points": each.points,
                "new": each.new,
                "updated": each.updated,
                "unchanged": each.unchanged,
                "stored": each.stored,
                "refused": each.refused,
                "chunks": each.chunks,
                "redactions": dict(sorted(each.redactions.items())),
            }
            for each in report.tenants
        ],
        "refused": _refused_json(report.refused),
        "redactions": dict(sorted(report.redactions.items())),
        "drop": report.drop,
        "drop_leaves": report.residual,
        "seconds": round(report.seconds, 3),
    }


def report_tables(report: ImportReport) -> list[RenderableType]:
    """What became of each tenant's points, what was refused, and how the source is deleted."""
    columns = ["tenant", ">points", ">new", ">updated", ">unchanged", ">refused", ">verified", "replaced"]
    shown: list[RenderableType] = [
        table(
            columns,
            [
                (e.tenant, e.points, e.new, e.updated, e.unchanged, e.refused, e.stored, _ranked(e.redactions))
                for e in report.tenants
            ],
        ),
        *_refused_table(report.refused, "refused because"),
        cell(f"{report.points} points read, {report.stored} verified as stored, {len(report.refused)} refused"),
    ]
    if report.complete:
        if report.refused:
            shown.append(cell(f"{len(report.refused)} points are in the source only: deleting it loses them"))
        shown += [
            "",
            cell("Nothing was written to the source. When nobody needs it any more, it is deleted with:"),
        ]
        # As it is to be typed: a table would fold it.
        shown += [f"    {report.drop}", cell(f"What that leaves: {report.residual}.")]
    return shown


def preview_json(preview: ImportPreview) -> dict[str, Any]:
    """What an import would do, with stable keys."""
    return {
        "dry_run": True,
        "source": preview.source,
        "points": preview.points,
        "tenants": [
            {
                "tenant": each.tenant,
                "exists": each.exists,
                "new": each.new,
                "updated": each.updated,
                "unchanged": each.unchanged,
                "refused": each.refused,
                "redactions": dict(sorted(each.redactions.items())),
            }
            for each in preview.tenants
        ],
        "refused": _refused_json(preview.refused),
        "redactions": dict(sorted(preview.redactions.items())),
        "seconds": round(preview.seconds, 3),
    }


def preview_tables(preview: ImportPreview) -> list[RenderableType]:
    """What would become of each tenant's points."""
    columns = ["tenant", "exists", ">would be new", ">updated", ">unchanged", ">refused", "would be replaced"]
    return [
        table(
            columns,
            [
                (e.tenant, "yes" if e.exists else "no", e.new, e.updated, e.unchanged, e.refused, _ranked(e.redactions))
                for e in preview.tenants
            ],
        ),
        *_refused_table(preview.refused, "would be refused because"),
        cell(f"{preview.points} points read; would be replaced in all: {_ranked(preview.redactions)}"),
    ]


def _refused_json(refused: Sequence[RefusedPoint]) -> list[dict[str, Any]]:
    return [
        {
            "row": each.row,
            "point": each.key,
            "tenant": each.tenant,
            "field": each.field,
            "error": each.error,
            "reason": each.reason,
        }
        for each in refused
    ]


def _refused_table(refused: Sequence[RefusedPoint], head: str) -> list[RenderableType]:
    if not refused:
        return []
    rows = [(each.row, each.key, each.tenant or "-", each.field or "-", each.reason) for each in refused[:_SHOWN]]
    shown: list[RenderableType] = [table([">row", "point", "tenant", "field", head], rows)]
    if len(refused) > _SHOWN:
        shown.append(cell(f"and {len(refused) - _SHOWN} more points; --json lists all"))
    if any(each.error == TenantNotFound.__name__ for each in refused):
        shown.append(cell("Make the tenants that are not there: --create-tenants"))
    return shown


def _ranked(redactions: Mapping[str, int]) -> str:
    ranked = sorted(redactions.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number} {entity}" for entity, number in ranked) or "nothing"
