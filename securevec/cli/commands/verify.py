"""``verify``: a collection's manifest against its store."""

from __future__ import annotations

import shlex

import typer

from securevec.cli.command import Group
from securevec.cli.commands.data import Place
from securevec.cli.output import pairs
from securevec.cli.reports import progress_bar
from securevec.cli.session import Session, split_place


def register(group: Group) -> None:
    group.command("verify")(verify)


def verify(session: Session, place: Place) -> None:
    """Compare the store with what it should hold. Told is what it leaves out, adds, moved or altered.

    Reads every point and changes nothing. Exit 0 when all is in order, 1 when anything was found.
    """
    tenant, name = split_place(place)
    collection = session.tenant(tenant).existing_collection(name)
    with progress_bar(place, unit="points", quiet=session.out.as_json) as progress:
        result = collection.verify(progress=progress)
    document = {
        "records": result.records,
        "points": result.points,
        "in_flight": result.in_flight,
        **result.findings,
        "request_id": result.request_id,
    }
    said = "in order"
    if any(result.findings.values()):
        said = (
            "NOT in order. Missing or altered records: ingest them again, or make a new home from a backup (securevec "
            f"backup restore). What the manifest does not name: securevec tenant purge {shlex.quote(tenant)} --unnamed"
        )
    session.out.show(document, pairs(document), "", said)
    if any(result.findings.values()):
        raise typer.Exit(1)
