"""A new version of a tenant's pseudonym key, and every surrogate made anew under it: a resumable state machine.

    accepted    the job row is written; nothing is different yet
    dual        the key has two versions, in every process: what is written is replaced under the new one, and what is
                asked for is asked in the surrogates of both
    rewritten   every live row that no hold keeps was opened and says, and was embedded with, surrogates of the new
                version. The bytes of the old generations are purged. Here the job waits for holds
    retired     all of it was read back once more, and the old version is deleted, with what stands for parts of names
    done        receipt signed and kept

The originals come out of the vault; a tenant with surrogates in a collection that keeps none is refused. Nothing is
detected, so a newer detector changes nothing. Who is at work in the moment of the switch is told to try again; readers
and writers go on otherwise. A record that the store does not show as it was written stops the job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from securevec.anonymize.known import stand_ins
from securevec.control.jobs import KEY_RENEW, KEY_RESURROGATE
from securevec.control.rows import JobRow
from securevec.errors import ControlUnavailable, DeletionIncomplete, LegalHold, WriteNotAcknowledged
from securevec.guard import Admission, commission
from securevec.jobs import JobResult, move_on
from securevec.proof.purging import ProbeOutcome
from securevec.proof.receipt import Artefact
from securevec.proof.shredding import in_backups, root_of
from securevec.reading.sheets import sheets
from securevec.rekeying.respelling import Respelling
from securevec.rekeying.rewriting import (
    Advance,
    begin,
    done_data,
    finish,
    found_again,
    looked_at,
    open_job,
    places_of,
    require_serving,
    rewrite,
    seen_of,
    sought,
    together,
)
from securevec.reopen import reopen
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, TenantId


@dataclass(frozen=True, slots=True)
class Resurrogation(JobResult):
    """Where the new surrogates of a tenant stand. ``version`` is the number of the new version of the key; ``records``
    and ``chunks`` were read back under it, ``names`` parts of names say new surrogates. All 0 until it is done."""

    version: int = 0
    records: int = 0
    chunks: int = 0
    names: int = 0


def result_of(runtime: Runtime, result: JobResult) -> Resurrogation:
    """The result with its counts."""
    data = done_data(runtime, result)
    return Resurrogation.of(result, version=data.get("version", 0), **seen_of(data, "records", "chunks", "names"))


def request_resurrogation(runtime: Runtime, admission: Admission) -> JobRow:
    """Accept a job on the tenant's pseudonym key. One that is open for it is found again. Raises
    :class:`VaultDisabled` where surrogates stand that have no originals."""
    tenant = admission.scope.tenant
    if (job := found_again(runtime, admission, KEY_RESURROGATE, {})) is not None:
        return job
    for row in runtime.control.collections(tenant):
        if not row.vault:
            room = Respelling(runtime, reopen(runtime, admission.scope, row))
            for sheet in sheets(runtime, row.collection):
                room.behind(sheet)
    admission.note(phase="intent")
    return begin_resurrogation(runtime, admission)


def begin_resurrogation(runtime: Runtime, admission: Admission) -> JobRow:
    """The job, for what was judged already."""
    return begin(runtime, admission, KEY_RESURROGATE, {"key": "pseudonym"})


def step(runtime: Runtime, job: JobRow, *, progress: Advance | None = None) -> JobRow:
    """Take a job one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    require_serving(runtime, job)
    _require_no_renewal(runtime, job.tenant)
    if job.state == "accepted":
        runtime.backend()  # a process that may not open the engine leaves the key as it is
        version = runtime.keys.begin_pseudonym_version(job.tenant)
        runtime.control.refuse_begun(job.tenant, now_ms=runtime.clock.now_ms())
        parts = {
            place.collection: sought(runtime, place, _room(runtime, job, place.collection).stale)
            for place in places_of(runtime, job)
        }
        return move_on(runtime, job, to="dual", data=data | {"version": version, "sought": parts})
    if job.state == "dual":
        parts = data.pop("sought")
        data = _rewritten(runtime, job, data | {"purges": {}}, parts, progress)
        return move_on(runtime, job, to="rewritten", data=data)
    if job.state == "rewritten":
        for collection, ref in data["held"].items():
            _require_unheld(runtime, job, CollectionId(collection), bytes.fromhex(ref))
        seen, behind = _looked_at(runtime, job)
        if behind:
            data = _rewritten(runtime, job, data, {}, progress)
            if data["held"]:
                return move_on(runtime, job, to="rewritten", data=data)
            seen, behind = _looked_at(runtime, job)
        if behind:
            raise WriteNotAcknowledged("A live record still says surrogates of the key that is to be retired.")
        data["evidence"] = runtime.keys.end_pseudonym_versions(job.tenant, data["version"])
        seen["names"] = _restate(runtime, job.tenant, data["version"])
        return move_on(runtime, job, to="retired", data=data | {"manifest": seen, "scrubbed": runtime.control.scrub()})
    if job.state == "retired":
        return _done(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _require_no_renewal(runtime: Runtime, tenant: TenantId) -> None:
    """Keys of people are on the move then, and what is written anew would not find them."""
    if open_job(runtime, KEY_RENEW, tenant, {}) is not None:
        raise ControlUnavailable(
            "The tenant's tokens are being made anew; its surrogates are when that is done.",
            next_step="Run: securevec jobs run",
        )


def _room(runtime: Runtime, job: JobRow, collection: CollectionId) -> Respelling:
    row = runtime.control.collection(collection)
    assert row is not None  # listed a moment ago, and collections live as long as their tenant
    admission = commission(runtime, job, permission="tenant.manage", action="key.resurrogate", collection=collection)
    return Respelling(runtime, reopen(runtime, admission.scope, row))


def _rewritten(
    runtime: Runtime, job: JobRow, data: dict[str, Any], parts: dict[str, Any], progress: Advance | None
) -> dict[str, Any]:
    """Every collection written anew, but for what holds keep: of each collection one such record is remembered.
    Returns the job's data. What an earlier round purged is told beside what this one did, which looked for none of it.
    """
    purges, held = dict(data["purges"]), dict[str, str]()
    before = [*data.get("before", ()), *purges.items()]
    for place in places_of(runtime, job):
        room = _room(runtime, job, place.collection)
        outcome = rewrite(
            runtime,
            job,
            place,
            action="key.resurrogate",
            stale=room.stale,
            looked_for=parts.get(place.collection, ()),
            write=room.write,
            progress=progress,
        )
        purges[place.collection] = outcome.to_json()
        if room.held:
            held[place.collection] = min(room.held).hex()
    return data | {"before": before, "purges": purges, "held": held}


def _purged(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What was purged of each collection: every round that replaced something, or the last where none did."""
    earlier = [(str(name), purge) for name, purge in data.get("before", ()) if purge["probe"]["needles"]]
    told = {name for name, _ in earlier}
    last = [(str(name), purge) for name, purge in data["purges"].items()]
    return [*earlier, *(each for each in last if each[1]["probe"]["needles"] or each[0] not in told)]


def _require_unheld(runtime: Runtime, job: JobRow, collection: CollectionId, ref: bytes) -> None:
    for hold_id in runtime.control.held_refs(job.tenant, collection, [ref]).values():
        raise LegalHold(
            "Held records keep the surrogates they have, and the earlier pseudonym key is kept with them. All others "
            "have new ones.",
            hold_id=hold_id,
            next_step="When the hold has been released: securevec jobs run",
        )


def _looked_at(runtime: Runtime, job: JobRow) -> tuple[dict[str, int], bool]:
    """Read every live row of the tenant back from the store. Returns what was looked at, and whether anything says a
    surrogate of an earlier version."""
    looked = [
        looked_at(runtime, job, place, _room(runtime, job, place.collection).behind)
        for place in places_of(runtime, job)
    ]
    return together([seen for seen, _ in looked]), any(behind for _, behind in looked)


def _restate(runtime: Runtime, tenant: TenantId, version: int) -> int:
    """Forget what stood for parts of names under earlier versions. Returns how many parts say something now."""
    said = 0

    def restated(sealed: bytes, part: bytes) -> bytes:
        nonlocal said
        before = stand_ins.read(runtime.names.open_stand_in(sealed, part=part))
        after = {number: text for number, text in before.items() if number >= version}
        said += bool(after)
        return sealed if after == before else runtime.names.seal_stand_in(stand_ins.written(after), part=part)

    runtime.control.restate_parts(tenant, restated)
    return said


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    counts: dict[str, int] = data["manifest"]
    root = root_of(runtime)
    artefacts = [
        *(
            ProbeOutcome.from_json(purge).artefact(
                f"old points of collection {collection}, with their surrogates",
                method="written and embedded anew, deleted by id, purge by copy",
            )
            for collection, purge in _purged(data)
        ),
        Artefact(
            artefact="surrogates of parts of names in the control store",
            method="each replaced; the file rewritten" if data["scrubbed"] else "each replaced",
            verdict="removed from live files" if data["scrubbed"] else "unverified",
            evidence=f"{counts['names']} parts say surrogates of version {data['version']}",
            residual="backups of the control store hold the earlier ones, sealed",
        ),
        Artefact(
            artefact=f"pseudonym keys of the tenant before version {data['version']}",
            method="rows deleted, VACUUM, search of the key store's directory for the wrapped bytes",
            verdict="removed from live files",
            evidence=f"{data['evidence']}; {counts['records']} records read back under version {data['version']} first",
            residual=f"{in_backups(root)}; backups of the store hold its surrogates. It opens nothing",
        ),
    ]
    logged = {name: counts[name] for name in ("collections", "records", "chunks")} | {"keys": 1}
    more = {"key": data["key"], "version": data["version"], "scrubbed": data["scrubbed"], "root": root}
    return finish(
        runtime, job, data, action="key.resurrogate", logged=logged, manifest=counts, artefacts=artefacts, more=more
    )
