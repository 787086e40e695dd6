"""Sealing a collection anew because a data key leaked, or in another suite: a resumable state machine.

    accepted        the job row is written; nothing is different yet
    rolled          from this commit on nothing new is sealed under the keys that are to go, in any process; which those
                    are is fixed
    resealed        no live row names one of them: every row of the manifest was read back from the store and opened,
                    after every write that began before the roll had ended. Then the bytes of the old generations are
                    purged
    doomed          for each key bucket its keys, and a value sealed under them, are written down
    keys_destroyed  the keys are destroyed, and nothing but them
    verified        read back once more: no live row names them, and the values sealed before no longer open
    done            receipt signed and kept

Readers and writers go on all the while. Each step may be repeated: what is sealed under another key already is passed
over. A record that the store does not show as it was written stops the job before any key dies: its key may be the only
one that opens it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from securevec.control.jobs import KEY_RESEAL
from securevec.control.rows import JobRow, ManifestRow
from securevec.errors import DeletionIncomplete, UnknownKey
from securevec.guard import Admission
from securevec.jobs import JobResult, move_on
from securevec.keys.keyview import KeyInfo
from securevec.proof.purging import ProbeOutcome
from securevec.proof.shredding import doom, key_artefact, require_shredded, root_of, shred
from securevec.reading.sheets import Sealed, named_keys, opened_chunks, sealed_under
from securevec.rekeying.rewriting import (
    Advance,
    done_data,
    finish,
    place_of,
    read_back,
    request,
    rewrite,
    seen_of,
    sought,
)
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, TenantId


@dataclass(frozen=True, slots=True)
class Reseal(JobResult):
    """Where a re-sealing stands. ``records`` and ``chunks`` were read back under other keys, ``keys`` old ones were
    destroyed; all 0 until it is done."""

    records: int = 0
    chunks: int = 0
    keys: int = 0


def result_of(runtime: Runtime, result: JobResult) -> Reseal:
    """The result with its counts."""
    data = done_data(runtime, result)
    keys = sum(len(entry["destroyed"]) for entry in data.get("shredded", ()))
    return Reseal.of(result, keys=keys, **seen_of(data, "records", "chunks"))


def request_reseal(
    runtime: Runtime, admission: Admission, collection: CollectionId, *, key_id: str | None = None
) -> JobRow:
    """Accept a job. ``key_id`` restricts it to the key bucket of that key: the keys of bodies and of vaults.

    One that is open for the same is found again. Raises :class:`UnknownKey`, :class:`KeyDestroyed`.
    """
    tenant = admission.scope.tenant
    epoch = None if key_id is None else _epoch_of(runtime, tenant, collection, key_id)
    return request(runtime, admission, KEY_RESEAL, collection, {"epoch": epoch})


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
        rolled = _roll(runtime, place, data)
        going = frozenset(bytes.fromhex(key_id) for key_id in rolled)
        parts = sought(runtime, place, lambda rows: _under(runtime, place, rows, going))
        return move_on(runtime, job, to="rolled", data=data | {"keys": rolled, "sought": parts})
    old = frozenset(bytes.fromhex(key_id) for key_id in data["keys"])

    def stale(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        return sealed_under(runtime, place, rows, old)

    def opened(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        # A header that names another key is the store's word, and only the key itself refutes it: so what is judged is
        # what was opened, and no second answer of the store.
        chunks = opened_chunks(runtime, place, rows)
        under = [row for row in rows if any(not each.keys.isdisjoint(old) for each in chunks.get(row.ref, ()))]
        return [*under, *stale([row for row in rows if row.ref not in chunks])]

    if job.state == "rolled":
        outcome = rewrite(
            runtime,
            job,
            place,
            action="key.reseal",
            stale=stale,
            looked_for=data.pop("sought"),
            progress=progress,
        )
        read_back(runtime, job, place, opened)
        return move_on(runtime, job, to="resealed", data=data | {"purge": outcome.to_json()})
    if job.state == "resealed":
        return move_on(runtime, job, to="doomed", data=data | {"doomed": _doom(runtime, place, data["keys"])})
    if job.state == "doomed":
        read_back(runtime, job, place, opened)
        shredded = [shred(runtime, job, entry) for entry in data["doomed"]]
        return move_on(runtime, job, to="keys_destroyed", data=data | {"shredded": shredded})
    if job.state == "keys_destroyed":
        data["manifest"] = read_back(runtime, job, place, stale)
        for entry in data["shredded"]:
            require_shredded(runtime, job.tenant, entry)
        return move_on(runtime, job, to="verified", data=data)
    if job.state == "verified":
        return _done(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


def _deks(runtime: Runtime, place: Sealed, epoch: str | None) -> list[KeyInfo]:
    return [
        key
        for key in runtime.keys.list_keys(tenant=place.tenant, kind="dek")
        if key.collection == place.collection and epoch in (None, key.epoch)
    ]


def _roll(runtime: Runtime, place: Sealed, data: dict[str, Any]) -> list[str]:
    going = [bytes.fromhex(key.key_id) for key in _deks(runtime, place, data["epoch"])]
    return sorted(key_id.hex() for key_id in runtime.keys.roll(place.tenant, place.collection, going))


def _under(runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow], keys: frozenset[bytes]) -> list[ManifestRow]:
    named = named_keys(runtime, place, rows)
    return [row for row in rows if not named.get(row.ref, frozenset()).isdisjoint(keys)]


def _doom(runtime: Runtime, place: Sealed, key_ids: list[str]) -> list[dict[str, Any]]:
    buckets: dict[str, list[KeyInfo]] = {}
    for key in _deks(runtime, place, None):
        if key.key_id in key_ids:
            buckets.setdefault(key.epoch, []).append(key)
    return [doom(runtime, keys, collection=place.collection, epoch=epoch) for epoch, keys in sorted(buckets.items())]


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    keys = sum(len(entry["destroyed"]) for entry in data["shredded"])
    counts = {**data["manifest"], "keys": keys}
    purged = ProbeOutcome.from_json(data["purge"]).artefact(
        f"old sealed values of collection {data['collection']}", method="sealed anew, deleted by id, purge by copy"
    )
    dead = [
        key_artefact(
            entry,
            f"data keys of collection {entry['collection']}, epoch {entry['epoch']}",
            residual="who copied a key before opens older copies of what it sealed",
        )
        for entry in data["shredded"]
    ]
    return finish(
        runtime,
        job,
        data,
        action="key.reseal",
        logged=counts,
        manifest=counts,
        artefacts=[purged, *dead],
        more={"root": root_of(runtime)},
    )
