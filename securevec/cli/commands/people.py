"""``subject find|export|erase``: what is stored about a person, and erasing it.

A value on the command line is seen by whoever lists processes. ``-`` reads the values from standard input, one a line.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.commands.receipts import NewReceipt, require_new
from securevec.cli.output import confirm, pairs, table
from securevec.cli.session import Session
from securevec.errors import UsageError

if TYPE_CHECKING:
    from securevec.people.find import SubjectMatch

Values = Annotated[
    list[str],
    typer.Argument(
        metavar="VALUE..",
        help="E-mail address, phone number, customer id or name; - reads lines from stdin.",
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


def find(session: Session, values: Values, tenant: TenantName) -> None:
    """List the records that are about, or mention, a person. Ids only; nothing is changed.

    Records that have expired are not listed; they are stored until ``retention apply``, and an erasure reaches them.
    """
    report = session.tenant(tenant).find_subject(*_read(values))
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
    values: Values,
    tenant: TenantName,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="A new .json or .jsonl file, mode 0600.", show_default=False),
    ],
    reveal: Annotated[bool, typer.Option("--reveal", help="Put the person's own values back.")] = False,
    include_name_matches: NameMatches = False,
) -> None:
    """Write what is stored about a person: records about them, and the passages that mention them."""
    if out.exists():
        raise UsageError("The export's file exists.", next_step="Name another one.")
    found = session.tenant(tenant).export_subject(
        *_read(values), reveal=reveal, include_name_matches=include_name_matches
    )
    found.save(out)
    document = {"records": len(found), "unreadable": found.unreadable, "revealed": found.revealed}
    session.out.show(document, pairs(document))


def erase(
    session: Session,
    values: Values,
    tenant: TenantName,
    receipt: NewReceipt = None,
    until: Annotated[
        str, typer.Option("--until", metavar="DURATION", help="How long writes about them are refused.")
    ] = "30d",
    include_name_matches: NameMatches = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, on a terminal.")] = False,
) -> None:
    """Erase people: delete the records about them, take them out of the records that mention them, sign a receipt.

    They are hidden from every reader at once. When another process holds the engine, the exit code is 5, and the
    holder does the rest.
    """
    named = _read(values)
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
        session.out.say("Check the receipt anywhere: securevec receipt verify FILE --pubkey KEY")
    else:
        session.out.say(f"Its receipt: securevec jobs show {result.job_id} --receipt FILE")


def _read(values: list[str]) -> list[str]:
    if values != ["-"]:
        return values
    return [line.strip() for line in sys.stdin if line.strip()]


def _relation(match: SubjectMatch) -> str:
    if match.about:
        return "about"
    return "name only" if match.by_name_only else "mention"
