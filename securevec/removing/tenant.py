"""Deleting a tenant: a resumable state machine whose first step is already effective.

    accepted     one transaction: the fence closes and the job row is written. From here on no process reads or writes
                 the tenant, and nothing can be added to it.
    planned      the manifest is fixed, behind the fence and before anything is deleted: namespaces, counts, key ids, a
                 sealed probe. The receipt's counts come from it, never from a running counter.
    keys_destroyed
                 the tenant's keys are destroyed in the key store; what they sealed is unreadable, wherever it lies
    watched      what is there is counted, and the byte probe finds some of it: kept, so that no kill takes it away
    removed      every namespace is dropped in the engine. Needs the engine: when another process holds it, the job
                 waits here and the holder finishes it
    cleared      read back as gone, and the tenant's control rows, names and tokens deleted, their file rewritten
    done         receipt signed and kept

Each step may be repeated: it checks what is already so. What cannot be shown (a damaged shard that cannot be probed, a
key store older than the tenant) does not stop the deletion; the receipt calls it unverified.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import orjson

from securevec.control.rows import JobRow
from securevec.errors import DeletionIncomplete, UnknownKey
from securevec.guard import Admission
from securevec.jobs import encode, move_on
from securevec.proof.receipt import Artefact
from securevec.proof.shredding import root_of, shred
from securevec.proof.signing_off import sign_off
from securevec.removing import tenant_evidence
from securevec.state.runtime import Runtime
from securevec.types import TenantId


def request_deletion(runtime: Runtime, admission: Admission) -> JobRow:
    """The first step: the intent in the audit log, then fence and job row in one transaction.

    Idempotent: a second request finds the first job. Raises :class:`LegalHold`.
    """
    job_id = uuid4().hex
    requested = {"ms": runtime.clock.now_ms(), "by": admission.scope.actor_ref}
    admission.note(phase="intent")
    job = runtime.control.begin_tenant_deletion(
        tenant=admission.scope.tenant,
        job_id=job_id,
        request_id=admission.request_id,
        manifest=encode({"requested": requested}),
        now_ms=runtime.clock.floor_ms(),
    )
    if job.job_id != job_id:
        # The job answers for the request that began it; this one is answered here.
        admission.note(phase="result")
    return job


def step(runtime: Runtime, job: JobRow) -> JobRow:
    """Take a tenant's deletion one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    tenant = TenantId(job.tenant)
    if job.state == "accepted":
        return move_on(runtime, job, to="planned", data=data | {"manifest": tenant_evidence.plan(runtime, tenant)})
    manifest: dict[str, Any] = data["manifest"]
    if job.state == "planned":
        data["keys"] = _destroy_keys(runtime, job, manifest["keys"])
        return move_on(runtime, job, to="keys_destroyed", data=data)
    if job.state == "keys_destroyed":
        data["seen"] = [tenant_evidence.watch(runtime, entry) for entry in manifest["collections"]]
        return move_on(runtime, job, to="watched", data=data)
    if job.state == "watched":
        entries = zip(manifest["collections"], data["seen"], strict=True)
        data["removals"] = [tenant_evidence.remove(runtime, entry, seen) for entry, seen in entries]
        return move_on(runtime, job, to="removed", data=data)
    if job.state == "removed":
        tenant_evidence.require_removed(runtime, manifest)
        runtime.control.forget_tenant(job_id=job.job_id, now_ms=runtime.clock.now_ms())
        return move_on(runtime, job, to="cleared", data=data | {"scrubbed": runtime.control.scrub()})
    if job.state == "cleared":
        receipt = _issue(runtime, job, data, tenant_evidence.artefacts(runtime, tenant, data))
        runtime.control.finish_tenant_deletion(job_id=job.job_id, receipt=receipt, now_ms=runtime.clock.now_ms())
        return runtime.control.job(job.job_id) or job
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _destroy_keys(runtime: Runtime, job: JobRow, doomed: dict[str, Any]) -> dict[str, Any]:
    try:
        return shred(runtime, job, doomed, lambda: runtime.keys.destroy_tenant(TenantId(job.tenant)))
    except UnknownKey:
        # The key store is older than the tenant (put back from a backup): there is nothing to destroy here.
        return {**doomed, "destroyed": [], "evidence": "", "ms": runtime.clock.now_ms()}


def _issue(runtime: Runtime, job: JobRow, data: dict[str, Any], artefacts: Sequence[Artefact]) -> bytes:
    manifest = data["manifest"]
    records = {"records": manifest["records"], "chunks": manifest["chunks"]}
    predicate: dict[str, object] = {
        "kind": "tenant",
        "requested_ms": data["requested"]["ms"],
        "keys_destroyed_ms": data["keys"]["ms"],
        "completed_ms": runtime.clock.now_ms(),
        "actor": data["requested"]["by"],
        "manifest": {
            **records,
            "collections": len(manifest["collections"]),
            "keys": len(manifest["keys"]["key_ids"]),
        },
        "artefacts": [artefact.to_json() for artefact in artefacts],
        "root": root_of(runtime),
    }
    counts = {**records, "keys": len(data["keys"]["destroyed"])}
    return sign_off(runtime, job, predicate, manifest=encode(manifest).encode(), action="tenant.delete", counts=counts)
