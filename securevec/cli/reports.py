"""An ingest report as tables and as JSON, and the bar shown while it is being made."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

from securevec.cli.output import cell, console, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from securevec.files.report import FilesReport
    from securevec.report import IngestReport, Progress

_SHOWN_ROWS: Final = 20


def report_json(report: IngestReport) -> dict[str, Any]:
    """The report with stable keys."""
    return {
        "new": report.new,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": [
            {"row": row.row, "field": row.field, "error": row.error, "reason": row.reason} for row in report.refused
        ],
        "chunks": report.chunks,
        "redactions": dict(sorted(report.redactions.items())),
        "bytes": report.bytes_read,
        "seconds": round(report.seconds, 3),
        "mb_per_second": round(report.mb_per_second, 3),
        "request_ids": list(report.request_ids),
    }


def report_tables(label: str, report: IngestReport, *, rows_shown: int = _SHOWN_ROWS) -> list[RenderableType]:
    """What was stored, what was replaced, and every refused row by row, field and reason."""
    shown: list[RenderableType] = [
        table(
            ["file", ">new", ">updated", ">unchanged", ">refused", ">chunks", ">seconds", ">MB/s"],
            [
                (
                    label,
                    report.new,
                    report.updated,
                    report.unchanged,
                    len(report.refused),
                    report.chunks,
                    f"{report.seconds:.1f}",
                    f"{report.mb_per_second:.2f}",
                )
            ],
        )
    ]
    if report.redactions:
        shown.append(_replaced(report))
    if report.refused:
        refused = report.refused[:rows_shown]
        shown.append(table([">row", "field", "refused because"], [(r.row, r.field or "-", r.reason) for r in refused]))
        if len(report.refused) > rows_shown:
            shown.append(cell(f"and {len(report.refused) - rows_shown} more rows; --json lists all"))
    return shown


def files_json(report: FilesReport) -> dict[str, Any]:
    """The report of an ingest of folders and files with stable keys. A refused row names its file."""
    document = report_json(report)
    document["refused"] = [
        {"file": each.path, **row} for each in report.rows_files for row in report_json(each.report)["refused"]
    ]
    return document | {
        "documents": report.documents,
        "passed_over": report.passed_over,
        "refused_files": [
            {"file": each.path, "error": each.error, "reason": each.reason, "next_step": each.next_step}
            for each in report.refused_files
        ],
        "skipped": dict(sorted(report.skipped.items())),
        "deleted": report.deleted,
        "kept": dict(sorted(report.kept.items())),
        "holds": list(report.holds),
        "rows_files": [
            {
                "file": each.path,
                "new": each.report.new,
                "updated": each.report.updated,
                "unchanged": each.report.unchanged,
                "refused": len(each.report.refused),
            }
            for each in report.rows_files
        ],
    }


def files_tables(report: FilesReport) -> list[RenderableType]:
    """Each file of rows with its refused rows, documents in one line, what was replaced, and every refused file."""
    shown: list[RenderableType] = []
    for each in report.rows_files:
        shown += report_tables(each.path, each.report)
    if report.documents or report.passed_over or not report.rows_files:
        columns = [">documents", ">new", ">updated", ">unchanged", ">refused", ">chunks", ">seconds"]
        of_rows = [each.report for each in report.rows_files]
        new, updated, unchanged, chunks = (
            getattr(report, name) - sum(getattr(each, name) for each in of_rows)
            for name in ("new", "updated", "unchanged", "chunks")
        )
        refused = len(report.refused_files)
        counts = (report.documents + report.passed_over, new, updated, unchanged, refused, chunks)
        shown.append(table(columns, [(*counts, f"{report.seconds:.1f}")]))
        if report.redactions and not report.rows_files:
            shown.append(_replaced(report))
    if report.refused_files:
        listed = report.refused_files[:_SHOWN_ROWS]
        rows = [(each.path, each.error, f"{each.reason} {each.next_step}") for each in listed]
        shown.append(table(["file", "error", "refused because"], rows))
        if len(report.refused_files) > _SHOWN_ROWS:
            shown.append(cell(f"and {len(report.refused_files) - _SHOWN_ROWS} more files; --json lists all"))
    if report.deleted:
        shown.append(cell(f"{report.deleted} deleted, because their source no longer shows them"))
    for reason, count in sorted(report.kept.items()):
        shown.append(cell(f"{count} kept although their source does not show them: {reason}"))
    if report.skipped:
        listed_kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.skipped.items()))
        shown.append(cell(f"not read: {listed_kinds}"))
    return shown


def _replaced(report: IngestReport) -> RenderableType:
    ranked = sorted(report.redactions.items(), key=lambda item: (-item[1], item[0]))
    return cell("replaced: " + ", ".join(f"{number} {entity}" for entity, number in ranked))


@contextlib.contextmanager
def progress_bar(label: str, *, quiet: bool = False) -> Generator[Callable[[Progress], None] | None]:
    """A bar on stderr while stderr is a terminal; nothing otherwise."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows", markup=False),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console(stderr=True), transient=True) as bars:
        task = bars.add_task(cell(label).plain, total=None, rows=0)

        def advance(progress: Progress) -> None:
            bars.update(task, completed=progress.bytes_read, total=progress.bytes_total, rows=progress.rows)

        yield advance
