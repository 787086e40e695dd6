"""What the jobs that write a collection anew have in common: wait for earlier writers, pass over every live row until
none is left that the job is about, purge what they were, and sign what was done.

Which rows those are is the job's (:mod:`securevec.rekeying.reseal` and those beside it). Each of the steps may be
repeated, and readers and writers go on all the while.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal
from uuid import uuid4

import orjson

from securevec.control.rows import CollectionRow, JobRow, ManifestRow
from securevec.errors import (
    CheckFailed,
    CollectionNotFound,
    ControlUnavailable,
    RecordChanged,
    TenantUnavailable,
    WriteNotAcknowledged,
)
from securevec.guard import Admission, commission
from securevec.jobs import JobResult, encode, renew
from securevec.proof.probe import Needles
from securevec.proof.purging import ProbeOutcome, joined, needles_of, purge_with_proof
from securevec.proof.receipt import Artefact
from securevec.proof.signing_off import sign_off
from securevec.proof.traces import RUN
from securevec.reading.sheets import Sealed, sheets
from securevec.removing.points import ids_of
from securevec.removing.recover import settle_collection
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, StoredPoint, TenantId
from securevec.writing.report import Progress
from securevec.writing.resealing import Anew, reseal

Advance = Callable[[Progress], None]
"""Told how many records were looked at; it counts records where others count bytes."""

Stale = Callable[[Sequence[ManifestRow]], list[ManifestRow]]
"""Those of some rows that are still as they were before the job, read from the store."""

Write = Callable[[Admission, Sequence[ManifestRow]], list[StoredPoint]]
"""Writes these live rows anew, in one batch, under the collection's write lock; their points as they were."""

Action = Literal["key.reseal", "key.reindex", "key.recloak", "key.renew", "key.resurrogate"]

_SOUGHT: Final = 100
"""Points whose bytes are looked for in files after they were replaced; more would prove no more."""
_PASSES: Final = 20
_ATTEMPTS: Final = 5
_PATIENCE_S: Final = 5.0


def done_data(runtime: Runtime, result: JobResult) -> dict[str, Any]:
    """What the job noted of itself, once it has counted what it did; before that, nothing."""
    job = runtime.control.job(result.job_id)
    data: dict[str, Any] = orjson.loads(job.data) if job is not None else {}
    return data if data.get("manifest") else {}


def seen_of(data: Mapping[str, Any], *names: str) -> dict[str, int]:
    """These counts of a job's manifest, 0 where it has none."""
    manifest: Mapping[str, int] = data.get("manifest", {})
    return {name: manifest.get(name, 0) for name in names}


def request(
    runtime: Runtime, admission: Admission, kind: str, collection: CollectionId, about: Mapping[str, Any] | None = None
) -> JobRow:
    """Accept a job of this kind. One that is open for the collection, and ``about`` the same, is found again."""
    wanted = {"collection": collection, **(about or {})}
    if (job := found_again(runtime, admission, kind, wanted)) is not None:
        return job
    admission.note(phase="intent")
    return begin(runtime, admission, kind, wanted)


def found_again(runtime: Runtime, admission: Admission, kind: str, about: Mapping[str, Any]) -> JobRow | None:
    """An open job that is asked for once more: it answers for the request that began it, and this one is recorded."""
    job = open_job(runtime, kind, admission.scope.tenant, about)
    if job is not None:
        admission.note(phase="result")
    return job


def open_job(runtime: Runtime, kind: str, tenant: TenantId, about: Mapping[str, Any]) -> JobRow | None:
    """The tenant's job of this kind, and ``about`` this, that has not ended yet."""
    for job in runtime.control.jobs(open_only=True):
        if (job.kind, job.tenant) == (kind, tenant) and about.items() <= orjson.loads(job.data).items():
            return job
    return None


def begin(runtime: Runtime, admission: Admission, kind: str, about: Mapping[str, Any]) -> JobRow:
    """A job that was judged already. ``about``: what it is on, as its data say it."""
    return runtime.control.begin_job(
        kind=kind,
        tenant=admission.scope.tenant,
        job_id=uuid4().hex,
        request_id=admission.request_id,
        fence=admission.fence,
        data=encode({"requested": {"ms": runtime.clock.now_ms(), "by": admission.scope.actor_ref}, **about}),
        items=lambda tx: [],
        now_ms=runtime.clock.now_ms(),
    )


