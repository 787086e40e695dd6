"""Live records sealed anew as they are: under another data key, in the suite that applies now. Nothing is embedded.

A sealed value is bound to its point, and a point never changes. So a record that is sealed anew becomes a new
generation of itself, by the same journey as any write (``writing``): readers see the old one or the new one, a kill
leaves one of them, and the manifest knows which. What the record says, its digest, its expiry and its vectors stay.

A legal hold keeps what a record says, and does not forbid this. Of a store, the clear copies and vectors are taken over
as it shows them, as when a tenant is moved: what they say against the sealed copy is found as before (``judge``).
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

from securevec.body import Body
from securevec.body_format import encode_body
from securevec.control.rows import ManifestRow, NewRecord
from securevec.crypto.armour import from_text, to_text
from securevec.crypto.bound import DOCUMENT
from securevec.crypto.context import Place
from securevec.crypto.derive import RecordIds, lift, typed_record_id
from securevec.crypto.envelope import SubjectKey, read_key_ids, seal_batch, text_size
from securevec.crypto.keyring import DataPurpose, KeyView
from securevec.errors import (
    BoundKeyDestroyed,
    CheckFailed,
    EnvelopeRejected,
    KeyDestroyed,
    SecurevecError,
    UnknownFormat,
    UnknownKey,
)
from securevec.guard import Admission
from securevec.lifting import lifted
from securevec.opening import check_place, distinct, open_body, open_envelope
from securevec.recover import LEASE_MS
from securevec.runtime import Runtime
from securevec.types import (
    CollectionId,
    Namespace,
    ProtectedPoint,
    RecordRef,
    Scalar,
    StoredPoint,
    TenantId,
    Terms,
    Token,
)
from securevec.writing import switch_over

SHEET: Final = 128
"""Records sealed anew in one batch, at most."""
SHEET_BYTES: Final = 16 * 1024 * 1024
_ALL: Final = 0
"""A time before every expiry: what is due and not yet removed is sealed under some key too."""


Clear = Callable[[StoredPoint, Body], tuple[dict[str, Scalar], Terms | None]]
"""What the store may read of a point, made of its sealed body: a whole payload, and its terms."""


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


def reseal(
    runtime: Runtime,
    admission: Admission,
    place: Sealed,
    rows: Sequence[ManifestRow],
    *,
    epochs: Mapping[bytes, str] | None = None,
    clear: Clear | None = None,
) -> list[StoredPoint]:
    """Seal these live records anew, in one batch. Returns their points as they were, which are gone from the store.

    The caller holds the collection's write lock and has settled it. ``epochs``, by ref, moves records to another key
    epoch; the others keep theirs. ``clear`` makes anew what the store may read of a point. Raises
    :class:`RecordChanged` when another process replaced one first, and :class:`CheckFailed` when the store does not
    show one as it was written.
    """
    opened = opened_chunks(runtime, place, rows) if rows else {}
    rows = [row for row in rows if row.ref in opened]
    if not rows:
        return []
    target = {row.ref: (epochs or {}).get(row.ref, row.epoch) for row in rows}
    request = admission.fresh()
    now_ms = runtime.clock.now_ms()
    generations = runtime.control.begin_batch(
        tenant=place.tenant,
        collection=place.collection,
        request_id=request.request_id,
        writer=runtime.audit.writer_id,
        fence=admission.fence,
        rows=[
            NewRecord(
                row.ref,
                row.n_chunks,
                row.content_digest,
                row.expires_ms,
                target[row.ref],
                ingested_ms=row.ingested_ms,
                size=row.size + sum(chunk.grows for chunk in opened[row.ref]),
                about=opened[row.ref][0].body.about,
                mentions=opened[row.ref][0].body.mentions,
            )
            for row in rows
        ],
        lease_until_ms=now_ms + LEASE_MS,
        now_ms=now_ms,
        expect={row.ref: row.generation for row in rows},
        resealing=True,
    )
    chunks = [chunk for row in rows for chunk in opened[row.ref]]
    counts = {"records": len(rows), "chunks": len(chunks)}
    try:
        points, used = _seal(runtime, place, rows, opened, generations, target, clear)
        request.note(phase="intent", counts=counts, record_ids=[row.ref for row in rows])
    except BaseException:
        # Nothing has reached the store: forget the pending rows, and let the cause speak.
        with contextlib.suppress(SecurevecError):
            runtime.control.abort_batch(request_id=request.request_id)
            runtime.keys.bury_documents(place.tenant, generations.items())
            runtime.control.finish_batch(request_id=request.request_id)
        raise
    hybrid = replace(place, hybrid=any(point.terms is not None for point in points))
    # A key that was destroyed since it was asked for would make these records unreadable: then the old ones stay.
    alive = partial(runtime.keys.require_alive, used)
    switch_over(runtime, hybrid, request, generations, points, counts, alive=alive, resealing=True)
    return [chunk.point for chunk in chunks]


def opened_chunks(runtime: Runtime, place: Sealed, rows: Sequence[ManifestRow]) -> dict[bytes, list[Chunk]]:
    """The chunks of each record, in order. Records whose key is gone with their bucket are left out: nobody opens them,
    and nothing of them is to be sealed. Raises :class:`CheckFailed`."""
    wanted = _ids(runtime, place, rows)
    ids = RecordIds(runtime.keys.tenant_key(place.tenant, "id"), place.collection)
    shown = runtime.backend().fetch(namespace=place.namespace, ids=list(wanted), with_vectors=True)
    points = {point.id: point for point in distinct(shown) if point.id in wanted}
    keys = runtime.keys.view()
    tokens = runtime.control.token_version(place.tenant)
    opened: dict[bytes, list[Chunk]] = {}
    lost: dict[bytes, int] = {}
    dead: set[bytes] = set()
    for point_id, (row, number) in wanted.items():
        point = points.get(point_id)
        try:
            if point is None or point.vector is None:
                raise EnvelopeRejected("The store does not show a point of a live record.")
            sealed = open_body(keys, place, point)
            body = lifted(keys, place.tenant, sealed, tokens)
            check_place(ids, point, body, ids.ref(typed_record_id(body.record_id)))
            if (body.generation, body.chunk) != (row.generation, number):
                raise EnvelopeRejected("The store shows another point in its place.")
            vault = _vault(keys, place, point, body)
            subject = _subject(keys, point)
        except KeyDestroyed:
            dead.add(row.ref)
        except (EnvelopeRejected, UnknownKey, UnknownFormat):
            lost[row.ref] = row.generation
        else:
            opened.setdefault(row.ref, []).append(
                Chunk(point, body, vault, subject, _growth(runtime, point, body, vault, subject), sealed.tokens)
            )
    _require_gone(runtime, place, lost)
    return {ref: chunks for ref, chunks in opened.items() if ref not in lost and ref not in dead}


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


def _seal(
    runtime: Runtime,
    place: Sealed,
    rows: Sequence[ManifestRow],
    opened: Mapping[bytes, Sequence[Chunk]],
    generations: Mapping[bytes, int],
    epochs: Mapping[bytes, str],
    clear: Clear | None,
) -> tuple[list[ProtectedPoint], list[bytes]]:
    """The points of the new generations, in the order of rows and chunks, and the ids of the keys they are under."""
    tenant, collection = bytes.fromhex(place.tenant), bytes.fromhex(place.collection)
    ids = RecordIds(runtime.keys.tenant_key(place.tenant, "id"), place.collection)
    made: list[tuple[UUID, StoredPoint, dict[str, Scalar]]] = []
    sealing: dict[tuple[DataPurpose, str, bytes], list[tuple[int, str, bytes]]] = defaultdict(list)
    people: dict[bytes, SubjectKey] = {}
    # A record's own key is one generation's: the new one gets its own, and the old one's dies with it.
    own = [row.ref for row in rows if any(_is_own(chunk.subject) for chunk in opened[row.ref])]
    documents = runtime.keys.document_keys(place.tenant, {ref: generations[ref] for ref in own})
    renamed = _renamed(runtime, place, [chunk for row in rows for chunk in opened[row.ref]])
    # The earlier key too: who erased the person meanwhile destroyed that one.
    used: list[bytes] = list(renamed)
    for row in rows:
        for number, chunk in enumerate(opened[row.ref]):
            generation = generations[row.ref]
            position = len(made)
            payload, terms = dict(cast("Mapping[str, Scalar]", chunk.point.payload)), chunk.point.terms
            if clear is not None:
                payload, terms = clear(chunk.point, chunk.body)
            point = replace(chunk.point, terms=terms)
            made.append((ids.point(RecordRef(row.ref), generation, number), point, payload))
            body = encode_body(chunk.body._replace(generation=generation))
            person = b""
            subject = documents.get(row.ref, chunk.subject)
            if subject is not None:
                subject = renamed.get(subject.key_id, subject)
            if subject is not None:
                person = subject.key_id
                people[person] = subject
            sealing["body", epochs[row.ref], person].append((position, "b", body))
            if chunk.vault is not None:
                sealing["vault", epochs[row.ref], person].append((position, "v", chunk.vault))
    for (purpose, epoch, person), items in sealing.items():
        key = runtime.keys.data_key(place.tenant, place.collection, purpose, epoch, messages=len(items))
        used.append(key.key_id)
        values = [
            (plaintext, Place(tenant=tenant, collection=collection, point=made[position][0], field=purpose))
            for position, _, plaintext in items
        ]
        for (position, name, _), envelope in zip(
            items, seal_batch(key, values, subject=people.get(person)), strict=True
        ):
            made[position][2][name] = to_text(envelope)
    points = [ProtectedPoint(id, cast("Any", point.vector), payload, point.terms) for id, point, payload in made]
    return points, used


def _renamed(runtime: Runtime, place: Sealed, chunks: Iterable[Chunk]) -> dict[bytes, SubjectKey]:
    """By id of a person's key that is named by a token of an earlier version: the person's key under the token in
    force. What a key is named by is part of its id, so the person gets another one."""
    found: dict[bytes, SubjectKey] = {}
    for chunk in chunks:
        key, version = chunk.subject, chunk.body.tokens
        if key is None or not key.named_before(version) or key.key_id in found:
            continue
        token = lift(runtime.keys.token_lifts(place.tenant, key.version, version), Token(key.name))
        found[key.key_id] = runtime.keys.subject_keys(place.tenant, [token], version=version)[token]
    return found


def _is_own(key: SubjectKey | None) -> bool:
    return key is not None and key.kind == DOCUMENT


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
