"""Cutting people out of the records that mention them, from the span table the record was stored with.

Where a value of an erased person stood, ``[ERASED]`` stands afterwards: in the anonymized text, in what is embedded,
and in fields that keep their original. Everybody else's surrogates, spans and originals stay as they are, and so do
expiry and the time of ingestion. The record is cut into chunks and embedded again, as a new generation.

Some records cannot be redacted so that it can be relied on. They are named ``beyond`` and deleted by the caller:

1. a chunk or a vault is missing, altered or due, so what the record says is not known;
2. its vectors were given by the caller: nobody here can make the vector of the redacted text;
3. it keeps an original (``keep="original"``), whose span table is not stored, and the detector that would find the
   places again is another one, or there is no vault to put the record's other texts back for it;
4. a token of it is found in none of its texts.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from securevec.anonymize.stored import original_without, stored_field, without
from securevec.control.rows import ManifestRow
from securevec.errors import LimitExceeded
from securevec.points.body import chunk_view
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import AnonymizedText, Matrix, RecordRef, Token
from securevec.writing.sealing import Origin, Prepared
from securevec.writing.stored import Stored, detected_again, fields_of, kept_originals, load, ready_again

_THE_MODELS_OWN: Final = 0.999
"""Cosine of a stored vector and the model's, from which on the model made it. Engines change only the last bits."""


@dataclass(frozen=True, slots=True, repr=False)
class Redaction:
    """Records ready to be written, a row of ``vectors`` for each of their chunks; and those to be deleted instead."""

    prepared: list[Prepared]
    vectors: Matrix
    beyond: list[RecordRef]


def redact(
    runtime: Runtime, collection: CollectionScope, rows: Sequence[ManifestRow], tokens: Collection[Token]
) -> Redaction:
    """The records of these live rows without the people of these tokens. Nothing is written.

    Raises :class:`EmbedderError`, :class:`DetectorError`, and what reading the store raises.
    """
    loaded = load(runtime, collection, rows, with_vectors=True, erasing=True)
    made: list[tuple[Stored, Prepared]] = []
    for stored in loaded.values():
        prepared = _without(runtime, collection, stored, frozenset(tokens))
        if prepared is not None:
            made.append((stored, prepared))
    texts = [chunk.text for _, prepared in made for chunk in prepared.chunks]
    # Only a record of one chunk can have a given vector.
    single = [stored for stored, _ in made if len(stored.chunks) == 1]
    vectors = embedded(collection, texts + [text_of(collection, stored) for stored in single])
    own = {
        stored.ref
        for stored, vector in zip(single, vectors[len(texts) :], strict=True)
        if same_vector(stored.chunks[0].point.vector, vector)
    } | {stored.ref for stored, _ in made if len(stored.chunks) > 1}
    kept: list[Prepared] = []
    picked: list[int] = []
    position = 0
    for stored, prepared in made:
        if stored.ref in own:
            kept.append(prepared)
            picked += range(position, position + len(prepared.chunks))
        position += len(prepared.chunks)
    done = {prepared.ref for prepared in kept}
    beyond = [RecordRef(row.ref) for row in rows if row.ref not in done]
    return Redaction(kept, vectors[picked], beyond)


def _without(
    runtime: Runtime, collection: CollectionScope, stored: Stored, tokens: frozenset[Token]
) -> Prepared | None:
    if collection.vault and withheld(stored):
        return None
    fields = fields_of(collection, stored)
    originals = kept_originals(collection, stored)
    if originals:
        today = Origin.of(collection)
        same = (stored.origin.detector, stored.origin.policy) == (today.detector, today.policy)
        if not collection.vault or not same:
            return None
        again = detected_again(runtime, collection, fields, originals)
        originals = {name: original_without(field, tokens) for name, field in again.items()}
        fields |= again
    carried = tokens.intersection((*stored.body.about, *stored.body.mentions))
    located = {span.token for field in fields.values() for span in field.spans}
    if not carried <= located:
        return None
    try:
        return ready_again(
            collection,
            stored,
            {name: without(field, tokens) for name, field in fields.items()},
            originals,
            # Of nothing that was: the same record, brought again, is not taken for unchanged.
            digest=secrets.token_bytes(len(stored.row.content_digest)),
        )
    except LimitExceeded:
        return None


def withheld(stored: Stored) -> bool:
    """Whether a chunk holds spans whose originals are not there: stored again, they would be lost without notice."""
    return any(
        vault is None and (chunk.body.spans or any((chunk.body.field_spans or {}).values()))
        for chunk, vault in zip(stored.chunks, stored.vaults, strict=True)
    )


def text_of(collection: CollectionScope, stored: Stored) -> AnonymizedText:
    """The text of a record of one chunk."""
    return stored_field(chunk_view(stored.body, collection.embedded_fields)[0], (), ()).text


def embedded(collection: CollectionScope, texts: Sequence[AnonymizedText]) -> Matrix:
    """The model's vector of each text, a row each."""
    if not texts:
        return np.zeros((0, collection.embedder.identity.dimension), dtype=np.float32)
    return collection.embedder.embed(texts)


def same_vector(stored: Matrix | None, embedded: Matrix) -> bool:
    """Whether the model, which now makes ``embedded`` of a text, made the vector it was stored with."""
    if stored is None:
        return False
    norms = float(np.linalg.norm(stored)) * float(np.linalg.norm(embedded))
    return norms > 0.0 and float(np.dot(stored, embedded)) / norms >= _THE_MODELS_OWN
