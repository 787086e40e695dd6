"""What an erasure is going to do in each collection, fixed before anything is deleted, with the bytes to look for
afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from securevec.control.rows import JobItem, JobRow, ManifestRow
from securevec.proof.purging import needles_of
from securevec.proof.watching import PROBED, watch
from securevec.removing.points import ids_of
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, Namespace, TenantId


def plan(runtime: Runtime, job: JobRow, tokens: Sequence[bytes]) -> dict[str, Any]:
    """The manifest of an accepted job: for each collection its namespace, counts and sealed needles. ``before``: how
    many of the records others had removed already, or stored again without these people (``tokens``)."""
    planned: dict[str, Any] = {}
    for collection, items in by_collection(runtime.control.job_items(job.job_id)).items():
        namespace = runtime.names.namespace(job.tenant, collection)
        there = standing(runtime, job, collection, items, frozenset(tokens))
        ids = ids_of(runtime, job.tenant, collection, list(there.values()))[:PROBED]
        points = runtime.backend().fetch(namespace=namespace, ids=ids, with_vectors=True)
        planned[collection] = {
            "deleted": _counts([item for item in items if item.action == "delete"], there),
            "redacted": _counts([item for item in items if item.action == "redact"], there),
            "needles": watch(runtime, job, namespace, [needles_of(points)]),
        }
    return planned


def standing(
    runtime: Runtime, job: JobRow, collection: CollectionId, items: Sequence[JobItem], tokens: Collection[bytes]
) -> dict[bytes, ManifestRow]:
    """Of one collection's items those that the job has still to do, as they live now. What is not there any more, or
    not any more with the people it is to be redacted of, was done before, or replaced or deleted by others."""
    control = runtime.control
    live = control.current(collection, [item.ref for item in items])
    return {
        item.ref: row
        for item in items
        if (row := live.get(item.ref)) is not None
        and is_still(row, item, job)
        and (
            item.action == "delete"
            or not control.record_tokens(collection, row.ref, row.generation).keys().isdisjoint(tokens)
        )
    }


def is_still(row: ManifestRow, item: JobItem, job: JobRow) -> bool:
    """Whether a live record is the one the job was accepted for: that generation, or one that another erasure made of
    it, which keeps its ingestion. What was written since is none of the job's."""
    return row.generation == item.generation or row.ingested_ms <= job.created_ms


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


def _counts(items: Sequence[JobItem], there: Mapping[bytes, ManifestRow]) -> dict[str, int]:
    return {
        "records": len(items),
        "chunks": sum(item.n_chunks for item in items),
        "before": sum(item.ref not in there for item in items),
    }
