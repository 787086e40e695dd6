"""Live records of a collection as they are sealed, sheet by sheet: the keys they name, and their chunks opened.

For whatever seals records anew or moves them (``resealing``, the rewriting verbs): no schema and no model is needed.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from securevec.control.rows import ManifestRow
from securevec.crypto.armour import from_text
from securevec.crypto.derive import RecordIds, typed_record_id
from securevec.crypto.envelope import SubjectKey, read_key_ids, text_size
from securevec.errors import BoundKeyDestroyed, CheckFailed, EnvelopeRejected, KeyDestroyed, UnknownFormat, UnknownKey
from securevec.keys.keyview import KeyView
from securevec.points.body import Body
from securevec.points.body_format import encode_body
from securevec.reading.lifting import lifted
from securevec.reading.opening import check_place, distinct, open_body, open_envelope
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
    is sealed under besides, each ``None`` where it has none; it ``grows`` by so many bytes when it is sealed anew.
    Its tokens are of the version in force, and were sealed in the version ``tokens``."""

    point: StoredPoint
    body: Body
    vault: bytes | None
    subject: SubjectKey | None
    grows: int
    tokens: int


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
    points = {point.id: point for point in shown if point.id in wanted}
    lost: dict[bytes, int] = {}
    hit: set[bytes] = set()
    for point_id, (row, _) in wanted.items():
        point = points.get(point_id)
        try:
            ids = [] if point is None else [read_key_ids(from_text(value)) for value in _values(point)]
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
    for point in shown:
        if point.id in wanted:
            with contextlib.suppress(EnvelopeRejected):
                for value in _values(point):
                    named[wanted[point.id][0].ref].update(filter(None, read_key_ids(from_text(value))))
    return {ref: frozenset(ids) for ref, ids in named.items()}


def opened_chunks(runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow]) -> dict[bytes, list[Chunk]]:
    """The chunks of each record, in order. Records whose key is gone with their bucket are left out: nobody opens them,
    and nothing of them is to be sealed. Raises :class:`CheckFailed`.

    Which key a point names is the store's word until it is opened. One that names a dead key is left out only where the
    control store has its record due or hidden too, or whoever writes the store has a live one passed over."""
    wanted = _ids(runtime, place, rows)
    ids = RecordIds(runtime.keys.tenant_key(place.tenant, "id"), place.collection)
    shown = runtime.backend().fetch(namespace=place.namespace, ids=list(wanted), with_vectors=True)
    points = {point.id: point for point in distinct(shown) if point.id in wanted}
    keys = runtime.keys.view()
    tokens = runtime.control.token_version(place.tenant)
    opened: dict[bytes, list[Chunk]] = {}
    lost: dict[bytes, int] = {}
    dead: dict[bytes, ManifestRow] = {}
    for point_id, (row, _) in wanted.items():
        point = points.get(point_id)
        try:
            if point is None or point.vector is None:
                raise EnvelopeRejected("The store does not show a point of a live record.")
            sealed = open_body(keys, place, point)
            body = lifted(keys, place.tenant, sealed, tokens)
            # An id is of one record, generation and chunk: those of ``row``, under whose id the point was asked for.
            check_place(ids, point, body, ids.ref(typed_record_id(body.record_id)))
            vault = _vault(keys, place, point, body)
            subject = _subject(keys, point)
        except KeyDestroyed:
            dead[row.ref] = row
        except (EnvelopeRejected, UnknownKey, UnknownFormat):
            lost[row.ref] = row.generation
        else:
            opened.setdefault(row.ref, []).append(
                Chunk(point, body, vault, subject, _growth(runtime, point, body, vault, subject), sealed.tokens)
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


def _vault(keys: KeyView, place: Sealed, point: StoredPoint, body: Body) -> bytes | None:
    """A store that withholds a vault must not have its originals lost for good by the next generation."""
    if point.payload.get("v") is not None:
        return open_envelope(keys, place, point, payload_key="v", path="vault")
    if place.vault and (body.field_spans or body.spans):
        raise EnvelopeRejected("The store does not show the vault of a record.")
    return None


def _subject(keys: KeyView, point: StoredPoint) -> SubjectKey | None:
    """The key of the person that body and vault are sealed under besides; of both the same, or the point is no record
    of ours."""
    ids = {read_key_ids(from_text(value))[1] for value in _values(point)}
    if len(ids) != 1:
        raise EnvelopeRejected("The values of a point are sealed under keys of different people.")
    (subject_id,) = ids
    return keys.bound_key(subject_id) if subject_id else None


def _growth(runtime: Runtime, point: StoredPoint, body: Body, vault: bytes | None, subject: SubjectKey | None) -> int:
    plain = [encode_body(body), *(value for value in (vault,) if value is not None)]
    before = sum(len(str(value).encode()) for value in _values(point))
    bound = subject is not None
    return sum(text_size(len(value), suite=runtime.keys.suite, subject=bound) for value in plain) - before


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
