"""``leakage``: what the tokens in the store tell of the values behind them."""

from __future__ import annotations

from dataclasses import asdict

import typer

from securevec.cli.command import Group
from securevec.cli.commands.data import Place
from securevec.cli.output import table
from securevec.cli.session import Session


def register(group: Group) -> None:
    group.command("leakage")(leakage)


def leakage(session: Session, place: Place) -> None:
    """How much filter tokens tell by their frequency.

    Reads every record and changes nothing. Exit 1 when a field's tokens hide little: better sealed than tokenized.
    """
    result = session.collection(place).leakage()
    fields = [asdict(each) | {"weak": each.weak} for each in result.fields]
    document = {"records": result.records, "fields": fields, "request_id": result.request_id}
    rows = [
        (
            each.field,
            str(each.values),
            str(each.distinct),
            f"{each.entropy_bits:.2f}",
            f"{each.top_share:.1%}",
            f"{each.readable_share:.1%}",
            "WEAK" if each.weak else "",
        )
        for each in result.fields
    ]
    headings = ["field", "values", "distinct", "bits", "most frequent", "read by frequency", ""]
    verdict = (
        "Tokens hide little in: " + ", ".join(result.weak) + ". Declare Seal, or drop the field from the filters."
        if result.weak
        else "No field's values are given away by frequency alone."
        if rows
        else "The store holds no tokens of this collection."
    )
    if rows:
        session.out.show(document, table(headings, rows), "", verdict)
    else:
        session.out.show(document, verdict)
    if result.weak:
        raise typer.Exit(1)
