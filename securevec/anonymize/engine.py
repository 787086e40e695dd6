"""The anonymizer: text in, :class:`~securevec.types.AnonymizedField` out. The only holder of the mint.

Detection, then replacement span by span from left to right. Offsets of the span table are those of the new text, and
originals are kept beside it, so that the vault restores by position and never by searching for a string.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from securevec.anonymize.ahead import NOTHING, Found, Text
from securevec.anonymize.detectors import BuiltinDetector, checked, default_detector, digest_of
from securevec.anonymize.document import DocumentNames, mentions, value_of
from securevec.anonymize.findings import Detector, Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.keys import TenantKeys, subject_token
from securevec.anonymize.known.name_parts import KNOWN_PART, KnownParts, Met, NamePart, name_parts, people_met
from securevec.anonymize.known.words import KNOWN_PRIORITY, known_by_one_word, known_values, query_words
from securevec.anonymize.operators import operator_named
from securevec.anonymize.policy import OWN_IDS, Choice, OperatorPolicy
from securevec.anonymize.resolve import resolve
from securevec.anonymize.rules.heads import label_of
from securevec.anonymize.surrogates.stream import recase
from securevec.anonymize.surrogates.values import person_parts
from securevec.anonymize.written import Part, placed, read
from securevec.errors import DetectorError, QueryError
from securevec.limits import MAX_QUERY_BYTES
from securevec.types import AnonymizedField, AnonymizedText, Span, mint_anonymized

_WORDS_ALONE: Final = frozenset({"PERSON", "LOCATION", "ORG", "ADDRESS"})
"""Told by their surroundings, which a declared subject's value does not have: Victoria Lake is a name there."""
_SHORT: Final = 64
_REMEMBERED: Final = 4096
_NO_STAND_INS: Final[Mapping[tuple[int, int], str]] = {}


def _no_parts(tokens: Sequence[bytes]) -> Mapping[bytes, Mapping[bytes, str]]:
    """For callers that keep no parts of names."""
    del tokens
    return {}


