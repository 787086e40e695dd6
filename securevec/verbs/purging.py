"""Removing the bytes of deleted records from the store's files, when their owner asks rather than when a job does.

A deletion takes records out of the manifest, the index and every answer; sealed text and vector stay in the engine's
files until they are overwritten. A purge copies what lives and removes the rest. Where records had keys of their own,
the key store is rewritten too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from securevec.errors import SecurevecError
from securevec.guard import admit
from securevec.recover import settle_collection
from securevec.retention.residue import refuse_residue
from securevec.state.runtime import Runtime, Scope


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """``bytes_removed``: the store says that bytes of deleted points are gone from its live files, in every collection;
    ``None`` where it cannot know. ``residual`` says in words what may remain."""

    collections: int
    bytes_removed: bool | None
    residual: tuple[str, ...]


def purge_tenant(runtime: Runtime, scope: Scope) -> PurgeReport:
    """Purge each collection of a tenant. See :meth:`Tenant.purge`."""
    admission = admit(runtime, scope, permission="delete", action="purge")
    removed: list[bool | None] = []
    residual: dict[str, None] = {}
    try:
        backend = runtime.backend()
        for row in runtime.control.collections(scope.tenant):
            with runtime.write_lock(row.collection):
                settle_collection(runtime, row.collection)
                admission.recheck()
                report = backend.purge(namespace=runtime.names.namespace(scope.tenant, row.collection))
            removed.append(report.bytes_removed)
            residual[report.residual] = None
        runtime.keys.sweep_documents(scope.tenant, partial(refuse_residue, runtime.home))
        admission.recheck()
    except SecurevecError as error:
        admission.failure(error, counts={"collections": len(removed)})
        raise
    admission.note(counts={"collections": len(removed)}, detail={"purged": True})
    known = None if None in removed else all(removed)
    return PurgeReport(len(removed), known, tuple(residual))
