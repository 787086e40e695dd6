"""From one minimized record to sealed points: anonymize, cut into chunks; with vectors and generation known, seal."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from securevec import limits
from securevec.anonymize import TenantKeys
from securevec.anonymize.ahead import NOTHING, Found
from securevec.anonymize.stored import to_seal
from securevec.anonymizing import anonymize, redactions_of
from securevec.body import SEPARATOR, Body, Vault, mark
from securevec.body_format import Draft, draft_body, encode_vault
from securevec.chunk import chunk
from securevec.crypto.armour import to_text
from securevec.crypto.context import Place
from securevec.crypto.derive import RecordIds
from securevec.crypto.envelope import SubjectKey, seal_batch, text_size
from securevec.errors import LimitExceeded
from securevec.minimize import Minimized
from securevec.protect import EXPIRY_KEY
from securevec.runtime import CollectionScope, Runtime
from securevec.terms import stored_terms
from securevec.types import (
    AnonymizedField,
    AnonymizedText,
    Matrix,
    ProtectedPoint,
    RecordRef,
    Scalar,
    Span,
    Terms,
    Token,
)

OVERLAP_TOKENS: Final = 24
"""Tokens repeated at the start of the next chunk, so that a sentence on a border is found from both sides."""

_MOST_PER_RECORD: Final = 16
"""All chunks of a record together, in units of the largest envelope: each of them repeats the filter values."""

_FLOAT: Final = 4
"""Bytes of one vector component."""

_TERM: Final = 8
"""Bytes of one term and its weight."""


@dataclass(frozen=True, slots=True, repr=False)
class PreparedChunk:
    """One chunk: its range in the joined text, its text, its spans and their originals."""

    start: int
    end: int
    text: AnonymizedText
    spans: tuple[Span, ...]
    originals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Under what a record was anonymized: classification, marks of detector and policy. Sealed with it."""

    classification: str
    detector: bytes
    policy: bytes

    @classmethod
    def of(cls, collection: CollectionScope) -> Origin:
        """What a record would be anonymized under now."""
        anonymizer = collection.anonymizer
        return cls(collection.classification, mark(anonymizer.digest), mark(anonymizer.policy_digest))


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A record ready to be embedded and sealed."""

    row: int
    ref: RecordRef
    minimized: Minimized
    anonymized: Mapping[str, AnonymizedField]
    chunks: tuple[PreparedChunk, ...]
    joined_is_kept: bool
    about: tuple[Token, ...]
    mentions: tuple[Token, ...]
    tokens: frozenset[tuple[Token, str]]
    redactions: Counter[str]
    digest: bytes
    expires_ms: int | None
    epoch: str
    ingested_ms: int
    origin: Origin
    vector: Matrix | None = field(default=None)
    shred: Token | None = None
    """Whose key its envelopes are bound to, where the schema says so and the record names somebody."""
    token_version: int = 1
    """Of the tenant's token key: what its tokens are of."""
    drafts: tuple[tuple[Draft, bytes | None], ...] = ()
    """What is sealed of each chunk, encoded once: the body, and the vault where it has one."""
    size: int = 0
    """Bytes the record takes in the store, at most: its envelopes as text, and its vectors."""

    def __repr__(self) -> str:
        return f"Prepared(row={self.row}, chunks={len(self.chunks)})"


def prepare(
    collection: CollectionScope,
    minimized: Minimized,
    *,
    ref: RecordRef,
    row: int,
    keys: TenantKeys,
    digest: bytes,
    expires_ms: int | None,
    epoch: str,
    ingested_ms: int,
    vector: Matrix | None,
    ahead: Found = NOTHING,
) -> Prepared:
    """Anonymize and chunk one record. ``ahead``: what was found in its texts already.

    Raises:
        RecordError: a clear filter value holds what the detector knows; names the field.
        LimitExceeded: a chunk, its originals, or all of them together are too large to be sealed, or too many.
    """
    return assemble(
        collection,
        minimized,
        anonymize(collection, minimized, keys=keys, ahead=ahead),
        ref=ref,
        row=row,
        digest=digest,
        expires_ms=expires_ms,
        epoch=epoch,
        ingested_ms=ingested_ms,
        origin=Origin.of(collection),
        vector=vector,
        token_version=keys.version,
    )


