"""Changing some fields of a stored record.

The record is opened as a whole, judged, and written as a new generation made of the old one: fields that do not change
keep their anonymized text, spans and originals as they were stored, and chunks whose text does not change keep their
vectors. Nobody can replace the record in between unnoticed: the transaction that announces the new generation checks
that the old one is still live.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import orjson

from securevec.anonymize.amend import amend
from securevec.anonymize.stored import originals_in
from securevec.crypto.derive import content_digest
from securevec.crypto.kdf import lp
from securevec.errors import IsolationViolation, LegalHold, RecordChanged, RecordError, VaultDisabled
from securevec.guard import Admission, admit
from securevec.ingest import write_batch
from securevec.points.body import SEPARATOR, RecordId, chunk_view, mark
from securevec.removing.recover import settle_collection
from securevec.retention.rulebook import effective_retention
from securevec.retention.rules import epoch, expiry
from securevec.rows.minimize import Minimized, minimize, rebuild
from securevec.rows.validate import validate
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import AnonymizedField, AnonymizedText, Matrix, RecordRef
from securevec.writing.anonymizing import refuse_findings_in_clear_filters, refuse_findings_in_sealed_numbers
from securevec.writing.prepare import assemble
from securevec.writing.refusals import weak_fields
from securevec.writing.report import Tally
from securevec.writing.sealing import Origin, Prepared
from securevec.writing.stored import Stored, fields_of, load_live

_ATTEMPTS: Final = 5
"""How often an update starts again because another process replaced the record first."""

_LABEL: Final = b"securevec/update/v1"
_NAMING: Final = frozenset({"PERSON", "EMAIL"})
"""Entities that lead to mentions in the other fields of a record."""


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update did. ``changed`` names the fields; without any, nothing was written and expiry stays.

    ``chunks`` the record has now, ``embedded`` of them by the model; the others keep their stored vectors.
    """

    changed: tuple[str, ...]
    chunks: int
    embedded: int
    redactions: Mapping[str, int]
    request_id: str


def update(
    runtime: Runtime, collection: CollectionScope, record_id: RecordId, fields: Mapping[str, object]
) -> UpdateReport:
    """Change these fields of one record. See :meth:`Collection.update`."""
    admission = admit(runtime, collection.scope, permission="ingest", action="update", collection=collection.collection)
    try:
        _check_names(collection, fields)
        ref = collection.record_ref(runtime, record_id)
        report = _until_it_stands(runtime, collection, admission, ref, fields)
        admission.recheck()
    except BaseException as error:
        admission.failure(error)
        raise
    admission.note(
        counts={"fields": len(report.changed), "chunks": report.chunks, "embedded": report.embedded},
        redactions=report.redactions,
        record_ids=[ref],
        detail={"change": "updated" if report.changed else "unchanged"},
    )
    return replace(report, request_id=admission.request_id)


def _check_names(collection: CollectionScope, fields: Mapping[str, object]) -> None:
    schema = collection.schema
    if not fields:
        raise RecordError("An update names at least one field.", next_step='For example update("T-1", status="open").')
    for name in fields:
        if name == schema.key.name:
            raise RecordError(
                "The key of a record cannot be changed.",
                field=name,
                next_step="Ingest the record under its new id, and delete the old one.",
            )
        if name not in schema.names:
            others = ", ".join(sorted(schema.names - {schema.key.name}))
            raise RecordError("A field of the update is not declared.", field=name, next_step=f"Declared: {others}.")


