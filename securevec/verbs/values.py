"""One replaced value alone, named by its span id: read back by whoever may reveal, or cut out of its record for good.

A span id names the point, and the place in its vault. It does not outlive the record's generation, so a value is never
taken for another one that stands there now.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from typing import Final

from securevec.anonymize.stored import original_without_spans, without_spans
from securevec.errors import IsolationViolation, LegalHold, RecordChanged, RecordError, RecordNotFound, UsageError
from securevec.guard import Admission, admit
from securevec.ingest import write_batch
from securevec.people.redact import same_vector, text_of, withheld
from securevec.points.body import SEPARATOR
from securevec.reading.hits import OriginalAt
from securevec.reading.judge import judge
from securevec.reading.opening import fetch_only
from securevec.reading.revealing import originals_at
from securevec.removing.recover import settle_collection
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import AnonymizedField
from securevec.verbs.update import UpdateReport
from securevec.writing.report import Tally
from securevec.writing.sealing import Origin, Prepared
from securevec.writing.stored import Stored, detected_again, fields_of, kept_originals, load_live, ready_again

_ATTEMPTS: Final = 5
_GONE: Final = "The record of this span was deleted or replaced since it was read."


def reveal(runtime: Runtime, collection: CollectionScope, span_ids: Sequence[str]) -> dict[str, str]:
    """The originals of these spans, by span id. See :meth:`Collection.reveal`."""
    if not isinstance(span_ids, list | tuple | set | frozenset):
        raise UsageError("Several spans are named by a list of ids.", next_step="Take hit.span_ids.")
    places = {span_id: OriginalAt.of(span_id) for span_id in span_ids}
    originals = originals_at(runtime, collection, list(dict.fromkeys(places.values())))
    if not all(originals.values()):
        raise RecordNotFound("A value was dropped when its record was stored; it is kept nowhere.")
    return {span_id: originals[place] for span_id, place in places.items()}


def redact(runtime: Runtime, collection: CollectionScope, span_id: str) -> UpdateReport:
    """Cut one value out of its record. See :meth:`Collection.redact`."""
    place = OriginalAt.of(span_id)
    admission = admit(runtime, collection.scope, permission="ingest", action="update", collection=collection.collection)
    try:
        name, prepared = _until_it_stands(runtime, collection, admission, place)
        admission.recheck()
    except BaseException as error:
        admission.failure(error)
        raise
    admission.note(
        counts={"redacted": 1, "chunks": len(prepared.chunks), "embedded": len(prepared.chunks)},
        record_ids=[prepared.ref],
        detail={"change": "updated"},
    )
    chunks = len(prepared.chunks)
    return UpdateReport((name,), chunks, chunks, {}, admission.request_id)


def _until_it_stands(
    runtime: Runtime, collection: CollectionScope, admission: Admission, place: OriginalAt
) -> tuple[str, Prepared]:
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(RecordChanged):
            return _locked(runtime, collection, admission, place)
    return _locked(runtime, collection, admission, place)


def _locked(
    runtime: Runtime, collection: CollectionScope, admission: Admission, place: OriginalAt
) -> tuple[str, Prepared]:
    with runtime.write_lock(collection.collection):
        settle_collection(runtime, collection.collection)
        admission.recheck()
        stored = _stored(runtime, collection, place)
        held = runtime.control.held_refs(collection.tenant, collection.collection, [stored.ref])
        if held:
            raise LegalHold("A legal hold keeps the stored version of this record.", hold_id=held[stored.ref])
        name, prepared = _without(runtime, collection, stored, place)
        texts = [chunk.text for chunk in prepared.chunks]
        single = len(stored.chunks) == 1
        vectors = collection.embedder.embed([*texts, text_of(collection, stored)] if single else texts)
        if single and not same_vector(stored.vectors[0], vectors[-1]):
            raise RecordError(
                "The record's vector was given by its caller, and nobody here can make the one of the redacted text.",
                next_step="Ingest the record again with its text and a vector, or delete it.",
            )
        expect: dict[bytes, int] = {stored.ref: stored.row.generation}
        write_batch(runtime, collection, admission, [prepared], vectors[: len(texts)], Tally(), expect=expect)
        return name, prepared


def _stored(runtime: Runtime, collection: CollectionScope, place: OriginalAt) -> Stored:
    """The record whose chunk this is, while it is live. Raises :class:`RecordNotFound`, :class:`IsolationViolation`."""
    points = fetch_only(runtime, collection, [place.point])
    accepted = judge(runtime, collection, points, where=None).accepted
    if not accepted:
        raise RecordNotFound(_GONE)
    stored = load_live(runtime, collection, accepted[0].ref)
    if place.point not in {chunk.point.id for chunk in stored.chunks}:
        raise RecordNotFound(_GONE)
    if collection.vault and withheld(stored):
        raise IsolationViolation(
            "The store does not show the vault of a record as it was written.", next_step="Ingest the record again."
        )
    return stored


def _without(runtime: Runtime, collection: CollectionScope, stored: Stored, place: OriginalAt) -> tuple[str, Prepared]:
    """The field of the span, and the record without it."""
    fields, originals = _fields(runtime, collection, stored)
    name, index = _found(collection, stored, place, fields, originals)
    if name in originals:
        originals[name] = original_without_spans(fields[name], {index})
    fields[name] = without_spans(fields[name], {index})
    # Of nothing that was: the same record, brought again, is not taken for unchanged.
    digest = secrets.token_bytes(len(stored.row.content_digest))
    return name, ready_again(collection, stored, fields, originals, digest=digest)


def _fields(
    runtime: Runtime, collection: CollectionScope, stored: Stored
) -> tuple[dict[str, AnonymizedField], dict[str, str]]:
    """Every anonymized text of the record, and the texts that it keeps as they came."""
    fields, originals = fields_of(collection, stored), kept_originals(collection, stored)
    if originals:
        today = Origin.of(collection)
        if not collection.vault or (stored.origin.detector, stored.origin.policy) != (today.detector, today.policy):
            raise RecordError(
                "The record keeps an original whose spans are not stored and cannot be found again.",
                next_step="Ingest the record again.",
            )
        fields |= detected_again(runtime, collection, fields, originals)
    return fields, originals


def _found(
    collection: CollectionScope,
    stored: Stored,
    place: OriginalAt,
    fields: dict[str, AnonymizedField],
    originals: dict[str, str],
) -> tuple[str, int]:
    """The field and the index of the span among the field's spans."""
    number = next(number for number, chunk in enumerate(stored.chunks) if chunk.point.id == place.point)
    body = stored.chunks[number].body
    if place.field is not None:
        if number or body.text is not None or place.field not in fields:
            raise RecordNotFound(_GONE)
        name, index = place.field, place.index
        if index >= len(fields[name].spans):
            raise RecordNotFound(_GONE)
        return name, index
    spans = body.spans or ()
    if place.index >= len(spans):
        raise RecordNotFound(_GONE)
    # Chunks do not say where they begin: the record is cut again, and its chunks are to be what is stored.
    again = ready_again(collection, stored, fields, originals, digest=stored.row.content_digest)
    if number >= len(again.chunks) or again.chunks[number].text.text != body.text:
        raise RecordError("The record would now be cut another way.", next_step="Ingest the record again.")
    wanted = spans[place.index].shifted(again.chunks[number].start)
    offset = 0
    for name in collection.embedded_fields:
        if name not in fields:
            continue
        for index, span in enumerate(fields[name].spans):
            if span.shifted(offset) == wanted:
                return name, index
        offset += len(fields[name].text) + len(SEPARATOR)
    raise RecordNotFound(_GONE)
