"""From one minimized record to a prepared one: anonymized and cut into chunks. What is sealed of it: ``sealing``."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from securevec import limits
from securevec.anonymize import TenantKeys
from securevec.anonymize.ahead import NOTHING, Found
from securevec.errors import LimitExceeded
from securevec.points.body import SEPARATOR
from securevec.points.chunk import chunk
from securevec.rows.minimize import Minimized
from securevec.state.runtime import CollectionScope
from securevec.types import AnonymizedField, AnonymizedText, Matrix, RecordRef, Span, Token
from securevec.writing.anonymizing import anonymize, redactions_of
from securevec.writing.sealing import Origin, Prepared, PreparedChunk, drafted

OVERLAP_TOKENS: Final = 24
"""Tokens repeated at the start of the next chunk, so that a sentence on a border is found from both sides."""


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
    drafts, size = drafted(collection, prepared)
    return replace(prepared, drafts=drafts, size=size)


def _shredded_with(collection: CollectionScope, anonymized: Mapping[str, AnonymizedField]) -> Token | None:
    """The person named in the field declared ``Subject(shred=True)``; nobody where it is null or blank."""
    declared = anonymized.get(collection.schema.shredded or "")
    return declared.spans[0].token if declared is not None and declared.spans else None


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
