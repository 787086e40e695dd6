"""``eval`` and ``scan-text``: how good the detector is, and what it finds. Neither needs a home."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from securevec.cli.command import Group
from securevec.cli.detector import Names, Recall, chosen_detector
from securevec.cli.highlight import highlighted, safe_lines
from securevec.cli.output import cell, table
from securevec.cli.reports import progress_bar
from securevec.cli.session import Session
from securevec.cli.streams import answering
from securevec.errors import LimitExceeded, SourceError, UsageError
from securevec.limits import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from securevec.anonymize import Evaluation

_SHOWN_ROWS: Final = 20


def register(group: Group) -> None:
    group.command("eval")(evaluate)
    group.command("scan-text")(scan_text)


def evaluate(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="DATA.jsonl", help="Labelled texts.", show_default=False)],
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="THEIRS=OURS", help="What a label of the file means; repeat to add more."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when any line was refused.")] = False,
    recall: Recall = None,
    names: Names = None,
) -> None:
    """Measure the detector on labelled texts of your own. Precision, recall and F1 per entity, overlapping and
    exact.

    One object a line: {"text": ..., "spans": [[start, end, label], ...]}, or spans as objects with start, end and
    label, type or entity_type. Common label names are understood (docs/detection.md). A line that cannot be used is
    reported by number and the others count; a file without one that can is exit 1. No text is shown.
    """
    from securevec.anonymize import evaluate as score
    from securevec.rows.readers import source_size
    from securevec.writing.report import Progress

    size = source_size(file)
    meanings = _labels(label or [])
    detector = chosen_detector(session, recall, names)
    with progress_bar(file.name, quiet=session.out.as_json) as show:

        def watch(rows: int, read: int) -> None:
            if show is not None:
                show(Progress(rows, read, size))

        result = score(file, detector, labels=meanings, watch=watch)
    document = {"file": str(file), **result.as_json(), "match": "overlap", "detector": detector.digest}
    session.out.show(document, *_tables(result))
    if not result.texts or (strict and result.refused):
        raise typer.Exit(1)


def scan_text(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A text file; - reads stdin.", show_default=False)],
    redact: Annotated[bool, typer.Option("--redact", help="Print the text with tags for what was found.")] = False,
    field: Annotated[
        str, typer.Option("--field", metavar="NAME", help="The field the text would be in; some names say what it is.")
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when anything was found.")] = False,
    recall: Recall = None,
    names: Names = None,
) -> None:
    """Show what an ingest would find and replace in a text.

    With --json: positions, entities and rules, without the values. With --redact the text itself goes to stdout with
    every finding replaced by its tag.
    """
    from securevec.anonymize import redacted

    text = _text(file)
    detector = chosen_detector(session, recall, names)
    found = detector.detect(text, field_name=field)
    counts: dict[str, int] = {}
    for finding in found:
        counts[finding.entity] = counts.get(finding.entity, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if session.out.as_json:
        document: dict[str, Any] = {
            "findings": [
                {"start": f.start, "end": f.end, "entity": f.entity, "score": round(f.score, 3), "rule": f.rule}
                for f in found
            ],
            "entities": dict(ranked),
            "characters": len(text),
            "detector": detector.digest,
        }
        if redact:
            document["text"] = redacted(text, found)
        session.out.show(document)
    elif redact:
        clean = redacted(text, found)
        # A file or another program gets the text as it is; a terminal must not obey what stands in it.
        # Not by typer.echo, which takes colours out of what it writes into a pipe.
        with answering():
            print(safe_lines(clean) if sys.stdout.isatty() else clean, end="" if clean.endswith("\n") else "\n")
    else:
        session.out.show(None, highlighted(text.rstrip("\n"), found))
    if not session.out.as_json:
        session.out.say("found: " + (", ".join(f"{number} {entity}" for entity, number in ranked) or "nothing"))
    if strict and found:
        raise typer.Exit(1)


def _text(file: str) -> str:
    """The text to scan. Raises ``SourceError`` or ``LimitExceeded``."""
    from securevec.rows.recode import as_utf8

    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_TEXT_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_TEXT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SourceError("The text file cannot be read.", next_step="Name a file, or - for stdin.") from error
    if len(data) > MAX_TEXT_BYTES:
        raise LimitExceeded(f"The text is larger than {MAX_TEXT_BYTES >> 20} MiB.", next_step="Scan it in parts.")
    try:
        return as_utf8(io.BufferedReader(io.BytesIO(data))).read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError("The text is not UTF-8.", next_step="Save it as UTF-8.") from error


def _labels(given: list[str]) -> dict[str, str]:
    """``THEIRS=OURS`` options as a table. Raises ``UsageError``."""
    from securevec.anonymize.evaluation.labels import canonical

    names: dict[str, str] = {}
    for option in given:
        theirs, separator, ours = option.partition("=")
        if not separator or not theirs.strip() or not ours.strip():
            raise UsageError("A label is given as THEIRS=OURS.", next_step="For example --label PERS=PERSON.")
        names["_".join(theirs.upper().replace("-", " ").replace("_", " ").split())] = canonical(ours)
    return names


def _tables(result: Evaluation) -> list[Any]:
    rows = [
        (
            name,
            score.gold,
            score.predicted,
            *(f"{each:.3f}" for each in (score.overlap.precision, score.overlap.recall, score.overlap.f1)),
            f"{score.exact.f1:.3f}",
            f"{score.touched_by_any:.3f}",
        )
        for name, score in sorted(result.entities.items())
    ]
    # As many columns as a terminal of 80 has room for: --json has precision and recall of exact ends too.
    heads = ["entity", ">labelled", ">found", ">P", ">R", ">F1", ">exact F1", ">touched"]
    legend = "P precision, R recall, F1 of findings that overlap; exact: with the same ends; touched: found at all"
    shown: list[Any] = [table(heads, rows), legend] if result.texts else []
    summary = f"{result.texts} texts, {result.characters} characters" if result.texts else "no text was scored"
    if result.unlabelled:
        kinds = ", ".join(f"{number} {name}" for name, number in result.unlabelled.items())
        summary += f"; found of kinds the set does not label: {kinds}"
    shown.append(cell(summary))
    if renamed := [f"{theirs} as {ours}" for theirs, ours in sorted(result.read_as.items()) if theirs != ours]:
        shown.append(cell(f"labels read: {', '.join(renamed)} (others: --label THEIRS=OURS)"))
    if result.not_looked_for:
        others = ", ".join(f"{score.gold} {name}" for name, score in result.not_looked_for.items())
        shown.append(cell(f"labels that the detector does not look for, and that are not scored: {others}"))
    if result.refused:
        refused = [(error.row or "-", error.field or "-", error.message) for error in result.refused[:_SHOWN_ROWS]]
        shown.append(table([">line", "field", "refused because"], refused))
        if len(result.refused) > _SHOWN_ROWS:
            shown.append(cell(f"and {len(result.refused) - _SHOWN_ROWS} more lines; --json lists all"))
    return shown
