"""What was replaced under the tenant's pseudonym key, replaced anew under its newest version, from the originals.

Nothing is detected: the span table says where values stood, of what kind they are and what replaced them, the vault
what they were. Each is written as if the record came from its source today, escaped for its place. What does not depend
on the key stays as it is, to the letter, and so do all tokens and originals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from securevec.anonymize.engine import Anonymizer, replacement
from securevec.anonymize.findings import Finding
from securevec.anonymize.keys import TenantKeys, subject_token
from securevec.anonymize.operators import ENCRYPT, KEYED, encrypted_under, operator_named
from securevec.anonymize.policy import Choice
from securevec.anonymize.stored import originals_in
from securevec.anonymize.written import Part, Reading, placed, read
from securevec.types import AnonymizedField, Span, Token, mint_anonymized


def is_keyed(spans: Collection[Span]) -> bool:
    """Whether any of the values was replaced under the pseudonym key."""
    return any(span.operator in KEYED for span in spans)


def remade(
    anonymizer: Anonymizer,
    fields: Mapping[str, AnonymizedField],
    *,
    keys: TenantKeys,
    subjects: Collection[str],
    names: Mapping[Token, str] | None = None,
) -> dict[str, AnonymizedField]:
    """The fields of one record under these keys. Every keyed value has its original. ``names``: full names by token, of
    people whom the record may name by a part alone. Raises :class:`DetectorError` when an operator fails."""
    parts = {name: _parts(field, as_it_stands=name in subjects) for name, field in fields.items()}
    people = dict(names or {})
    for name, field in fields.items():
        people |= _full_names(field, parts[name], keys)
    return {name: _put(anonymizer, field, parts[name], keys, people) for name, field in fields.items()}


def nameless(fields: Mapping[str, AnonymizedField], *, keys: TenantKeys, subjects: Collection[str]) -> set[Token]:
    """The people whom the record names by a part of their name alone, so that it does not say what they are called."""
    met = {
        span.token
        for field in fields.values()
        for span in field.spans
        if span.entity == "PERSON" and span.operator == "surrogate"
    }
    return met - full_names(fields, keys=keys, subjects=subjects).keys()


def full_names(
    fields: Mapping[str, AnonymizedField], *, keys: TenantKeys, subjects: Collection[str]
) -> dict[Token, str]:
    """What the people of the record are called, by token."""
    found: dict[Token, str] = {}
    for name, field in fields.items():
        found |= _full_names(field, _parts(field, as_it_stands=name in subjects), keys)
    return found


def _full_names(field: AnonymizedField, parts: Mapping[int, Part], keys: TenantKeys) -> dict[Token, str]:
    return {
        field.spans[number].token: part.value
        for number, part in parts.items()
        if part.finding.entity == "PERSON" and subject_token(keys, "PERSON", part.value) == field.spans[number].token
    }


def _parts(field: AnonymizedField, *, as_it_stands: bool) -> dict[int, Part]:
    """By number of the span, what each keyed value of the field stood for, and how it is written there."""
    if not is_keyed(field.spans):
        return {}
    text = originals_in(field)
    reading = None if as_it_stands else read(text)
    found: dict[int, Part] = {}
    stood = _ranges(field)
    for group in _groups(field):
        ranges = [stood[number] for number in group]
        span = field.spans[group[0]]
        finding = Finding(ranges[0][0], ranges[-1][1], span.entity, 1.0, span.rule, 0)
        parts = placed(text, [finding], reading)
        if [(part.start, part.end) for part in parts] != ranges:
            # Other values of the text decided how this one was cut: it is read alone, and written as it is.
            value = _value(text, finding.start, finding.end, reading)
            parts = [Part(*each, value, finding, None, rest=number > 0) for number, each in enumerate(ranges)]
        found |= dict(zip(group, parts, strict=True))
    return found


def _groups(field: AnonymizedField) -> Iterator[list[int]]:
    """The numbers of the spans of each keyed value: what goes on behind a tag is empty, and the same value."""
    group: list[int] = []
    for number, span in enumerate(field.spans):
        if group and span.operator in KEYED and span.start == span.end and field.spans[group[-1]].token == span.token:
            group.append(number)
            continue
        if group:
            yield group
        group = [number] if span.operator in KEYED else []
    if group:
        yield group


def _ranges(field: AnonymizedField) -> list[tuple[int, int]]:
    """Where the spans' values stood in the text before it was anonymized."""
    ranges: list[tuple[int, int]] = []
    grown = 0
    for span, original in zip(field.spans, field.originals, strict=True):
        start = span.start + grown
        ranges.append((start, start + len(original)))
        grown = start + len(original) - span.end
    return ranges


def _value(text: str, start: int, end: int, reading: Reading | None) -> str:
    return text[start:end] if reading is None else reading.value(start, end)


def _put(
    anonymizer: Anonymizer,
    field: AnonymizedField,
    parts: Mapping[int, Part],
    keys: TenantKeys,
    people: Mapping[Token, str],
) -> AnonymizedField:
    """The field with these of its values written anew; its other spans move with the text before them."""
    if not parts:
        return field
    text = field.text.text
    pieces: list[str] = []
    spans: list[Span] = []
    position = length = 0
    for number, span in enumerate(field.spans):
        kept, stands = text[position : span.start], text[span.start : span.end]
        made = _made(anonymizer, span, stands, parts[number], keys, people) if number in parts else stands
        start = length + len(kept)
        spans.append(replace(span, start=start, end=start + len(made)))
        pieces += (kept, made)
        length = start + len(made)
        position = span.end
    pieces.append(text[position:])
    return AnonymizedField(mint_anonymized("".join(pieces)), tuple(spans), field.originals)


def _made(
    anonymizer: Anonymizer, span: Span, stands: str, part: Part, keys: TenantKeys, people: Mapping[Token, str]
) -> str:
    if part.rest:
        return ""
    if span.operator == ENCRYPT and encrypted_under(keys.pseudonym, stands, part.value):
        return stands
    identity = people.get(span.token) if span.entity == "PERSON" else None
    if subject_token(keys, span.entity, part.value) == span.token:
        identity = None
    made = replacement(_choice(anonymizer, span, stands), span.entity, part.value, identity, keys)
    return part.encode(made) if part.encode is not None else made


def _choice(anonymizer: Anonymizer, span: Span, stands: str) -> Choice:
    """The operator that replaced the value, with the policy's parameters while it is the policy's still."""
    choice = anonymizer.policy.choice(span.entity)
    if choice.name == span.operator:
        return choice
    params = {"letters": len(stands.rpartition(" ")[2])} if span.operator == "token" else {}
    return Choice(span.operator, params, operator_named(span.operator))
