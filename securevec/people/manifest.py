"""What an erasure is going to do, per collection, fixed before anything is deleted; and what will be looked for after.

The needles of the byte probe are sealed texts and vectors, so they must not lie in a file of the home themselves: in
the job row they are sealed under the installation's key, until the purge is over.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from securevec.control.rows import JobItem, JobRow, ManifestRow
from securevec.recover import ids_of
from securevec.retention.probe import Needles
from securevec.retention.purging import needles_of
from securevec.runtime import Runtime
from securevec.types import CollectionId, Namespace, TenantId

PROBED: Final = 128
"""Points of each collection whose sealed texts and vectors are looked for byte by byte."""

_KIND: Final = "erasure-needles"
_TEXT: Final = 4096
"""Of a longer sealed text its first and last half of this are looked for."""


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
            "needles": _sealed(runtime, job, needles_of(points)),
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


def needles(runtime: Runtime, job: JobRow, entry: Mapping[str, Any]) -> Needles:
    """The needles of one collection, opened."""
    sealed = base64.b64decode(entry["needles"])
    held: dict[str, Any] = orjson.loads(runtime.names.open(sealed, row=bytes.fromhex(job.job_id), kind=_KIND))
    return Needles(
        texts=tuple(base64.b64decode(text) for text in held["texts"]),
        vectors=tuple(np.frombuffer(base64.b64decode(vector), dtype="<f4") for vector in held["vectors"]),
        terms=tuple(base64.b64decode(spelled) for spelled in held.get("terms", ())),
    )


def namespace_of(runtime: Runtime, tenant: TenantId, collection: str) -> Namespace:
    return runtime.names.namespace(tenant, CollectionId(collection))


def _counts(items: Iterator[JobItem]) -> dict[str, int]:
    listed = list(items)
    return {"records": len(listed), "chunks": sum(item.n_chunks for item in listed)}


def _sealed(runtime: Runtime, job: JobRow, looked_for: Needles) -> str:
    held = {
        "texts": [base64.b64encode(part).decode() for text in looked_for.texts for part in _ends(text)],
        "vectors": [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in looked_for.vectors],
        "terms": [base64.b64encode(spelled).decode() for spelled in looked_for.terms],
    }
    sealed = runtime.names.seal(orjson.dumps(held), row=bytes.fromhex(job.job_id), kind=_KIND)
    return base64.b64encode(sealed).decode()


def _ends(text: bytes) -> list[bytes]:
    return [text] if len(text) <= _TEXT else [text[: _TEXT // 2], text[-_TEXT // 2 :]]
