"""The sealed body and the vault: what is inside the envelopes, and a chunk's text as it is read out of them.

Pure. The body is the canonical copy of everything the library later relies on; the payload keys a store can read are
hints. How it is spelled in bytes: ``body_format``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from securevec.errors import UnknownFormat
from securevec.types import FilterValue, Span, Token

RecordId = str | int | UUID

SEPARATOR: Final = "\n\n"
"""Between embedded fields in the joined text."""

MARK: Final = 8
"""Bytes of a mark."""


class Body(NamedTuple):
    """One chunk's sealed body. Chunk 0 also carries the record: ``fields`` and ``field_spans``.

    ``model``, ``detector`` and ``policy`` are marks of the digests it was made under (:func:`mark`), ``tokens`` the
    version of the tenant's token key that its tokens are of, ``cloak`` the version of the collection's cloak key that
    the point's vector is under.

    A tuple, because a search makes ten of them: a frozen dataclass of this size takes seven times as long to make.
    """

    record_id: RecordId
    generation: int
    chunk: int
    chunks: int
    expires_ms: int | None
    ingested_ms: int
    classification: str
    filters: Mapping[str, FilterValue]
    about: tuple[Token, ...]
    mentions: tuple[Token, ...]
    model: bytes
    detector: bytes
    policy: bytes
    acl: tuple[str, ...] = ()
    fields: Mapping[str, object] | None = None
    field_spans: Mapping[str, tuple[Span, ...]] | None = None
    text: str | None = None
    cut: tuple[int, int] | None = None
    spans: tuple[Span, ...] | None = None
    tokens: int = 1
    cloak: int = 1

    def __repr__(self) -> str:
        return f"Body(generation={self.generation}, chunk={self.chunk}/{self.chunks})"


@dataclass(frozen=True, slots=True, repr=False)
class Vault:
    """Originals of one chunk, parallel to the body's span tables."""

    fields: Mapping[str, tuple[str, ...]]
    spans: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return "Vault(<hidden>)"


def mark(digest: str) -> bytes:
    """The first 8 bytes of a hex SHA-256: what a body keeps of the model, the detector and the policy it was made by.

    They tell whether something changed since, and decide nothing about who may read: two that are unlike meet by
    chance once in 2^64, and whoever looks for two that meet chooses the detector and the policy anyway.
    """
    return bytes.fromhex(digest)[:MARK]


@dataclass(frozen=True, slots=True)
class PlacedSpan:
    """A span of the chunk text and where its original lies in the vault: ``(field or None, index)``."""

    span: Span
    field: str | None
    index: int


def chunk_view(body: Body, embedded: Sequence[str]) -> tuple[str, tuple[PlacedSpan, ...]]:
    """A chunk's anonymized text and its spans, wherever the body keeps them: as they are, or as a part of the embedded
    fields in declared order with a blank line between."""
    if body.text is not None:
        spans = body.spans or ()
        return body.text, tuple(PlacedSpan(span, None, index) for index, span in enumerate(spans))
    if body.fields is None or body.cut is None:
        raise UnknownFormat("A sealed body carries no text.")
    start, end = body.cut
    placed: list[PlacedSpan] = []
    texts: list[str] = []
    offset = 0
    for name in embedded:
        value = body.fields.get(name)
        if value is None:
            continue
        text = str(value)
        texts.append(text)
        for index, span in enumerate((body.field_spans or {}).get(name, ())):
            shifted = span.shifted(offset - start)
            if shifted.start >= 0 and shifted.end <= end - start:
                placed.append(PlacedSpan(shifted, name, index))
        offset += len(text) + len(SEPARATOR)
    return SEPARATOR.join(texts)[start:end], tuple(placed)
