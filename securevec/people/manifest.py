"""What an erasure is going to do in each collection, fixed before anything is deleted, with the bytes to look for
afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from securevec.control.rows import JobItem, JobRow, ManifestRow
from securevec.proof.purging import needles_of
from securevec.proof.watching import PROBED, watch
from securevec.removing.points import ids_of
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, Namespace, TenantId


def plan(runtime: Runtime, job: JobRow) -> dict[str, Any]:
    """The manifest of an accepted job: for each collection its namespace, counts and sealed needles."""
    planned: dict[str, Any] = {}
    for collection, items in by_collection(runtime.control.job_items(job.job_id)).items():
        namespace = runtime.names.namespace(job.tenant, collection)
        ids = ids_of(runtime, job.tenant, collection, [manifest_row(item) for item in items])[:PROBED]
        points = runtime.backend().fetch(namespace=namespace, ids=ids, with_vectors=True)
        planned[collection] = {
            "deleted": _counts(item for item in items if item.action == "delete"),
            "redacted": _counts(item for item in items if item.action == "redact"),
            "needles": watch(runtime, job, namespace, [needles_of(points)]),
        }
    return planned


def by_collection(items: Sequence[JobItem], action: str = "") -> dict[CollectionId, list[JobItem]]:
    """The items (of one action) by collection."""
    found: dict[CollectionId, list[JobItem]] = {}
    for item in items:
        if action in ("", item.action):
            found.setdefault(item.collection, []).append(item)
    return found


def manifest_row(item: JobItem) -> ManifestRow:
    """The item as a manifest row: enough to name each of its points."""
    return ManifestRow(item.ref, item.generation, item.n_chunks, b"", None, "", 0, 0, "live")


def namespace_of(runtime: Runtime, tenant: TenantId, collection: str) -> Namespace:
    return runtime.names.namespace(tenant, CollectionId(collection))


def _counts(items: Iterator[JobItem]) -> dict[str, int]:
    listed = list(items)
    return {"records": len(listed), "chunks": sum(item.n_chunks for item in listed)}
