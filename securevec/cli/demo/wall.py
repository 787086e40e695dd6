"""Step 5, first part: trying to reach another tenant through handles, arguments and records."""

from __future__ import annotations

from typing import Any, Final

from securevec.cli.demo.scene import House, Scene
from securevec.cli.demo.stage import Breach, Tried
from securevec.errors import FilterError, PolicyDenied, RecordNotFound, TenantNotFound

_K: Final = 10


def through_handles(scene: Scene) -> list[Tried]:
    """``northgate`` reaches for ``larkfield``. Nothing it passes may take it there."""
    from securevec.filters import F
    from securevec.policy import Actor

    stage, store = scene.stage, scene.store
    ours, theirs = scene.northgate, scene.larkfield
    stranger, loader = Actor("user:stranger"), Actor("svc:loader")
    theirs.tenant.grant(loader, "writer")
    record_id = min(theirs.ids)
    vector = scene.point(theirs, "refund").vector
    return [
        stage.attempt(
            "P1",
            f"{ours.actor.name} asks for a handle on {theirs.name}",
            lambda: repr(store.tenant(theirs.name, actor=ours.actor)),
            TenantNotFound,
        ),
        stage.attempt(
            "P1",
            "an actor without any role asks for a handle",
            lambda: repr(store.tenant(theirs.name, actor=stranger)),
            TenantNotFound,
        ),
        stage.attempt(
            "P1",
            "a writer of the tenant, who may not read, searches",
            lambda: repr(store.tenant(theirs.name, actor=loader).existing_collection("tickets").search("refund")),
            PolicyDenied,
        ),
        stage.attempt(
            "P1", f"get one of {theirs.name}'s record ids", lambda: repr(ours.tickets.get(record_id)), RecordNotFound
        ),
        stage.attempt("P1", f"delete one of {theirs.name}'s record ids", lambda: _delete(ours, theirs, record_id)),
        stage.attempt(
            "P1",
            f"search with the vector of one of {theirs.name}'s own points",
            lambda: _only_own(ours, ours.tickets.search(vector=vector, k=_K)),
        ),
        stage.attempt(
            "P1",
            f"filter on the tenant tag of {theirs.name}",
            lambda: repr(ours.tickets.search("refund", where=F("t") == theirs.namespace.tenant_tag)),
            FilterError,
        ),
        stage.attempt(
            "P1",
            f"ingest a record whose fields name {theirs.name} and its tags",
            lambda: _smuggle(ours, theirs),
        ),
    ]


def _only_own(house: House, result: Any) -> str:
    """Raises :class:`Breach` when a hit is not one of the house's own records."""
    foreign = sum(hit.id not in house.ids for hit in result)
    if foreign or not len(result):
        raise Breach(f"{foreign} foreign among {len(result)} hits")
    return f"{len(result)} hits, 0 foreign"


def _delete(ours: House, theirs: House, record_id: str) -> str:
    before = theirs.tickets.count()
    report = ours.tickets.delete(record_id)
    after = theirs.tickets.count()
    if report.deleted or after != before:
        raise Breach(f"{before - after} deleted")
    return f"nothing to delete; the other tenant still has {after}"


def _smuggle(ours: House, theirs: House) -> str:
    """Undeclared fields fall away, whatever they are called; the record lands with who ingested it."""
    before = theirs.tickets.count()
    crossing = {
        "id": "crossing-1",
        "customer": "Nobody",
        "body": "This ticket tries to be somewhere else.",
        "status": "open",
        "opened": "2026-01-01T00:00:00Z",
        "tenant": theirs.name,
        "t": theirs.namespace.tenant_tag,
        "c": theirs.namespace.collection_tag,
        "shard": theirs.namespace.shard,
    }
    report = ours.tickets.ingest([crossing])
    try:
        theirs.tickets.get("crossing-1")
    except RecordNotFound:
        landed = theirs.tickets.count() - before
    else:
        landed = 1
    kept = ours.tickets.delete("crossing-1").deleted
    if landed or report.new != 1 or kept != 1:
        raise Breach(f"{landed} landed with the other tenant")
    return "landed with its own tenant, the names fell away"
