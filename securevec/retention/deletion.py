"""Deleting a tenant: a resumable state machine whose first step is already effective.

    accepted     one transaction: the fence closes and the job row is written. From here on no process reads or writes
                 the tenant, and nothing can be added to it.
    planned      the manifest is fixed, behind the fence and before anything is deleted: namespaces, counts, key ids, a
                 sealed probe. The receipt's counts come from it, never from a running counter.
    keys_destroyed
                 the tenant's keys are destroyed in the key store; what they sealed is unreadable, wherever it lies
    removed      every namespace is dropped in the engine. Needs the engine: when another process holds it, the job
                 waits here and the holder finishes it
    cleared      read back as gone, and the tenant's control rows, names and tokens deleted, their file rewritten
    done         receipt signed and kept

Each step may be repeated: it checks what is already so. What cannot be shown (a damaged shard that cannot be probed, a
key store older than the tenant) does not stop the deletion; the receipt calls it unverified.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

from securevec.audit import Action, AuditRef, Event, Phase, error_name, is_alive
from securevec.control.rows import JobRow
from securevec.errors import DeletionIncomplete, EngineLocked, SecurevecError, UnknownKey
from securevec.guard import Admission, settle_outbox
from securevec.retention import evidence
from securevec.retention.receipt import Artefact, issue
from securevec.runtime import Runtime
from securevec.types import TenantId

LEASE_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class DeletionResult:
    """Where a deletion stands. ``receipt`` is there once it is done."""

    job_id: str
    state: str
    receipt: bytes | None
    waiting_for: str = ""
    failed: bool = False

    def raise_if_incomplete(self) -> DeletionResult:
        """Raises :class:`DeletionIncomplete` unless the job is done; the fence is closed in either case."""
        if self.receipt is None:
            raise DeletionIncomplete(
                f"The tenant is fenced off, and its deletion stands at `{self.state}`"
                + (f", waiting for {self.waiting_for}." if self.waiting_for else "."),
                job_id=self.job_id,
                next_step="The process that holds the engine finishes it; or run: securevec jobs run --once",
            )
        return self

    def save(self, path: str | Path) -> Path:
        """Write the receipt (JSON). Raises :class:`DeletionIncomplete` when there is none yet."""
        self.raise_if_incomplete()
        target = Path(path)
        target.write_bytes(self.receipt or b"")
        return target


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
        manifest=_encode({"requested": requested}),
        now_ms=runtime.clock.now_ms(),
    )
    if job.job_id != job_id:
        # The job answers for the request that began it; this one is answered here.
        admission.note(phase="result")
    return job


def run_pending(runtime: Runtime, *, due: Callable[[JobRow], bool] = lambda job: True) -> list[DeletionResult]:
    """Advance every open job that is ``due`` as far as it goes here.

    A job another thread or process works on is left to it. One that cannot go on does not hold up the others: its
    error is kept with the job, recorded, and named in its result.
    """
    results: list[DeletionResult] = []
    for job in runtime.control.jobs(open_only=True):
        if not due(job):
            continue
        try:
            results.append(advance(runtime, job, wait=False))
        except SecurevecError as error:
            results.append(DeletionResult(job.job_id, job.state, None, waiting_for=error_name(error), failed=True))
    return results


def advance(runtime: Runtime, job: JobRow, *, wait: bool = True) -> DeletionResult:
    """Carry one job on. ``wait`` for another thread of this process that is at it; another process is not waited for.

    Raises what stopped it (:class:`KeyUnavailable`, :class:`BackendError` ...), after recording it; the job stays open
    and resumable.
    """
    with runtime.job_in_hand(job.job_id, wait=wait) as mine:
        job = runtime.control.job(job.job_id) or job
        if job.state == "done" or not mine:
            return DeletionResult(job.job_id, job.state, job.receipt, "" if job.receipt else "another thread")
        owner = runtime.audit.writer_id
        if not _lease(runtime, job, owner):
            return DeletionResult(job.job_id, job.state, job.receipt, waiting_for="another process")
        try:
            while job.state != "done":
                job = _step(runtime, job)
                settle_outbox(runtime)
        except EngineLocked:
            return DeletionResult(job.job_id, job.state, None, waiting_for="the process that holds the engine")
        except SecurevecError as error:
            _record_failure(runtime, job, error)
            raise
        finally:
            runtime.control.lease_job(job.job_id, owner=owner, until_ms=0, now_ms=runtime.clock.now_ms())
        return DeletionResult(job.job_id, job.state, job.receipt)


def _lease(runtime: Runtime, job: JobRow, owner: str) -> bool:
    """Take the job. A lease that its process did not live to give back is given back for it: a killed deletion goes
    on at the next opening, not minutes later."""
    now_ms = runtime.clock.now_ms()
    if job.owner and job.owner != owner and not is_alive(runtime.home / "audit" / runtime.installation_id, job.owner):
        runtime.control.lease_job(job.job_id, owner=job.owner, until_ms=0, now_ms=now_ms)
    return runtime.control.lease_job(job.job_id, owner=owner, until_ms=now_ms + LEASE_MS, now_ms=now_ms)


def _step(runtime: Runtime, job: JobRow) -> JobRow:
    data: dict[str, Any] = orjson.loads(job.data)
    tenant = TenantId(job.tenant)
    if job.state == "accepted":
        return _advance(runtime, job, to="planned", data=data | {"manifest": evidence.plan(runtime, tenant)})
    manifest: dict[str, Any] = data["manifest"]
    if job.state == "planned":
        data["keys"] = _destroy_keys(runtime, tenant)
        _note(runtime, job, manifest, action="key.destroy", phase="single", keys=len(data["keys"]["destroyed"]))
        return _advance(runtime, job, to="keys_destroyed", data=data)
    if job.state == "keys_destroyed":
        data["removals"] = [evidence.remove(runtime, entry) for entry in manifest["collections"]]
        return _advance(runtime, job, to="removed", data=data)
    if job.state == "removed":
        evidence.require_removed(runtime, manifest)
        runtime.control.forget_tenant(job_id=job.job_id, now_ms=runtime.clock.now_ms())
        return _advance(runtime, job, to="cleared", data=data | {"scrubbed": runtime.control.scrub()})
    if job.state == "cleared":
        artefacts = evidence.artefacts(runtime, tenant, data)
        keys = len(data["keys"]["destroyed"])
        reference = _note(runtime, job, manifest, action="tenant.delete", phase="result", keys=keys)
        receipt = _issue(runtime, job, data, artefacts, reference)
        runtime.control.finish_tenant_deletion(job_id=job.job_id, receipt=receipt, now_ms=runtime.clock.now_ms())
        return runtime.control.job(job.job_id) or job
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _destroy_keys(runtime: Runtime, tenant: TenantId) -> dict[str, Any]:
    try:
        destruction = runtime.keys.destroy_tenant(tenant)
    except UnknownKey:
        # The key store is older than the tenant (put back from a backup): there is nothing to destroy here.
        return {"destroyed": [], "evidence": "", "ms": runtime.clock.now_ms()}
    return {
        "destroyed": list(destruction.key_ids),
        "evidence": destruction.evidence,
        "ms": destruction.destroyed_ms,
    }


def _issue(
    runtime: Runtime, job: JobRow, data: dict[str, Any], artefacts: Sequence[Artefact], reference: AuditRef
) -> bytes:
    manifest = data["manifest"]
    predicate: dict[str, object] = {
        "kind": "tenant",
        "tenant": job.tenant,
        "job": job.job_id,
        "requested_ms": data["requested"]["ms"],
        "keys_destroyed_ms": data["keys"]["ms"],
        "completed_ms": runtime.clock.now_ms(),
        "actor": data["requested"]["by"],
        "manifest": {
            "records": manifest["records"],
            "chunks": manifest["chunks"],
            "collections": len(manifest["collections"]),
            "keys": len(manifest["keys"]),
        },
        "artefacts": [artefact.to_json() for artefact in artefacts],
        "audit": {"log": runtime.installation_id, "writer": reference.writer, "index": reference.index},
    }
    return issue(predicate, manifest=_encode(manifest).encode(), key=runtime.keys.signing_key())


def _advance(runtime: Runtime, job: JobRow, *, to: str, data: dict[str, Any]) -> JobRow:
    return runtime.control.advance_job(
        job.job_id, expect=job.state, to=to, data=_encode(data), now_ms=runtime.clock.now_ms()
    )


def _note(
    runtime: Runtime, job: JobRow, manifest: dict[str, Any], *, action: Action, phase: Phase, keys: int
) -> AuditRef:
    return runtime.audit.record(
        Event(
            action=action,
            phase=phase,
            outcome="allowed",
            actor=orjson.loads(job.data)["requested"]["by"],
            request_id=job.request_id,
            tenant=job.tenant,
            counts={"keys": keys, "records": manifest["records"], "chunks": manifest["chunks"]},
            job_id=job.job_id,
        )
    )


def _record_failure(runtime: Runtime, job: JobRow, error: SecurevecError) -> None:
    """Keep and record what stopped a job. It may well stop the record too; the error itself is raised."""
    with contextlib.suppress(SecurevecError):
        runtime.control.note_job_error(job.job_id, error=error_name(error), now_ms=runtime.clock.now_ms())
        runtime.audit.record(
            Event(
                action="job.advance",
                phase="single",
                outcome="failed",
                actor=orjson.loads(job.data)["requested"]["by"],
                request_id=job.request_id,
                tenant=job.tenant,
                job_id=job.job_id,
                error=error_name(error),
            )
        )


def _encode(value: dict[str, Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
