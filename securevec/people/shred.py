"""The first step of an erasure, where people have keys of their own: those are destroyed before anything is deleted.

It needs no engine, so a process that does not hold it does this much at once. A legal hold or a statutory minimum beats
it, also one that came after the erasure was accepted: both are asked for inside a transaction that nobody else writes
beside, and the rows of the keys are gone before it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from securevec.control.rows import JobRow
from securevec.people import manifest
from securevec.proof.shredding import shred
from securevec.state.runtime import Runtime
from securevec.types import TenantId


def planned(runtime: Runtime, tenant: TenantId, tokens: Sequence[bytes]) -> dict[str, Any]:
    """What the job remembers of the keys these people have: their ids, in hex."""
    return {"planned": sorted(set(runtime.keys.subject_key_ids(tenant, dict.fromkeys(tokens)))), "destroyed": []}


def held_by(runtime: Runtime, job: JobRow, data: Mapping[str, Any]) -> bool:
    """Whether these people have, or had at the acceptance, keys of their own."""
    return bool(data["keys"]["planned"] or runtime.keys.subject_key_ids(job.tenant, everybody(data)))


def destroy(runtime: Runtime, job: JobRow, data: Mapping[str, Any]) -> dict[str, Any]:
    """Destroy the keys of the job's people, and tell on what evidence. May be repeated.

    Raises :class:`LegalHold`, :class:`RetentionMinimum`, :class:`TenantUnavailable` (nothing was destroyed; the job
    waits) and :class:`KeyUnavailable` (the same call continues).
    """
    tokens = everybody(data)
    items = manifest.by_collection(runtime.control.job_items(job.job_id), "delete")
    refs = {collection: [item.ref for item in listed] for collection, listed in items.items()}
    wanted = {*data["keys"]["planned"], *runtime.keys.subject_key_ids(job.tenant, tokens)}

    def destroy_unheld() -> None:
        runtime.control.while_unheld(
            job.tenant,
            tokens,
            refs,
            lambda: runtime.keys.destroy_subjects(job.tenant, tokens, job_id=job.job_id),
            now_ms=runtime.clock.floor_ms(),
        )

    entry = {"collection": "", "epoch": "", "key_ids": sorted(wanted), "probe": None}
    gone = shred(runtime, job, entry, destroy_unheld)
    return {"planned": sorted(wanted), **{name: gone[name] for name in ("destroyed", "evidence", "ms", "root")}}


def everybody(data: Mapping[str, Any]) -> list[bytes]:
    """The tokens of the people, those that a declared name led to among them."""
    return [bytes.fromhex(token) for token in dict.fromkeys((*data["tokens"], *data["shared"]))]
