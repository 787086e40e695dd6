"""Text that was anonymized when it was stored, read back out of a sealed body; and a person cut out of it.

What a sealed body calls anonymized is anonymized: only :mod:`securevec.writing.sealing` seals one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from securevec.anonymize.operators import DROP
from securevec.errors import UnknownFormat
from securevec.types import AnonymizedField, Span, Token, mint_anonymized

ERASED: Final = "[ERASED]"
"""Stands where a value of an erased person stood. No placeholder of a search result looks like it."""


def stored_field(text: str, spans: Sequence[Span], originals: Sequence[str]) -> AnonymizedField:
    """A field as it was sealed. ``originals`` are parallel to ``spans``, from its vault.

    Raises :class:`UnknownFormat` when the span table does not fit the text: sorted, apart, inside.
    """
    position = 0
    for span in spans:
        if not position <= span.start <= span.end <= len(text):
            raise UnknownFormat("A sealed span table does not fit its text.")
        position = span.end
    if len(originals) != len(spans):
        raise UnknownFormat("A vault does not fit the span table of its body.")
    return AnonymizedField(mint_anonymized(text), tuple(spans), tuple(originals))


def to_seal(spans: Sequence[Span], originals: Sequence[str]) -> tuple[str, ...]:
    """What the vault is to hold of these originals: nothing of a value that was dropped."""
    return tuple("" if span.operator == DROP else original for span, original in zip(spans, originals, strict=True))


def originals_in(field: AnonymizedField) -> str:
    """The text before it was anonymized, put together from its spans' originals."""
    pieces: list[str] = []
    position = 0
    for span, original in zip(field.spans, field.originals, strict=True):
        pieces += (field.text.text[position : span.start], original)
        position = span.end
    return "".join([*pieces, field.text.text[position:]])


def without(field: AnonymizedField, tokens: Collection[Token]) -> AnonymizedField:
    """The field without the people of these tokens: ``ERASED`` for their surrogates, no span and no original of them.

    Everybody else's spans and originals stay, moved to where their surrogates now are.
    """
    return without_spans(field, {index for index, span in enumerate(field.spans) if span.token in tokens})


def without_spans(field: AnonymizedField, gone: Collection[int]) -> AnonymizedField:
    """The field without these of its spans, counted from 0; as :func:`without`."""
    pieces: list[str] = []
    spans: list[Span] = []
    originals: list[str] = []
    position = length = 0
    for index, (span, original) in enumerate(zip(field.spans, field.originals, strict=True)):
        kept = field.text.text[position : span.start]
        made = ERASED if index in gone else field.text.text[span.start : span.end]
        length += len(kept)
        if index not in gone:
            spans.append(span.shifted(length - span.start))
            originals.append(original)
        pieces += (kept, made)
        length += len(made)
        position = span.end
    pieces.append(field.text.text[position:])
    return AnonymizedField(mint_anonymized("".join(pieces)), tuple(spans), tuple(originals))


def original_without(field: AnonymizedField, tokens: Collection[Token]) -> str:
    """The text before it was anonymized, with ``ERASED`` for what these people's surrogates stood for."""
    return original_without_spans(field, {index for index, span in enumerate(field.spans) if span.token in tokens})


def original_without_spans(field: AnonymizedField, gone: Collection[int]) -> str:
    """The text before it was anonymized, with ``ERASED`` for what these of its spans stood for."""
    erased = tuple(ERASED if index in gone else original for index, original in enumerate(field.originals))
    return originals_in(AnonymizedField(field.text, field.spans, erased))


def revealed(field: AnonymizedField, tokens: Collection[Token]) -> AnonymizedField:
    """The field as it is to be shown to one of these people: their own originals, everybody else's surrogates.

    What is to be put back lies in ``originals``; the text itself stays anonymized.
    """
    text = field.text.text
    spans = zip(field.spans, field.originals, strict=True)
    shown = tuple(original if span.token in tokens else text[span.start : span.end] for span, original in spans)
    return AnonymizedField(field.text, field.spans, shown)