def _until_it_stands(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    ref: RecordRef,
    fields: Mapping[str, object],
) -> UpdateReport:
    """The update, begun again when another process replaced the record first. Raises :class:`RecordChanged`."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(RecordChanged):
            return _locked(runtime, collection, admission, ref, fields)
    return _locked(runtime, collection, admission, ref, fields)


def _locked(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    ref: RecordRef,
    fields: Mapping[str, object],
) -> UpdateReport:
    with runtime.write_lock(collection.collection):
        settle_collection(runtime, collection.collection)
        admission.recheck()
        return _update(runtime, collection, admission, ref, fields)


def _update(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    ref: RecordRef,
    fields: Mapping[str, object],
) -> UpdateReport:
    stored = load_live(runtime, collection, ref)
    _require_vault(collection, stored)
    texts = fields_of(collection, stored)
    before, after = _before_and_after(collection, stored, fields)
    changed = _changed(collection, before, after, texts)
    if not changed:
        return UpdateReport((), len(stored.chunks), 0, {}, "")
    held = runtime.control.held_refs(collection.tenant, collection.collection, [ref])
    if held:
        raise LegalHold("A legal hold keeps the stored version of this record.", hold_id=held[ref])
    refuse_findings_in_clear_filters(collection, after)
    refuse_findings_in_sealed_numbers(collection, after)
    anonymized = _anonymize(runtime, collection, after, texts, changed)
    prepared = _prepared(runtime, collection, stored, after, anonymized, texts, changed)
    if weak := [error for name, error in weak_fields(runtime, collection, [prepared]).items() if name in changed]:
        raise weak[0]
    vectors, embedded = _vectors(collection, stored, prepared)
    expect: Mapping[bytes, int] = {ref: stored.row.generation}
    write_batch(runtime, collection, admission, [prepared], vectors, Tally(), expect=expect, as_opened=True)
    return UpdateReport(changed, len(prepared.chunks), embedded, dict(prepared.redactions), "")


def _require_vault(collection: CollectionScope, stored: Stored) -> None:
    """A store that withholds a vault must not have its originals lost for good by the next generation."""
    if collection.vault and stored.vaults[0] is None and any((stored.body.field_spans or {}).values()):
        raise IsolationViolation(
            "The store does not show the vault of a record as it was written.", next_step="Ingest the record again."
        )


def _before_and_after(
    collection: CollectionScope, stored: Stored, fields: Mapping[str, object]
) -> tuple[Minimized, Minimized]:
    """The record as it is stored, and as it would be with these fields, checked by its class.

    The class sees the other texts anonymized: its own checks are the caller's code, which may not read originals.
    """
    record_class, schema, body = _record_class(collection), collection.schema, stored.body
    key = schema.key.name
    old = rebuild(record_class, {**(body.fields or {}), **body.filters, key: body.record_id})
    values = {name: getattr(old, name, None) for name in schema.names}
    after = minimize(schema, validate(record_class, {**values, **fields}))
    if after.record_id != body.record_id:
        raise RecordError("The Record class changes the record's key.", field=key)
    return minimize(schema, old), after


def _record_class(collection: CollectionScope) -> type[Record]:
    """The caller's class, or one of the declared fields alone where it requires a field that is never stored."""
    own = collection.record_class
    unstored = any(
        info.is_required() and name not in collection.schema.names for name, info in own.model_fields.items()
    )
    return collection.schema.record_class() if unstored else own


def _changed(
    collection: CollectionScope, before: Minimized, after: Minimized, texts: Mapping[str, AnonymizedField]
) -> tuple[str, ...]:
    """The fields that differ, in declared order. A text given as its original, or as ``get`` shows it, does not."""
    names: list[str] = []
    for spec in collection.schema.fields:
        old, new = _value(before, spec.name), _value(after, spec.name)
        stored = texts.get(spec.name)
        if old != new and not (stored is not None and collection.vault and new == originals_in(stored)):
            names.append(spec.name)
    return tuple(names)


def _value(record: Minimized, name: str) -> object:
    return record.texts.get(name, record.kept.get(name, record.filters.get(name)))


def _anonymize(
    runtime: Runtime,
    collection: CollectionScope,
    after: Minimized,
    texts: Mapping[str, AnonymizedField],
    changed: Sequence[str],
) -> dict[str, AnonymizedField]:
    """Every text of the record after the change, in declared order."""
    schema = collection.schema
    # The span tables of fields that keep their original are not stored: they are found again.
    fresh = {
        name: text for name, text in after.texts.items() if name in changed or schema.field(name).keep == "original"
    }
    kept = {name: texts[name] for name in after.texts if name not in fresh}
    subjects = {spec.name for spec in schema.by_kind("subject")}
    if fresh and not collection.vault:
        _require_no_names(kept, subjects)
    made = amend(
        collection.anonymizer,
        kept,
        fresh,
        new=[name for name in fresh if name in changed],
        keys=collection.tenant_keys(runtime),
        subjects=subjects,
    )
    return {spec.name: made[spec.name] for spec in schema.fields if spec.name in made}


