"""``retention rules|set|remove|plan|apply``: how long records are kept, what is due, and removing exactly that."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.output import command_line, moment, table
from securevec.cli.session import Session
from securevec.errors import DeletionIncomplete, UsageError

if TYPE_CHECKING:
    from securevec.retention.plan import PlannedCollection

Place = Annotated[
    str | None,
    typer.Argument(metavar="TENANT[/COLLECTION]", help="What the rule is on. Default: everything.", show_default=False),
]
Classification = Annotated[
    str | None, typer.Option("--classification", metavar="LABEL", help="Only collections of this classification.")
]
OfTenant = Annotated[str | None, typer.Option("--tenant", metavar="TENANT", help="Only this tenant's records.")]


def register(group: Group) -> None:
    group.command("rules")(rules)
    group.command("set")(set_rule)
    group.command("remove")(remove)
    group.command("plan")(plan)
    group.command("apply")(apply)


def rules(session: Session) -> None:
    """Every retention rule. A collection's own retention is shown by: tenant show."""
    from securevec.retention.rules import show_retention

    listed = session.store.retention_rules()
    document = [
        {
            "tenant": rule.tenant,
            "collection": rule.collection,
            "classification": rule.classification,
            "max_age_ms": rule.max_age_ms,
            "min_age_ms": rule.min_age_ms,
        }
        for rule in listed
    ]
    rows = [
        (
            rule.tenant or "any",
            rule.collection or "any",
            rule.classification or "any",
            show_retention(rule.max_age_ms) if rule.max_age_ms is not None else "-",
            show_retention(rule.min_age_ms) if rule.min_age_ms is not None else "-",
        )
        for rule in listed
    ]
    columns = ["tenant", "collection", "classification", ">at most", ">at least"]
    session.out.show(document, table(columns, rows) if rows else "no rules")


def set_rule(
    session: Session,
    place: Place = None,
    classification: Classification = None,
    max_age: Annotated[
        str | None, typer.Option("--max-age", metavar="AGE", help="Older records are due. For example 180d.")
    ] = None,
    min_age: Annotated[
        str | None, typer.Option("--min-age", metavar="AGE", help="Statutory: younger records are never deleted.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In the place of a rule with this very scope.")] = False,
) -> None:
    """Set a rule. Several may apply to a record: the shortest maximum and the longest minimum count."""
    tenant, collection = _split(place)
    session.store.set_retention(
        tenant=tenant,
        collection=collection,
        classification=classification,
        max_age=max_age,
        min_age=min_age,
        replace=replace,
    )
    session.out.show({"max_age": max_age, "min_age": min_age}, "set")


def remove(session: Session, place: Place = None, classification: Classification = None) -> None:
    """Remove the rule of exactly this scope. Records keep the expiry they were stored with."""
    tenant, collection = _split(place)
    session.store.remove_retention(tenant=tenant, collection=collection, classification=classification)
    session.out.show({"removed": True}, "removed")


def plan(session: Session, tenant: OfTenant = None) -> None:
    """What would be removed now, and the digest for apply. What is kept is told too. Changes nothing."""
    session.frees = True  # what apply takes is written down
    made = session.store.retention_plan(tenant=tenant)
    entries = [_entry(session, each) for each in made.collections]
    document = {
        "digest": made.digest,
        "as_of": moment(made.as_of_ms),
        "records": made.records,
        "held": made.held,
        "tenants_passed_over": made.passed_over,
        "collections": entries,
    }
    shown = [
        (
            f"{entry['tenant']}/{entry['collection']}",
            entry["records"],
            entry["chunks"],
            entry["held"],
            entry["holds"],
            entry["kept_by_minimum"],
            len(entry["key_buckets"]),
        )
        for entry in entries
        if any(entry[name] for name in ("records", "held", "kept_by_minimum", "key_buckets"))
    ]
    columns = ["collection", ">records", ">chunks", ">held", ">by holds", ">by minimum", ">key buckets"]
    said = command_line("nothing is due")
    if not made.nothing_to_do:
        said = command_line(f"Remove exactly this with: securevec retention apply --plan {made.digest}")
    passed = [f"{made.passed_over} tenants are suspended or being deleted; theirs is left alone"]
    session.out.show(document, *([table(columns, shown)] if shown else []), *passed[: made.passed_over], said)


def apply(
    session: Session,
    digest: Annotated[str, typer.Option("--plan", metavar="DIGEST", help="As printed by plan.", show_default=False)],
    receipts: Annotated[
        Path | None,
        typer.Option(
            "--receipts",
            metavar="DIR",
            help="Write a signed receipt per tenant, JOB.receipt.json, into this directory.",
        ),
    ] = None,
) -> None:
    """Remove exactly what a plan said. A plan that no longer matches does nothing and exits with 1.

    Interrupted, the same command finishes it and writes the receipts. When another process holds the engine the jobs
    are accepted, the exit code is 5, and the holder does the work.
    """
    if receipts is not None:
        _require_directory(receipts)
    session.frees = True
    results = session.store.apply_retention(digest)
    document = [
        {"job": result.job_id, "state": result.state, "waiting_for": result.waiting_for or None} for result in results
    ]
    rows = [(result.job_id, result.state, result.waiting_for or "-") for result in results]
    session.out.show(document, table(["job", "state", "waiting for"], rows) if rows else "nothing was due")
    for result in results:
        if result.receipt is not None and receipts is not None:
            result.save(receipts / f"{result.job_id}.receipt.json")
    left = [result for result in results if result.receipt is None]
    if left:
        raise DeletionIncomplete(
            f"{len(left)} jobs are not done.",
            job_id=left[0].job_id,
            next_step="The process that holds the engine finishes them.",
        )


def _require_directory(receipts: Path) -> None:
    """Before anything is removed: made when it is missing. Receipts of earlier nights stay, each has its job's id.

    Raises :class:`UsageError`.
    """
    try:
        receipts.mkdir(mode=0o700, exist_ok=True)
        writable = os.access(receipts, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise UsageError(
            f"{receipts} is no directory that receipts can be written to.",
            next_step="Name another one; nothing was done.",
        )


def _split(place: str | None) -> tuple[str | None, str | None]:
    if place is None:
        return None, None
    tenant, slash, collection = place.partition("/")
    if not tenant or (slash and not collection) or "/" in collection:
        raise UsageError("A rule is on TENANT or TENANT/COLLECTION.")
    return tenant, collection or None


def _entry(session: Session, each: PlannedCollection) -> dict[str, Any]:
    """A planned collection with its names."""
    from securevec.reopen import name_of

    runtime = session.store.runtime
    tenant = runtime.control.tenant(each.tenant)
    row = runtime.control.collection(each.collection)
    sealed = tenant.name_sealed if tenant is not None else None
    return {
        "tenant": runtime.names.open_text(sealed, row=bytes.fromhex(each.tenant), kind="tenant-name")
        if sealed
        else "-",
        "collection": name_of(runtime, row) if row is not None else "-",
        "records": each.records,
        "chunks": each.chunks,
        "held": each.held,
        "holds": each.holds,
        "kept_by_minimum": each.kept_by_minimum,
        "key_buckets": list(each.key_buckets),
    }