def place_of(runtime: Runtime, job: JobRow, data: Mapping[str, Any]) -> Sealed:
    """The job's collection. Raises :class:`CollectionNotFound`, and :class:`TenantUnavailable` while its tenant is not
    active."""
    row: CollectionRow | None = runtime.control.collection(CollectionId(data["collection"]))
    if row is None or row.tenant != job.tenant:
        raise CollectionNotFound("The tenant has no such collection.")
    require_serving(runtime, job)
    return sealed_place(runtime, row)


def places_of(runtime: Runtime, job: JobRow) -> list[Sealed]:
    """Every collection of the job's tenant. Raises :class:`TenantUnavailable` while it is not active."""
    require_serving(runtime, job)
    return [sealed_place(runtime, row) for row in runtime.control.collections(job.tenant)]


def require_serving(runtime: Runtime, job: JobRow) -> None:
    if runtime.control.fence(job.tenant).state != "active":
        raise TenantUnavailable("The tenant is suspended or being deleted; the job waits.")


def sealed_place(runtime: Runtime, row: CollectionRow) -> Sealed:
    return Sealed(row.tenant, row.collection, runtime.names.namespace(row.tenant, row.collection), row.vault)


def sought(runtime: Runtime, place: Sealed, stale: Stale) -> list[str]:
    """Parts of sealed values that are about to be replaced, in base64, as the job keeps them: killed in the middle, it
    still knows what the purge must not leave. 26 bytes of an envelope each, which open nothing; the control store is
    not among the files that are looked through."""
    parts: list[bytes] = []
    for sheet in sheets(runtime, place.collection):
        with contextlib.suppress(CheckFailed):
            rows = stale(sheet)[:_SOUGHT]
            ids = ids_of(runtime, place.tenant, place.collection, rows)[:_SOUGHT]
            texts = needles_of(runtime.backend().fetch(namespace=place.namespace, ids=ids)).texts
            parts += [part for text in texts for part in dict.fromkeys((text[:RUN], text[-RUN:]))]
        if len(parts) >= _SOUGHT:
            break
    return [base64.b64encode(part).decode() for part in parts]


def await_writers(runtime: Runtime, place: Sealed) -> None:
    """Wait until every batch that was announced before now has ended: whoever announces one from now on writes it under
    the new keys. Raises :class:`ControlUnavailable`; the job is tried again."""
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
                "Writes of another process that began before the keys changed have not ended.",
                next_step="The job goes on when they have: securevec jobs run",
            )
        time.sleep(0.05)


def rewrite(
    runtime: Runtime,
    job: JobRow,
    place: Sealed,
    *,
    action: Action,
    stale: Stale,
    looked_for: Sequence[str],
    anew: Anew | None = None,
    write: Write | None = None,
    vectors: bool = False,
    progress: Advance | None = None,
) -> ProbeOutcome:
    """Write every live row anew that is ``stale``, after earlier writers have ended, and purge what was replaced.

    Passes go on until one finds none. ``looked_for``: what was :func:`sought` before the first of them. Rows are sealed
    anew, ``anew`` as for ``reseal`` in :mod:`securevec.writing.resealing`, unless ``write`` does more; with ``vectors``
    the old ones are to be found in no file either. Raises :class:`ControlUnavailable` and :class:`RecordChanged` when
    others keep writing, and :class:`CheckFailed` when the store does not show a row as it was written.
    """
    await_writers(runtime, place)
    parts = tuple(base64.b64decode(part) for part in looked_for)

    def sealed_anew(admission: Admission, rows: Sequence[ManifestRow]) -> list[StoredPoint]:
        return reseal(runtime, admission, place, rows, anew=anew)

    write = write or sealed_anew
    needles = joined(Needles(parts, ()), _passes(runtime, job, place, action, stale, write, vectors, progress))
    renew(runtime, job)
    with runtime.write_lock(place.collection):
        settle_collection(runtime, place.collection)
        return purge_with_proof(runtime, place.namespace, needles)


