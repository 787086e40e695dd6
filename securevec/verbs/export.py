"""A collection as a file: anonymized as it is stored, sheet by sheet, so that memory does not grow with it.

Originals are never in it: no vault is opened here. What is written is on record before any of it leaves (the intent)
and counted before it is whole (the result). A file appears under its name only then, complete, for its owner alone: it
is the answer, and is written again when an erasure or a retention job was accepted while it was made, whose receipt
would be older than the file. What went to a stream has left.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast, get_args

import orjson

from securevec.audit import Phase
from securevec.errors import RecordChanged, UsageError
from securevec.filters import Expr
from securevec.guard import admit
from securevec.newfile import new_file
from securevec.reading.hits import record_of
from securevec.reading.judge import Judged
from securevec.rows.minimize import json_value
from securevec.state.runtime import CollectionScope, Runtime
from securevec.text import given_path
from securevec.verbs.walk import condition, still_live, walk
from securevec.writing.report import Progress

ExportFormat = Literal["jsonl", "csv"]
_FORMATS: Final = get_args(ExportFormat)
_ATTEMPTS: Final = 5
"""How often a file is written when removals are accepted meanwhile."""

Lines = Callable[[Sequence[Judged]], bytes]


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote. ``violations``: records whose clear copies in the store differ from their sealed values,
    which are what was exported."""

    records: int
    bytes: int
    violations: int
    request_id: str


def export(
    runtime: Runtime,
    collection: CollectionScope,
    target: str | Path | BinaryIO,
    *,
    format: ExportFormat | None,
    where: Expr | None,
    overwrite: bool,
    progress: Callable[[Progress], None] | None,
) -> ExportReport:
    """Write every record to a file or a binary stream. See :meth:`Collection.export`."""
    admission = admit(runtime, collection.scope, permission="get", action="export", collection=collection.collection)
    intended = False
    report = ExportReport(0, 0, 0, admission.request_id)
    try:
        path = given_path(target) if isinstance(target, str | Path) else None
        chosen = _format(format, path)
        judged_by = condition(runtime, collection, where, admission.decision.row_filter)
        lines = _jsonl(collection) if chosen == "jsonl" else _csv(collection)
        with contextlib.ExitStack() as closing:
            if path is not None:
                _require_free(runtime, path, overwrite=overwrite)
                stream = closing.enter_context(new_file(path, overwrite=overwrite))
            else:
                stream = _binary(target)
            admission.note(phase="intent", detail={"format": chosen})
            intended = True
            attempts = _ATTEMPTS
            while True:
                decided = runtime.control.removals(collection.tenant)
                report = _put(stream, b"" if chosen == "jsonl" else _header(collection), report)
                there = examined = 0
                if progress is not None:
                    there = runtime.control.count_live(collection.collection, now_ms=runtime.clock.now_ms())[0]
                for sheet in walk(runtime, collection, admission, where=judged_by):
                    kept = still_live(runtime, collection, sheet.matching, where=judged_by)
                    # What is written has left, so the fence is looked at before each part and not only at the end.
                    admission.recheck()
                    report = _put(stream, lines(kept), report)
                    report = replace(
                        report, records=report.records + len(kept), violations=report.violations + sheet.violations
                    )
                    examined += sheet.examined
                    if progress is not None:
                        progress(Progress(report.records, examined, max(there, examined)))
                admission.recheck()
                if path is None or runtime.control.removals(collection.tenant) == decided:
                    break
                attempts -= 1
                if not attempts:
                    raise RecordChanged(
                        "Records were erased or fell due again and again while the export was made; no file is left.",
                        next_step="Try again.",
                    )
                stream.seek(0)
                stream.truncate()
                report = ExportReport(0, 0, 0, admission.request_id)
            counts = {"records": report.records, "bytes": report.bytes, "violations": report.violations}
            admission.note(phase="result", counts=counts, detail={"format": chosen})
            intended = False
    except BaseException as error:
        counts = {"records": report.records, "bytes": report.bytes}
        phase: Phase = "result" if intended else "single"
        admission.fenced(error, phase=phase, counts=counts)
        admission.failure(error, phase=phase, counts=counts)
        raise
    return report


def _format(format: object, path: Path | None) -> ExportFormat:
    chosen = format or ("csv" if path is not None and path.suffix.lower() == ".csv" else "jsonl")
    if chosen not in _FORMATS:
        raise UsageError(f"An export's format is {' or '.join(_FORMATS)}.")
    return cast("ExportFormat", chosen)


def _put(stream: BinaryIO, data: bytes, report: ExportReport) -> ExportReport:
    """Write all of it, also where the stream takes less at a time."""
    view = memoryview(data)
    try:
        while view:
            # A raw stream that takes nothing answers None.
            taken: int | None = stream.write(view)
            if not taken:
                raise UsageError("The export's target takes nothing more.")
            view = view[taken:]
    except BrokenPipeError:
        # The reader has seen enough: for the caller to judge.
        raise
    except OSError as error:
        said = os.strerror(error.errno or 0)
        raise UsageError(
            f"The export's target cannot be written to: {said}.", next_step="Make room there, or name another one."
        ) from error
    except (TypeError, ValueError) as error:
        raise UsageError("The export's target cannot be written to.") from error
    return replace(report, bytes=report.bytes + len(data))


def _jsonl(collection: CollectionScope) -> Lines:
    """One object a line, fields in declared order, null where there is nothing."""

    def lines(records: Sequence[Judged]) -> bytes:
        return b"".join(
            orjson.dumps(dict(zip(_names(collection), row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            for row in _rows(collection, records)
        )

    return lines


def _csv(collection: CollectionScope) -> Lines:
    """Comma, double quotes, CRLF (RFC 4180); nothing where there is nothing."""

    def lines(records: Sequence[Judged]) -> bytes:
        return _cells(_rows(collection, records))

    return lines


def _header(collection: CollectionScope) -> bytes:
    return _cells([_names(collection)])


def _cells(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(
        [("true" if cell else "false") if isinstance(cell, bool) else cell for cell in row] for row in rows
    )
    return text.getvalue().encode()


def _names(collection: CollectionScope) -> list[str]:
    return [spec.name for spec in collection.schema.fields]


def _rows(collection: CollectionScope, records: Sequence[Judged]) -> list[list[object]]:
    names = _names(collection)
    made = [record_of(collection, judged.body, collection.record_class) for judged in records]
    return [[json_value(getattr(record, name, None)) for name in names] for record in made]


def _require_free(runtime: Runtime, path: Path, *, overwrite: bool) -> None:
    try:
        inside = path.resolve().is_relative_to(runtime.home.resolve())
    except (OSError, RuntimeError) as error:  # the second is a ring of links
        raise UsageError("The export's path cannot be followed.", next_step="Check its links.") from error
    if inside:
        raise UsageError("An export does not go into the home.", next_step="The home holds nothing in clear.")
    if os.path.isdir(path):
        raise UsageError("The export's file is a directory.", next_step="Name a file in it.")
    if not overwrite and os.path.lexists(path):
        raise UsageError("The export's file exists.", next_step="Name another one, or pass overwrite=True.")


def _binary(target: object) -> BinaryIO:
    if isinstance(target, io.TextIOBase) or not callable(getattr(target, "write", None)):
        raise UsageError("An export goes to a path or to a stream opened for bytes.", next_step='Use open(..., "wb").')
    return cast("BinaryIO", target)
