"""What somebody with write access to the vector store sees and does: rows as they lie there, read and written behind
the library's back. Nothing here knows a key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import numpy as np

from securevec.crypto.armour import from_text
from securevec.crypto.derive import point_id
from securevec.types import ProtectedPoint, Scalar, StoredPoint

if TYPE_CHECKING:
    from securevec.attack.stage import Stage, Ticket
    from securevec.store import Collection


@dataclass(frozen=True)
class Row:
    """A stored row, as it lies in the store."""

    id: UUID
    vector: Any
    payload: dict[str, Scalar]

    def but(self, **changes: Scalar | None) -> Row:
        """The same row with payload keys changed, or removed (``None``)."""
        merged = {**self.payload, **changes}
        return replace(self, payload={key: value for key, value in merged.items() if value is not None})

    @property
    def body(self) -> bytes:
        return from_text(self.payload["b"])


class Vandal:
    """Reads and writes the rows of one collection behind the library's back."""

    def __init__(self, stage: Stage, collection: Collection[Ticket]) -> None:
        self._store = stage.trap.inner
        self._stage = stage
        self._collection = collection
        self.shared = not self._store.capabilities.physical_isolation
        """Tenants share one place: an id exists once."""
        self.namespace = collection._scope.namespace

    def rows(self) -> list[Row]:
        """Every row, those of the lowest point id first."""
        page = self._store.scan(namespace=self.namespace, where=None, cursor=None, limit=1000)
        points = self._store.fetch(namespace=self.namespace, ids=[row.id for row in page.points], with_vectors=True)
        return sorted((_row(point) for point in points), key=lambda row: row.id)

    def row(self, number: int = 0) -> Row:
        return self.rows()[number]

    def row_of(self, record_id: str) -> Row:
        """The first chunk of a record, as its owner would find it (the vandal is lucky)."""
        runtime = self._stage.store.runtime
        ref = self._collection._scope.record_ref(runtime, record_id)
        generation = runtime.control.current(self._collection.id, [ref])[ref].generation
        key = runtime.keys.tenant_key(self._collection._scope.tenant, "id")
        wanted = point_id(key, self._collection.id, ref, generation, 0)
        return next(row for row in self.rows() if row.id == wanted)

    def put(self, row: Row) -> None:
        """Write a row here, stamped as this place's own."""
        payload: dict[str, Scalar] = {
            **row.payload,
            "t": self.namespace.tenant_tag,
            "c": self.namespace.collection_tag,
        }
        self._store.insert(namespace=self.namespace, points=[ProtectedPoint(row.id, row.vector, payload)])

    def remove(self, row: Row) -> None:
        self._store.delete(namespace=self.namespace, ids=[row.id])

    def relabel(self, row: Row, other: Vandal) -> None:
        """Make a row of this place a row of another one: other tags, nothing else changed."""
        self.remove(row)
        other.put(row)


def stored(row: Row, score: float = 1.0) -> StoredPoint:
    """A row as a store would answer with it."""
    return StoredPoint(row.id, dict(row.payload), score)


def _row(point: StoredPoint) -> Row:
    return Row(point.id, np.asarray(point.vector, dtype=np.float32), cast("dict[str, Scalar]", dict(point.payload)))
