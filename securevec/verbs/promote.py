"""Moving a tenant to a collection or a shard of its own, or back: a resumable state machine. Nobody waits for it.

    accepted     the job row is written; nothing is different yet
    doubled      every collection has its second place, and from this commit on every write goes to both
    copied       what the manifest names is copied
    verified     each point the manifest names was opened in the new place and compared with the old one, the counts
                 agree, and what the manifest does not name is removed
    switched     from this commit on the new place alone is read and written
    removed      the old place is emptied
    done         read back, receipt signed and kept

    abandoned    taken back before the switch: the new place is emptied, and the job ends `cancelled`

Each step may be repeated. Until the switch the old place is whole, after it the new one is; and nothing that only a
place holds is dropped with it, whatever files were put back meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import orjson

from securevec.control.rows import CollectionRow, JobRow
from securevec.errors import DeletionIncomplete, TenantUnavailable, UsageError, WriteNotAcknowledged
from securevec.guard import Admission
from securevec.jobs import encode, move_on, note, renew
from securevec.proof.receipt import Artefact
from securevec.proof.signing_off import sign_off
from securevec.reopen import description_of, spec_of
from securevec.state.runtime import Runtime
from securevec.types import Layout, Namespace, TenantId
from securevec.verbs.moving import Move, check, copy, spare


def request_move(runtime: Runtime, admission: Admission, to: Layout) -> JobRow:
    """Accept a move. A second request for the same one finds the first. Raises :class:`UsageError`."""
    layouts = runtime.backend().capabilities.layouts
    if to not in layouts:
        raise UsageError(
            "This store has no such layout." if layouts else "This store keeps every tenant apart by itself.",
            next_step=f"Known here: {', '.join(layouts)}." if layouts else "",
        )
    tenant = admission.scope.tenant
    tag = runtime.names.tag(tenant)
    held = runtime.control.placement(tag)
    now_ms = runtime.clock.now_ms()
    job_id = uuid4().hex
    admission.note(phase="intent", detail={"layout": to})
    job = runtime.control.begin_move(
        tenant=tenant,
        tag=tag,
        job_id=job_id,
        request_id=admission.request_id,
        fence=admission.fence,
        home=layouts[0],
        to=to,
        data=encode(
            {
                "requested": {"ms": now_ms, "by": admission.scope.actor_ref},
                "source": layouts[0] if held is None else held.layout,
                "to": to,
            }
        ),
        now_ms=now_ms,
    )
    if job.job_id != job_id:
        # The job answers for the request that began it; this one is answered here.
        admission.note(phase="result", detail={"layout": to})
    return job


def step(runtime: Runtime, job: JobRow) -> JobRow:
    """Take a move one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    tenant = TenantId(job.tenant)
    if job.state == "accepted":
        return _doubled(runtime, job, data)
    if job.state == "doubled":
        copied = {move.collection: copy(move) for move in _moves(runtime, job, data)}
        return move_on(runtime, job, to="copied", data=data | {"copied": sum(copied.values())})
    if job.state == "copied":
        found = {move.collection: check(move).to_json() for move in _moves(runtime, job, data)}
        return move_on(runtime, job, to="verified", data=data | {"verified": found})
    if job.state == "verified":
        _require_active(runtime, tenant)
        return runtime.control.switch_placement(
            job, to=data["to"], now_ms=runtime.clock.now_ms(), owner=runtime.audit.writer_id
        )
    if job.state == "switched":
        dropped = _emptied(runtime, job, data["source"], kept_in=data["to"])
        return move_on(runtime, job, to="removed", data=data | {"dropped": dropped})
    if job.state == "removed":
        # Again: a write that was under way at the switch may have landed after the first removal.
        _emptied(runtime, job, data["source"], kept_in=data["to"])
        return _done(runtime, job, data)
    if job.state == "abandoned":
        _emptied(runtime, job, data["to"], kept_in=data["source"])
        note(runtime, job, action="tenant.promote", phase="result", detail={"step": "cancelled"})
        return runtime.control.finish_abandoned(job, now_ms=runtime.clock.now_ms())
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _doubled(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    tenant = TenantId(job.tenant)
    while True:
        _require_active(runtime, tenant)
        rows = runtime.control.collections(tenant)
        for row in rows:
            place = _at(runtime, row, data["to"])
            runtime.backend().ensure(namespace=place, spec=spec_of(row, description_of(runtime, row)))
        doubled = runtime.control.double_placement(
            job,
            tag=runtime.names.tag(tenant),
            source=data["source"],
            to=data["to"],
            prepared=[row.collection for row in rows],
            now_ms=runtime.clock.now_ms(),
            owner=runtime.audit.writer_id,
        )
        if doubled is not None:
            return doubled


def _moves(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> Iterator[Move]:
    tenant = TenantId(job.tenant)

    def still() -> None:
        _require_active(runtime, tenant)
        renew(runtime, job)

    for row in runtime.control.collections(tenant):
        source, target = _at(runtime, row, data["source"]), _at(runtime, row, data["to"])
        yield Move(runtime, tenant, row.collection, source, target, still)


def _emptied(runtime: Runtime, job: JobRow, layout: Layout, *, kept_in: Layout) -> dict[str, int]:
    """Drop the tenant's places in this layout and read back. Points by collection.

    What the manifest names and only this place holds is brought to the one that stays first. There is none such, unless
    files were put back: behind an earlier control store the tenant may live in the very place that is to be emptied.
    Raises :class:`CheckFailed` for what cannot be brought, and :class:`ControlUnavailable` when another process took
    the job: the tenant may live there again by now."""
    dropped: dict[str, int] = {}
    for row in runtime.control.collections(TenantId(job.tenant)):
        place, other = _at(runtime, row, layout), _at(runtime, row, kept_in)
        renew(runtime, job)
        runtime.backend().ensure(namespace=other, spec=spec_of(row, description_of(runtime, row)))
        spare(Move(runtime, row.tenant, row.collection, place, other, partial(renew, runtime, job)))
        renew(runtime, job)
        dropped[row.collection] = runtime.backend().drop(namespace=place).points
        if runtime.backend().count(namespace=place):
            raise WriteNotAcknowledged("The store still counts points in a place that was emptied.")
    return dropped


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    found: dict[str, dict[str, Any]] = data["verified"]
    counts = {
        "collections": len(found),
        "records": sum(each["records"] for each in found.values()),
        "points": sum(each["points"] for each in found.values()),
    }
    predicate: dict[str, object] = {
        "kind": "move",
        "requested_ms": data["requested"]["ms"],
        "completed_ms": runtime.clock.now_ms(),
        "actor": data["requested"]["by"],
        "source": data["source"],
        "target": data["to"],
        "manifest": counts,
        "artefacts": [
            _artefact(collection, each, data["dropped"].get(collection, 0), data).to_json()
            for collection, each in found.items()
        ],
    }
    receipt = sign_off(
        runtime,
        job,
        predicate,
        manifest=encode(found).encode(),
        action="tenant.promote",
        counts=counts,
        detail={"layout": data["to"]},
    )
    return runtime.control.finish_job(job.job_id, receipt=receipt, now_ms=runtime.clock.now_ms())


def _artefact(collection: str, found: dict[str, Any], dropped: int, data: dict[str, Any]) -> Artefact:
    return Artefact(
        artefact=f"points of collection {collection} in layout {data['source']}",
        method=f"copy to layout {data['to']}, compare with the manifest, switch, drop, read back",
        verdict="unverified",
        evidence=f"{found['points']} points of {found['records']} records opened in the new place and equal to the "
        f"old, sha256 {found['digest']}; {dropped} dropped from the old place, 0 counted after",
        residual="the server removes the bytes of dropped points when its own vacuum runs; its log, snapshots and "
        "backups are not reached",
    )


def _at(runtime: Runtime, row: CollectionRow, layout: Layout) -> Namespace:
    return replace(runtime.names.namespace(row.tenant, row.collection), layout=layout)


def _require_active(runtime: Runtime, tenant: TenantId) -> None:
    if runtime.control.fence(tenant).state != "active":
        raise TenantUnavailable("The tenant is suspended or being deleted; its move waits.")
