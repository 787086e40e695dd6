"""Live records of a collection as they are sealed, sheet by sheet: the keys they name, and their chunks opened.

For whatever seals records anew or moves them (``resealing``, the rewriting verbs): no schema and no model is needed.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from securevec.control.rows import ManifestRow
from securevec.crypto.armour import from_texts
from securevec.crypto.derive import RecordIds, typed_record_id
from securevec.crypto.envelope import SubjectKey, read_key_ids, text_size
from securevec.crypto.header import REJECTED
from securevec.errors import BoundKeyDestroyed, CheckFailed, EnvelopeRejected, KeyDestroyed, UnknownFormat, UnknownKey
from securevec.keys.keyview import KeyView
from securevec.points.body import Body
from securevec.points.body_format import decode_bodies, decode_body, encode_body
from securevec.reading.lifting import lifted
from securevec.reading.opening import check_place, distinct, open_envelope
from securevec.retention.rules import expired
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, Namespace, RecordRef, StoredPoint, TenantId

SHEET: Final = 128
"""Records sealed anew in one batch, at most."""
SHEET_BYTES: Final = 16 * 1024 * 1024
_ALL: Final = 0
"""A time before every expiry: what is due and not yet removed is sealed under some key too."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A collection without its schema and model: what its sealed values need, and no more."""

    tenant: TenantId
    collection: CollectionId
    namespace: Namespace
    vault: bool
    hybrid: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Chunk:
    """One point of a record, opened. ``vault`` is its sealed content, ``subject`` the key of its person, or its own, it
    is sealed under besides, each ``None`` where it has none; ``keys`` are the ids of the data keys that opened it.
    Its tokens are of the version in force, and were sealed in the version ``tokens``."""

    point: StoredPoint
    body: Body
    vault: bytes | None
    subject: SubjectKey | None
    keys: frozenset[bytes]
    tokens: int

    def growth(self, suite: int) -> int:
        """Bytes by which its sealed values grow when they are sealed anew in this suite."""
        plain = [encode_body(self.body), *(value for value in (self.vault,) if value is not None)]
        before = sum(len(str(value).encode()) for value in _values(self.point))
        bound = self.subject is not None
        return sum(text_size(len(value), suite=suite, subject=bound) for value in plain) - before


class _Envelopes(NamedTuple):
    """The sealed values of a point as bytes, ``None`` for what is none; without a ``vault`` where it shows none."""

    body: bytes | None
    vault: bytes | None
    has_vault: bool

    def names(self) -> Iterator[tuple[bytes, bytes]]:
        """The ids in the header of each: of the data key, and of the person's key or nothing. Raises
        :class:`EnvelopeRejected`."""
        for blob in (self.body, self.vault) if self.has_vault else (self.body,):
            if blob is None:
                raise EnvelopeRejected(REJECTED)
            yield read_key_ids(blob)


def sheets(runtime: Runtime, collection: CollectionId) -> Iterable[list[ManifestRow]]:
    """Every live row of a collection, those that are due too, in runs that memory is given for."""
    after = b""
    while rows := runtime.control.live_after(collection, after, limit=SHEET, now_ms=_ALL):
        after = rows[-1].ref
        sheet: list[ManifestRow] = []
        size = 0
        for row in rows:
            if sheet and size + row.size > SHEET_BYTES:
                yield sheet
                sheet, size = [], 0
            sheet.append(row)
            size += row.size
        yield sheet


