"""``tenant create|list|show|suspend|resume|quota|promote|delete|purge|grant|revoke``."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, get_args

import orjson
import typer

from securevec.cli.command import Group
from securevec.cli.commands.receipts import NewReceipt, check_anywhere
from securevec.cli.named import require_new
from securevec.cli.output import confirm, pairs, table
from securevec.cli.session import Session
from securevec.errors import TenantNotFound, UsageError

if TYPE_CHECKING:
    from securevec.state.runtime import Runtime
    from securevec.types import TenantId

Name = Annotated[str, typer.Argument(metavar="TENANT", show_default=False)]
ActorName = Annotated[str, typer.Argument(metavar="ACTOR", help="kind:name", show_default=False)]
Role = Annotated[str, typer.Argument(metavar="ROLE", help="owner, writer, reader or revealer", show_default=False)]
_DAY_MS = 86_400_000


def register(group: Group) -> None:
    group.command("create")(create)
    group.command("list")(list_tenants)
    group.command("show")(show)
    group.command("suspend")(suspend)
    group.command("resume")(resume)
    group.command("quota")(quota)
    group.command("promote")(promote)
    group.command("delete")(delete)
    group.command("purge")(purge)
    group.command("grant")(grant)
    group.command("revoke")(revoke)


def create(session: Session, name: Name) -> None:
    """Make a tenant with keys of its own. Who makes it owns it."""
    if session.store.runtime.control.tenant_by_token(session.store.runtime.names.tenant_token(name)) is not None:
        raise UsageError("There is a tenant of this name.", next_step="See: securevec tenant show NAME")
    tenant = session.store.tenant(name, actor=session.actor, create=True)
    session.out.show({"tenant": name, "id": tenant.id}, pairs({"tenant": name, "id": tenant.id}))


def list_tenants(session: Session) -> None:
    """Tenants and their states."""
    listed = session.store.tenants()
    document = [{"tenant": name, "state": state} for name, state in listed]
    session.out.show(document, table(["tenant", "state"], listed))


def show(session: Session, name: Name) -> None:
    """One tenant: state, roles, collections, keys."""
    session.require_manager()
    runtime = session.store.runtime
    row = runtime.control.tenant_by_token(runtime.names.tenant_token(name))
    if row is None:
        raise TenantNotFound("There is no such tenant.")
    collections = _collections(runtime, row.tenant)
    keys = len(runtime.keys.list_keys(tenant=row.tenant))
    document: dict[str, Any] = {"tenant": name, "id": row.tenant, "state": row.state, "keys": keys}
    placement = runtime.control.placement(runtime.names.tag(row.tenant))
    if placement is not None:
        moving = f", moving to {placement.moving_to}" if placement.moving_to else ""
        document["layout"] = f"{placement.layout}{moving}"
    shown = table(
        ["collection", ">records", ">chunks", "retention", "vault", "model"],
        [
            (
                entry["collection"],
                entry["records"],
                entry["chunks"],
                _days(entry["retention_ms"]),
                "yes" if entry["vault"] else "no",
                entry["model"],
            )
            for entry in collections
        ],
    )
    roles = _roles(runtime, row.tenant)
    people = table(["actor", "role"], [(entry["actor"], entry["role"]) for entry in roles])
    session.out.show({**document, "collections": collections, "roles": roles}, pairs(document), "", shown, "", people)


def suspend(session: Session, name: Name) -> None:
    """Refuse every operation of a tenant, at once and in every process."""
    session.store.suspend_tenant(name)
    session.out.show({"tenant": name, "state": "suspended"}, "suspended")


def resume(session: Session, name: Name) -> None:
    """Let a suspended tenant work again."""
    session.store.resume_tenant(name)
    session.out.show({"tenant": name, "state": "active"}, "active")


def quota(
    session: Session,
    name: Name,
    points: Annotated[
        str | None, typer.Option("--points", metavar="N", help="The most points, or none for no limit.")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--bytes", metavar="N[K|M|G|T]", help="The most bytes, or none for no limit.")
    ] = None,
) -> None:
    """What a tenant holds and may hold. With an option, that limit is set and the other one stays."""
    if points is not None or size is not None:
        before = session.store.quota(name)
        session.store.set_quota(
            name,
            points=before.max_points if points is None else _amount(points),
            bytes=before.max_bytes if size is None else _amount(size),
        )
    use = session.store.quota(name)
    document = {"points": use.points, "max_points": use.max_points, "bytes": use.bytes, "max_bytes": use.max_bytes}
    shown = [
        (what, f"{held:,}", "no limit" if most is None else f"{most:,}")
        for what, held, most in (("points", use.points, use.max_points), ("bytes", use.bytes, use.max_bytes))
    ]
    session.out.show({"tenant": name, **document}, table(["quota", ">held", ">most"], shown))


def promote(
    session: Session,
    name: Name,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="LAYOUT", help="collection, shard, or shared to move it back.", show_default=False
        ),
    ],
    receipt: NewReceipt = None,
) -> None:
    """Move a tenant to a place of its own on a Qdrant server. A collection or a shard, while it is read and
    written.

    Copied, compared with the manifest, switched, removed from the old place. When it stops, exit code and `jobs list`
    say so; `jobs retry` goes on, and `jobs cancel` takes it back until it has switched.
    """
    from securevec.types import Layout

    layout: Layout | None = next((each for each in get_args(Layout) if each == to), None)
    if layout is None:
        raise UsageError("There is no such layout.", next_step="Use collection, shard or shared.")
    require_new(receipt)
    result = session.store.promote_tenant(name, to=layout)
    document = {"job": result.job_id, "state": result.state, "layout": to, "waiting_for": result.waiting_for or None}
    session.out.show(document, pairs({key: value for key, value in document.items() if value is not None}))
    result.raise_if_incomplete()
    if receipt is not None:
        result.save(receipt)


def _amount(typed: str) -> int | None:
    """``none``, or a whole number, with K, M, G or T for powers of 1,024. Raises :class:`UsageError`."""
    match = re.fullmatch(r"(none)|([0-9]{1,15})([KMGT]?)(?:i?B)?", typed, re.IGNORECASE | re.ASCII)
    if match is None:
        raise UsageError("A quota is a whole number, or none.", next_step="For example --points 100000 --bytes 2G.")
    return None if match[1] else int(match[2]) << 10 * " KMGT".index(match[3].upper() or " ")


def delete(
    session: Session,
    name: Name,
    receipt: NewReceipt = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, on a terminal.")] = False,
) -> None:
    """Delete a tenant, its keys first. Then its points are removed, that is verified, and a receipt is signed.

    When another process holds the engine, the fence and the keys' destruction take effect here and now, the exit
    code is 5, and the holder does the rest.
    """
    require_new(receipt)
    if not yes and sys.stdin.isatty():
        confirm("Destroy this tenant's keys and remove its data? It cannot be undone")
    session.frees = True
    result = session.store.delete_tenant(name)
    session.out.show(
        {"job": result.job_id, "state": result.state, "waiting_for": result.waiting_for or None},
        pairs({"job": result.job_id, "state": result.state}),
    )
    result.raise_if_incomplete()
    if receipt is not None:
        result.save(receipt)
        session.out.say(check_anywhere(receipt))
    else:
        session.out.say(f"Its receipt: securevec jobs show {result.job_id} --receipt FILE")


def purge(
    session: Session,
    name: Name,
    unnamed: Annotated[
        bool, typer.Option("--unnamed", help="Also what files that were put back brought again: `old` in verify.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, on a terminal.")] = False,
) -> None:
    """Remove the bytes of deleted records from the engine's files. Deletions are complete for readers without it."""
    if unnamed and not yes and sys.stdin.isatty():
        confirm("Remove every point that the manifest does not name? With an older control store: all written since")
    session.frees = True
    report = session.tenant(name).purge(unnamed=unnamed)
    document: dict[str, Any] = {
        "collections": report.collections,
        "bytes_removed": report.bytes_removed,
        "residual": list(report.residual),
    }
    said = {True: "removed from live files", False: "not removed", None: "this store cannot tell"}[report.bytes_removed]
    table: dict[str, Any] = {"collections": report.collections, "bytes of deleted records": said}
    if unnamed:
        found = {"removed": report.removed, "held": report.held}
        document |= found | {"evidence": list(report.evidence), "verified": report.verified}
        table |= {"points not named, removed": report.removed, "kept by a hold": report.held}
        table |= {"evidence": "; ".join(report.evidence) or "nothing to look for"}
    session.out.show(document, pairs(table))


