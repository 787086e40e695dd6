"""Anonymizing some fields of a record whose others are stored already.

The new texts are treated as they would be in a whole record: people of the other fields count, by their originals out
of the vault. The stored texts keep their surrogates, spans and originals; only people and subjects that the new texts
bring are looked for in what of them stands in clear, because a whole record would have been searched for them too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from securevec.anonymize.document import DocumentNames, mentions, value_of
from securevec.anonymize.engine import Anonymizer
from securevec.anonymize.findings import Finding
from securevec.anonymize.keys import TenantKeys
from securevec.anonymize.resolve import resolve
from securevec.anonymize.written import Reading, placed, read
from securevec.types import AnonymizedField, Span, mint_anonymized


@dataclass(slots=True)
class _People:
    """Who is spoken of, as found."""

    names: list[str] = field(default_factory=list[str])
    emails: list[str] = field(default_factory=list[str])
    subjects: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, value: str, entity: str, *, subject: bool) -> None:
        if subject:
            self.subjects[value] = entity
        if entity == "PERSON":
            self.names.append(value)
        elif entity == "EMAIL":
            self.emails.append(value)

    def document(self) -> DocumentNames:
        return DocumentNames(self.names, emails=self.emails, subjects=self.subjects)


def amend(
    anonymizer: Anonymizer,
    kept: Mapping[str, AnonymizedField],
    texts: Mapping[str, str],
    *,
    new: Collection[str],
    keys: TenantKeys,
    subjects: Collection[str],
) -> dict[str, AnonymizedField]:
    """Every field of the record: those of ``texts`` anonymized now, those of ``kept`` as they were stored.

    ``new`` names the fields of ``texts`` that were not in the record before. An empty original in ``kept`` is one that
    is not known. Raises :class:`DetectorError`.
    """
    found: dict[str, list[Finding]] = {}
    newcomers, everybody = _People(), _People()
    for name, text in texts.items():
        whole = name in subjects
        reading = None if whole else read(text)
        found[name] = anonymizer._whole(text) if whole else anonymizer.findings(text, name)
        for finding in found[name]:
            value = value_of(finding, text, reading)
            everybody.add(value, finding.entity, subject=whole)
            if name in new:
                newcomers.add(value, finding.entity, subject=whole)
    for name, stored in kept.items():
        for span, original in zip(stored.spans, stored.originals, strict=True):
            if original:
                everybody.add(original, span.entity, subject=name in subjects)
    document, arrived = everybody.document(), newcomers.document()
    result: dict[str, AnonymizedField] = {}
    for name, text in texts.items():
        spans = found[name]
        if name not in subjects:
            spans = resolve([*spans, *mentions(document, text, read(text))], text)
        result[name] = anonymizer._replace(text, spans, keys, document, as_it_stands=name in subjects)
    for name, stored in kept.items():
        reading = None if name in subjects else read(stored.text.text)
        added = [] if name in subjects else _beside(stored, mentions(arrived, stored.text.text, reading))
        result[name] = _merged(anonymizer, stored, added, reading, keys, document) if added else stored
    return result


def _beside(stored: AnonymizedField, found: list[Finding]) -> list[Finding]:
    """Findings in what stands in clear: a surrogate that reads like somebody is nobody."""
    clear = [
        finding
        for finding in found
        if all(finding.end <= span.start or span.end <= finding.start for span in stored.spans)
    ]
    return resolve(clear, stored.text.text)


def _merged(
    anonymizer: Anonymizer,
    stored: AnonymizedField,
    added: list[Finding],
    reading: Reading | None,
    keys: TenantKeys,
    document: DocumentNames,
) -> AnonymizedField:
    """The stored field with further values replaced between its spans, which move with the text before them.

    How a replacement is written is settled by all of the text: between two spans of it JSON is no JSON any more.
    """
    text = stored.text.text
    parts = placed(text, added, reading)
    pieces: list[str] = []
    spans: list[Span] = []
    originals: list[str] = []
    length = 0
    for start, end, span, original in _stretches(stored):
        inside = [cut for part in parts if (cut := part.within(start, end)) is not None]
        made = anonymizer._put(text, start, end, inside, keys, document)
        pieces.append(made.text.text)
        spans += [each.shifted(length) for each in made.spans]
        originals += made.originals
        length += len(made.text)
        if span is not None:
            pieces.append(text[span.start : span.end])
            spans.append(span.shifted(length - span.start))
            originals.append(original)
            length += span.end - span.start
    return AnonymizedField(mint_anonymized("".join(pieces)), tuple(spans), tuple(originals))


def _stretches(stored: AnonymizedField) -> Iterator[tuple[int, int, Span | None, str]]:
    """What stands in clear, as ``(start, end)``, each with the span that follows it and its original."""
    position = 0
    for span, original in zip(stored.spans, stored.originals, strict=True):
        yield position, span.start, span, original
        position = span.end
    yield position, len(stored.text), None, ""
