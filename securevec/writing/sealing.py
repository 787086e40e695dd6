"""A prepared record: what is sealed of each of its chunks, and its points once vectors and generation are known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from securevec import limits
from securevec.anonymize.stored import to_seal
from securevec.control.rows import NewRecord
from securevec.crypto.armour import to_texts
from securevec.crypto.context import Place
from securevec.crypto.derive import RecordIds
from securevec.crypto.envelope import SubjectKey, seal_batch, text_size
from securevec.errors import LimitExceeded
from securevec.points.body import Body, Vault, mark
from securevec.points.body_format import LATER, Draft, draft_body, encode_vault
from securevec.points.protect import hints_of
from securevec.points.terms import stored_terms
from securevec.rows.minimize import Minimized
from securevec.state.runtime import CollectionScope, Runtime
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

    def announced(self) -> NewRecord:
        """What the manifest will say of it."""
        return NewRecord(
            self.ref,
            len(self.chunks),
            self.digest,
            self.expires_ms,
            self.epoch,
            ingested_ms=self.ingested_ms,
            size=self.size,
            about=self.about,
            mentions=self.mentions,
        )

    def __repr__(self) -> str:
        return f"Prepared(row={self.row}, chunks={len(self.chunks)})"


def seal_points(
    runtime: Runtime,
    collection: CollectionScope,
    prepared: Sequence[Prepared],
    generations: Mapping[bytes, int],
    vectors: Matrix,
    *,
    bound: Mapping[bytes, SubjectKey],
    cloak: int = 1,
) -> list[ProtectedPoint]:
    """Sealed points, one per chunk, parallel to ``vectors``. One key lookup per epoch and purpose. ``cloak``: the
    version of the cloak key that the vectors are under.

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
        hints = protector.payload(record.minimized.filters) | hints_of(record.expires_ms, cloak)
        for number, (body, vault) in enumerate(record.drafts):
            position = len(ids)
            point = record_ids.point(record.ref, generation, number)
            ids.append(point)
            payloads.append({"t": collection.namespace.tenant_tag, "c": collection.namespace.collection_tag, **hints})
            part = record.chunks[number]
            terms.append(stored_terms(part.text.text, part.spans, index) if index is not None else None)
            place = Place(tenant=tenant, collection=collection_raw, point=point, field="body")
            sealing["body", record.epoch, bound.get(record.ref)].append((position, body.of(generation, cloak), place))
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
        for (position, _, _), text in zip(items, to_texts(sealed), strict=True):
            payloads[position]["b" if purpose == "body" else "v"] = text
    return [
        ProtectedPoint(id=point, vector=vector, payload=payload, terms=words)
        for point, vector, payload, words in zip(ids, vectors, payloads, terms, strict=True)
    ]


def drafted(collection: CollectionScope, record: Prepared) -> tuple[tuple[tuple[Draft, bytes | None], ...], int]:
    """What is going to be sealed, and its bytes with the vectors; measured before a batch begins that one record would
    take down with it. Raises :class:`LimitExceeded` at the first chunk that is one too many."""
    drafts: list[tuple[Draft, bytes | None]] = []
    total = stored = 0
    for number in range(len(record.chunks)):
        held = _vault(collection, record, number)
        body, vault = draft_body(_body(collection, record, number)), encode_vault(held) if held is not None else None
        drafts.append((body, vault))
        body_size = body.largest + (LATER if collection.cloak is not None else 0)
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