class Anonymizer:
    """Thread-safe, and immutable but for what it remembers. One per store."""

    def __init__(self, *, detector: Detector | None = None, policy: OperatorPolicy | None = None) -> None:
        self._detector: Detector = detector or default_detector()
        self._policy = policy or OperatorPolicy.from_mapping({})
        self._clean: set[tuple[str, str]] = set()

    @property
    def digest(self) -> str:
        """Hex SHA-256 of detector version, rules and name lists."""
        return digest_of(self._detector)

    @property
    def policy_digest(self) -> str:
        """Hex SHA-256 of the operator policy."""
        return self._policy.digest

    @property
    def needs_vault(self) -> bool:
        """Whether the operator policy promises that originals can be read again."""
        return self._policy.needs_vault

    @property
    def detector(self) -> Detector:
        return self._detector

    @property
    def policy(self) -> OperatorPolicy:
        return self._policy

    def findings(self, text: str, field_name: str = "", ahead: Found = NOTHING) -> list[Finding]:
        """What would be replaced in ``text``. For callers that refuse personal data in a value they keep clear.

        ``ahead``: what this detector found already, in a process of its own.
        """
        known = ahead.get((field_name, text))
        found = resolve(checked(self._detector, text, field_name) if known is None else known, text)
        kept = {entity for entity in {finding.entity for finding in found} if self._policy.keeps(entity)}
        return [finding for finding in found if finding.entity not in kept] if kept else found

    def texts_in_clear(self, value: str, field_name: str) -> Iterator[Text]:
        """What :meth:`findings_in_clear` is going to ask the detector first."""
        if (field_name, value) not in self._clean:
            yield ("" if _holds_own_ids(field_name) else field_name), value

    def findings_in_clear(self, value: str, field_name: str, ahead: Found = NOTHING) -> list[Finding]:
        """:meth:`findings` in a value that a store is to read, without ids that whoever declared the field gave out: in
        a field for them (``customer_id``, ``case_id``), and where only the field's name says that they are some.

        Such values repeat, and one without any is remembered. Only of the built-in detector, which says the same again,
        and only values in which it found nothing.
        """
        if (field_name, value) in self._clean:
            return []
        if _holds_own_ids(field_name):
            found = [finding for finding in self.findings(value, ahead=ahead) if finding.entity not in OWN_IDS]
        else:
            found = self.findings(value, field_name, ahead)
            if found and all(finding.entity in OWN_IDS for finding in found):
                found = self.findings(value)
        if not found and len(value) <= _SHORT and type(self._detector) is BuiltinDetector:
            if len(self._clean) >= _REMEMBERED:
                self._clean = set()
            self._clean.add((field_name, value))
        return found

    def subject_entity(self, value: str, ahead: Found = NOTHING) -> str:
        """The entity under which a declared subject's value is tokenized. Depends on nothing but the value."""
        stripped = value.strip()
        for finding in self.findings(stripped, ahead=ahead):
            if finding.entity not in _WORDS_ALONE and (finding.start, finding.end) == (0, len(stripped)):
                return finding.entity
        from securevec.anonymize.names.context import looks_like_name  # with the first one, like the detector's

        return "PERSON" if looks_like_name(stripped) else "SUBJECT_ID"

    def field(
        self,
        text: str,
        *,
        keys: TenantKeys,
        field_name: str = "",
        whole: str | None = None,
        document: DocumentNames | None = None,
    ) -> AnonymizedField:
        """Anonymize one field. ``whole``: a declared subject, replaced as one span whatever it holds.

        Raises ``DetectorError`` when the detector or an operator fails; then nothing of the text may be used.
        """
        if whole is not None:
            return self._replace(text, self._whole(text), keys, document, as_it_stands=True)
        found = self.findings(text, field_name)
        if document is not None:
            found = resolve([*found, *mentions(document, text, read(text))], text)
        return self._replace(text, found, keys, document)

    def texts(self, fields: Mapping[str, str], *, subjects: Collection[str]) -> Iterator[Text]:
        """What :meth:`record` is going to ask the detector."""
        for name, text in fields.items():
            yield ("", text.strip()) if name in subjects else (name, text)

    def read(self, texts: Iterable[Text], ahead: Found) -> Found:
        """What the built-in detector finds in these texts, all of them together where it was not found ahead.

        A text it refuses is left out, to be refused in its record; so are all of them when reading them together fails.
        """
        detector = self._detector
        if type(detector) is not BuiltinDetector:
            return ahead
        wanted = [text for text in dict.fromkeys(texts) if text not in ahead]
        try:
            read = detector.detect_each(wanted)
        except Exception:  # noqa: BLE001 - each text is then read alone, which names the failure without the text
            return ahead
        return {**ahead, **{text: found for text, found in zip(wanted, read, strict=True) if found is not None}}

    def record(
        self, fields: Mapping[str, str], *, keys: TenantKeys, subjects: Collection[str], ahead: Found = NOTHING
    ) -> dict[str, AnonymizedField]:
        """Anonymize the fields of one record together; ``subjects`` names the fields declared as ``Subject``."""
        found: dict[str, list[Finding]] = {}
        readings = {name: None if name in subjects else read(text) for name, text in fields.items()}
        people: list[str] = []
        emails: list[str] = []
        declared: dict[str, str] = {}
        codes: dict[str, str] = {}
        for name, text in fields.items():
            found[name] = self._whole(text, ahead) if name in subjects else self.findings(text, name, ahead)
            for finding in found[name]:
                value = value_of(finding, text, readings[name])
                if name in subjects:
                    declared[value] = finding.entity
                if finding.entity == "PERSON":
                    people.append(value)
                elif finding.entity == "EMAIL":
                    emails.append(value)
                else:
                    codes[value] = finding.entity
        document = DocumentNames(people, emails=emails, subjects=declared, codes=codes)
        result: dict[str, AnonymizedField] = {}
        for name, text in fields.items():
            spans = found[name]
            if name not in subjects:
                spans = resolve([*spans, *mentions(document, text, readings[name])], text)
            result[name] = self._replace(text, spans, keys, document, as_it_stands=name in subjects)
        return result

    def query(
        self,
        text: str,
        *,
        keys: TenantKeys,
        known: Callable[[Sequence[bytes]], Mapping[bytes, str]],
        parts: KnownParts = _no_parts,
    ) -> tuple[AnonymizedText, Counter[str]]:
        """Anonymize a query as the records were: the detector's findings, and whatever the tenant already knows.

        One to four neighbouring words are looked up among the tenant's subject tokens through ``known`` (one call),
        so a name no detector would see in a query still meets its surrogate; parts of known names, and slips in them,
        are looked up through ``parts`` (at most two calls). Raises ``QueryError`` above ``MAX_QUERY_BYTES``,
        ``DetectorError`` when detection fails. The counter is by entity.
        """
        if len(text.encode(errors="replace")) > MAX_QUERY_BYTES:
            raise QueryError("The query is too long.", next_step=f"At most {MAX_QUERY_BYTES} bytes.")
        found = self.findings(text)
        words = query_words(text)
        found = resolve([*found, *known_values(text, words, found, keys, known)], text)
        met = people_met(text, words, found, keys=keys, known=parts)
        # A surname that also stood alone somewhere is known twice; the person with a full name is meant.
        found = [f for f in found if not (known_by_one_word(text, f) and _inside(f, met))]
        found = resolve([*found, *(person.finding for person in met)], text)
        people = [text[f.start : f.end] for f in found if f.entity == "PERSON"]
        stand_ins = {(m.finding.start, m.finding.end): m.stand_in for m in met if m.stand_in}
        done = self._replace(text, found, keys, DocumentNames(people), stand_ins)
        return done.text, Counter(span.entity for span in done.spans)

    def name_parts(self, fields: Iterable[AnonymizedField], *, keys: TenantKeys) -> frozenset[NamePart]:
        """The parts of the full names that the fields carried, to be met again by :meth:`query`."""
        return name_parts(fields, keys, surrogates=self._policy.choice("PERSON").name == "surrogate")

    def _whole(self, text: str, ahead: Found = NOTHING) -> list[Finding]:
        stripped = text.strip()
        if not stripped:
            return []
        start = text.index(stripped)
        entity = self.subject_entity(stripped, ahead)
        return [Finding(start, start + len(stripped), entity, 1.0, "subject", KNOWN_PRIORITY)]

    def _replace(
        self,
        text: str,
        found: Iterable[Finding],
        keys: TenantKeys,
        document: DocumentNames | None,
        stand_ins: Mapping[tuple[int, int], str] = _NO_STAND_INS,
        *,
        as_it_stands: bool = False,
    ) -> AnonymizedField:
        """``as_it_stands``: a declared value, which is that of its characters, whatever they might be read as."""
        ordered = list(found)
        if any(later.start < earlier.end for earlier, later in pairwise(ordered)):
            raise DetectorError("The detector answered with overlapping findings.")
        parts = placed(text, ordered, read(text) if ordered and not as_it_stands else None)
        return self._put(text, 0, len(text), parts, keys, document, stand_ins)

    def _put(
        self,
        text: str,
        position: int,
        end: int,
        parts: Iterable[Part],
        keys: TenantKeys,
        document: DocumentNames | None,
        stand_ins: Mapping[tuple[int, int], str] = _NO_STAND_INS,
    ) -> AnonymizedField:
        """The text from ``position`` to ``end`` with these parts of it replaced; its spans count from there."""
        pieces: list[str] = []
        spans: list[Span] = []
        originals: list[str] = []
        length = 0
        for part in parts:
            finding, value = part.finding, part.value
            kept = text[position : part.start]
            choice = self._policy.choice(finding.entity)
            identity = document.identity(value) if document is not None and finding.entity == "PERSON" else None
            token = subject_token(keys, finding.entity, identity or value)
            stand_in = stand_ins.get((finding.start, finding.end)) if finding.rule == KNOWN_PART else None
            if part.rest:
                made = ""
            elif stand_in is not None and choice.name == "surrogate":
                made = stand_in
            else:
                made = replacement(choice, finding.entity, value, identity, keys)
            if part.encode is not None:
                made = part.encode(made)
            start = length + len(kept)
            spans.append(Span(start, start + len(made), finding.entity, token, choice.name, finding.rule))
            originals.append(text[part.start : part.end])
            pieces += (kept, made)
            length = start + len(made)
            position = part.end
        pieces.append(text[position:end])
        return AnonymizedField(mint_anonymized("".join(pieces)), tuple(spans), tuple(originals))


