"""Who carries an attack out: a caller with a handle of its own tenant, through the product, or through a reader that
lacks the second barrier. Both see the same store, and both are judged by what they hand back.

The product has no switch for its barriers and gets none. What stands for "the envelope does not help" is put together
here: it asks the store in the same namespace, believes every point, and opens whatever it holds in the place it was
sealed for, because the suite remembers that place. The key alone would not do: the envelope is bound to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import numpy as np

from securevec.attack.rows import Vandal
from securevec.attack.stage import Ticket
from securevec.crypto.armour import from_text
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, read_key_id
from securevec.errors import RecordNotFound, SecurevecError
from securevec.filters import Expr, check
from securevec.points.body_format import decode_body
from securevec.reading.hits import record_of

if TYPE_CHECKING:
    from securevec.attack.stage import Pair
    from securevec.reading.hits import Hit
    from securevec.store import Collection
    from securevec.types import StoredPoint, Vector

MOST = 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: the record it claims to be, and what is readable of it."""

    id: str
    text: str
    status: str


class Caller(Protocol):
    """What can be asked. ``ids`` are record ids that the other tenant holds; the other tenant's point ids are known."""

    def search(self, where: Expr | None = None, near: Vector | None = None) -> list[Seen]: ...

    def read(self, ids: Sequence[str]) -> list[Seen]: ...

    def listing(self) -> list[Seen]: ...

    def count(self) -> int: ...

    def remove(self, ids: Sequence[str]) -> None: ...

    def overwrite(self, row: dict[str, Any]) -> None: ...

    def with_argument(self, name: str, value: object) -> None:
        """Ask with an argument of the vendor's. Raises :class:`TypeError` when there is no such argument."""
        ...


@dataclass(slots=True)
class Product:
    """The handle of the attacking tenant, as any caller has it, and what its last search said of itself."""

    pair: Pair
    violations: int = 0
    request_id: str = ""

    @property
    def handle(self) -> Collection[Ticket]:
        return self.pair.globex

    def search(self, where: Expr | None = None, near: Vector | None = None) -> list[Seen]:
        if near is not None:
            hits = self.handle.search(vector=near, where=where, k=MOST)
        else:
            hits = self.handle.search("refund case", where=where, k=MOST)
        self.violations, self.request_id = hits.violations, hits.request_id
        return [seen_of(hit) for hit in hits]

    def read(self, ids: Sequence[str]) -> list[Seen]:
        found: list[Seen] = []
        for each in ids:
            try:
                record = self.handle.get(each)
            except RecordNotFound:
                continue
            found.append(_seen(record))
        return found

    def listing(self) -> list[Seen]:
        return [_seen(record) for record in self.handle.iter()]

    def count(self) -> int:
        return self.handle.count()

    def remove(self, ids: Sequence[str]) -> None:
        self.handle.delete(list(ids))

    def overwrite(self, row: dict[str, Any]) -> None:
        self.handle.ingest([row])

    def with_argument(self, name: str, value: object) -> None:
        ask: Any = self.handle.search
        ask("refund case", **{name: value})


@dataclass(slots=True)
class Trusting:
    """A reader of the same namespace for whom nothing is judged. ``sealed`` is where each body was sealed first."""

    pair: Pair
    sealed: dict[str, UUID] = field(default_factory=dict[str, UUID])

    def remember(self) -> None:
        """Note the places of what both tenants hold now. Called before anything is moved."""
        for handle in (self.pair.acme, self.pair.globex):
            for row in Vandal(self.pair.stage, handle).rows():
                body = row.payload.get("b")
                if isinstance(body, str):
                    self.sealed.setdefault(body, row.id)

    def search(self, where: Expr | None = None, near: Vector | None = None) -> list[Seen]:
        scope, runtime = self.pair.globex._scope, self.pair.stage.store.runtime
        dimension = scope.embedder.identity.dimension
        vector = near if near is not None else np.ones(dimension, dtype=np.float32)
        pushed = None if where is None else scope.protector(runtime).lower(check(where))
        return self._believed(
            self.pair.stage.trap.query(namespace=scope.namespace, vector=vector, where=pushed, limit=MOST)
        )

    def read(self, ids: Sequence[str]) -> list[Seen]:
        points = [row.id for row in self._theirs(ids)]
        return self._believed(self.pair.stage.trap.fetch(namespace=self.pair.globex._scope.namespace, ids=points))

    def listing(self) -> list[Seen]:
        page = self.pair.stage.trap.scan(
            namespace=self.pair.globex._scope.namespace, where=None, cursor=None, limit=MOST
        )
        return self._believed(page.points)

    def count(self) -> int:
        return self.pair.stage.trap.count(namespace=self.pair.globex._scope.namespace)

    def remove(self, ids: Sequence[str]) -> None:
        points = [row.id for row in self._theirs(ids)]
        self.pair.stage.trap.delete(namespace=self.pair.globex._scope.namespace, ids=points)

    def overwrite(self, row: dict[str, Any]) -> None:
        """Write an own row under the other tenant's point id."""
        mine, theirs = Vandal(self.pair.stage, self.pair.globex), self._theirs([row["id"]])[0]
        own = mine.row()
        try:
            mine.put(type(own)(theirs.id, own.vector, own.payload))
        except SecurevecError:
            return  # refused: an id that is in use elsewhere

    def with_argument(self, name: str, value: object) -> None:
        ask: Any = self.pair.stage.trap.query
        vector = np.ones(self.pair.globex._scope.embedder.identity.dimension, dtype=np.float32)
        ask(namespace=self.pair.globex._scope.namespace, vector=vector, where=None, limit=1, **{name: value})

    def _theirs(self, ids: Sequence[str]) -> list[Any]:
        vandal = Vandal(self.pair.stage, self.pair.acme)
        return [vandal.row_of(each) for each in ids]

    def _believed(self, points: Sequence[StoredPoint]) -> list[Seen]:
        return [seen for point in points if (seen := self._open(point)) is not None]

    def _open(self, point: StoredPoint) -> Seen | None:
        value = point.payload.get("b")
        if isinstance(value, str) and value.startswith("{"):
            plain: dict[str, Any] = json.loads(value)
            return Seen(str(plain["id"]), str(plain["body"]), str(plain["status"]))
        if not isinstance(value, str) or value not in self.sealed:
            return None
        keys = self.pair.stage.store.runtime.keys
        try:
            blob = from_text(value)
            key = keys.key_by_id(read_key_id(blob))
            place = Place(tenant=key.tenant, collection=key.collection, point=self.sealed[value], field="body")
            body = decode_body(open_sealed(key, blob, place))
        except SecurevecError:
            return None
        return _seen(record_of(self.pair.globex._scope, body, Ticket))


def seen_of(hit: Hit[Ticket]) -> Seen:
    return Seen(str(hit.id), hit.text, hit.record.status)


def _seen(record: Ticket) -> Seen:
    return Seen(record.id, record.body, record.status)
