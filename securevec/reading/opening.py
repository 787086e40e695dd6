"""One stored point, opened where it must lie: its sealed values, and its clear copies beside them.

The place comes from the handle in hand, never from the point. What opens is believed to be written here, and no more:
whether it may be shown is decided in ``judge``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from securevec.crypto.armour import from_text
from securevec.crypto.context import Place
from securevec.crypto.derive import RecordIds
from securevec.crypto.envelope import SubjectKey, open_sealed, read_key_ids
from securevec.errors import EnvelopeRejected
from securevec.keys.keyring import KeyRing
from securevec.keys.keyview import KeyView
from securevec.points.body import Body
from securevec.points.body_format import decode_body
from securevec.points.protect import ELEMENT, HINTS, PREFIX, FilterProtector, hints_of
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import CollectionId, RecordRef, StoredPoint, TenantId


class Owner(Protocol):
    """Whose place a sealed value must be of."""

    @property
    def tenant(self) -> TenantId: ...
    @property
    def collection(self) -> CollectionId: ...


def fetch_only(runtime: Runtime, collection: CollectionScope, ids: Sequence[UUID]) -> list[StoredPoint]:
    """The points of these ids and no others, each once, whatever else the store answers with."""
    if not ids:
        return []
    wanted = set(ids)
    return distinct(
        [point for point in runtime.backend().fetch(namespace=collection.namespace, ids=ids) if point.id in wanted]
    )


def distinct(points: Sequence[StoredPoint]) -> list[StoredPoint]:
    """Each point once: a store that repeats one must not push others out."""
    seen: dict[UUID, StoredPoint] = {}
    for point in points:
        seen.setdefault(point.id, point)
    return list(seen.values())


def open_body(keys: KeyRing | KeyView, collection: Owner, point: StoredPoint) -> Body:
    """The body of a point, opened in this tenant's and collection's place. Raises :class:`EnvelopeRejected`."""
    return decode_body(open_envelope(keys, collection, point, payload_key="b", path="body"))


def open_envelope(
    keys: KeyRing | KeyView,
    collection: Owner,
    point: StoredPoint,
    *,
    payload_key: str,
    path: str,
    blob: bytes | None = None,
) -> bytes:
    """One sealed payload value. The place comes from the handle in hand, never from the point.

    ``blob``: the value as bytes, where many were read at once.
    """
    blob = from_text(point.payload.get(payload_key)) if blob is None else blob
    key_id, subject_id = read_key_ids(blob)
    key = keys.key_by_id(key_id)
    tenant, collection_raw = bytes.fromhex(collection.tenant), bytes.fromhex(collection.collection)
    if key.tenant != tenant or key.collection != collection_raw or key.purpose != path:
        raise EnvelopeRejected("A sealed value belongs to another place.")
    subject: SubjectKey | None = None
    if subject_id:
        subject = keys.bound_key(subject_id)
        if subject.tenant != tenant:
            raise EnvelopeRejected("A sealed value belongs to another place.")
    return open_sealed(key, blob, Place(tenant, collection_raw, point.id, path), subject=subject)


def clear_copies(point: StoredPoint) -> dict[str, object]:
    """What a point holds in the place of clear copies of its filter values."""
    return {key: value for key, value in point.payload.items() if key.startswith((PREFIX, ELEMENT))}


def clear_copies_differ(protector: FilterProtector, point: StoredPoint, body: Body) -> bool:
    """Whether a point's clear copies say something else than its sealed body."""
    hints = hints_of(body.expires_ms, body.cloak)
    held = {key: value for key, value in point.payload.items() if key.startswith((PREFIX, ELEMENT)) or key in HINTS}
    return all(held != payload | hints for payload in protector.payloads(body.filters))


def check_place(ids: RecordIds, point: StoredPoint, body: Body, ref: RecordRef) -> None:
    """Raises :class:`EnvelopeRejected` unless the point's id is the one of what its sealed body says it is."""
    if point.id.int != ids.point_number(ref, body.generation, body.chunk):
        raise EnvelopeRejected("A sealed body lies under another point's id.")