def replacement(choice: Choice, entity: str, value: str, identity: str | None, keys: TenantKeys) -> str:
    """What is written for a value, before it is escaped for its place. ``identity``: the full name of the person whom
    the value names by a part."""
    if identity is not None and choice.name == "surrogate":
        return _part_of(identity, value, keys)
    given = {"entity": entity, "key": keys.pseudonym, "begun": keys.naming_hash}
    return choice.operator.operate(value, {**choice.params, **given})


def _part_of(identity: str, value: str, keys: TenantKeys) -> str:
    """The piece of a full name's surrogate that a shorter mention gets: given name, surname, or all of it."""
    first, last = person_parts(keys.naming_hash, identity)
    words = value.split()
    if len(words) > 1:
        return recase(f"{first} {last}", value)
    leading = lookup_key(identity.split()[0].strip(",.")) == lookup_key(value)
    made = recase(first if leading else last, value)
    return (
        made
        if lookup_key(made) != lookup_key(value)
        else operator_named("tag").operate(value, {"entity": "PERSON", "key": keys.pseudonym})
    )


def _holds_own_ids(field_name: str) -> bool:
    """Whether a field's name says that it holds ids which whoever declared it gave out."""
    label = label_of(field_name)
    return label is not None and label.entity in OWN_IDS


def _inside(finding: Finding, met: Iterable[Met]) -> bool:
    return any(m.stand_in and m.finding.start <= finding.start and finding.end <= m.finding.end for m in met)
