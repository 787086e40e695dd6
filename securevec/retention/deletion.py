"""Deleting a tenant: a resumable state machine whose first step is already effective.

    accepted     one transaction: the fence closes, the job row and its manifest are written. From here on no process
                 reads or writes the tenant.
    keys_destroyed
                 the tenant's keys are destroyed in the key store; what they sealed is unreadable, wherever it lies
    removed      every namespace is dropped in the engine. Needs the engine: when another process holds it, the job
                 waits here and the holder finishes it
    done         verified, receipt signed and kept, the control rows of the tenant cleared

Each step may be repeated: it checks what is already so. The manifest (counts, namespaces, key ids, a sealed probe) is
fixed before anything is deleted, and the receipt's counts come from it, never from a running counter.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson

from securevec.audit import AuditRef, Event, Outcome, Phase, error_name, is_alive
from securevec.backend import RemovalReport, VectorBackend
from securevec.control.rows import JobRow
from securevec.crypto.context import Place
from securevec.crypto.envelope import from_text, open_sealed, read_key_id, seal, to_text
from securevec.errors import DeletionIncomplete, EngineLocked, KeyDestroyed, WriteNotAcknowledged
from securevec.guard import Admission, settle_outbox
from securevec.retention.probe import Needles, occurrences
from securevec.retention.receipt import Artefact, issue
from securevec.runtime import Runtime
from securevec.types import Namespace, TenantId

LEASE_MS = 120_000
PROBE_POINTS = 3


@dataclass(frozen=True, slots=True)
class DeletionResult:
    """Where a deletion stands. ``receipt`` is there once it is done."""

    job_id: str
    state: str
    receipt: bytes | None
    waiting_for: str = ""

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
    """The first step: fence and job row in one transaction, then the audit record of the acceptance.

    Idempotent: a second request finds the first job. Raises :class:`LegalHold`.
    """
    tenant = admission.scope.tenant
    job_id = uuid4().hex
    manifest = _manifest(runtime, tenant, admission)
    admission.note(phase="intent", counts={"records": manifest["records"], "chunks": manifest["chunks"]})
    job = runtime.control.begin_tenant_deletion(
        tenant=tenant,
        job_id=job_id,
        request_id=admission.request_id,
        manifest=orjson.dumps({"manifest": manifest}, option=orjson.OPT_SORT_KEYS).decode(),
        now_ms=runtime.clock.now_ms(),
    )
    if job.job_id != job_id:
        # The job answers for the request that began it; this one is answered here.
        admission.note(phase="result")
    return job


def run_pending(runtime: Runtime) -> list[DeletionResult]:
    """Advance every open job as far as it goes here. A job another thread or process works on is left to it."""
    return [advance(runtime, job, wait=False) for job in runtime.control.jobs(open_only=True)]


def advance(runtime: Runtime, job: JobRow, *, wait: bool = True) -> DeletionResult:
    """Carry one job on. ``wait`` for another thread of this process that is at it; another process is not waited for.

    Raises what stopped it (:class:`KeyUnavailable`, :class:`BackendError` ...); the job stays open and resumable.
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
    if job.state == "accepted":
        destruction = runtime.keys.destroy_tenant(TenantId(job.tenant))
        data["keys_destroyed"] = list(destruction.key_ids)
        data["keys_evidence"] = destruction.evidence
        data["keys_destroyed_ms"] = destruction.destroyed_ms
        _note(runtime, job, phase="single", outcome="allowed", keys=len(destruction.key_ids))
        return _advance(runtime, job, to="keys_destroyed", data=data)
    if job.state == "keys_destroyed":
        backend = runtime.backend()
        data["removals"] = [
            _remove(runtime, backend, entry, TenantId(job.tenant)) for entry in data["manifest"]["collections"]
        ]
        return _advance(runtime, job, to="removed", data=data)
    if job.state == "removed":
        artefacts = _verify(runtime, job, data)
        reference = _note(runtime, job, phase="result", outcome="allowed", keys=len(data["keys_destroyed"]))
        receipt = _issue(runtime, job, data, artefacts, reference)
        runtime.control.finish_tenant_deletion(job_id=job.job_id, receipt=receipt, now_ms=runtime.clock.now_ms())
        runtime.control.scrub()
        return runtime.control.job(job.job_id) or job
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _manifest(runtime: Runtime, tenant: TenantId, admission: Admission) -> dict[str, Any]:
    now_ms = runtime.clock.now_ms()
    collections: list[dict[str, Any]] = []
    for row in runtime.control.collections(tenant):
        records, chunks = runtime.control.count_live(row.collection, now_ms=0)
        namespace = runtime.names.namespace(tenant, row.collection)
        collections.append(
            {
                "collection": row.collection,
                "shard": namespace.shard,
                "tenant_tag": namespace.tenant_tag,
                "collection_tag": namespace.collection_tag,
                "records": records,
                "chunks": chunks,
            }
        )
    keys = [key.key_id for key in runtime.keys.list_keys() if key.tenant == tenant]
    return {
        "collections": collections,
        "records": sum(entry["records"] for entry in collections),
        "chunks": sum(entry["chunks"] for entry in collections),
        "keys": sorted(keys),
        "requested_ms": now_ms,
        "requested_by": admission.scope.actor_ref,
        "probe": _sealed_probe(runtime, tenant),
    }


