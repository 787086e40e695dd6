"""``describe``, ``update``, ``export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.commands.data import Place, Where
from securevec.cli.output import pairs, table
from securevec.cli.records import conditions, record_id
from securevec.cli.reports import progress_bar
from securevec.cli.session import Session, split_place
from securevec.errors import CollectionMismatch, UsageError

if TYPE_CHECKING:
    from securevec.crypto.cloak import Cloak
    from securevec.store import Tenant

_DAY_MS = 86_400_000


def register(group: Group) -> None:
    group.command("describe")(describe)
    group.command("update")(update)
    group.command("export")(export)
    group.command("accept-detector")(accept_detector)


def describe(session: Session, place: Place) -> None:
    """A collection: fields, retention, model, detector, size."""
    about = session.collection(place).describe()
    fields = [
        {"name": spec.name, "kind": spec.kind, "type": spec.type, "optional": spec.optional}
        | ({"mode": spec.mode} if spec.kind == "filter" else {})
        | ({"width": spec.width} if spec.width is not None else {})
        | ({"truncate": spec.truncate} if spec.truncate is not None else {})
        | ({"keep": spec.keep} if spec.kind in ("embed", "seal") else {})
        for spec in about.fields
    ]
    document: dict[str, Any] = {
        "id": about.id,
        "records": about.records,
        "chunks": about.chunks,
        "retention_ms": about.retention_ms,
        "vault": about.vault,
        "hybrid": about.hybrid,
        "key_scope": about.key_scope,
        "cloak": None if about.cloak is None else {"mode": about.cloak.mode, "noise": about.cloak.noise},
        "classification": about.classification,
        "backend": about.backend,
        "model": {"name": about.model.name, "digest": about.model.digest, "dimension": about.model.dimension},
        "detector": about.detector,
        "policy": about.policy,
        "tenant": {
            "points": about.quota.points,
            "max_points": about.quota.max_points,
            "bytes": about.quota.bytes,
            "max_bytes": about.quota.max_bytes,
        },
        "fields": fields,
    }
    kept = "until deleted" if about.retention_ms is None else f"{about.retention_ms / _DAY_MS:g} days"
    shown = {
        "id": about.id,
        "records": about.records,
        "chunks": about.chunks,
        "kept": kept,
        "vault": "yes" if about.vault else "no",
        "hybrid search": "yes" if about.hybrid else "no",
        "keys": "one a record besides" if about.key_scope == "document" else "by expiry bucket",
        "vector cloak": "no" if about.cloak is None else _said(about.cloak),
        "classification": about.classification,
        "backend": about.backend,
        "model": f"{about.model.name} ({about.model.dimension})",
        "detector": about.detector[:16],
        "tenant's points": _room(about.quota.points, about.quota.max_points),
        "tenant's bytes": _room(about.quota.bytes, about.quota.max_bytes),
    }
    rows = [
        (
            entry["name"],
            entry["kind"],
            f"{entry['type']}{' or null' if entry['optional'] else ''}",
            entry.get("mode", entry.get("keep", "")),
        )
        for entry in fields
    ]
    session.out.show(document, pairs(shown), "", table(["field", "kind", "type", "how"], rows))


def update(
    session: Session,
    place: Place,
    identifier: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A new value, as in a file; repeat for more fields."),
    ] = None,
    cleared: Annotated[
        list[str] | None, typer.Option("--clear", metavar="FIELD", help="A field to be null; repeat for more.")
    ] = None,
) -> None:
    """Change some fields of one record. The others keep their anonymized text and their originals."""
    fields: dict[str, object] = {}
    for typed in changes or []:
        name, separator, value = typed.partition("=")
        if not separator:
            raise UsageError("A new value is written FIELD=VALUE.", next_step="For example --set status=closed.")
        fields[name] = value
    fields |= dict.fromkeys(cleared or [])
    if not fields:
        raise UsageError("Nothing is to be changed.", next_step="Pass --set FIELD=VALUE or --clear FIELD.")
    collection = session.collection(place)
    report = collection.update(record_id(collection.schema, identifier), **fields)
    document = {
        "changed": list(report.changed),
        "chunks": report.chunks,
        "embedded": report.embedded,
        "redactions": dict(sorted(report.redactions.items())),
        "request_id": report.request_id,
    }
    session.out.show(document, f"changed: {', '.join(report.changed)}" if report.changed else "nothing to change")


def export(
    session: Session,
    place: Place,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to, mode 0600. Without, or -: standard output.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="jsonl|csv", help="Default: by the file's name, else jsonl.")
    ] = None,
    where: Where = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Write every record as JSON lines or CSV. Anonymized as stored: originals are never in it."""
    if form not in (None, "jsonl", "csv"):
        raise UsageError("An export's format is jsonl or csv.")
    out = None if str(out) == "-" else out
    if out is None and session.out.as_json:
        raise UsageError(
            "With --json the answer is a report, so the records need a file.", next_step="Pass --out FILE."
        )
    collection = session.collection(place)
    chosen = conditions(collection.schema, where or [])
    target = out if out is not None else sys.stdout.buffer
    with progress_bar(place, quiet=session.out.as_json or (out is None and sys.stdout.isatty())) as progress:
        report = collection.export(
            target,
            format="csv" if form == "csv" else "jsonl" if form else None,
            where=chosen,
            overwrite=overwrite,
            progress=progress,
        )
    document = {
        "file": str(out) if out is not None else None,
        "records": report.records,
        "bytes": report.bytes,
        "violations": report.violations,
        "request_id": report.request_id,
    }
    if out is None:
        sys.stdout.buffer.flush()
        session.out.say(f"securevec: {report.records} records exported")
    else:
        session.out.show(document, f"{report.records} records, {report.bytes} bytes")