def read_back(runtime: Runtime, job: JobRow, place: Sealed, stale: Stale) -> dict[str, int]:
    """Read every live row back from the store: none is ``stale``. Returns records and chunks that were looked at.

    Raises :class:`WriteNotAcknowledged`.
    """
    seen, behind = looked_at(runtime, job, place, stale)
    if behind:
        raise WriteNotAcknowledged("A live record is still under the key that is to go.")
    return seen


def looked_at(runtime: Runtime, job: JobRow, place: Sealed, stale: Stale) -> tuple[dict[str, int], bool]:
    """Read every live row back from the store. Returns records and chunks that were looked at, and whether a row is
    ``stale``."""
    counts, behind = {"records": 0, "chunks": 0}, False
    for sheet in sheets(runtime, place.collection):
        renew(runtime, job)
        found = stale(sheet)
        # One that was replaced since the sheet was read is under the new key: its writer began after that was made.
        live = runtime.control.live(place.collection, [row.ref for row in found]) if found else {}
        behind = behind or any(live.get(row.ref) == row.generation for row in found)
        counts["records"] += len(sheet)
        counts["chunks"] += sum(row.n_chunks for row in sheet)
    return counts, behind


def together(seen: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """What was looked at in each collection, as the count of a tenant's."""
    return {"collections": len(seen)} | {name: sum(each[name] for each in seen) for name in ("records", "chunks")}


def _passes(
    runtime: Runtime,
    job: JobRow,
    place: Sealed,
    action: Action,
    stale: Stale,
    write: Write,
    vectors: bool,
    progress: Advance | None,
) -> Needles:
    before: list[StoredPoint] = []
    for _ in range(_PASSES):
        found = 0
        done, total = 0, runtime.control.count_live(place.collection, now_ms=0)[0]
        for sheet in sheets(runtime, place.collection):
            renew(runtime, job)
            refs = [row.ref for row in stale(sheet)]
            if refs:
                found += len(refs)
                gone = _sheet(runtime, job, place, action, stale, write, refs)
                before += gone[: max(_SOUGHT - len(before), 0)]
            done += len(sheet)
            if progress is not None:
                progress(Progress(done, done, max(done, total)))
        if not found:
            seen = needles_of(before)
            return Needles(seen.texts, seen.vectors if vectors else ())
    raise ControlUnavailable("Records keep appearing under the old keys.", next_step="Run: securevec jobs run")


def _sheet(
    runtime: Runtime,
    job: JobRow,
    place: Sealed,
    action: Action,
    stale: Stale,
    write: Write,
    refs: Sequence[bytes],
) -> list[StoredPoint]:
    """One batch, read again under the write lock; begun again when another process replaced one of its records."""
    for attempt in range(_ATTEMPTS):
        admission = commission(runtime, job, permission="tenant.manage", action=action, collection=place.collection)
        with runtime.write_lock(place.collection):
            settle_collection(runtime, place.collection)
            rows = stale(list(runtime.control.current(place.collection, refs).values()))
            with contextlib.suppress(RecordChanged):
                return write(admission, rows)
        time.sleep(0.01 * (attempt + 1))
    raise RecordChanged("Other writers kept replacing records; they are written anew at the next attempt.")


def finish(
    runtime: Runtime,
    job: JobRow,
    data: Mapping[str, Any],
    *,
    action: Action,
    logged: Mapping[str, int],
    manifest: Mapping[str, int],
    artefacts: Iterable[Artefact],
    more: Mapping[str, object] | None = None,
) -> JobRow:
    """Audit the job, sign its receipt and end it. ``logged`` are the counts of the audit record, ``manifest`` those of
    the receipt; ``more`` are further entries of the receipt. A job on a whole tenant has no collection in ``data``."""
    collection: str = data.get("collection", "")
    completed_ms = runtime.clock.now_ms()
    predicate: dict[str, object] = {
        "kind": action.removeprefix("key."),
        "requested_ms": data["requested"]["ms"],
        "completed_ms": completed_ms,
        "actor": data["requested"]["by"],
        "manifest": {"collections": 1, **manifest},
        "artefacts": [artefact.to_json() for artefact in artefacts],
        **(more or {}),
    }
    fixed = encode(data["manifest"]).encode()
    receipt = sign_off(runtime, job, predicate, manifest=fixed, action=action, counts=logged, collection=collection)
    return runtime.control.finish_job(job.job_id, receipt=receipt, now_ms=completed_ms)
