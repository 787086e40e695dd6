"""The points of records removed from the store, and the keys that were theirs alone.

Whether they may be removed has been decided before: nothing is asked here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from securevec.control.rows import ManifestRow
from securevec.crypto.derive import point_id
from securevec.errors import WriteNotAcknowledged
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, Namespace, RecordRef, TenantId


class Generation(Protocol):
    """One generation of a record: enough to name its points."""

    @property
    def ref(self) -> bytes: ...
    @property
    def generation(self) -> int: ...
    @property
    def n_chunks(self) -> int: ...


def ids_of(runtime: Runtime, tenant: TenantId, collection: CollectionId, rows: Sequence[Generation]) -> list[UUID]:
    """Every point id of these generations."""
    key = runtime.keys.tenant_key(tenant, "id")
    return [
        point_id(key, collection, RecordRef(row.ref), row.generation, number)
        for row in rows
        for number in range(row.n_chunks)
    ]


def remove_points(
    runtime: Runtime, tenant: TenantId, namespace: Namespace, collection: CollectionId, rows: Sequence[ManifestRow]
) -> None:
    """Delete the points of these rows and read back that they are gone; then the keys that were theirs alone.

    Raises :class:`WriteNotAcknowledged`.
    """
    ids = ids_of(runtime, tenant, collection, rows)
    if not ids:
        return
    backend = runtime.backend()
    backend.delete(namespace=namespace, ids=ids)
    if backend.fetch(namespace=namespace, ids=ids):
        raise WriteNotAcknowledged("The store still shows points it was told to delete.")
    runtime.keys.bury_documents(tenant, [(row.ref, row.generation) for row in rows])