def grant(session: Session, name: Name, actor: ActorName, role: Role) -> None:
    """Give an actor a role in a tenant."""
    from securevec.policy import Actor

    session.tenant(name).grant(Actor.parse(actor), role)
    session.out.show({"tenant": name, "actor": actor, "role": role}, "granted")


def revoke(session: Session, name: Name, actor: ActorName, role: Role) -> None:
    """Take a role back. Effective at the actor's next operation, in every process. `tenant show` lists them all."""
    from securevec.policy import Actor

    tenant = session.tenant(name)
    given = _roles(session.store.runtime, tenant.id)
    had = any((entry["actor"], entry["role"]) == (actor, role) for entry in given)
    tenant.revoke(Actor.parse(actor), role)
    session.out.show(
        {"tenant": name, "actor": actor, "revoked": role, "had": had},
        "revoked" if had else "the actor had no such role: nothing changed",
    )


def _roles(runtime: Runtime, tenant: TenantId) -> list[dict[str, str]]:
    """Who has which role in a tenant, oldest first. ``ref`` is what the audit log calls them."""
    from securevec.policy import Actor

    names = runtime.control.principals()
    granted = [
        (runtime.names.open_text(names[token], row=token, kind="actor-name"), role)
        for token, role in runtime.control.grants(tenant)
        if token in names
    ]
    return [{"actor": name, "role": role, "ref": runtime.names.actor_ref(Actor.parse(name))} for name, role in granted]


def _collections(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    now_ms = runtime.clock.now_ms()
    entries: list[dict[str, Any]] = []
    for row in runtime.control.collections(tenant):
        records, chunks = runtime.control.count_shown(tenant, row.collection, now_ms=now_ms)
        raw = bytes.fromhex(row.collection)
        model = orjson.loads(row.identity)["model"]
        entries.append(
            {
                "collection": runtime.names.open_text(row.name_sealed, row=raw, kind="collection-name"),
                "id": row.collection,
                "records": records,
                "chunks": chunks,
                "retention_ms": row.retention_ms,
                "vault": row.vault,
                "model": model["name"],
                "dimension": model["dimension"],
            }
        )
    return sorted(entries, key=lambda entry: str(entry["collection"]))


def _days(retention_ms: int | None) -> str:
    if retention_ms is None:
        return "until deleted"
    days = retention_ms / _DAY_MS
    return f"{days:g} days"
