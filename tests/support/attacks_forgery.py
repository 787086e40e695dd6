"""What somebody with write access to the vector store can do to its rows. Nothing here knows a key."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import numpy as np

import securevec as sv
from securevec.testing.memory import InMemoryBackend
from securevec.types import ProtectedPoint, Scalar, StoredPoint
from tests.support.attacks import Pair, Stage
from tests.support.world import Ticket

if TYPE_CHECKING:
    from securevec_qdrant.server import QdrantServerBackend


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
        return base64.b64decode(cast("str", self.payload["b"]))


class Vandal:
    """Reads and writes the rows of one collection behind the library's back."""

    def __init__(self, stage: Stage, collection: sv.Collection[Ticket]) -> None:
        self._store = stage.trap.inner
        self._stage = stage
        self._collection = collection
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
        from securevec.crypto.derive import point_id

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
        if self._stage.engine == "server":
            backend = cast("QdrantServerBackend", self._store)
            backend._client.set_payload(
                backend._spots.spot(self.namespace, len(row.vector)).collection,
                payload={"t": other.namespace.tenant_tag, "c": other.namespace.collection_tag},
                points=[str(row.id)],
            )
            return
        self.remove(row)
        other.put(row)


@dataclass(frozen=True)
class Forgery:
    """What was done to the store and what the reader must say: how many rows do not belong."""

    violations: int = 1


def copy_under_its_own_id(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    if pair.stage.engine == "server":
        acme.relabel(acme.row(), globex)
    else:
        globex.put(acme.row())
    return Forgery()


def copy_under_a_new_id(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    globex.put(replace(acme.row(), id=uuid4()))
    return Forgery()


def copy_over_an_own_row(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    globex.put(replace(acme.row(), id=globex.row().id))
    return Forgery()


def relabel_the_tags(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    for row in acme.rows()[:3]:
        acme.relabel(row, globex)
    return Forgery(3)


def foreign_body_in_an_own_row(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    globex.put(globex.row().but(b=acme.row().payload["b"]))
    return Forgery()


def swap_two_bodies(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    first, second = globex.rows()[:2]
    globex.put(first.but(b=second.payload["b"]))
    globex.put(second.but(b=first.payload["b"]))
    return Forgery(2)


def own_row_under_a_new_id(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    globex.put(replace(globex.row(), id=uuid4()))
    return Forgery()


def exchange_body_and_vault(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    row = globex.row()
    globex.put(row.but(b=row.payload["v"], v=row.payload["b"]))
    return Forgery()


def put_an_old_generation_back(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    old = globex.row_of("T-2")
    pair.globex.ingest([{**_ticket_two(), "body": "refund replaced"}])
    globex.put(old)
    return Forgery()


def put_a_deleted_record_back(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    old = globex.row_of("T-2")
    pair.globex.delete("T-2")
    globex.put(old)
    return Forgery()


def old_body_in_the_new_row(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    old = globex.row_of("T-2")
    pair.globex.ingest([{**_ticket_two(), "body": "refund replaced"}])
    globex.put(globex.row_of("T-2").but(b=old.payload["b"]))
    return Forgery()


def row_of_another_collection_of_the_tenant(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    other = pair.stage.pair()
    other.globex.ingest([_ticket_two()])
    foreign = Vandal(pair.stage, other.globex)
    foreign.relabel(foreign.row(), globex)
    return Forgery()


def body_of_another_collection_of_the_tenant(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    other = pair.stage.pair()
    other.globex.ingest([_ticket_two()])
    globex.put(globex.row().but(b=Vandal(pair.stage, other.globex).row().payload["b"]))
    return Forgery()


def edited_body(change: Callable[[bytes], Scalar | None]) -> Callable[[Pair], Forgery]:
    """One row's body replaced by what ``change`` makes of its bytes."""

    def forge(pair: Pair) -> Forgery:
        _, globex = _vandals(pair)
        row = globex.row()
        globex.put(row.but(b=change(row.body)))
        return Forgery()

    return forge


def flipped(at: int) -> Callable[[bytes], str]:
    def change(body: bytes) -> str:
        raw = bytearray(body)
        raw[at] ^= 1
        return encoded(bytes(raw))

    return change


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def with_version(body: bytes, version: int) -> str:
    return encoded(body[:2] + bytes([version]) + body[3:])


def with_suite(body: bytes, suite: int) -> str:
    return encoded(body[:3] + bytes([suite]) + body[4:])


def with_flags(body: bytes) -> str:
    return encoded(body[:5] + b"\x01" + body[6:])


def with_key_id(body: bytes) -> str:
    return encoded(body[:8] + hashlib.sha256(body).digest()[:16] + body[24:])


def second_spelling(body: bytes) -> str:
    """The same bytes, spelled with surplus padding."""
    return encoded(body).rstrip("=") + "===="


def memory_of(stage: Stage) -> InMemoryBackend:
    assert isinstance(stage.trap.inner, InMemoryBackend)
    return stage.trap.inner


def stored(row: Row, score: float = 1.0) -> StoredPoint:
    """A row as a store would answer with it."""
    return StoredPoint(row.id, dict(row.payload), score)


def _vandals(pair: Pair) -> tuple[Vandal, Vandal]:
    return Vandal(pair.stage, pair.acme), Vandal(pair.stage, pair.globex)


def _ticket_two() -> dict[str, Any]:
    from tests.support.attacks import GLOBEX_MARK, text

    return text(2, GLOBEX_MARK)


def _row(point: StoredPoint) -> Row:
    return Row(point.id, np.asarray(point.vector, dtype=np.float32), cast("dict[str, Scalar]", dict(point.payload)))