def sealed_under(
    runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow], keys: frozenset[bytes]
) -> list[ManifestRow]:
    """Those of the rows of which a sealed value names one of the keys, as the store shows them now.

    Raises :class:`CheckFailed` when the store does not show a live record, or shows something in its place that is no
    sealed value: nobody can tell then under which key it was.
    """
    found: list[ManifestRow] = []
    if not rows:
        return found
    wanted = _ids(runtime, place, rows)
    shown = runtime.backend().fetch(namespace=place.namespace, ids=list(wanted))
    envelopes = {point.id: each for point, each in _read([point for point in shown if point.id in wanted])}
    lost: dict[bytes, int] = {}
    hit: set[bytes] = set()
    for point_id, (row, _) in wanted.items():
        held = envelopes.get(point_id)
        try:
            ids = [] if held is None else list(held.names())
            named = {key_id for key_id, _ in ids}
            runtime.keys.require_alive([subject for _, subject in ids if subject])
        except EnvelopeRejected:
            named = set()
        except BoundKeyDestroyed:
            continue  # nobody opens it under any key: the person's erasure is about to delete it
        if not named:
            lost[row.ref] = row.generation
        elif not named.isdisjoint(keys):
            hit.add(row.ref)
    _require_gone(runtime, place, lost)
    found.extend(row for row in rows if row.ref in hit)
    return found


def named_keys(runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow]) -> dict[bytes, frozenset[bytes]]:
    """By ref, the ids of every key that sealed values of the record name, as the store shows them; nothing is opened.
    Without what the store does not show, or shows something else in its place."""
    wanted = _ids(runtime, place, rows) if rows else {}
    shown = runtime.backend().fetch(namespace=place.namespace, ids=list(wanted)) if wanted else []
    named: dict[bytes, set[bytes]] = defaultdict(set)
    for point, held in _read([point for point in shown if point.id in wanted]):
        with contextlib.suppress(EnvelopeRejected):
            for ids in held.names():
                named[wanted[point.id][0].ref].update(filter(None, ids))
    return {ref: frozenset(ids) for ref, ids in named.items()}


def opened_chunks(runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow]) -> dict[bytes, list[Chunk]]:
    """The chunks of each record, in order. Records whose key is gone with their bucket are left out: nobody opens them,
    and nothing of them is to be sealed. Raises :class:`CheckFailed`.

    Which key a point names is the store's word until it is opened. One that names a dead key is left out only where the
    control store has its record due or hidden too, or whoever writes the store has a live one passed over."""
    wanted = _ids(runtime, place, rows)
    ids = RecordIds(runtime.keys.tenant_key(place.tenant, "id"), place.collection)
    shown = runtime.backend().fetch(namespace=place.namespace, ids=list(wanted), with_vectors=True)
    points = {point.id: (point, held) for point, held in _read([p for p in distinct(shown) if p.id in wanted])}
    keys = runtime.keys.view()
    tokens = runtime.control.token_version(place.tenant)
    opened: dict[bytes, list[Chunk]] = {}
    lost: dict[bytes, int] = {}
    dead: dict[bytes, ManifestRow] = {}
    sealed: dict[UUID, bytes] = {}
    for point_id, (row, _) in wanted.items():
        try:
            if point_id not in points or points[point_id][0].vector is None:
                raise EnvelopeRejected("The store does not show a point of a live record.")
            point, held = points[point_id]
            sealed[point_id] = open_envelope(keys, place, point, payload_key="b", path="body", blob=held.body)
        except KeyDestroyed:
            dead[row.ref] = row
        except (EnvelopeRejected, UnknownKey, UnknownFormat):
            lost[row.ref] = row.generation
    bodies = _decoded(sealed)
    for point_id in sealed:
        (point, held), (row, _) = points[point_id], wanted[point_id]
        try:
            if (read := bodies.get(point_id)) is None:
                raise UnknownFormat("A sealed body cannot be read.")
            body = lifted(keys, place.tenant, read, tokens)
            # An id is of one record, generation and chunk: those of ``row``, under whose id the point was asked for.
            check_place(ids, point, body, ids.ref(typed_record_id(body.record_id)))
            vault = _vault(keys, place, point, body, held)
            names = list(held.names())
            subject = _subject(keys, names)
        except KeyDestroyed:
            dead[row.ref] = row
        except (EnvelopeRejected, UnknownKey, UnknownFormat):
            lost[row.ref] = row.generation
        else:
            opened.setdefault(row.ref, []).append(
                Chunk(point, body, vault, subject, frozenset(key_id for key_id, _ in names), read.tokens)
            )
    _require_gone(runtime, place, lost | _not_due(runtime, place, dead.values()))
    return {ref: chunks for ref, chunks in opened.items() if ref not in lost and ref not in dead}


