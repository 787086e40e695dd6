"""Removing the bytes of deleted records from the store's files, when their owner asks rather than when a job does.

A deletion takes records out of the manifest, the index and every answer; sealed text and vector stay in the engine's
files until they are overwritten. A purge copies what lives and removes the rest. Where records had keys of their own,
the key store is rewritten too. What the store has and the manifest does not name, from files that were put back, lives
for the engine; it is removed first where that is asked for (:mod:`securevec.verbs.unnamed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from securevec.backend import RemovalReport
from securevec.errors import SecurevecError
from securevec.guard import admit
from securevec.proof.purging import ProbeOutcome, purge_with_proof
from securevec.proof.residue import refuse_residue
from securevec.removing.recover import settle_collection
from securevec.state.runtime import Runtime, Scope
from securevec.verbs.unnamed import Swept, sweep


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """``bytes_removed``: the store says that bytes of deleted points are gone from its live files, in every collection;
    ``None`` where it cannot know. ``residual`` says in words what may remain.

    With ``unnamed``: ``removed`` points that the manifest did not name, ``held`` ones that a legal hold keeps, and of
    each collection that had any what the byte probe saw (``evidence``); ``verified``: everywhere that they are gone.
    """

    collections: int
    bytes_removed: bool | None
    residual: tuple[str, ...]
    removed: int = 0
    held: int = 0
    evidence: tuple[str, ...] = ()
    verified: bool | None = None


def purge_tenant(runtime: Runtime, scope: Scope, *, unnamed: bool = False) -> PurgeReport:
    """Purge each collection of a tenant. See :meth:`Tenant.purge`."""
    admission = admit(runtime, scope, permission="delete", action="purge")
    removed: list[bool | None] = []
    residual: dict[str, None] = {}
    swept: list[Swept] = []
    seen: list[ProbeOutcome] = []
    if unnamed:
        admission.note(phase="intent", detail={"unnamed": True})
    try:
        backend = runtime.backend()
        for row in runtime.control.collections(scope.tenant):
            with runtime.write_lock(row.collection):
                settle_collection(runtime, row.collection)
                admission.recheck()
                namespace = runtime.names.namespace(scope.tenant, row.collection)
                left = Swept()
                swept.append(left)
                if unnamed:
                    sweep(runtime, row, namespace, admission, left)
                report: RemovalReport | ProbeOutcome
                if left.removed:
                    report = purge_with_proof(runtime, namespace, left.needles, left.stood)
                    seen.append(report)
                else:
                    report = backend.purge(namespace=namespace)
            removed.append(report.bytes_removed)
            residual[report.residual] = None
        runtime.keys.sweep_documents(scope.tenant, partial(refuse_residue, runtime.home))
        admission.recheck()
    except SecurevecError as error:
        admission.failure(error, phase="result" if unnamed else "single", counts=_counts(removed, swept))
        raise
    admission.note(
        phase="result" if unnamed else "single",
        counts=_counts(removed, swept),
        detail={"purged": True} | ({"unnamed": True} if unnamed else {}),
    )
    known = None if None in removed else all(removed)
    return PurgeReport(
        len(removed),
        known,
        tuple(residual),
        removed=sum(each.removed for each in swept),
        held=sum(each.held for each in swept),
        evidence=tuple(each.evidence for each in seen),
        verified=all(each.verdict == "removed from live files" for each in seen) if seen else None,
    )


def _counts(removed: Sequence[bool | None], swept: Sequence[Swept]) -> dict[str, int]:
    counts = {"collections": len(removed)}
    gone, held = sum(each.removed for each in swept), sum(each.held for each in swept)
    return counts | ({"deleted": gone} if gone else {}) | ({"held": held} if held else {})
