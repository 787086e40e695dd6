"""A new version of a tenant's token key, and every token of its people made anew under it: a resumable state machine.

    accepted    the job row is written, with the number of the version; nothing is different yet
    switched    every token of the control store is of the new version, for every process from one commit on; readers
                move the tokens of sealed records on as they read them
    resealed    no live record of the tenant is sealed with older tokens, or under a person's key that is named by one:
                each was read back from the store. The bytes of the old generations are purged
    retired     those keys are deleted, and the files of the control store hold no older token
    done        receipt signed and kept

Readers and writers go on; who is at work in the moment of the switch is told to try again. No value is needed: a token
becomes the next one by the new key alone (:mod:`securevec.keys.tokenkeys`). Nothing is embedded. An erasure under way
is waited for. A record that the store does not show as it was written stops the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from securevec.control.jobs import KEY_RENEW
from securevec.control.rows import JobRow, ManifestRow
from securevec.crypto.derive import lift
from securevec.errors import DeletionIncomplete
from securevec.guard import Admission
from securevec.jobs import JobResult, move_on
from securevec.proof.purging import ProbeOutcome
from securevec.proof.receipt import Artefact
from securevec.reading.sheets import Sealed, opened_chunks
from securevec.rekeying.rewriting import (
    Advance,
    begin,
    done_data,
    finish,
    found_again,
    places_of,
    read_back,
    require_serving,
    rewrite,
    seen_of,
    sought,
    together,
)
from securevec.state.runtime import Runtime
from securevec.types import TenantId


@dataclass(frozen=True, slots=True)
class Renewal(JobResult):
    """Where a renewal stands. ``version`` is the number of the new version; ``tokens`` of the control store were
    replaced, ``records`` and ``chunks`` read back with new ones, ``keys`` of people named anew. All 0 until it is
    done."""

    version: int = 0
    tokens: int = 0
    records: int = 0
    chunks: int = 0
    keys: int = 0


def result_of(runtime: Runtime, result: JobResult) -> Renewal:
    """The result with its counts."""
    data = done_data(runtime, result)
    seen = seen_of(data, "tokens", "records", "chunks", "keys")
    return Renewal.of(result, version=data.get("version", 0), **seen)


def request_renewal(runtime: Runtime, admission: Admission) -> JobRow:
    """Accept a job on the tenant's token key. One that is open for it is found again."""
    if (job := found_again(runtime, admission, KEY_RENEW, {})) is not None:
        return job
    admission.note(phase="intent")
    # Under the fence of the admission, which every switch moves: of two requests at once one gets this number.
    return begin_renewal(runtime, admission, runtime.control.token_version(admission.scope.tenant) + 1)


def begin_renewal(runtime: Runtime, admission: Admission, version: int) -> JobRow:
    """The job that ends with everything of this version, the next one or, in a restored home, the one in force."""
    return begin(runtime, admission, KEY_RENEW, {"key": "token", "version": version})


def step(runtime: Runtime, job: JobRow, *, progress: Advance | None = None) -> JobRow:
    """Take a job one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    version: int = data["version"]
    if job.state == "accepted":
        require_serving(runtime, job)
        runtime.backend()  # a process that may not open the engine leaves the key as it is
        moved = switch(runtime, job.tenant, version)
        parts = {
            place.collection: sought(runtime, place, partial(_older, runtime, place))
            for place in places_of(runtime, job)
        }
        return move_on(runtime, job, to="switched", data=data | {"moved": moved, "sought": parts})
    if job.state == "switched":
        parts = data.pop("sought")
        purges: dict[str, Any] = {}
        for place in places_of(runtime, job):
            outcome = rewrite(
                runtime,
                job,
                place,
                action="key.renew",
                stale=partial(_older, runtime, place),
                looked_for=parts.get(place.collection, ()),
                progress=progress,
            )
            purges[place.collection] = outcome.to_json()
        return move_on(runtime, job, to="resealed", data=data | {"purges": purges})
    if job.state == "resealed":
        looked = [read_back(runtime, job, each, partial(_older, runtime, each)) for each in places_of(runtime, job)]
        seen = together(looked)
        seen["keys"] = runtime.keys.drop_named_before(job.tenant, version)
        data |= {"manifest": {**seen, "tokens": data["moved"]}, "scrubbed": runtime.control.scrub()}
        return move_on(runtime, job, to="retired", data=data)
    if job.state == "retired":
        return _done(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def switch(runtime: Runtime, tenant: TenantId, version: int, *, alone: bool = False) -> int:
    """The key's new version, and every token of the control store under it; how many those are. May be repeated.

    Raises as :meth:`ControlStore.lift_tokens`.
    """

    def resealed(stand_in: bytes, part: bytes, following: bytes) -> bytes:
        return runtime.names.seal_stand_in(runtime.names.open_stand_in(stand_in, part=part), part=following)

    runtime.keys.begin_token_version(tenant, version)
    lifts = runtime.keys.token_lifts(tenant, version - 1, version)
    return runtime.control.lift_tokens(
        tenant, version, partial(lift, lifts), resealed, now_ms=runtime.clock.now_ms(), alone=alone
    )


def _older(runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """Those of the rows that are sealed with tokens of an earlier version, or under a key named by one. Raises
    :class:`CheckFailed` as :func:`opened_chunks`."""
    opened = opened_chunks(runtime, place, rows) if rows else {}
    return [
        row
        for row in rows
        if any(
            chunk.tokens < chunk.body.tokens
            or (chunk.subject is not None and chunk.subject.named_before(chunk.body.tokens))
            for chunk in opened.get(row.ref, ())
        )
    ]


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    counts: dict[str, int] = data["manifest"]
    artefacts = [
        Artefact(
            artefact="subject tokens of the control store: known values, parts of names, records, holds, tombstones",
            method="each replaced by the next one in one transaction; the file rewritten",
            verdict="removed from live files",
            evidence=f"{counts['tokens']} tokens replaced",
            residual="backups of the control store hold the earlier tokens, which the earlier key matches",
        ),
        *(
            ProbeOutcome.from_json(purge).artefact(
                f"old points of collection {collection}, with their sealed tokens",
                method="written anew, deleted by id, purge by copy",
            )
            for collection, purge in data["purges"].items()
        ),
    ]
    logged = {name: counts[name] for name in ("collections", "records", "chunks", "tokens", "keys")}
    more = {"key": data["key"], "version": data["version"], "scrubbed": data["scrubbed"]}
    return finish(
        runtime, job, data, action="key.renew", logged=logged, manifest=counts, artefacts=artefacts, more=more
    )
