"""``schema infer``: a Record class proposed from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.detector import chosen_detector
from securevec.cli.output import cell
from securevec.cli.session import Session


def register(group: Group) -> None:
    group.command("infer")(infer)


def infer(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .jsonl or .parquet file.", show_default=False)],
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, help="How many rows to look at.")] = 1000,
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="NAME", help="Of the file, for example cp1252.")
    ] = None,
) -> None:
    """Propose a Record class for a file, as Python on stdout. Columns with personal data are marked.

    It is a proposal: read it, correct it, delete the columns you do not need.
    """
    from securevec.anonymize.policy import KEPT
    from securevec.rows.infer import infer as propose

    detector = chosen_detector(session)

    def findings(column: str, value: str) -> list[str]:
        found = detector.detect(value, field_name=column)
        return [finding.entity for finding in found if finding.entity not in KEPT]

    source = propose(file, sample_rows=rows, anonymizer_findings=findings, encoding=encoding)
    if session.out.as_json:
        session.out.show({"source": source})
    else:
        # Code goes out as it is: a table would fold it.
        typer.echo(source, nl=False)
    session.out.say(cell("Save it as schema.py, correct it, and pass: --schema schema.py:CLASS").plain)
