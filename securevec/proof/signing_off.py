"""The end of a job: its result in the audit log, and its receipt.

The receipt names its audit record, and the record holds the digest of what the receipt says besides: so neither can be
another without the log showing it, also when the signing key falls into other hands later.
"""

from __future__ import annotations

from collections.abc import Mapping

from securevec.audit.event import Action
from securevec.control.rows import JobRow
from securevec.jobs import note
from securevec.proof.receipt import digest_of, sign, statement
from securevec.state.runtime import Runtime


def sign_off(
    runtime: Runtime,
    job: JobRow,
    predicate: Mapping[str, object],
    *,
    manifest: bytes,
    action: Action,
    counts: Mapping[str, int],
    collection: str = "",
    detail: Mapping[str, str | int | bool] | None = None,
) -> bytes:
    """Record the result of a job and return its signed receipt. ``tenant``, ``job`` and ``audit`` are added to the
    ``predicate``; ``manifest`` is what was to be done, its digest the receipt's subject.

    Done again after a kill, it records again, and the receipt names the later record. Raises :class:`AuditUnavailable`
    and :class:`KeyUnavailable`.
    """
    said = statement({**predicate, "tenant": job.tenant, "job": job.job_id}, manifest=manifest)
    reference = note(
        runtime,
        job,
        action=action,
        phase="result",
        collection=collection,
        counts=counts,
        detail={**(detail or {}), "receipt": digest_of(said)},
    )
    place = {"log": runtime.installation_id, "writer": reference.writer, "index": reference.index}
    said["predicate"]["audit"] = place
    return sign(said, key=runtime.keys.signing_key())
