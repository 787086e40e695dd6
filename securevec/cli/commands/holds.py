"""``hold add|list|show|release``: legal holds. What is held is neither deleted, erased, replaced nor expired away.

A value on the command line is seen by whoever lists processes: ``--subject -`` reads identifiers from standard input,
one a line, and ``--reason -`` the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.commands import people
from securevec.cli.named import read_stdin
from securevec.cli.output import moment, pairs, table
from securevec.cli.session import Session
from securevec.errors import UsageError
from securevec.limits import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from securevec.points.body import RecordId
    from securevec.retention.holds import Hold
    from securevec.types import TenantId

Name = Annotated[str, typer.Argument(metavar="TENANT", show_default=False)]
HoldId = Annotated[str, typer.Argument(metavar="HOLD", show_default=False)]


def register(group: Group) -> None:
    group.command("add")(add)
    group.command("list")(list_holds)
    group.command("show")(show)
    group.command("release")(release)


def add(
    session: Session,
    place: Annotated[
        str, typer.Argument(metavar="TENANT[/COLLECTION]", help="What is held as a whole.", show_default=False)
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is sealed.", show_default=False)],
    record: Annotated[
        str | None, typer.Option("--record", metavar="ID", help="Only this record of the collection.")
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option("--subject", metavar="VALUE", help="Every record about or mentioning this person. Repeatable."),
    ] = None,
) -> None:
    """Hold a tenant, a collection, a record or a person. Prints the hold's id."""
    tenant, slash, collection = place.partition("/")
    if (slash and not collection) or "/" in collection:
        raise UsageError("Name TENANT or TENANT/COLLECTION.")
    subjects = list(subject or ())
    if subjects == ["-"]:
        subjects = people.read(session, subjects)
    elif reason == "-":
        reason = read_stdin(MAX_TEXT_BYTES).strip()
    holder = session.tenant(tenant)
    held = _typed(session, holder.id, collection, record) if record is not None and collection else record
    hold = holder.hold(reason, collection=collection or None, record=held, subject=subjects)
    session.out.show(_document(hold), pairs(_document(hold)))


def list_holds(session: Session, name: Name) -> None:
    """The holds of a tenant, released ones too, oldest first. Without their reasons."""
    holds = [_document(hold) for hold in session.tenant(name).holds()]
    rows = [(hold["hold"], hold["kind"], hold["placed"], hold["released"] or "stands") for hold in holds]
    session.out.show(holds, table(["hold", "on", "placed", "released"], rows) if rows else "no holds")


def show(session: Session, name: Name, hold_id: HoldId) -> None:
    """One hold with its reason."""
    tenant = session.tenant(name)
    reason = tenant.hold_reason(hold_id)
    hold = next(hold for hold in tenant.holds() if hold.id == hold_id)
    document = _document(hold) | {"reason": reason}
    session.out.show(document, pairs(document))


def release(session: Session, name: Name, hold_id: HoldId) -> None:
    """End a hold. What only this hold kept may be deleted from now on."""
    session.tenant(name).release(hold_id)
    session.out.show({"hold": hold_id, "released": True}, "released")


def _typed(session: Session, tenant: TenantId, collection: str, record: str) -> RecordId:
    """A record's id as the collection's key is declared. Needs no engine, which another process may hold."""
    from securevec.cli.records import record_id
    from securevec.reopen import description_of, schema_of
    from securevec.store.lifetimes import find_collection

    runtime = session.store.runtime
    row = find_collection(runtime, tenant, collection)
    return record if row is None else record_id(schema_of(description_of(runtime, row)), record)


def _document(hold: Hold) -> dict[str, Any]:
    return {
        "hold": hold.id,
        "kind": hold.kind,
        "collection_id": hold.collection,
        "placed": moment(hold.created_ms),
        "released": moment(hold.released_ms) if hold.released_ms is not None else None,
    }