def assemble(
    collection: CollectionScope,
    minimized: Minimized,
    anonymized: Mapping[str, AnonymizedField],
    *,
    ref: RecordRef,
    row: int,
    digest: bytes,
    expires_ms: int | None,
    epoch: str,
    ingested_ms: int,
    origin: Origin,
    vector: Matrix | None = None,
    token_version: int,
) -> Prepared:
    """Cut one record into chunks, its texts being anonymized: now, or when it was stored first.

    ``minimized.texts`` are read only for fields that keep their original. Raises :class:`LimitExceeded`.
    """
    subjects = {spec.name for spec in collection.schema.by_kind("subject")}
    about: dict[Token, str] = {}
    mentions: dict[Token, str] = {}
    for name, result in anonymized.items():
        for span in result.spans:
            (about if name in subjects else mentions)[span.token] = span.entity
    embedded = [name for name in collection.embedded_fields if name in anonymized]
    originals_kept = any(
        spec.keep == "original" for spec in collection.schema.by_kind("embed") if spec.name in embedded
    )
    prepared = Prepared(
        row=row,
        ref=ref,
        minimized=minimized,
        anonymized=anonymized,
        chunks=_chunks(collection, [anonymized[name] for name in embedded], whole=vector is not None),
        joined_is_kept=not originals_kept,
        about=tuple(about),
        mentions=tuple(token for token in mentions if token not in about),
        tokens=frozenset((about | mentions).items()),
        redactions=redactions_of(collection, anonymized),
        digest=digest,
        expires_ms=expires_ms,
        epoch=epoch,
        ingested_ms=ingested_ms,
        origin=origin,
        vector=vector,
        token_version=token_version,
        shred=_shredded_with(collection, anonymized),
    )
    drafts, size = _drafted(collection, prepared)
    return replace(prepared, drafts=drafts, size=size)


def seal_points(
    runtime: Runtime,
    collection: CollectionScope,
    prepared: Sequence[Prepared],
    generations: Mapping[bytes, int],
    vectors: Matrix,
    *,
    bound: Mapping[bytes, SubjectKey],
) -> list[ProtectedPoint]:
    """Sealed points, one per chunk, parallel to ``vectors``. One key lookup per epoch and purpose.

    ``bound``, by ref: the key of its person or its own, for records that are sealed under one besides.
    """
    record_ids = RecordIds(runtime.keys.tenant_key(collection.tenant, "id"), collection.collection)
    protector = collection.protector(runtime)
    tenant, collection_raw = bytes.fromhex(collection.tenant), bytes.fromhex(collection.collection)
    payloads: list[dict[str, Scalar]] = []
    ids: list[UUID] = []
    terms: list[Terms | None] = []
    index = collection.term_index(runtime) if collection.hybrid else None
    sealing: dict[tuple[str, str, SubjectKey | None], list[tuple[int, bytes, Place]]] = defaultdict(list)
    for record in prepared:
        generation = generations[record.ref]
        hints = protector.payload(record.minimized.filters)
        if record.expires_ms is not None:
            hints[EXPIRY_KEY] = record.expires_ms
        for number, (body, vault) in enumerate(record.drafts):
            position = len(ids)
            point = record_ids.point(record.ref, generation, number)
            ids.append(point)
            payloads.append({"t": collection.namespace.tenant_tag, "c": collection.namespace.collection_tag, **hints})
            part = record.chunks[number]
            terms.append(stored_terms(part.text.text, part.spans, index) if index is not None else None)
            place = Place(tenant=tenant, collection=collection_raw, point=point, field="body")
            sealing["body", record.epoch, bound.get(record.ref)].append((position, body.of(generation), place))
            if vault is not None:
                place = Place(tenant=tenant, collection=collection_raw, point=point, field="vault")
                sealing["vault", record.epoch, bound.get(record.ref)].append((position, vault, place))
    for (purpose, epoch, subject), items in sealing.items():
        key = runtime.keys.data_key(
            collection.tenant,
            collection.collection,
            "body" if purpose == "body" else "vault",
            epoch,
            messages=len(items),
        )
        sealed = seal_batch(key, [(plaintext, place) for _, plaintext, place in items], subject=subject)
        for (position, _, _), envelope in zip(items, sealed, strict=True):
            payloads[position]["b" if purpose == "body" else "v"] = to_text(envelope)
    return [
        ProtectedPoint(id=point, vector=vector, payload=payload, terms=words)
        for point, vector, payload, words in zip(ids, vectors, payloads, terms, strict=True)
    ]


def _shredded_with(collection: CollectionScope, anonymized: Mapping[str, AnonymizedField]) -> Token | None:
    """The person named in the field declared ``Subject(shred=True)``; nobody where it is null or blank."""
    declared = anonymized.get(collection.schema.shredded or "")
    return declared.spans[0].token if declared is not None and declared.spans else None