def _not_due(runtime: Runtime, place: Sealed, rows: Collection[ManifestRow]) -> dict[bytes, int]:
    """Generations, by ref, of the rows that neither a rule nor an erasure is to delete."""
    if not rows:
        return {}
    now_ms = runtime.clock.now_ms()
    hidden = runtime.control.hidden_records(place.tenant, place.collection, [row.ref for row in rows])
    return {
        row.ref: row.generation
        for row in rows
        if not expired(row.expires_ms, now_ms=now_ms) and (row.ref, row.generation) not in hidden
    }


def _read(points: Sequence[StoredPoint]) -> Iterator[tuple[StoredPoint, _Envelopes]]:
    """Points with what they show as sealed values, read out of their texts together."""
    blobs = iter(from_texts([point.payload.get(name) for point in points for name in ("b", "v")]))
    for point in points:
        yield point, _Envelopes(next(blobs), next(blobs), point.payload.get("v") is not None)


def _decoded(sealed: Mapping[UUID, bytes]) -> dict[UUID, Body]:
    """The bodies that can be read: together, and one by one where one of them cannot."""
    try:
        return dict(zip(sealed, decode_bodies(list(sealed.values())), strict=True))
    except UnknownFormat:
        read: dict[UUID, Body] = {}
        for point_id, data in sealed.items():
            with contextlib.suppress(UnknownFormat):
                read[point_id] = decode_body(data)
        return read


def _vault(keys: KeyView, place: Sealed, point: StoredPoint, body: Body, held: _Envelopes) -> bytes | None:
    """A store that withholds a vault must not have its originals lost for good by the next generation."""
    if held.has_vault:
        return open_envelope(keys, place, point, payload_key="v", path="vault", blob=held.vault)
    if place.vault and (body.field_spans or body.spans):
        raise EnvelopeRejected("The store does not show the vault of a record.")
    return None


def _subject(keys: KeyView, names: Sequence[tuple[bytes, bytes]]) -> SubjectKey | None:
    """The key of the person that body and vault are sealed under besides; of both the same, or the point is no record
    of ours."""
    ids = {subject_id for _, subject_id in names}
    if len(ids) != 1:
        raise EnvelopeRejected("The values of a point are sealed under keys of different people.")
    (subject_id,) = ids
    return keys.bound_key(subject_id) if subject_id else None


def _ids(runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow]) -> dict[UUID, tuple[ManifestRow, int]]:
    ids = RecordIds(runtime.keys.tenant_key(place.tenant, "id"), place.collection)
    return {
        ids.point(RecordRef(row.ref), row.generation, number): (row, number)
        for row in rows
        for number in range(row.n_chunks)
    }


def _values(point: StoredPoint) -> list[object]:
    """The sealed values of a point: its body, and its vault where it has one."""
    return [point.payload.get("b"), *(value for value in (point.payload.get("v"),) if value is not None)]


def _require_gone(runtime: Runtime, place: Sealed, lost: Mapping[bytes, int]) -> None:
    """Raises :class:`CheckFailed` when one of these generations is live still: the store hides or altered it."""
    live = runtime.control.live(place.collection, list(lost)) if lost else {}
    if any(live.get(ref) == generation for ref, generation in lost.items()):
        raise CheckFailed(
            "The store does not show a record of this collection as it was written, so it cannot be sealed anew.",
            next_step="Find it with securevec verify T/C, and ingest it again or delete it; then: securevec jobs run",
        )
