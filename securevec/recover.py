"""What a crash left behind, resolved by reading ids back. Runs when an engine is opened, and before a write.

A batch in the control store is in one of two states:

``open``      its rows are `pending`: nothing of it was ever visible. Its points, if any arrived, are removed and the
              intent is answered ``recovered: absent``.
``switched``  it was committed or aborted. If committed, its rows are live (or, for a deletion, gone) and the intent
              is answered ``recovered: present``. Either way the points of the retiring rows are removed.

Batches of a live process are left alone until their lease is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from securevec.audit import Event
from securevec.control.rows import BatchRow, ManifestRow
from securevec.crypto.derive import point_id
from securevec.errors import KeyDestroyed, UnknownKey, WriteNotAcknowledged
from securevec.policy import Actor
from securevec.runtime import Runtime
from securevec.types import CollectionId, Namespace, RecordRef, TenantId


def ids_of(runtime: Runtime, tenant: TenantId, collection: CollectionId, rows: Sequence[ManifestRow]) -> list[UUID]:
    """Every point id of these manifest rows."""
    key = runtime.keys.tenant_key(tenant, "id")
    return [
        point_id(key, collection, RecordRef(row.ref), row.generation, number)
        for row in rows
        for number in range(row.n_chunks)
    ]


def remove_points(
    runtime: Runtime, tenant: TenantId, namespace: Namespace, collection: CollectionId, rows: Sequence[ManifestRow]
) -> None:
    """Delete the points of these rows and read back that they are gone. Raises :class:`WriteNotAcknowledged`."""
    ids = ids_of(runtime, tenant, collection, rows)
    if not ids:
        return
    backend = runtime.backend()
    backend.delete(namespace=namespace, ids=ids)
    if backend.fetch(namespace=namespace, ids=ids):
        raise WriteNotAcknowledged("The store still shows points it was told to delete.")


def resolve_open_batches(runtime: Runtime, *, expired_only: bool) -> int:
    """Resolve interrupted batches; returns how many. ``expired_only`` leaves those alone whose lease still runs."""
    batches = runtime.control.open_batches(now_ms=runtime.clock.now_ms(), expired_only=expired_only)
    for batch in batches:
        _resolve(runtime, batch)
    return len(batches)


def _resolve(runtime: Runtime, batch: BatchRow) -> None:
    visible = batch.committed
    if batch.state == "open":
        runtime.control.abort_batch(request_id=batch.request_id)
    rows = [row for row in runtime.control.batch_rows(batch.request_id) if row.state == "retiring"]
    namespace = runtime.names.namespace(batch.tenant, batch.collection)
    try:
        remove_points(runtime, batch.tenant, namespace, batch.collection, rows)
    except (KeyDestroyed, UnknownKey):
        # The tenant was deleted meanwhile: its deletion job removes the whole namespace.
        return
    runtime.audit.record(
        Event(
            action="recover",
            phase="result",
            outcome="recovered",
            actor=runtime.names.actor_ref(Actor.local()),
            request_id=batch.request_id,
            tenant=batch.tenant,
            collection=batch.collection,
            counts={"records": len(rows)},
            detail={"state": "present" if visible else "absent", "kind": batch.kind},
        )
    )
    runtime.control.finish_batch(request_id=batch.request_id)