def _sealed_probe(runtime: Runtime, tenant: TenantId) -> dict[str, str] | None:
    """A value sealed under one of the tenant's own keys, to show later that it no longer opens."""
    deks = [key for key in runtime.keys.list_keys() if key.tenant == tenant and key.purpose == "body"]
    if not deks:
        return None
    key = runtime.keys.key_by_id(bytes.fromhex(deks[0].key_id))
    point = uuid4()
    place = Place(tenant=key.tenant, collection=key.collection, point=point, field="body")
    return {
        "envelope": to_text(seal(key, b"securevec deletion probe", place)),
        "point": point.hex,
        "collection": key.collection.hex(),
    }


def _remove(runtime: Runtime, backend: VectorBackend, entry: dict[str, Any], tenant: TenantId) -> dict[str, Any]:
    """Drop one namespace, with a byte probe around it where the files are ours to read."""
    namespace = Namespace(entry["shard"], entry["tenant_tag"], entry["collection_tag"])
    needles = _needles(backend, namespace)
    engine_root = runtime.home / "engine"
    watched = backend.capabilities.embedded and not backend.capabilities.volatile and engine_root.exists()
    control = occurrences(engine_root, needles) if watched and len(needles) else 0
    report: RemovalReport = backend.drop(namespace=namespace)
    if backend.count(namespace=namespace):
        raise WriteNotAcknowledged("The store still counts points of a namespace it was told to drop.")
    found = occurrences(engine_root, needles) if watched and len(needles) else 0
    return {
        "collection": entry["collection"],
        "backend": backend.name,
        "points": report.points,
        "index_removed": report.index_removed,
        "bytes_removed": report.bytes_removed,
        "residual": report.residual,
        "probe": {"needles": len(needles), "control": control, "found": found, "ran": watched},
    }


def _needles(backend: VectorBackend, namespace: Namespace) -> Needles:
    page = backend.scan(namespace=namespace, where=None, cursor=None, limit=PROBE_POINTS)
    points = backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)
    bodies = [point.payload.get("b") for point in points]
    return Needles(
        texts=tuple(body[:64].encode() for body in bodies if isinstance(body, str) and len(body) >= 64),
        vectors=tuple(point.vector for point in points if point.vector is not None),
    )


