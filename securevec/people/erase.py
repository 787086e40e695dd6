"""Erasing people: a resumable state machine whose first step is already effective.

    accepted     one transaction: tombstones, and the list of record generations to delete or to redact. From here on no
                 process shows any of them, and writes about these people are refused until the fence ends
    shredded     only where somebody has a key of their own (``Subject(shred=True)``): the keys are destroyed, so that
                 nobody reads what was bound to them in any copy of the store. Needs no engine
    planned      the manifest is fixed before anything is deleted: counts per collection, and what will be looked for in
                 files afterwards. The receipt's counts come from it, never from a running counter
    deleted      the records about the people are deleted
    redacted     the records that mention them are stored again without them (``redact``); those that cannot be, deleted
    purged       nothing that is being written or removed carries them (``carriers``); each collection that held them is
                 purged of deleted bytes, with a probe before and after
    verified     read back by id, by manifest and by token; tokens that nobody carries, and digests of the files the
                 records came from, are forgotten; the control store's file is rewritten
    done         receipt signed and kept

Everything after ``accepted`` needs the engine: when another process holds it, that process goes on with the job. Each
step may be repeated. A legal hold that is added meanwhile, or a tenant that is suspended, stops the job where it
stands, with everything still hidden; it goes on once that ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import orjson

from securevec.clock import to_ms
from securevec.control.database import Transaction
from securevec.control.jobs import SUBJECT_ERASE, Erasure
from securevec.control.rows import JobItem, JobRow
from securevec.control.subjects import records_of
from securevec.errors import DeletionIncomplete, RecordChanged, UsageError, WriteNotAcknowledged
from securevec.guard import Admission, Commission, commission
from securevec.ingest import write_batch
from securevec.jobs import JobResult, encode, move_on, renew
from securevec.limits import MAX_BATCH
from securevec.people import manifest, shred
from securevec.people.carriers import await_carriers
from securevec.people.identify import identify, subject_refs
from securevec.people.receipts import artefacts, predicate
from securevec.people.redact import redact
from securevec.proof import own_keys
from securevec.proof.purging import purge_with_proof
from securevec.proof.signing_off import sign_off
from securevec.proof.watching import recall
from securevec.removing.delete import delete_part
from securevec.removing.points import ids_of
from securevec.removing.recover import settle_collection
from securevec.reopen import reopen
from securevec.retention.rules import parse_retention
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import CollectionId, RecordRef, Token
from securevec.writing.batching import BATCH
from securevec.writing.report import Tally

_ROUNDS: Final = 10
"""How often what is to be deleted is looked at again when others seal it anew meanwhile."""
FENCE: Final = "30d"
"""How long nothing is written about an erased person, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class SubjectErasure(JobResult):
    """Where the erasure of people stands. What it covers is hidden in any case.

    ``about`` records were declared to be about them, ``mentions`` mention them; ``by_name_only`` more match a name
    alone and were left as they are (:meth:`Tenant.find_subject` lists them).
    """

    about: int = 0
    mentions: int = 0
    by_name_only: int = 0


def request_erasure(
    runtime: Runtime, admission: Admission, values: Sequence[str], *, until_ms: int, include_name_matches: bool
) -> JobRow:
    """The first step: the intent in the audit log, then tombstones, items and job row in one transaction.

    A value that names one person is erased wherever it is carried. A name, which may be several people's, leads to the
    records declared to be about it, and with ``include_name_matches`` also to those that mention it.

    Raises :class:`LegalHold` (nothing is erased), :class:`UsageError`, :class:`LimitExceeded`.
    """
    tenant = admission.scope.tenant
    found = identify(runtime, tenant, values)
    sure = list(dict.fromkeys(token for each in found for token in each.sure))
    shared = list(dict.fromkeys(token for each in found for token in each.shared))
    erased = [*sure, *shared] if include_name_matches else sure
    refs = subject_refs(runtime, tenant, found)
    by_name = {(row.collection, row.ref) for row in runtime.control.subject_records(tenant, shared) if not row.about}
    by_name -= {(row.collection, row.ref) for row in runtime.control.subject_records(tenant, erased)}
    now_ms = runtime.clock.now_ms()
    data = {
        "requested": {"ms": now_ms, "by": admission.scope.actor_ref},
        "subjects": refs,
        "tokens": [token.hex() for token in erased],
        "shared": [token.hex() for token in shared],
        "by_name_only": len(by_name),
        "names": include_name_matches,
        "until_ms": until_ms,
        "keys": shred.planned(runtime, tenant, [*erased, *shared]),
    }

    def items(tx: Transaction) -> list[JobItem]:
        rows = {(row.collection, row.ref): row for row in records_of(tx, tenant, erased)}
        rows |= {(row.collection, row.ref): row for row in records_of(tx, tenant, shared) if row.about}
        return [
            JobItem(row.collection, row.ref, row.generation, row.n_chunks, "delete" if row.about else "redact")
            for row in rows.values()
        ]

    admission.note(phase="intent", actors=refs, counts={"identifiers": len(found)})
    return runtime.control.begin_job(
        kind=SUBJECT_ERASE,
        tenant=tenant,
        job_id=uuid4().hex,
        request_id=admission.request_id,
        fence=admission.fence,
        data=encode(data),
        items=items,
        now_ms=runtime.clock.floor_ms(),
        erase=Erasure(erased, until_ms, runtime.clock.now_ms),
    )


