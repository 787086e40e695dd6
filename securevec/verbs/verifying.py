"""``verify``: one collection, whole: what the manifest says against what the store holds, both ways.

A search finds what the store adds or changes, and cannot find what it leaves out (docs/threat-model.md). This can:
every stored point is opened in its place, and every point the manifest names is looked for. Points of batches under way
are left out of both, and whatever looks wrong is read a second time, so that a collection that is written to meanwhile
is not accused. Nothing is changed.

Holds one number of 128 bits for each point of the collection in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from securevec.control.rows import ManifestRow
from securevec.crypto.armour import from_text
from securevec.crypto.derive import RecordIds, lift, typed_record_id
from securevec.crypto.envelope import SubjectKey, read_key_ids
from securevec.errors import (
    BoundKeyDestroyed,
    CheckFailed,
    EnvelopeRejected,
    KeyDestroyed,
    PolicyDenied,
    UnknownFormat,
    UnknownKey,
)
from securevec.guard import Admission, admit
from securevec.keys.keyview import KeyView
from securevec.points.body import Body, chunk_view
from securevec.points.terms import stored_terms
from securevec.reading.lifting import lifted
from securevec.reading.opening import check_place, clear_copies_differ, fetch_only, open_body
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import NO_TERMS, RecordRef, StoredPoint, TenantId, Terms, Token
from securevec.writing.report import Progress

STEP: Final = 256
"""Points read at once, and between two looks at the fence."""
_ALL: Final = 0
"""A time before every expiry: what is due and not yet removed is verified like the rest."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. Counts of points, but for ``records``; all but the first three should be 0.

    ``missing``: named by the manifest and not in the store. ``altered``: in the store, and not opening as what the
    manifest names there. ``foreign``: not of this collection, or not openable, under an id the manifest does not name.
    ``old``: of this collection, and of a generation that was replaced or deleted. ``edited``: sealed values in order,
    and the clear copies or the terms beside them changed. A record that an erasure hides, and whose subject's key it
    has destroyed, is none of them. One that is not sealed under its subject's key as declared is ``altered``.
    """

    records: int
    points: int
    in_flight: int
    missing: int
    altered: int
    foreign: int
    old: int
    edited: int
    request_id: str

    @property
    def findings(self) -> dict[str, int]:
        """The counts that should be 0."""
        return {name: getattr(self, name) for name in ("missing", "altered", "foreign", "old", "edited")}

    def raise_if_wrong(self) -> Self:
        """Raises :class:`CheckFailed` when anything was found."""
        found = ", ".join(f"{count} {name}" for name, count in self.findings.items() if count)
        if found:
            raise CheckFailed(
                f"The store does not hold what the manifest says: {found}.",
                next_step="Stop other writers to this store; ingest what is missing or altered again."
                + (" Remove what is old: securevec tenant purge TENANT --unnamed" if self.old else ""),
            )
        return self


@dataclass(slots=True)
class _Seen:
    """Points by what became of them, as the 128 bits of their ids."""

    whole: set[int] = field(default_factory=set[int])
    strange: set[int] = field(default_factory=set[int])
    edited: set[int] = field(default_factory=set[int])
    shredded: set[int] = field(default_factory=set[int])
    points: int = 0
    in_flight: int = 0
    old: int = 0


def verify(
    runtime: Runtime, collection: CollectionScope, *, progress: Callable[[Progress], None] | None
) -> Verification:
    """Compare the collection's manifest with its place in the store. See :meth:`Collection.verify`."""
    admission = admit(runtime, collection.scope, permission="count", action="verify", collection=collection.collection)
    with admission.reading():
        if admission.decision.row_filter is not None:
            raise PolicyDenied("The policy narrows what this actor may see, and a verification leaves nothing out.")
        seen = _Seen()
        _read_store(runtime, collection, admission, seen, progress)
        records, missing, altered = _read_manifest(runtime, collection, admission, seen)
        _read_transit(runtime, collection, seen)
        foreign = len(fetch_only(runtime, collection, [UUID(int=number) for number in sorted(seen.strange)]))
        admission.recheck()
    found = Verification(
        records=records,
        points=seen.points,
        in_flight=seen.in_flight,
        missing=missing,
        altered=altered,
        foreign=foreign,
        old=seen.old,
        edited=len(seen.edited),
        request_id=admission.request_id,
    )
    admission.note(counts={"records": records, "points": seen.points, "violations": sum(found.findings.values())})
    return found