def _verify(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> list[Artefact]:
    """The artefacts of the receipt, each with what was seen. Raises when something is still there."""
    backend = runtime.backend()
    left = set(backend.namespaces())
    artefacts = [_key_artefact(runtime, job, data)]
    for entry, removal in zip(data["manifest"]["collections"], data["removals"], strict=True):
        if entry["shard"] in left:
            raise WriteNotAcknowledged("The store still lists a namespace it was told to drop.")
        artefacts.append(_engine_artefact(entry, removal))
    artefacts.append(
        Artefact(
            artefact="control rows, names and subject tokens",
            method="delete, secure_delete",
            verdict="removed from live files",
            evidence="rows cleared in the transaction that stores this receipt",
            residual="a copy of control.db taken earlier holds sealed names and keyed references only",
        )
    )
    return artefacts


def _key_artefact(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> Artefact:
    probe = data["manifest"]["probe"]
    evidence = f"{len(data['keys_destroyed'])} keys; {data['keys_evidence']}"
    if probe is not None:
        envelope = from_text(probe["envelope"])
        place = Place(
            tenant=bytes.fromhex(job.tenant),
            collection=bytes.fromhex(probe["collection"]),
            point=UUID(hex=probe["point"]),
            field="body",
        )
        with contextlib.suppress(KeyDestroyed):
            open_sealed(runtime.keys.key_by_id(read_key_id(envelope)), envelope, place)
            raise WriteNotAcknowledged("A value sealed under a destroyed key still opens.")
        evidence += "; a value sealed before no longer opens"
    return Artefact(
        artefact="tenant keys (KEK, tenant keys, DEKs)",
        method="cryptographic erase (NIST SP 800-88r2): rows deleted, VACUUM, search for the wrapped bytes",
        verdict="removed from live files",
        evidence=evidence,
        residual="effective in backups when key-store backups taken before completed_ms have expired",
    )


def _engine_artefact(entry: dict[str, Any], removal: dict[str, Any]) -> Artefact:
    probe = removal["probe"]
    controlled = probe["ran"] and probe["needles"] > 0 and probe["control"] == probe["needles"]
    clean = controlled and probe["found"] == 0
    removed = removal["bytes_removed"] is True and (clean or (probe["ran"] and probe["needles"] == 0))
    if probe["ran"]:
        seen = (
            f"byte probe: {probe['control']} of {probe['needles']} found before, {probe['found']} after"
            if probe["needles"]
            else "byte probe: the namespace was empty"
        )
    else:
        seen = "byte probe: not possible, the files are not under this home"
    return Artefact(
        artefact=f"points of collection {entry['collection']} ({removal['backend']})",
        method="drop namespace, read back",
        verdict="removed from live files" if removed else "unverified",
        evidence=f"{entry['chunks']} in the manifest, {removal['points']} dropped, 0 counted after; {seen}",
        residual=removal["residual"],
    )


def _issue(
    runtime: Runtime, job: JobRow, data: dict[str, Any], artefacts: list[Artefact], reference: AuditRef
) -> bytes:
    manifest = data["manifest"]
    predicate: dict[str, object] = {
        "kind": "tenant",
        "tenant": job.tenant,
        "job": job.job_id,
        "requested_ms": manifest["requested_ms"],
        "keys_destroyed_ms": data["keys_destroyed_ms"],
        "completed_ms": runtime.clock.now_ms(),
        "actor": manifest["requested_by"],
        "manifest": {
            "records": manifest["records"],
            "chunks": manifest["chunks"],
            "collections": len(manifest["collections"]),
            "keys": len(manifest["keys"]),
        },
        "artefacts": [artefact.to_json() for artefact in artefacts],
        "audit": {"log": runtime.installation_id, "writer": reference.writer, "index": reference.index},
    }
    return issue(
        predicate,
        manifest=orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS),
        key=runtime.keys.signing_key(),
    )


def _advance(runtime: Runtime, job: JobRow, *, to: str, data: dict[str, Any]) -> JobRow:
    return runtime.control.advance_job(
        job.job_id,
        expect=job.state,
        to=to,
        data=orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode(),
        now_ms=runtime.clock.now_ms(),
    )


def _note(runtime: Runtime, job: JobRow, *, phase: Phase, outcome: Outcome, keys: int) -> AuditRef:
    data: dict[str, Any] = orjson.loads(job.data)
    manifest = data["manifest"]
    return runtime.audit.record(
        Event(
            action="key.destroy" if phase == "single" else "tenant.delete",
            phase=phase,
            outcome=outcome,
            actor=manifest["requested_by"],
            request_id=job.request_id,
            tenant=job.tenant,
            counts={"keys": keys, "records": manifest["records"], "chunks": manifest["chunks"]},
            job_id=job.job_id,
        )
    )


def report_failure(runtime: Runtime, job: JobRow, error: Exception) -> None:
    """Record that a job could not go on; it stays open and is tried again."""
    runtime.audit.record(
        Event(
            action="job.advance",
            phase="single",
            outcome="failed",
            actor=orjson.loads(job.data)["manifest"]["requested_by"],
            request_id=job.request_id,
            tenant=job.tenant,
            job_id=job.job_id,
            error=error_name(error),
        )
    )