def _said(cloak: Cloak) -> str:
    return f"{cloak.mode} ({cloak.noise:g})" if cloak.noise else cloak.mode


def _room(held: int, most: int | None) -> str:
    return f"{held:,} of {most:,}" if most is not None else f"{held:,}, no limit"


def accept_detector(
    session: Session,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="TENANT[/COLLECTION]", help="A tenant alone is all it has.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every collection of every tenant.")] = False,
) -> None:
    """Go on with a newer detector, after an update.

    Until then a collection that was filled under another detector answers nothing: a question would be anonymized in
    another way than the records. Nothing is read or written but the collection's description. Stored records keep what
    was replaced then; run their ingest again for what the new detector finds besides. A collection of a service that
    brings recognizers, operators or a recall of its own is accepted there: existing_collection(NAME,
    accept_new_detector=True).
    """
    if bool(places) == every:
        raise UsageError("Name tenants and collections, or --all.", next_step="For example acme/tickets.")
    wanted: list[tuple[str, str | None]] = [
        split_place(place) if "/" in place else (place, None) for place in places or ()
    ]
    if every:
        wanted = [(name, None) for name, state in session.store.tenants() if state == "active"]
    rows: list[dict[str, Any]] = []
    refused: CollectionMismatch | None = None
    for tenant_name, collection in wanted:
        tenant = session.tenant(tenant_name)
        for name in [collection] if collection is not None else tenant.collections():
            try:
                state = _accepted(tenant, name)
            except CollectionMismatch as error:
                # Another model, for example. It must not keep the collections behind it from answering.
                state, refused = error.message, error
            rows.append({"tenant": tenant_name, "collection": name, "state": state})
    session.out.show(rows, table(["tenant", "collection", "state"], [tuple(row.values()) for row in rows]))
    if refused is not None:
        raise refused


def _accepted(tenant: Tenant, name: str) -> str:
    """Raises :class:`CollectionMismatch` for what accepting a detector does not mend."""
    try:
        tenant.existing_collection(name)
    except CollectionMismatch:
        tenant.existing_collection(name, accept_new_detector=True)
        return "accepted"
    return "as it was"