def _require_no_names(kept: Mapping[str, AnonymizedField], subjects: set[str]) -> None:
    """A name in one field is found by its whole in another. Where no original is kept, that cannot be done."""
    for name, field in kept.items():
        if any(name in subjects or span.entity in _NAMING for span in field.spans):
            raise VaultDisabled(
                "The collection keeps no originals, so the people of the other fields cannot be found in a new text.",
                next_step="Pass the texts that name people too, or ingest the whole record.",
            )


def _prepared(
    runtime: Runtime,
    collection: CollectionScope,
    stored: Stored,
    after: Minimized,
    anonymized: Mapping[str, AnonymizedField],
    texts: Mapping[str, AnonymizedField],
    changed: Sequence[str],
) -> Prepared:
    now_ms = runtime.clock.sure_ms()
    retention_ms = effective_retention(runtime, collection)
    expires_ms = expiry(retention_ms, ingested_ms=now_ms)
    today = Origin.of(collection)
    # A record that is in part of an older detector is called one of the older detector, so that it is found as such.
    as_stored = any(anonymized.get(name) is field for name, field in texts.items())
    made = assemble(
        collection,
        after,
        anonymized,
        ref=stored.ref,
        row=1,
        digest=_digest(runtime, collection, stored, after, changed),
        expires_ms=expires_ms,
        epoch=epoch(retention_ms, expires_ms=expires_ms),
        ingested_ms=now_ms,
        origin=replace(stored.origin, classification=today.classification) if as_stored else today,
        vector=stored.chunks[0].point.vector if _is_one_chunk_still(collection, stored, anonymized) else None,
        token_version=stored.body.tokens,
    )
    redactions = Counter(
        span.entity
        for name in changed
        if name in anonymized and collection.schema.field(name).keep != "original"
        for span in anonymized[name].spans
    )
    return replace(made, redactions=redactions)


def _is_one_chunk_still(collection: CollectionScope, stored: Stored, anonymized: Mapping[str, AnonymizedField]) -> bool:
    """Whether the record was one chunk, and is of the same text: whoever gave its vector meant it whole."""
    parts = [anonymized[name].text for name in collection.embedded_fields if name in anonymized]
    text, _ = chunk_view(stored.body, collection.embedded_fields)
    return len(stored.chunks) == 1 and AnonymizedText.joined(parts, SEPARATOR).text == text


def _vectors(collection: CollectionScope, stored: Stored, prepared: Prepared) -> tuple[Matrix, int]:
    """One row per chunk: the stored vector of the chunk of the same text, or the model's; and how many are new."""
    known: dict[str, Matrix] = {}
    if stored.body.model == mark(collection.embedder.identity.digest):
        for chunk, vector in zip(stored.chunks, stored.vectors, strict=True):
            if vector is not None:
                known[chunk_view(chunk.body, collection.embedded_fields)[0]] = vector
    missing = [chunk.text for chunk in prepared.chunks if chunk.text.text not in known]
    made = iter(collection.embedder.embed(missing)) if missing else iter(())
    rows = [known[chunk.text.text] if chunk.text.text in known else next(made) for chunk in prepared.chunks]
    return np.vstack(rows), len(missing)


def _digest(
    runtime: Runtime, collection: CollectionScope, stored: Stored, after: Minimized, changed: Sequence[str]
) -> bytes:
    """A content digest no record of a source has: what the source holds is written again when it comes again."""
    canonical = orjson.dumps({name: _value(after, name) for name in changed}, option=orjson.OPT_SORT_KEYS)
    key = runtime.keys.tenant_key(collection.tenant, "content")
    message = _LABEL + lp(stored.row.content_digest, canonical)
    return content_digest(key, collection.collection, message, collection.identity_digest)