def _read_store(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    seen: _Seen,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Open every stored point in its place, page by page."""
    cursor: str | None = None
    named = 0 if progress is None else runtime.control.count_live(collection.collection, now_ms=_ALL)[1]
    while True:
        page = runtime.backend().scan(namespace=collection.namespace, where=None, cursor=cursor, limit=STEP)
        _sort(runtime, collection, page.points, seen)
        if progress is not None:
            progress(Progress(seen.points, seen.points, max(named, seen.points)))
        cursor = page.cursor
        if cursor is None:
            return
        admission.recheck()


def _sort(runtime: Runtime, collection: CollectionScope, points: Sequence[StoredPoint], seen: _Seen) -> None:
    keys = runtime.keys.view()
    ids = RecordIds(keys.tenant_key(collection.tenant, "id"), collection.collection)
    under = keys.filter_keys(collection.tenant, collection.collection)
    protector = collection.protector(runtime, under)
    tokens = runtime.control.token_version(collection.tenant)
    opened: dict[int, tuple[RecordRef, int]] = {}
    words: dict[UUID, list[Terms]] = {}
    indexes = collection.term_indexes(under)
    for point in points:
        number = point.id.int
        if number in seen.whole or number in seen.strange:
            continue
        seen.points += 1
        try:
            body = lifted(keys, collection.tenant, open_body(keys, collection, point), tokens)
            ref = ids.ref(typed_record_id(body.record_id))
            check_place(ids, point, body, ref)
            _require_bound(keys, collection, point, body, ref)
        except BoundKeyDestroyed:
            seen.shredded.add(number)
            seen.strange.add(number)
            continue
        except (EnvelopeRejected, UnknownKey, UnknownFormat, KeyDestroyed):
            seen.strange.add(number)
            continue
        opened[number] = (ref, body.generation)
        if clear_copies_differ(protector, point, body):
            seen.edited.add(number)
        if collection.hybrid:
            text, placed = chunk_view(body, collection.embedded_fields)
            words[point.id] = [stored_terms(text, [each.span for each in placed], index) for index in indexes]
    seen.edited.update(_with_other_terms(runtime, collection, words))
    known = runtime.control.generations(collection.collection, list({ref for ref, _ in opened.values()}))
    unnamed: list[int] = []
    for number, (ref, generation) in opened.items():
        state = known.get(ref, {}).get(generation)
        if state == "live":
            seen.whole.add(number)
            continue
        seen.edited.discard(number)
        if state is None:
            unnamed.append(number)
        else:
            seen.in_flight += 1
    # A row is forgotten only after its points were read back as gone: what is there without one was put back.
    seen.old += len(fetch_only(runtime, collection, [UUID(int=number) for number in unnamed]))


def _with_other_terms(
    runtime: Runtime, collection: CollectionScope, words: Mapping[UUID, Sequence[Terms]]
) -> list[int]:
    """The points that do not carry the terms of their sealed text. One that is gone by now is none of them."""
    if not words:
        return []
    stored = runtime.backend().fetch(namespace=collection.namespace, ids=list(words), with_vectors=True)
    held = {point.id: point.terms or NO_TERMS for point in stored}
    return [point.int for point, terms in words.items() if point in held and held[point] not in terms]


def _read_manifest(
    runtime: Runtime, collection: CollectionScope, admission: Admission, seen: _Seen
) -> tuple[int, int, int]:
    """Look for every point the manifest names: live records, and how many of their points are missing and altered."""
    ids = RecordIds(runtime.keys.tenant_key(collection.tenant, "id"), collection.collection)
    records = missing = altered = 0
    last = RecordRef(b"")
    while rows := runtime.control.live_after(collection.collection, last, limit=STEP, now_ms=_ALL):
        for row in rows:
            last = RecordRef(row.ref)
            named = {ids.point_number(last, row.generation, chunk) for chunk in range(row.n_chunks)}
            absent = named - seen.whole
            seen.strange -= named
            if absent:
                gone, wrong = _look_again(runtime, collection, row, absent)
                missing, altered = missing + gone, altered + wrong
        records += len(rows)
        admission.recheck()
    return records, missing, altered


def _read_transit(runtime: Runtime, collection: CollectionScope, seen: _Seen) -> None:
    """Points of batches that are not settled yet are on their way out, also where nothing opens them by now: what was
    taken back while the store did not answer, under keys that were exchanged since."""
    ids = RecordIds(runtime.keys.tenant_key(collection.tenant, "id"), collection.collection)
    for batch in runtime.control.open_batches(now_ms=0, expired_only=False) if seen.strange else ():
        if batch.collection != collection.collection:
            continue
        for row in runtime.control.batch_rows(batch.request_id):
            numbers = (ids.point_number(RecordRef(row.ref), row.generation, chunk) for chunk in range(row.n_chunks))
            on_their_way = seen.strange.intersection(numbers)
            seen.in_flight += len(on_their_way)
            seen.strange -= on_their_way


def _look_again(runtime: Runtime, collection: CollectionScope, row: ManifestRow, absent: set[int]) -> tuple[int, int]:
    """How many points of a record are not in the store, and how many are and do not open: read now, and only if the
    manifest still names them afterwards."""
    points = fetch_only(runtime, collection, [UUID(int=number) for number in sorted(absent)])
    found = _Seen()
    _sort(runtime, collection, points, found)
    current = runtime.control.live(collection.collection, [row.ref]).get(row.ref)
    if current != row.generation:
        return 0, 0
    wrong = len(points) - len(found.whole)
    if found.shredded and (row.ref, row.generation) in runtime.control.hidden_records(
        collection.tenant, collection.collection, [row.ref]
    ):
        wrong -= len(found.shredded)
    return len(absent) - len(points), wrong


def _require_bound(keys: KeyView, collection: CollectionScope, point: StoredPoint, body: Body, ref: RecordRef) -> None:
    """Raises :class:`EnvelopeRejected` unless body and vault are sealed under the key of the person the schema says, or
    under the record's own.

    Chunk 0 names the person in the declared field; a further chunk is about somebody whose key it is.
    """
    name = collection.schema.shredded
    spans = (body.field_spans or {}).get(name or "", ())
    for payload_key in ("b", "v"):
        text = point.payload.get(payload_key)
        if text is None:
            continue
        subject_id = read_key_ids(from_text(text))[1]
        held = _name_of(keys, collection.tenant, keys.bound_key(subject_id), body.tokens) if subject_id else None
        if collection.key_scope == "document":
            fits = held == ref
        elif body.chunk == 0:
            fits = held == (spans[0].token if spans else None)
        else:
            fits = held in body.about if held is not None else name is None or not body.about
        if not fits and not (body.chunk and held is None and len(collection.schema.by_kind("subject")) > 1):
            raise EnvelopeRejected("A record is not sealed under the key of its subject.")


def _name_of(keys: KeyView, tenant: TenantId, key: SubjectKey, version: int) -> bytes:
    """Whose key it is, by the token of this version; a record's own is named by its ref."""
    if not key.named_before(version):
        return key.name
    return lift(keys.token_lifts(tenant, key.version, version), Token(key.name))