def _drafted(collection: CollectionScope, record: Prepared) -> tuple[tuple[tuple[Draft, bytes | None], ...], int]:
    """What is going to be sealed, and its bytes with the vectors; measured before a batch begins that one record would
    take down with it. Raises :class:`LimitExceeded` at the first chunk that is one too many."""
    drafts: list[tuple[Draft, bytes | None]] = []
    total = stored = 0
    for number in range(len(record.chunks)):
        held = _vault(collection, record, number)
        body, vault = draft_body(_body(collection, record, number)), encode_vault(held) if held is not None else None
        drafts.append((body, vault))
        body_size = body.largest
        vault_size = len(vault) if vault is not None else 0
        total += body_size + vault_size
        subject = record.shred is not None or collection.key_scope == "document"
        stored += text_size(body_size, suite=collection.suite, subject=subject) + (
            text_size(vault_size, suite=collection.suite, subject=subject) if vault is not None else 0
        )
        if max(body_size, vault_size, total // _MOST_PER_RECORD) > limits.MAX_RECORD_BYTES:
            raise LimitExceeded("The record is larger, anonymized and sealed, than its envelopes take.", row=record.row)
    if collection.hybrid:
        stored += sum(_TERM * min(len(part.text), limits.MAX_TERMS) for part in record.chunks)
    return tuple(drafts), stored + len(record.chunks) * collection.embedder.identity.dimension * _FLOAT


def _chunks(
    collection: CollectionScope, fields: Sequence[AnonymizedField], *, whole: bool
) -> tuple[PreparedChunk, ...]:
    joined = AnonymizedText.joined([result.text for result in fields], SEPARATOR)
    spans: list[Span] = []
    originals: list[str] = []
    offset = 0
    for result in fields:
        spans += [span.shifted(offset) for span in result.spans]
        originals += result.originals
        offset += len(result.text) + len(SEPARATOR)
    if whole:
        ranges = [(0, len(joined))]
    else:
        cuts = chunk(
            len(joined),
            collection.embedder.token_offsets(joined),
            spans,
            max_tokens=collection.embedder.max_tokens,
            overlap=min(OVERLAP_TOKENS, collection.embedder.max_tokens // 2),
            text=joined.text,
        )
        ranges = [(cut.start, cut.end) for cut in cuts]
    if len(ranges) > limits.MAX_CHUNKS:
        raise LimitExceeded(f"The record makes more than {limits.MAX_CHUNKS} chunks.")
    made: list[PreparedChunk] = []
    # Spans are sorted and do not overlap, so those inside a chunk are neighbours.
    starts, ends = [span.start for span in spans], [span.end for span in spans]
    for start, end in ranges:
        inside = range(bisect_left(starts, start), bisect_right(ends, end))
        made.append(
            PreparedChunk(
                start,
                end,
                joined.slice(start, end),
                tuple(spans[index].shifted(-start) for index in inside),
                tuple(originals[index] for index in inside),
            )
        )
    return tuple(made)


def _body(collection: CollectionScope, record: Prepared, number: int) -> Body:
    # The generation stands in the draft of it later.
    first = number == 0
    cut_from_fields = first and record.joined_is_kept
    part = record.chunks[number]
    fields: dict[str, object] | None = None
    if first:
        fields = dict(record.minimized.kept)
        for name, result in record.anonymized.items():
            keep = collection.schema.field(name).keep
            fields[name] = record.minimized.texts[name] if keep == "original" else result.text.text
    # A further chunk repeats the mentions it holds: all of them in each would grow with the square of the record.
    held = {span.token for span in part.spans}
    mentions = record.mentions if first else tuple(token for token in record.mentions if token in held)
    spans = {
        name: result.spans
        for name, result in record.anonymized.items()
        if result.spans and collection.schema.field(name).keep != "original"
    }
    return Body(
        record_id=record.minimized.record_id,
        generation=0,
        chunk=number,
        chunks=len(record.chunks),
        expires_ms=record.expires_ms,
        ingested_ms=record.ingested_ms,
        classification=record.origin.classification,
        filters=record.minimized.filters,
        about=record.about,
        mentions=mentions,
        model=mark(collection.embedder.identity.digest),
        detector=record.origin.detector,
        policy=record.origin.policy,
        fields=fields,
        field_spans=spans if first else None,
        text=None if cut_from_fields else part.text.text,
        cut=(part.start, part.end) if cut_from_fields else None,
        spans=None if cut_from_fields else part.spans,
        tokens=record.token_version,
    )


def _vault(collection: CollectionScope, record: Prepared, number: int) -> Vault | None:
    """Originals of this chunk, or ``None`` when there are none or the collection keeps none."""
    if not collection.vault:
        return None
    fields: dict[str, tuple[str, ...]] = {}
    if number == 0:
        fields = {
            name: to_seal(result.spans, result.originals)
            for name, result in record.anonymized.items()
            if result.spans and collection.schema.field(name).keep != "original"
        }
    cut_from_fields = number == 0 and record.joined_is_kept
    part = record.chunks[number]
    spans = None if cut_from_fields else to_seal(part.spans, part.originals)
    return Vault(fields=fields, spans=spans) if fields or spans else None
