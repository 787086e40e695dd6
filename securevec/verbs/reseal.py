"""Sealing a collection anew because a data key leaked, or in another suite: a resumable state machine.

    accepted        the job row is written; nothing is different yet
    rolled          from this commit on nothing new is sealed under the keys that are to go, in any process; which those
                    are is fixed
    resealed        no live row names one of them: every row of the manifest was read back from the store, after every
                    write that began before the roll had ended. Then the bytes of the old generations are purged
    doomed          for each key bucket its keys, and a value sealed under them, are written down
    keys_destroyed  the keys are destroyed, and nothing but them
    verified        read back once more: no live row names them, and the values sealed before no longer open
    done            receipt signed and kept

Readers and writers go on all the while. Each step may be repeated: what is sealed under another key already is passed
over. A record that the store does not show as it was written stops the job before any key dies: its key may be the only
one that opens it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import orjson

from securevec.control.jobs import KEY_RESEAL
from securevec.control.rows import CollectionRow, JobRow
from securevec.crypto.keyring import KeyInfo
from securevec.errors import (
    CollectionNotFound,
    ControlUnavailable,
    DeletionIncomplete,
    RecordChanged,
    TenantUnavailable,
    UnknownKey,
    WriteNotAcknowledged,
)
from securevec.guard import Admission, commission
from securevec.recover import settle_collection
from securevec.report import Progress
from securevec.resealing import Sealed, reseal, sealed_under, sheets
from securevec.retention.jobs import JobResult, encode, move_on, note, renew
from securevec.retention.probe import Needles
from securevec.retention.purging import ProbeOutcome, needles_of, purge_with_proof
from securevec.retention.receipt import Artefact, issue
from securevec.retention.shredding import doom, key_artefact, require_shredded, root_of, shred
from securevec.runtime import Runtime
from securevec.types import CollectionId, StoredPoint, TenantId

Advance = Callable[[Progress], None]
"""Told how many records were looked at; it counts records where others count bytes."""

_SOUGHT: Final = 100
"""Points whose old sealed values are looked for in files; more would prove no more."""
_PASSES: Final = 20
_ATTEMPTS: Final = 5
_PATIENCE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Reseal(JobResult):
    """Where a re-sealing stands. ``records`` and ``chunks`` were read back under other keys, ``keys`` old ones were
    destroyed; all 0 until it is done."""

    records: int = 0
    chunks: int = 0
    keys: int = 0


def result_of(runtime: Runtime, result: JobResult) -> Reseal:
    """The result with its counts."""
    job = runtime.control.job(result.job_id)
    data: dict[str, Any] = orjson.loads(job.data) if job is not None else {}
    seen: dict[str, int] = data.get("manifest", {})
    keys = sum(len(entry["destroyed"]) for entry in data.get("shredded", ())) if seen else 0
    standing = (result.job_id, result.state, result.receipt, result.waiting_for, result.failed)
    return Reseal(*standing, seen.get("records", 0), seen.get("chunks", 0), keys)


def request_reseal(
    runtime: Runtime, admission: Admission, collection: CollectionId, *, key_id: str | None = None
) -> JobRow:
    """Accept a job. ``key_id`` restricts it to the key bucket of that key: the keys of bodies and of vaults.

    One that is open for the same is found again. Raises :class:`UnknownKey`, :class:`KeyDestroyed`.
    """
    tenant = admission.scope.tenant
    epoch = None if key_id is None else _epoch_of(runtime, tenant, collection, key_id)
    for job in runtime.control.jobs(open_only=True):
        known: dict[str, Any] = orjson.loads(job.data)
        if job.kind == KEY_RESEAL and (known["collection"], known["epoch"]) == (collection, epoch):
            admission.note(phase="result")  # the job answers for the request that began it
            return job
    job_id = uuid4().hex
    admission.note(phase="intent")
    requested = {"ms": runtime.clock.now_ms(), "by": admission.scope.actor_ref}
    return runtime.control.begin_job(
        kind=KEY_RESEAL,
        tenant=tenant,
        job_id=job_id,
        request_id=admission.request_id,
        fence=admission.fence,
        data=encode({"requested": requested, "collection": collection, "epoch": epoch}),
        items=lambda tx: [],
        now_ms=runtime.clock.now_ms(),
    )


def _epoch_of(runtime: Runtime, tenant: TenantId, collection: CollectionId, key_id: str) -> str:
    key = runtime.keys.key_by_id(bytes.fromhex(key_id))
    if (key.tenant.hex(), key.collection.hex()) != (tenant, collection):
        raise UnknownKey("The collection has no such key.", next_step="See: securevec keys list")
    return key.epoch


def step(runtime: Runtime, job: JobRow, *, progress: Advance | None = None) -> JobRow:
    """Take a job one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    place = place_of(runtime, job, data)
    if job.state == "accepted":
        runtime.backend()  # a process that may not open the engine leaves the keys as they are
        return move_on(runtime, job, to="rolled", data=data | {"keys": _roll(runtime, place, data)})
    old = frozenset(bytes.fromhex(key_id) for key_id in data["keys"])
    if job.state == "rolled":
        await_writers(runtime, place)
        needles = _reseal(runtime, job, place, old, progress)
        renew(runtime, job)
        with runtime.write_lock(place.collection):
            settle_collection(runtime, place.collection)
            outcome = purge_with_proof(runtime, place.namespace, needles)
        return move_on(runtime, job, to="resealed", data=data | {"purge": outcome.to_json()})
    if job.state == "resealed":
        return move_on(runtime, job, to="doomed", data=data | {"doomed": _doom(runtime, place, data["keys"])})
    if job.state == "doomed":
        _require_unused(runtime, job, place, old)
        shredded = [shred(runtime, job, entry) for entry in data["doomed"]]
        return move_on(runtime, job, to="keys_destroyed", data=data | {"shredded": shredded})
    if job.state == "keys_destroyed":
        data["manifest"] = _require_unused(runtime, job, place, old)
        for entry in data["shredded"]:
            require_shredded(runtime, job.tenant, entry)
        return move_on(runtime, job, to="verified", data=data)
    if job.state == "verified":
        return _done(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def place_of(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> Sealed:
    row: CollectionRow | None = runtime.control.collection(CollectionId(data["collection"]))
    if row is None or row.tenant != job.tenant:
        raise CollectionNotFound("The tenant has no such collection.")
    if runtime.control.fence(job.tenant).state != "active":
        raise TenantUnavailable("The tenant is suspended or being deleted; the job waits.")
    return Sealed(row.tenant, row.collection, runtime.names.namespace(row.tenant, row.collection), row.vault)


def _deks(runtime: Runtime, place: Sealed, epoch: str | None) -> list[KeyInfo]:
    return [
        key
        for key in runtime.keys.list_keys(tenant=place.tenant, kind="dek")
        if key.collection == place.collection and epoch in (None, key.epoch)
    ]


def _roll(runtime: Runtime, place: Sealed, data: dict[str, Any]) -> list[str]:
    going = [bytes.fromhex(key.key_id) for key in _deks(runtime, place, data["epoch"])]
    return sorted(key_id.hex() for key_id in runtime.keys.roll(place.tenant, place.collection, going))


def await_writers(runtime: Runtime, place: Sealed) -> None:
    """Wait until every batch that was announced before now has ended: whoever announces one from now on seals it under
    a key that was made after the roll. Raises :class:`ControlUnavailable`; the job is tried again."""
    until = time.monotonic() + _PATIENCE_S
    began: set[str] | None = None
    while True:
        with runtime.write_lock(place.collection):
            settle_collection(runtime, place.collection)
        open_now = {
            batch.request_id
            for batch in runtime.control.open_batches(now_ms=runtime.clock.now_ms(), expired_only=False)
            if batch.collection == place.collection and batch.state == "open"
        }
        began = open_now if began is None else began & open_now
        if not began:
            return
        if time.monotonic() > until:
            raise ControlUnavailable(
                "Writes of another process that began before the keys were rolled have not ended.",
                next_step="The job goes on when they have: securevec jobs run",
            )
        time.sleep(0.05)


def _reseal(runtime: Runtime, job: JobRow, place: Sealed, old: frozenset[bytes], progress: Advance | None) -> Needles:
    """Seal every live row anew that names an old key. Passes go on until one finds none."""
    before: list[StoredPoint] = []
    for _ in range(_PASSES):
        found = 0
        done, total = 0, runtime.control.count_live(place.collection, now_ms=0)[0]
        for sheet in sheets(runtime, place.collection):
            renew(runtime, job)
            stale = sealed_under(runtime, place, sheet, old)
            if stale:
                found += len(stale)
                gone = _sheet(runtime, job, place, [row.ref for row in stale], old)
                before += gone[: max(_SOUGHT - len(before), 0)]
            done += len(sheet)
            if progress is not None:
                progress(Progress(done, done, max(done, total)))
        if not found:
            return Needles(needles_of(before).texts, ())
    raise ControlUnavailable("Records keep appearing under the old keys.", next_step="Run: securevec jobs run")


def _sheet(runtime: Runtime, job: JobRow, place: Sealed, refs: list[bytes], old: frozenset[bytes]) -> list[StoredPoint]:
    """One batch, read again under the write lock; begun again when another process replaced one of its records."""
    for attempt in range(_ATTEMPTS):
        admission = commission(
            runtime, job, permission="tenant.manage", action="key.reseal", collection=place.collection
        )
        with runtime.write_lock(place.collection):
            settle_collection(runtime, place.collection)
            current = runtime.control.current(place.collection, refs)
            rows = sealed_under(runtime, place, list(current.values()), old)
            with contextlib.suppress(RecordChanged):
                return reseal(runtime, admission, place, rows)
        time.sleep(0.01 * (attempt + 1))
    raise RecordChanged("Other writers kept replacing records; they are sealed anew at the next attempt.")


def _require_unused(runtime: Runtime, job: JobRow, place: Sealed, old: frozenset[bytes]) -> dict[str, int]:
    """Read every live row back from the store: none names an old key. Returns records and chunks that were looked at.

    Raises :class:`WriteNotAcknowledged`.
    """
    counts = {"records": 0, "chunks": 0}
    for sheet in sheets(runtime, place.collection):
        renew(runtime, job)
        if sealed_under(runtime, place, sheet, old):
            raise WriteNotAcknowledged("A live record is still sealed under a key that is to be destroyed.")
        counts["records"] += len(sheet)
        counts["chunks"] += sum(row.n_chunks for row in sheet)
    return counts


def _doom(runtime: Runtime, place: Sealed, key_ids: list[str]) -> list[dict[str, Any]]:
    buckets: dict[str, list[KeyInfo]] = {}
    for key in _deks(runtime, place, None):
        if key.key_id in key_ids:
            buckets.setdefault(key.epoch, []).append(key)
    return [doom(runtime, keys, collection=place.collection, epoch=epoch) for epoch, keys in sorted(buckets.items())]


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    keys = sum(len(entry["destroyed"]) for entry in data["shredded"])
    counts = {**data["manifest"], "keys": keys}
    reference = note(runtime, job, action="key.reseal", phase="result", collection=data["collection"], counts=counts)
    completed_ms = runtime.clock.now_ms()
    purged: Artefact = ProbeOutcome.from_json(data["purge"]).artefact(
        f"old sealed values of collection {data['collection']}", method="sealed anew, deleted by id, purge by copy"
    )
    predicate: dict[str, object] = {
        "kind": "reseal",
        "tenant": job.tenant,
        "job": job.job_id,
        "requested_ms": data["requested"]["ms"],
        "completed_ms": completed_ms,
        "actor": data["requested"]["by"],
        "manifest": {**counts, "collections": 1},
        "artefacts": [
            purged.to_json(),
            *(
                key_artefact(
                    entry,
                    f"data keys of collection {entry['collection']}, epoch {entry['epoch']}",
                    residual="who copied a key before opens older copies of what it sealed",
                ).to_json()
                for entry in data["shredded"]
            ),
        ],
        "root": root_of(runtime),
        "audit": {"log": runtime.installation_id, "writer": reference.writer, "index": reference.index},
    }
    receipt = issue(predicate, manifest=encode(data["manifest"]).encode(), key=runtime.keys.signing_key())
    return runtime.control.finish_job(job.job_id, receipt=receipt, now_ms=completed_ms)
