"""An ingest report as tables and as JSON, and the bar or the lines shown while it is being made."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from securevec.cli.output import SAY_S, cell, console, shortened, table
from securevec.cli.streams import aside

if TYPE_CHECKING:
    from rich.console import RenderableType

    from securevec.files.report import FilesPreview, FilesReport, RefusedFile
    from securevec.writing.report import IngestReport, Progress

NOT_UTF8: Final = frozenset({"The row is not UTF-8.", "The line is not UTF-8."})
"""Reasons to which ``--encoding`` is an answer."""
_NAME_ENCODING: Final = "Name what the file is written in, for example: --encoding cp1252"
_SHOWN_ROWS: Final = 20
_SHOWN_FILES: Final = 50


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
        if any(row.reason in NOT_UTF8 for row in report.refused):
            shown.append(cell(_NAME_ENCODING))
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
        "refused_files": _refused_json(report.refused_files),
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
    if report.deleted:
        shown.append(cell(f"{report.deleted} deleted, because their source no longer shows them"))
    return [*shown, *_refused_tables(report.refused_files), *_kept_and_skipped(report.kept, report.skipped)]


def preview_json(preview: FilesPreview) -> dict[str, Any]:
    """What an ingest would do, with stable keys."""
    return {
        "dry_run": True,
        "new": preview.new,
        "updated": preview.updated,
        "unchanged": preview.unchanged,
        "files": [
            {
                "file": each.path,
                "records": each.records,
                "redactions": dict(sorted(each.redactions.items())),
                "refused": [
                    {"row": row.row, "field": row.field, "error": row.error, "reason": row.reason}
                    for row in each.refused
                ],
            }
            for each in preview.files
        ],
        "redactions": dict(sorted(preview.redactions.items())),
        "refused_files": _refused_json(preview.refused_files),
        "skipped": dict(sorted(preview.skipped.items())),
        "deleted": preview.deleted,
        "kept": dict(sorted(preview.kept.items())),
        "seconds": round(preview.seconds, 3),
    }


def preview_tables(preview: FilesPreview) -> list[RenderableType]:
    """What would be replaced, file by file, and what would be refused."""
    counts = (preview.new, preview.updated, preview.unchanged, len(preview.refused_files), preview.deleted)
    shown: list[RenderableType] = [
        table([">would be new", ">updated", ">unchanged", ">files refused", ">deleted"], [counts])
    ]
    listed = preview.files[:_SHOWN_FILES]
    if listed:
        rows = [
            (shortened(each.path), each.records, len(each.refused), _ranked(each.redactions) or "-") for each in listed
        ]
        shown.append(table(["file", ">records", ">refused", "would be replaced"], rows))
    if len(preview.files) > _SHOWN_FILES:
        shown.append(cell(f"and {len(preview.files) - _SHOWN_FILES} more files; --json lists all"))
    refused = [
        (shortened(each.path), row.row, row.field or "-", row.reason) for each in preview.files for row in each.refused
    ]
    if refused:
        shown.append(table(["file", ">row", "field", "would be refused because"], refused[:_SHOWN_ROWS]))
        if len(refused) > _SHOWN_ROWS:
            shown.append(cell(f"and {len(refused) - _SHOWN_ROWS} more rows; --json lists all"))
        if any(reason in NOT_UTF8 for *_, reason in refused):
            shown.append(cell(_NAME_ENCODING))
    shown.append(cell(f"would be replaced in all: {_ranked(preview.redactions) or 'nothing'}"))
    return [*shown, *_refused_tables(preview.refused_files), *_kept_and_skipped(preview.kept, preview.skipped)]


def _refused_json(files: Sequence[RefusedFile]) -> list[dict[str, str]]:
    return [
        {"file": each.path, "error": each.error, "reason": each.reason, "next_step": each.next_step} for each in files
    ]


def _refused_tables(files: Sequence[RefusedFile]) -> list[RenderableType]:
    if not files:
        return []
    rows = [(shortened(each.path), each.error, f"{each.reason} {each.next_step}") for each in files[:_SHOWN_ROWS]]
    shown: list[RenderableType] = [table(["file", "error", "refused because"], rows)]
    if len(files) > _SHOWN_ROWS:
        shown.append(cell(f"and {len(files) - _SHOWN_ROWS} more files; --json lists all"))
    return shown


def _kept_and_skipped(kept: Mapping[str, int], skipped: Mapping[str, int]) -> list[RenderableType]:
    shown: list[RenderableType] = [
        cell(f"{count} kept although their source does not show them: {reason}")
        for reason, count in sorted(kept.items())
    ]
    if skipped:
        shown.append(cell("not read: " + ", ".join(f"{count} {kind}" for kind, count in sorted(skipped.items()))))
    return shown


def _ranked(redactions: Mapping[str, int]) -> str:
    return ", ".join(
        f"{number} {entity}" for entity, number in sorted(redactions.items(), key=lambda item: (-item[1], item[0]))
    )


def _replaced(report: IngestReport) -> RenderableType:
    return cell(f"replaced: {_ranked(report.redactions)}")


@contextlib.contextmanager
def progress_bar(
    label: str, *, unit: str = "records", quiet: bool = False
) -> Generator[Callable[[Progress], None] | None]:
    """A bar on stderr while stderr is a terminal; elsewhere a line now and then; nothing when ``quiet``."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _said_now_and_then(label, unit)
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(f"{{task.fields[rows]:,}} {unit}", markup=False),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console(stderr=True), transient=True) as bars:
        task = bars.add_task(cell(label).plain, total=None, rows=0)

        def advance(progress: Progress) -> None:
            bars.update(task, completed=progress.bytes_read, total=progress.bytes_total, rows=progress.rows)

        yield advance


def _said_now_and_then(label: str, unit: str) -> Callable[[Progress], None]:
    """What a log shows of long work: how far it is, every half minute."""
    last = time.monotonic()

    def advance(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= SAY_S:
            last = time.monotonic()
            share = f", {100 * progress.bytes_read // progress.bytes_total} %" if progress.bytes_total else ""
            aside(f"{cell(label).plain}: {progress.rows:,} {unit}{share}")

    return advance
