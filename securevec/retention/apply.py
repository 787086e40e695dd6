"""Applying a retention plan: a resumable state machine, one job per tenant.

    accepted     one transaction for all tenants of the plan: it still matched, and the list of generations that go
                 (``job_item``) was written down. Nothing is deleted yet, so the job may still be cancelled
    deleting     collection by collection: what will be looked for in files is kept with the job (``watching``); what is
                 listed and neither held nor kept by a minimum by now leaves the manifest in batches (gone for readers
                 at once), then the store, read back; then its bytes are purged with a probe around it
                 what a hold keeps of a bucket that has ended is sealed anew under a key of that hold
    purged       keys die whose bucket has ended and under which no record is left, living or travelling
    keys_destroyed
                 everything is looked at again: what is still live must be held or kept by a minimum; else back to
                 ``deleting``, with what was removed and destroyed so far kept for the receipt (``before``)
    verified     receipt signed and kept
    done

Readers never saw these records since they expired, judged on their sealed expiry; what is due only by a rule that was
tightened later is hidden from the batch that deletes it on. Each step may be repeated. Counts of the receipt come from
the list and from what verification finds, never from a running counter.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import orjson

from securevec.audit import error_name
from securevec.control.jobs import CANCELLED, RETENTION_APPLY
from securevec.control.retention import Intent
from securevec.control.rows import JobItem, JobRow, ManifestRow, Survey
from securevec.errors import DeletionIncomplete, LegalHold, RetentionMinimum, WriteNotAcknowledged
from securevec.guard import Admission, commission
from securevec.jobs import encode, move_on, note, renew
from securevec.keys.keyview import KeyInfo
from securevec.limits import MAX_BATCH
from securevec.proof import own_keys
from securevec.proof.purging import needles_of, purge_with_proof
from securevec.proof.shredding import doom, require_shredded, shred
from securevec.proof.watching import PROBED, recall, watch
from securevec.removing.batch import remove_batch
from securevec.removing.points import ids_of
from securevec.removing.recover import settle_collection
from securevec.retention.applied import finish, keys_of
from securevec.retention.plan import digest_of, read_plan
from securevec.retention.rules import ages, may_die
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, StoredPoint, TenantId


@dataclass(frozen=True, slots=True)
class _Kept:
    """Items that may not go, by now: ref to hold id, and those a minimum keeps."""

    held: Mapping[bytes, str]
    young: frozenset[bytes]

    def __contains__(self, ref: object) -> bool:
        return ref in self.held or ref in self.young


def request_retention(
    runtime: Runtime, digest: str, admissions: Mapping[TenantId, Admission], *, by: str
) -> list[JobRow]:
    """Begin exactly the plan of this digest. ``admissions``: what was admitted per tenant it affects.

    Raises :class:`PlanChanged`; then nothing was begun.
    """
    as_of_ms, scope = read_plan(runtime, digest)
    now_ms = runtime.clock.now_ms()

    def intents(found: Survey) -> dict[TenantId, Intent]:
        made: dict[TenantId, Intent] = {}
        for tenant, admission in admissions.items():
            mine = [due for due in found.collections if due.tenant == tenant]
            holds = Counter(row.hold_id for due in mine for row in due.rows if row.hold_id)
            data = {
                "requested": {"ms": now_ms, "by": by},
                "plan": {"digest": digest, "as_of_ms": as_of_ms},
                "manifest": _manifest(found, tenant),
                "held": dict(sorted(holds.items())),
                "collections": {},
            }
            made[tenant] = Intent(uuid4().hex, admission.request_id, encode(data))
        return made

    return runtime.control.begin_retention(
        digest=digest,
        as_of_ms=as_of_ms,
        tenant=scope,
        ages=ages,
        digest_of=lambda found: digest_of(found, scope),
        intents=intents,
        now_ms=now_ms,
    )


def begun_before(runtime: Runtime, digest: str) -> list[JobRow]:
    """The jobs of a plan that was applied already, but for those that were taken back; none of any other plan."""
    jobs = [job for job in runtime.control.jobs() if job.kind == RETENTION_APPLY and job.state != CANCELLED]
    return [job for job in jobs if orjson.loads(job.data)["plan"]["digest"] == digest]


def step(runtime: Runtime, job: JobRow, *, reseal_held: Callable[[Runtime, JobRow], None]) -> JobRow:
    """Take a retention job one step further. ``reseal_held`` is told when what was listed of the tenant is gone."""
    data: dict[str, Any] = orjson.loads(job.data)
    if job.state == "accepted":
        # Before the job can no longer be cancelled: a process that may not open the engine leaves it as it is.
        runtime.backend()
        for hold_id, records in data["held"].items():
            _note_held(runtime, job, hold_id, records)
        return move_on(runtime, job, to="deleting", data=data)
    if job.state == "deleting":
        for collection, items in _by_collection(runtime, job).items():
            if collection not in data["collections"]:
                if data.get("watched", {}).get("collection") != collection:
                    watched = _watch(runtime, job, collection, items)
                    return move_on(runtime, job, to="deleting", data=data | {"watched": watched})
                data["collections"][collection] = _remove(runtime, job, collection, items, data.pop("watched"))
                return move_on(runtime, job, to="deleting", data=data)
        reseal_held(runtime, job)
        # The keys that may die are written down, each with a value sealed under it, before any of them does.
        return move_on(runtime, job, to="purged", data=data | {"keys": _doomed_keys(runtime, job)})
    if job.state == "purged":
        return move_on(
            runtime,
            job,
            to="keys_destroyed",
            data=data | {"keys": _destroy(runtime, job, data["keys"]), "documents": own_keys.swept(runtime, job)},
        )
    if job.state == "keys_destroyed":
        left = _verify(runtime, job, data)
        if left:
            # Whatever kept them has gone meanwhile: a hold was released, or another writer was in the way.
            return move_on(runtime, job, to="deleting", data=_again(data, left))
        return move_on(runtime, job, to="verified", data=data)
    if job.state == "verified":
        return finish(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _again(data: dict[str, Any], left: set[str]) -> dict[str, Any]:
    """The job's data for another round over the collections in ``left``: what this one removed and destroyed is kept
    for the receipt, for the next one sees none of it."""
    before: dict[str, Any] = data.get("before", {"collections": [], "keys": []})
    done: dict[str, Any] = data["collections"]
    return data | {
        "collections": {each: seen for each, seen in done.items() if each not in left},
        "before": {
            "collections": before["collections"]
            + [[each, seen] for each, seen in done.items() if each in left and seen["removed"]],
            "keys": before["keys"] + data["keys"],
        },
        "keys": [],
    }


def _manifest(found: Survey, tenant: TenantId) -> dict[str, Any]:
    collections: list[dict[str, Any]] = [
        {
            "collection": due.collection,
            "records": len(due.doomed),
            "chunks": sum(row.n_chunks for row in due.doomed),
            "held": len(due.rows) - len(due.doomed),
            "kept_by_minimum": due.kept_by_minimum,
        }
        for due in found.collections
        if due.tenant == tenant
    ]
    return {
        "collections": collections,
        "records": sum(entry["records"] for entry in collections),
        "chunks": sum(entry["chunks"] for entry in collections),
    }


def _by_collection(runtime: Runtime, job: JobRow) -> dict[CollectionId, list[JobItem]]:
    listed: dict[CollectionId, list[JobItem]] = {}
    for item in runtime.control.job_items(job.job_id):
        listed.setdefault(item.collection, []).append(item)
    return listed


def _watch(runtime: Runtime, job: JobRow, collection: CollectionId, items: Sequence[JobItem]) -> dict[str, Any]:
    """What will be looked for of one collection, as the job keeps it from before anything of it is deleted."""
    namespace = runtime.names.namespace(job.tenant, collection)
    ids: dict[UUID, JobItem] = {}
    with runtime.write_lock(collection):
        settle_collection(runtime, collection)
        for start in range(0, len(items), MAX_BATCH):
            for item in _still_doomed(runtime, job, collection, items[start : start + MAX_BATCH]):
                ids |= dict.fromkeys(ids_of(runtime, job.tenant, collection, [item]), item)
            if len(ids) >= PROBED:
                break
        points: dict[str, list[StoredPoint]] = {}
        for point in runtime.backend().fetch(namespace=namespace, ids=list(ids)[:PROBED], with_vectors=True):
            points.setdefault(ids[point.id].ref.hex(), []).append(point)
        renew(runtime, job)
        parts = [needles_of(each) for each in points.values()]
        return {"collection": collection, "refs": list(points), "needles": watch(runtime, job, namespace, parts)}


def _remove(
    runtime: Runtime, job: JobRow, collection: CollectionId, items: Sequence[JobItem], watched: Mapping[str, Any]
) -> dict[str, Any]:
    """Delete what is listed of one collection, purge its bytes, and tell what was seen of it."""
    refs: list[str] = watched["refs"]
    removed = False
    with runtime.write_lock(collection):
        for start in range(0, len(items), MAX_BATCH):
            renew(runtime, job)
            settle_collection(runtime, collection)
            doomed = _still_doomed(runtime, job, collection, items[start : start + MAX_BATCH])
            if doomed:
                removed |= _delete(runtime, job, collection, doomed)
        renew(runtime, job)
        # What a hold has kept since it was watched still stands, and is not looked for.
        live = runtime.control.current(collection, [bytes.fromhex(ref) for ref in refs])
        listed = {item.ref: item for item in _by_collection(runtime, job)[collection]}
        left = {ref.hex() for ref, row in live.items() if _is_still(row, listed[ref])}
        seen = recall(runtime, job, watched["needles"], gone=lambda number: refs[number] not in left)
        removed |= len(left) < len(refs)  # also by a process that was killed before it could say so
        namespace = runtime.names.namespace(job.tenant, collection)
        return purge_with_proof(runtime, namespace, seen.needles, seen.stood).to_json() | {"removed": removed}


def _still_doomed(runtime: Runtime, job: JobRow, collection: CollectionId, items: Sequence[JobItem]) -> list[JobItem]:
    """The listed records that are still there and may go, in the generation that is live."""
    live = runtime.control.current(collection, [item.ref for item in items])
    kept = _kept(runtime, job.tenant, collection, [item.ref for item in items])
    return [item for item in items if item.ref in live and _is_still(live[item.ref], item) and item.ref not in kept]


def _is_still(row: ManifestRow, item: JobItem) -> bool:
    """Whether this is what was listed. A generation that is made of it since (sealed anew, redacted) is listed in its
    place, in the transaction that makes it live. Times do not tell: a write is dated when it begins, and one that began
    before the job was accepted and ended after it is not due."""
    return row.generation == item.generation


def _kept(runtime: Runtime, tenant: TenantId, collection: CollectionId, refs: Sequence[bytes]) -> _Kept:
    return _Kept(
        held=runtime.control.held_refs(tenant, collection, refs),
        young=frozenset(runtime.control.too_young(collection, refs, now_ms=runtime.clock.floor_ms())),
    )


def _delete(runtime: Runtime, job: JobRow, collection: CollectionId, items: Sequence[JobItem]) -> bool:
    """One batch, under an intent of its own. Whether it was deleted: a batch of which something became held a moment
    ago is recorded, and left whole for the next look."""
    admission = commission(runtime, job, permission="retention", action="delete", collection=collection)
    namespace = runtime.names.namespace(job.tenant, collection)
    expect = {item.ref: item.generation for item in items}
    with contextlib.suppress(LegalHold, RetentionMinimum):
        remove_batch(runtime, admission, namespace, list(expect), expect=expect)
        return True
    return False


def _doomed_keys(runtime: Runtime, job: JobRow) -> list[dict[str, Any]]:
    """Epochs of the tenant whose keys may be destroyed, their key ids, and a value sealed under each."""
    now_ms = runtime.clock.sure_ms()
    found: dict[tuple[str, str], list[KeyInfo]] = {}
    for key in runtime.keys.list_keys(tenant=job.tenant, kind="dek"):
        if may_die(key.epoch, now_ms=now_ms):
            found.setdefault((key.collection, key.epoch), []).append(key)
    return [
        doom(runtime, keys, collection=collection, epoch=epoch)
        for (collection, epoch), keys in sorted(found.items())
        if not runtime.control.epochs_in_use(CollectionId(collection)).get(epoch, 0)
    ]


def _destroy(runtime: Runtime, job: JobRow, keys: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    destroyed: list[dict[str, Any]] = []
    now_ms = runtime.clock.sure_ms()
    for entry in keys:
        renew(runtime, job)
        collection, epoch = CollectionId(entry["collection"]), str(entry["epoch"])
        if runtime.control.epochs_in_use(collection).get(epoch, 0) or not may_die(epoch, now_ms=now_ms):
            continue
        # Looked up again where no other process announces a record beside it: what a hold keeps moves to another key
        # at any time, and nothing undoes this.
        destroy = partial(runtime.keys.destroy_epoch, job.tenant, collection, epoch)
        destroyed.append(shred(runtime, job, entry, partial(runtime.control.while_unused, collection, epoch, destroy)))
    return destroyed


def _verify(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> set[str]:
    """Look at every listed generation again, and at the keys. Returns the collections in which something is left that
    nothing keeps. Raises :class:`WriteNotAcknowledged`."""
    found = _Found()
    for collection, items in _by_collection(runtime, job).items():
        with runtime.write_lock(collection):
            settle_collection(runtime, collection)
            for start in range(0, len(items), MAX_BATCH):
                _look_again(runtime, job, collection, items[start : start + MAX_BATCH], found)
    for entry in keys_of(data):
        require_shredded(runtime, job.tenant, entry)
    if not found.left:
        held = dict(sorted(found.held.items()))
        for hold_id, records in held.items():
            _note_held(runtime, job, hold_id, records)
        data["result"] = {"records": found.records, "chunks": found.chunks, "minimum": found.minimum, "held": held}
    return found.left


@dataclass(slots=True)
class _Found:
    """What a verification saw: how much is gone, how much a minimum or a hold (by its id) keeps, and the collections
    in which something is ``left`` that nothing keeps."""

    records: int = 0
    chunks: int = 0
    minimum: int = 0
    held: Counter[str] = field(default_factory=Counter[str])
    left: set[str] = field(default_factory=set[str])


def _look_again(
    runtime: Runtime, job: JobRow, collection: CollectionId, part: Sequence[JobItem], found: _Found
) -> None:
    """Add to ``found`` what became of these generations. Raises :class:`WriteNotAcknowledged`."""
    refs = [item.ref for item in part]
    states = runtime.control.states(collection, refs)
    kept = _kept(runtime, job.tenant, collection, refs)
    gone: list[JobItem] = []
    for item in part:
        if not any(_is_still(row, item) for row in states.get(item.ref, [])):
            gone.append(item)
        elif item.ref in kept.held:
            found.held[kept.held[item.ref]] += 1
        elif item.ref in kept.young:
            found.minimum += 1
        else:
            found.left.add(collection)
    found.records += len(gone)
    found.chunks += sum(item.n_chunks for item in gone)
    ids = ids_of(runtime, job.tenant, collection, gone)
    namespace = runtime.names.namespace(job.tenant, collection)
    if ids and runtime.backend().fetch(namespace=namespace, ids=ids):
        raise WriteNotAcknowledged("The store still shows points it was told to delete.")


def _note_held(runtime: Runtime, job: JobRow, hold_id: str, records: int) -> None:
    """Record that a hold kept due records."""
    note(
        runtime,
        job,
        action="retention.apply",
        outcome="denied",
        counts={"held": records},
        detail={"hold": hold_id},
        error=error_name(LegalHold("", hold_id=hold_id)),
    )
