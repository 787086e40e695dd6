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
from dataclasses import replace
from functools import partial
from typing import Any, cast
from uuid import UUID

from securevec.control.rows import ManifestRow, NewRecord
from securevec.crypto.armour import to_texts
from securevec.crypto.context import Place
from securevec.crypto.derive import RecordIds, lift
from securevec.crypto.envelope import SubjectKey, seal_batch
from securevec.errors import BoundKeyDestroyed, RecordChanged, SecurevecError, SubjectErased
from securevec.guard import Admission
from securevec.keys.bound import DOCUMENT
from securevec.keys.keyring import DataPurpose
from securevec.points.body_format import encode_body
from securevec.reading.sheets import Chunk, Sealed, opened_chunks
from securevec.removing.recover import LEASE_MS
from securevec.state.runtime import Runtime
from securevec.types import ProtectedPoint, RecordRef, Scalar, StoredPoint, Token
from securevec.writing.inserting import switch_over

Anew = Callable[[Sequence[Chunk]], list[Chunk]]
"""Chunks as they are to be stored, in order: another payload, other terms, another vector. The batch was announced
before, so whoever exchanges a key waits for what this made of the older one."""


def reseal(
    runtime: Runtime,
    admission: Admission,
    place: Sealed,
    rows: Sequence[ManifestRow],
    *,
    epochs: Mapping[bytes, str] | None = None,
    anew: Anew | None = None,
) -> list[StoredPoint]:
    """Seal these live records anew, in one batch. Returns their points as they were, which are gone from the store.

    The caller holds the collection's write lock and has settled it. ``epochs``, by ref, moves records to another key
    epoch; the others keep theirs. ``anew`` makes of the opened chunks what is stored in their place. Raises
    :class:`RecordChanged` when another process replaced one first, or erased the person that one is bound to, and
    :class:`CheckFailed` when the store does not show one as it was written.
    """
    try:
        return _reseal(runtime, admission, place, rows, epochs, anew)
    except (BoundKeyDestroyed, SubjectErased) as error:
        # Before the switch, so the old generations stand; read again, those of this person are left to the erasure.
        raise RecordChanged(
            "A person was erased while their record was sealed anew.", next_step="Try again."
        ) from error


def _reseal(
    runtime: Runtime,
    admission: Admission,
    place: Sealed,
    rows: Sequence[ManifestRow],
    epochs: Mapping[bytes, str] | None,
    anew: Anew | None,
) -> list[StoredPoint]:
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
                size=row.size + sum(chunk.growth(runtime.keys.suite) for chunk in opened[row.ref]),
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
        made = _made_anew(rows, opened, anew)
        points, used = _seal(runtime, place, rows, made, generations, target)
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
    alive = partial(_require_alive, runtime, used)
    switch_over(
        runtime,
        hybrid,
        request,
        generations,
        points,
        counts,
        alive=alive,
        resealing=True,
        with_vectors=anew is not None,
    )
    return [chunk.point for chunk in chunks]


def _require_alive(runtime: Runtime, used: Sequence[bytes]) -> None:
    try:
        runtime.keys.require_alive(used)
    except BoundKeyDestroyed as error:
        raise SubjectErased("A subject of this batch was erased while it was written.") from error


def _made_anew(
    rows: Sequence[ManifestRow], opened: Mapping[bytes, Sequence[Chunk]], anew: Anew | None
) -> Mapping[bytes, Sequence[Chunk]]:
    if anew is None:
        return opened
    made = iter(anew([chunk for row in rows for chunk in opened[row.ref]]))
    return {row.ref: [next(made) for _ in opened[row.ref]] for row in rows}


def _seal(
    runtime: Runtime,
    place: Sealed,
    rows: Sequence[ManifestRow],
    opened: Mapping[bytes, Sequence[Chunk]],
    generations: Mapping[bytes, int],
    epochs: Mapping[bytes, str],
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
            payload = dict(cast("Mapping[str, Scalar]", chunk.point.payload))
            made.append((ids.point(RecordRef(row.ref), generation, number), chunk.point, payload))
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
        sealed = seal_batch(key, values, subject=people.get(person))
        for (position, name, _), text in zip(items, to_texts(sealed), strict=True):
            made[position][2][name] = text
    points = [ProtectedPoint(id, cast("Any", point.vector), payload, point.terms) for id, point, payload in made]
    return points, used


def _renamed(runtime: Runtime, place: Sealed, chunks: Iterable[Chunk]) -> dict[bytes, SubjectKey]:
    """By id of a person's key that is named by a token of an earlier version: the person's key under the token in
    force. What a key is named by is part of its id, so the person gets another one: while the one before lives, and not
    behind an erasure that destroyed it. Raises :class:`BoundKeyDestroyed`."""
    found: dict[bytes, SubjectKey] = {}
    for chunk in chunks:
        key, version = chunk.subject, chunk.body.tokens
        if key is None or not key.named_before(version) or key.key_id in found:
            continue
        token = lift(runtime.keys.token_lifts(place.tenant, key.version, version), Token(key.name))
        found[key.key_id] = runtime.keys.subject_keys(place.tenant, [token], version=version, create=False)[token]
    return found


def _is_own(key: SubjectKey | None) -> bool:
    return key is not None and key.kind == DOCUMENT