def fence_end(until: datetime | str, *, now_ms: int) -> int:
    """When writes are accepted again, in UTC milliseconds. Raises :class:`UsageError`: no time zone, or in the past."""
    if isinstance(until, str):
        return now_ms + parse_retention(until)
    given: Any = until  # callers may be untyped
    if not isinstance(given, datetime):
        raise UsageError("The end of the fence is a datetime or a duration.", next_step="For example 30d.")
    try:
        until_ms = to_ms(until)
    except (ValueError, OverflowError):
        until_ms = None
    if until_ms is None:
        raise UsageError("The end of the fence has no time zone, or lies beyond the year 9999.")
    if until_ms <= now_ms:
        raise UsageError("The end of the fence has passed.", next_step="Name a later time, or a duration such as 30d.")
    return until_ms


def result_of(runtime: Runtime, result: JobResult) -> SubjectErasure:
    """The result of an erasure, with its counts as they were fixed when it was accepted or planned."""
    about = mentions = by_name_only = 0
    job = runtime.control.job(result.job_id)
    if job is not None:
        about, mentions, by_name_only = _counted(runtime, job)
    return SubjectErasure.of(result, about=about, mentions=mentions, by_name_only=by_name_only)


def step(runtime: Runtime, job: JobRow) -> JobRow:
    """Take an erasure one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    if job.state == "accepted" and shred.held_by(runtime, job, data):
        return move_on(runtime, job, to="shredded", data=data | {"keys": shred.destroy(runtime, job, data)})
    if job.state in ("accepted", "shredded"):
        return move_on(runtime, job, to="planned", data=data | {"manifest": manifest.plan(runtime, job, _tokens(data))})
    if job.state == "planned":
        _delete(runtime, job)
        return move_on(runtime, job, to="deleted", data=data)
    if job.state == "deleted":
        _redact(runtime, job, frozenset(_tokens(data)))
        return move_on(runtime, job, to="redacted", data=data)
    if job.state == "redacted":
        await_carriers(runtime, job, shred.everybody(data))
        data["purges"] = {name: _purge(runtime, job, name, entry) for name, entry in data["manifest"].items()}
        for entry in data["manifest"].values():
            del entry["needles"]
        data["documents"] = own_keys.swept(runtime, job)
        return move_on(runtime, job, to="purged", data=data)
    if job.state == "purged":
        data["kept"] = _verify(runtime, job, data)
        data["others"] = len(
            {row.collection for row in runtime.control.collections(job.tenant)} - set(data["manifest"])
        )
        for collection, items in manifest.by_collection(runtime.control.job_items(job.job_id)).items():
            runtime.control.forget_files_of(collection, [item.ref for item in items])
        # The job is kept with its receipt, when the tenant is long gone; the tokens stay in the tombstones alone.
        runtime.control.forget_tokens(job.tenant, shred.everybody(data))
        del data["tokens"], data["shared"]
        return move_on(runtime, job, to="verified", data=data | {"scrubbed": runtime.control.scrub()})
    if job.state == "verified":
        counts = {"deleted": _total(data, "deleted"), "redacted": _total(data, "redacted")}
        said = predicate(runtime, job, data, artefacts(data))
        fixed = encode(data["manifest"]).encode()
        receipt = sign_off(runtime, job, said, manifest=fixed, action="subject.erase", counts=counts)
        return runtime.control.finish_job(job.job_id, receipt=receipt, now_ms=runtime.clock.now_ms())
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _delete(runtime: Runtime, job: JobRow) -> None:
    """Delete the records about the people, as they were at the acceptance or as another erasure left them since."""
    for collection, items in manifest.by_collection(runtime.control.job_items(job.job_id), "delete").items():
        opened = _opened(runtime, job, collection)
        if opened is None:
            continue
        for _ in range(_ROUNDS):
            there = manifest.standing(runtime, job, collection, items, ())
            if not there:
                break
            # One that another process seals anew behind this look is left alone, and looked at again.
            _remove(runtime, opened, job, {RecordRef(ref): row.generation for ref, row in there.items()})
        else:
            raise RecordChanged("Others keep sealing these records anew.", next_step="securevec jobs run")


def _redact(runtime: Runtime, job: JobRow, tokens: frozenset[Token]) -> None:
    """Store the records that mention the people again without them; delete those that cannot be."""
    for collection, items in manifest.by_collection(runtime.control.job_items(job.job_id), "redact").items():
        opened = _opened(runtime, job, collection)
        if opened is not None:
            for start in range(0, len(items), BATCH):
                renew(runtime, job)
                _redact_some(runtime, opened, job, items[start : start + BATCH], tokens)


def _redact_some(
    runtime: Runtime, collection: CollectionScope, job: JobRow, items: Sequence[JobItem], tokens: frozenset[Token]
) -> None:
    admission = _commission(runtime, job, collection.collection)
    with runtime.write_lock(collection.collection):
        settle_collection(runtime, collection.collection)
        rows = list(manifest.standing(runtime, job, collection.collection, items, tokens).values())
        if not rows:
            return
        made = redact(runtime, collection, rows, tokens)
        expect = {row.ref: row.generation for row in rows}
        if made.prepared:
            tally = Tally()
            ready: dict[bytes, int] = {record.ref: expect[record.ref] for record in made.prepared}
            write_batch(runtime, collection, admission, made.prepared, made.vectors, tally, expect=ready, erasing=True)
        if made.beyond:
            _remove(runtime, collection, job, {ref: expect[ref] for ref in made.beyond})


def _remove(runtime: Runtime, collection: CollectionScope, job: JobRow, generations: dict[RecordRef, int]) -> None:
    admission = _commission(runtime, job, collection.collection)
    refs = list(generations)
    for start in range(0, len(refs), MAX_BATCH):
        renew(runtime, job)
        part = refs[start : start + MAX_BATCH]
        delete_part(runtime, collection, admission, part, expect={ref: generations[ref] for ref in part})


def _opened(runtime: Runtime, job: JobRow, collection: CollectionId) -> CollectionScope | None:
    row = runtime.control.collection(collection)
    admission = _commission(runtime, job, collection)
    return reopen(runtime, admission.scope, row) if row is not None else None


def _commission(runtime: Runtime, job: JobRow, collection: CollectionId) -> Commission:
    return commission(runtime, job, permission="subject.erase", action="subject.erase", collection=collection)


def _purge(runtime: Runtime, job: JobRow, collection: str, entry: dict[str, Any]) -> dict[str, Any]:
    renew(runtime, job)
    namespace = manifest.namespace_of(runtime, job.tenant, collection)
    with runtime.write_lock(CollectionId(collection)):
        watched = recall(runtime, job, entry["needles"])
        return purge_with_proof(runtime, namespace, watched.needles, watched.stood).to_json()


def _verify(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> dict[str, int]:
    """Read back that nothing of the job's items is left. Returns how many redacted records live on, by collection.

    Raises :class:`WriteNotAcknowledged`.
    """
    kept: dict[str, int] = {}
    items = runtime.control.job_items(job.job_id)
    for collection, listed in manifest.by_collection(items).items():
        rows = [manifest.manifest_row(item) for item in listed]
        ids = ids_of(runtime, job.tenant, collection, rows)
        namespace = manifest.namespace_of(runtime, job.tenant, collection)
        live = runtime.control.current(collection, [item.ref for item in listed])
        if any(
            item.ref in live
            and (live[item.ref].generation == item.generation or item.action == "delete")
            and manifest.is_still(live[item.ref], item, job)
            for item in listed
        ):
            raise WriteNotAcknowledged("The manifest still names a record that was to be erased.")
        if ids and runtime.backend().fetch(namespace=namespace, ids=ids):
            raise WriteNotAcknowledged("The store still shows points of an erased person.")
        kept[collection] = sum(item.action == "redact" and item.ref in live for item in listed)
    for row in runtime.control.subject_records(job.tenant, _tokens(data)):
        found = runtime.control.current(row.collection, [row.ref]).get(row.ref)
        if found is not None and found.ingested_ms <= job.created_ms:
            raise WriteNotAcknowledged("A record that was there at the erasure still carries an erased person.")
    return kept


def _tokens(data: dict[str, Any]) -> list[Token]:
    """Of whom the job leaves nothing, in records that mention them too."""
    return [Token(bytes.fromhex(token)) for token in data["tokens"]]


def _counted(runtime: Runtime, job: JobRow) -> tuple[int, int, int]:
    data: dict[str, Any] = orjson.loads(job.data)
    if "manifest" in data:
        about, mentions = _total(data, "deleted"), _total(data, "redacted")
    else:
        actions = [item.action for item in runtime.control.job_items(job.job_id)]
        about, mentions = actions.count("delete"), actions.count("redact")
    return about, mentions, int(data["by_name_only"])


def _total(data: dict[str, Any], action: str) -> int:
    return sum(int(entry[action]["records"]) for entry in data["manifest"].values())
