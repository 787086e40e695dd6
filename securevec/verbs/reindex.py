"""A new filter key for a collection, and every token and term made anew under it: a resumable state machine.

    accepted    the job row is written; nothing is different yet
    dual        from this commit on, in every process, what is written carries tokens of the new key, and what is asked
                for is asked under both keys
    reindexed   every live row was opened and carries the tokens and terms of its sealed copy under the new key, after
                every write that began before the new key had ended. Then the bytes of the old generations are purged
    retired     all of it was read back once more, and the old key is deleted: its tokens are nobody's
    done        receipt signed and kept

Nothing is detected or embedded again: tokens and terms are made of what the sealed body says, so clear copies that
somebody edited are put right on the way, and counted. Readers and writers go on all the while. Each step may be
repeated: what carries the new tokens already is passed over.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import orjson

from securevec.body import Body, chunk_view
from securevec.control.jobs import KEY_REINDEX
from securevec.control.rows import JobRow, ManifestRow
from securevec.errors import ControlUnavailable, DeletionIncomplete, RecordChanged, WriteNotAcknowledged
from securevec.guard import Admission, commission
from securevec.judge import clear_copies
from securevec.protect import FilterProtector
from securevec.recover import settle_collection
from securevec.reopen import description_of, schema_of, spec_of
from securevec.report import Progress
from securevec.resealing import Chunk, Sealed, opened_chunks, reseal, sheets
from securevec.retention.jobs import JobResult, encode, move_on, note, renew
from securevec.retention.probe import Needles
from securevec.retention.purging import ProbeOutcome, needles_of, purge_with_proof
from securevec.retention.receipt import Artefact, issue
from securevec.runtime import Runtime, term_numbers
from securevec.terms import stored_terms
from securevec.types import NO_TERMS, CollectionId, Scalar, StoredPoint, Terms
from securevec.verbs.reseal import Advance, await_writers, place_of

_SOUGHT: Final = 100
"""Points whose bytes are looked for in files after they were replaced; more would prove no more."""
_PASSES: Final = 20
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Reindex(JobResult):
    """Where a re-indexing stands. ``version`` is the number of the new key; ``records`` and ``chunks`` were read back
    under it; ``edited`` points had clear copies or terms that were of neither key. All 0 until it is done."""

    version: int = 0
    records: int = 0
    chunks: int = 0
    edited: int = 0


def result_of(runtime: Runtime, result: JobResult) -> Reindex:
    """The result with its counts."""
    job = runtime.control.job(result.job_id)
    data: dict[str, Any] = orjson.loads(job.data) if job is not None else {}
    seen: dict[str, int] = data.get("manifest", {})
    standing = (result.job_id, result.state, result.receipt, result.waiting_for, result.failed)
    version = data["version"] if seen else 0
    return Reindex(*standing, version, seen.get("records", 0), seen.get("chunks", 0), seen.get("edited", 0))


def request_reindex(runtime: Runtime, admission: Admission, collection: CollectionId) -> JobRow:
    """Accept a job. One that is open for the collection is found again."""
    for job in runtime.control.jobs(open_only=True):
        if job.kind == KEY_REINDEX and orjson.loads(job.data)["collection"] == collection:
            admission.note(phase="result")  # the job answers for the request that began it
            return job
    admission.note(phase="intent")
    requested = {"ms": runtime.clock.now_ms(), "by": admission.scope.actor_ref}
    return runtime.control.begin_job(
        kind=KEY_REINDEX,
        tenant=admission.scope.tenant,
        job_id=uuid4().hex,
        request_id=admission.request_id,
        fence=admission.fence,
        data=encode({"requested": requested, "collection": collection}),
        items=lambda tx: [],
        now_ms=runtime.clock.now_ms(),
    )


def step(runtime: Runtime, job: JobRow, *, progress: Advance | None = None) -> JobRow:
    """Take a job one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    place = place_of(runtime, job, data)
    if job.state == "accepted":
        runtime.backend()  # a process that may not open the engine leaves the key as it is
        version = runtime.keys.begin_filter_rotation(place.tenant, place.collection)
        return move_on(runtime, job, to="dual", data=data | {"version": version})
    if job.state == "dual":
        await_writers(runtime, place)
        needles, edited = _reindex(runtime, job, place, progress)
        renew(runtime, job)
        with runtime.write_lock(place.collection):
            settle_collection(runtime, place.collection)
            outcome = purge_with_proof(runtime, place.namespace, needles)
        return move_on(runtime, job, to="reindexed", data=data | {"purge": outcome.to_json(), "edited": edited})
    if job.state == "reindexed":
        seen = _require_new(runtime, job, place) | {"edited": data["edited"]}
        runtime.keys.end_filter_rotation(place.tenant, place.collection, data["version"])
        return move_on(runtime, job, to="retired", data=data | {"manifest": seen})
    if job.state == "retired":
        return _done(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


class _Index:
    """What the store may read of the points of one collection, under the keys as they are now."""

    def __init__(self, runtime: Runtime, place: Sealed) -> None:
        row = runtime.control.collection(place.collection)
        assert row is not None  # place_of found it
        description = description_of(runtime, row)
        schema, keys = schema_of(description), runtime.keys.filter_keys(place.tenant, place.collection)
        self._embedded = schema.embedded
        self._protector = FilterProtector(schema, collection=place.collection, key=keys.key, before=keys.before)
        wanted = (keys.key, keys.before) if spec_of(row, description).sparse else ()
        self._numbers = [term_numbers(key, place.collection) for key in wanted if key is not None]

    def clear(self, point: StoredPoint, body: Body) -> tuple[dict[str, Scalar], Terms | None]:
        """The point's payload and terms under the new key. The keys were looked up after the batch was announced or
        before: it is the same, since only this job makes another one."""
        held = clear_copies(point, body)
        payload: dict[str, Any] = {name: value for name, value in point.payload.items() if name not in held}
        terms = self._terms(body)
        return payload | self._protector.payload(body.filters), terms[0] if terms else point.terms

    def is_new(self, chunk: Chunk) -> bool:
        payload, terms = self.clear(chunk.point, chunk.body)
        return dict(chunk.point.payload) == payload and (chunk.point.terms or NO_TERMS) == (terms or NO_TERMS)

    def is_edited(self, chunk: Chunk) -> bool:
        """Whether the point carries what it should under neither key."""
        held, terms = clear_copies(chunk.point, chunk.body), self._terms(chunk.body)
        worded = not terms or (chunk.point.terms or NO_TERMS) in terms
        return not worded or held not in list(self._protector.payloads(chunk.body.filters))

    def _terms(self, body: Body) -> list[Terms]:
        if not self._numbers:
            return []
        text, placed = chunk_view(body, self._embedded)
        return [stored_terms(text, [each.span for each in placed], numbers) for numbers in self._numbers]


def _reindex(runtime: Runtime, job: JobRow, place: Sealed, progress: Advance | None) -> tuple[Needles, int]:
    """Write every live row anew that carries other tokens than those of the new key. Passes go on until one finds none.
    Returns what to look for in files, and how many points had been edited."""
    before: list[StoredPoint] = []
    index, edited = _Index(runtime, place), 0
    for _ in range(_PASSES):
        found = 0
        done, total = 0, runtime.control.count_live(place.collection, now_ms=0)[0]
        for sheet in sheets(runtime, place.collection):
            renew(runtime, job)
            stale, wrong = _stale(runtime, place, index, sheet)
            if stale:
                found += len(stale)
                edited += wrong
                gone = _sheet(runtime, job, place, index, [row.ref for row in stale])
                before += gone[: max(_SOUGHT - len(before), 0)]
            done += len(sheet)
            if progress is not None:
                progress(Progress(done, done, max(done, total)))
        if not found:
            return Needles(needles_of(before).texts, ()), edited
    raise ControlUnavailable("Records keep appearing under the old key.", next_step="Run: securevec jobs run")


def _stale(
    runtime: Runtime, place: Sealed, index: _Index, rows: Sequence[ManifestRow]
) -> tuple[list[ManifestRow], int]:
    """Those of the rows that carry anything else than tokens and terms of the new key, and how many of their points
    had been edited. Raises :class:`CheckFailed` as :func:`opened_chunks`."""
    opened = opened_chunks(runtime, place, rows)
    stale = [row for row in rows if not all(index.is_new(chunk) for chunk in opened.get(row.ref, ()))]
    return stale, sum(index.is_edited(chunk) for row in stale for chunk in opened[row.ref])


def _sheet(runtime: Runtime, job: JobRow, place: Sealed, index: _Index, refs: list[bytes]) -> list[StoredPoint]:
    """One batch, read again under the write lock; begun again when another process replaced one of its records."""
    for attempt in range(_ATTEMPTS):
        admission = commission(
            runtime, job, permission="tenant.manage", action="key.reindex", collection=place.collection
        )
        with runtime.write_lock(place.collection):
            settle_collection(runtime, place.collection)
            current = runtime.control.current(place.collection, refs)
            rows, _ = _stale(runtime, place, index, list(current.values()))
            with contextlib.suppress(RecordChanged):
                return reseal(runtime, admission, place, rows, clear=index.clear)
        time.sleep(0.01 * (attempt + 1))
    raise RecordChanged("Other writers kept replacing records; they are indexed anew at the next attempt.")


def _require_new(runtime: Runtime, job: JobRow, place: Sealed) -> dict[str, int]:
    """Read every live row back from the store: none carries a token of another key. Returns records and chunks.

    Raises :class:`WriteNotAcknowledged`.
    """
    counts, index = {"records": 0, "chunks": 0}, _Index(runtime, place)
    for sheet in sheets(runtime, place.collection):
        renew(runtime, job)
        stale, _ = _stale(runtime, place, index, sheet)
        # One that was replaced since the sheet was read is under the new key: its writer began after that was made.
        live = runtime.control.live(place.collection, [row.ref for row in stale]) if stale else {}
        if any(live.get(row.ref) == row.generation for row in stale):
            raise WriteNotAcknowledged("A live record still carries tokens of the key that is to be retired.")
        counts["records"] += len(sheet)
        counts["chunks"] += sum(row.n_chunks for row in sheet)
    return counts


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    counts: dict[str, int] = data["manifest"]
    logged = {"records": counts["records"], "chunks": counts["chunks"], "violations": counts["edited"], "keys": 1}
    reference = note(runtime, job, action="key.reindex", phase="result", collection=data["collection"], counts=logged)
    completed_ms = runtime.clock.now_ms()
    purged: Artefact = ProbeOutcome.from_json(data["purge"]).artefact(
        f"old points of collection {data['collection']}, with their tokens",
        method="written anew, deleted by id, purge by copy",
    )
    predicate: dict[str, object] = {
        "kind": "reindex",
        "tenant": job.tenant,
        "job": job.job_id,
        "requested_ms": data["requested"]["ms"],
        "completed_ms": completed_ms,
        "actor": data["requested"]["by"],
        "manifest": {**counts, "collections": 1},
        "artefacts": [
            purged.to_json(),
            Artefact(
                artefact=f"filter keys of collection {data['collection']} before version {data['version']}",
                method="row deleted from the key store, which overwrites what it deletes",
                verdict="unverified",
                evidence=f"{counts['records']} records read back under version {data['version']} first",
                residual="backups of the key store hold the key, and backups of the store its tokens; a filter key "
                "opens nothing",
            ).to_json(),
        ],
        "audit": {"log": runtime.installation_id, "writer": reference.writer, "index": reference.index},
    }
    receipt = issue(predicate, manifest=encode(counts).encode(), key=runtime.keys.signing_key())
    return runtime.control.finish_job(job.job_id, receipt=receipt, now_ms=completed_ms)
