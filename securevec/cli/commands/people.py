"""``subject find|export|erase``: what is stored about a person, and erasing it.

A value on the command line is seen by whoever lists processes. ``--file`` reads the values from a file, one a line, and
``-`` from standard input.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from securevec.cli.command import Group
from securevec.cli.commands.receipts import NewReceipt, check_anywhere
from securevec.cli.named import read_bounded, read_stdin, require_new
from securevec.cli.output import confirm, pairs, table
from securevec.cli.session import Session
from securevec.errors import UsageError

if TYPE_CHECKING:
    from securevec.people.find import SubjectMatch

_MOST: Final = 1 << 20
"""Bytes of a file of identifiers."""

Values = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VALUE",
        help="E-mail address, phone number, customer id or name; - reads lines from stdin.",
        show_default=False,
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="Identifiers, one a line; # begins a comment line. - is stdin.",
        show_default=False,
    ),
]
TenantName = Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Whose records.", show_default=False)]
NameMatches = Annotated[
    bool, typer.Option("--include-name-matches", help="Also what matches by a name only; it may be somebody else's.")
]


def register(group: Group) -> None:
    group.command("find")(find)
    group.command("export")(export)
    group.command("erase")(erase)


def find(session: Session, tenant: TenantName, values: Values = None, file: File = None) -> None:
    """List the records that are about, or mention, a person. Ids only; nothing is changed.

    Records that have expired are not listed; they are stored until ``retention apply``, and an erasure reaches them.
    """
    report = session.tenant(tenant).find_subject(*read(session, values, file))
    rows = [(match.collection, str(match.record_id), _relation(match)) for match in report]
    document = {
        "about": report.about,
        "mentions": report.mentions,
        "by_name_only": report.by_name_only,
        "unreadable": report.unreadable,
        "taken_for": list(report.entities),
        "records": [{"collection": name, "id": record_id, "relation": how} for name, record_id, how in rows],
    }
    said = f"{report.about} about, {report.mentions} mentioning, {report.by_name_only} by name only"
    session.out.show(document, table(["collection", "id", "relation"], rows) if rows else "nothing is found", said)


def export(
    session: Session,
    tenant: TenantName,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="A new .json or .jsonl file, mode 0600.", show_default=False),
    ],
    values: Values = None,
    file: File = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Put the person's own values back.")] = False,
    include_name_matches: NameMatches = False,
) -> None:
    """Write what is stored about a person to a file. Records about them, and the passages that mention them."""
    require_new(out, "export")
    found = session.tenant(tenant).export_subject(
        *read(session, values, file), reveal=reveal, include_name_matches=include_name_matches
    )
    found.save(out)
    document = {"records": len(found), "unreadable": found.unreadable, "revealed": found.revealed}
    session.out.show(document, pairs(document))


def erase(
    session: Session,
    tenant: TenantName,
    values: Values = None,
    file: File = None,
    receipt: NewReceipt = None,
    until: Annotated[
        str, typer.Option("--until", metavar="DURATION", help="How long writes about them are refused.")
    ] = "30d",
    include_name_matches: NameMatches = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, on a terminal.")] = False,
) -> None:
    """Erase people, with a signed receipt. Records about them are deleted; they are taken out of records that
    mention them.

    They are hidden from every reader at once. When another process holds the engine, the exit code is 5, and the
    holder does the rest.
    """
    named = read(session, values, file)
    require_new(receipt)
    if not yes and sys.stdin.isatty():
        confirm("Erase what is stored about this person? It cannot be undone")
    session.frees = True
    result = session.tenant(tenant).erase_subject(*named, until=until, include_name_matches=include_name_matches)
    document: dict[str, Any] = {
        "job": result.job_id,
        "state": result.state,
        "waiting_for": result.waiting_for or None,
        "about": result.about,
        "mentions": result.mentions,
        "by_name_only": result.by_name_only,
    }
    shown = {
        "job": result.job_id,
        "state": result.state,
        "records about them": result.about,
        "records mentioning them": result.mentions,
        "left, by name only": result.by_name_only,
    }
    session.out.show(document, pairs(shown))
    if result.by_name_only:
        session.out.say("Records that match by a name only were left: subject find lists them; --include-name-matches")
    result.raise_if_incomplete()
    if receipt is not None:
        result.save(receipt)
        session.out.say(check_anywhere(receipt))
    else:
        session.out.say(f"Its receipt: securevec jobs show {result.job_id} --receipt FILE")


def read(session: Session, values: list[str] | None, file: Path | None = None) -> list[str]:
    """The identifiers as given, or those of ``file`` or, for ``-``, standard input. Raises :class:`UsageError`."""
    given = list(values or ())
    if given and file is not None:
        raise UsageError("Identifiers are given as words or in a file, not both.", next_step="Leave one out.")
    if file is None and given != ["-"]:
        found, ignored, twice = given, 0, 0
    elif file is None or str(file) == "-":
        found, ignored, twice = _listed(read_stdin(_MOST))
    else:
        try:
            found, ignored, twice = _listed(read_bounded(file, _MOST).decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise UsageError(f"{file} is not text in UTF-8.", next_step="Save it as UTF-8.") from error
    if ignored or twice:
        session.out.say(f"{len(found)} identifiers; ignored: {ignored} comments, {twice} named before")
    if not found:
        raise UsageError("Nobody is named.", next_step="Give an identifier, --file FILE, or - and lines on stdin.")
    return found


def _listed(text: str) -> tuple[list[str], int, int]:
    """The identifiers of lines, each once; how many lines were comments, and how many were there before."""
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    named = [line for line in lines if not line.startswith("#")]
    # An identifier that begins with # stands in quotes.
    bare = [
        line[1:-1] if len(line) > 2 and line[0] == line[-1] == '"' else line for line in named
    ]  # both quotes and something
    each = list(dict.fromkeys(bare))
    return each, len(lines) - len(named), len(bare) - len(each)


def _relation(match: SubjectMatch) -> str:
    if match.about:
        return "about"
    return "name only" if match.by_name_only else "mention"
