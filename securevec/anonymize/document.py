"""What one record says about people, so that every field of it is treated alike.

Once "Jane Smith" was seen anywhere in a record, a bare "Smith" or "Jane" in any of its fields is her: same token, and
the matching half of the same surrogate. A local part such as ``jane.smith@`` confirms names the same way. A number that
was recognized by the words beside it ("complaint CMP-2026-4711") is recognized without them anywhere in the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.findings import PERSON_PRIORITY, Finding, mapped
from securevec.anonymize.fold import Folded, fold, lookup_key
from securevec.anonymize.keys import normalize
from securevec.anonymize.names.scripts.gate import scripts_in
from securevec.anonymize.names.scripts.mentions import mentions_in, parts_of
from securevec.anonymize.names.words import ANY_WORD, any_word, opens_sentence, without_possessive
from securevec.anonymize.written import Reading, spoken

_LOCAL: Final = re.compile(r"[^\W\d_]+")
_ROLES: Final = frozenset(
    [
        "info",
        "support",
        "help",
        "sales",
        "admin",
        "office",
        "contact",
        "mail",
        "team",
        "service",
        "billing",
        "hello",
        "noreply",
        "reply",
        "no",
        "accounts",
        "desk",
        "care",
        "patient",
        "patients",
        "reception",
        "press",
        "jobs",
        "hr",
        "it",
        "web",
        "root",
        "postmaster",
        "webmaster",
        "abuse",
        "news",
        "letter",
        "user",
        "test",
    ]
)
_CODE: Final = re.compile(r"[^\W_]+(?:[\-/.][^\W_]+)*")
_CODE_PRIORITY: Final = 59
_CODED: Final = frozenset(
    [
        "BANK_ACCOUNT",
        "SORT_CODE",
        "ROUTING_NUMBER",
        "CUSTOMER_ID",
        "CASE_NUMBER",
        "MRN",
        "MEMBER_ID",
        "PASSPORT",
        "DRIVER_LICENSE",
        "BIC",
    ]
)
"""Entities that mostly their neighbourhood tells; values of others are recognized alone."""

_SUBJECT_PRIORITY: Final = 92
"""A declared subject is certain; only a private key that happens to contain it outranks it."""


class DocumentNames:
    """Names of one record. Immutable after construction."""

    __slots__ = ("_codes", "_full", "_owners", "_parts", "_scripted", "_subjects")

    def __init__(
        self,
        people: Iterable[str] = (),
        *,
        emails: Iterable[str] = (),
        subjects: Mapping[str, str] | None = None,
        codes: Mapping[str, str] | None = None,
    ) -> None:
        """``people``: names as found; ``emails``: addresses as found; ``subjects``: declared value to entity;

        ``codes``: any other value as found, to its entity.
        """
        self._codes = {
            value.upper(): entity
            for value, entity in (codes or {}).items()
            if entity in _CODED and sum(map(str.isdigit, value)) >= 4 and _CODE.fullmatch(value)
        }
        self._parts: set[str] = set()
        self._full: dict[str, str] = {}
        self._owners: dict[str, set[str]] = {}
        # A subject called Will or Mark is left to the word rules: as a plain string it would match prose.
        self._subjects = {
            value.strip(): entity
            for value, entity in (subjects or {}).items()
            if len(value.strip()) >= 4 and (entity != "PERSON" or len(value.split()) > 1)
        }
        self._scripted: set[str] = set()
        for name in people:
            if not name.isascii() and scripts_in(name):
                self._scripted.update(parts_of(fold(name, skeleton=False).text))
            keys = [key for key in map(lookup_key, words_of_name(name)) if meaningful(key)]
            self._parts.update(key for key in keys if key.isascii() or not scripts_in(key))
            if len(keys) > 1:
                identity = normalize("PERSON", name)
                self._full[identity] = name
                for key in keys:
                    self._owners.setdefault(key, set()).add(identity)
        for address in emails:
            words = [word.lower() for word in _LOCAL.findall(address.rpartition("@")[0])]
            if len(words) > 1 and not set(words) & _ROLES:
                self._parts.update(word for word in words if len(word) > 2)

    def identity(self, value: str) -> str | None:
        """The one full name of the record that a shorter mention belongs to, or None."""
        keys = [lookup_key(word) for word in words_of_name(value)]
        if not keys or normalize("PERSON", value) in self._full:
            return None
        owners = set.intersection(*(self._owners.get(key, set()) for key in keys))
        return self._full[owners.pop()] if len(owners) == 1 else None

    def find(self, text: str) -> list[Finding]:
        """Mentions of the record's people and subjects in ``text``, in its offsets."""
        found = [*self._find_subjects(text), *self._find_codes(text)]
        if not self._parts and not self._scripted:
            return found
        plain = fold(text, skeleton=False)
        body = plain.text
        if self._scripted and not body.isascii():
            found += [
                Finding(start, end, "PERSON", 0.8, "name-record", PERSON_PRIORITY)
                for start, end in mentions_in(body, self._scripted)
            ]
        if not self._parts:
            return self._placed(found, plain)
        previous: Finding | None = None
        for match in self._words(body):
            word = without_possessive(match.group())
            if lookup_key(word) not in self._parts or not _mention(body, match.start(), word):
                continue
            start, end = match.start(), match.start() + len(word)
            if previous is not None and body[previous.end : start] in {" ", ". "}:
                found.pop()
                start = previous.start
            previous = Finding(start, end, "PERSON", 0.8, "name-record", PERSON_PRIORITY)
            found.append(previous)
        return found if text.isascii() else self._placed(found, plain)

    @staticmethod
    def _placed(found: list[Finding], plain: Folded) -> list[Finding]:
        """Names in offsets of the text, as the others are."""
        named = [f for f in found if f.rule == "name-record"]
        return [f for f in found if f.rule != "name-record"] + mapped(named, plain)

    def _words(self, body: str) -> Iterable[re.Match[str]]:
        """The words of a folded text that may be a part, in order: where plain string search finds one in ASCII.

        An apostrophe is left out of what is looked up, and it and a hyphen join words: where either may matter, all
        words are gone through.
        """
        pattern = any_word(body)
        everything = pattern.finditer(body)
        if not body.isascii():
            return everything
        lowered = body.lower()
        squeezed = lowered.replace("'", "")
        starts: set[int] = set()
        for part in self._parts:
            if len(squeezed) != len(lowered) and squeezed.count(part) != lowered.count(part):
                return everything
            at = lowered.find(part)
            while at >= 0:
                if at and lowered[at - 1] in "-'":
                    return everything
                starts.add(at)
                at = lowered.find(part, at + 1)
        return [match for at in sorted(starts) if (match := pattern.match(body, at)) is not None]

    def _find_codes(self, text: str) -> list[Finding]:
        """Whole words that are a number of the record. One pass, whatever the number of values."""
        if not self._codes:
            return []
        return [
            Finding(match.start(), match.end(), entity, 0.8, "code-record", _CODE_PRIORITY)
            for match in _CODE.finditer(text)
            if (entity := self._codes.get(match.group().upper())) is not None
        ]

    def _find_subjects(self, text: str) -> list[Finding]:
        """Whole occurrences of declared values, in any casing. Plain string search: values differ with every record."""
        found: list[Finding] = []
        lowered = text.lower()
        body = lowered if len(lowered) == len(text) else text
        for value, entity in self._subjects.items():
            wanted = value.lower() if body is lowered else value
            start = body.find(wanted)
            while start >= 0:
                end = start + len(wanted)
                if not body[start - 1 : start].isalnum() and not body[end : end + 1].isalnum():
                    found.append(Finding(start, end, entity, 1.0, "subject", _SUBJECT_PRIORITY))
                start = body.find(wanted, end)
        return found


def mentions(document: DocumentNames, text: str, reading: Reading | None) -> list[Finding]:
    """:meth:`DocumentNames.find` in the text, and in what it reads as."""
    found = document.find(text)
    if reading is None:
        return found
    found = [reading.whole_escapes(finding) for finding in found]
    return found + [view.mapped(finding) for view in reading.views for finding in document.find(view.text)]


def value_of(finding: Finding, text: str, reading: Reading | None) -> str:
    """What a finding's characters stand for."""
    return text[finding.start : finding.end] if reading is None else spoken(finding.start, finding.end, reading)


def words_of_name(name: str) -> list[str]:
    plain = fold(name, skeleton=False).text
    if not plain.isascii() and scripts_in(plain):
        # Vowel signs of Indic scripts and Thai are no letters to a pattern: they would cut every word.
        return plain.split()
    return [without_possessive(match.group()) for match in ANY_WORD.finditer(plain)]


def meaningful(key: str) -> bool:
    """Not an initial, a title or a particle: nothing that stands in other people's names and in prose."""
    lists = lexicon.names()
    return len(key) > 1 and key not in lists.titles and key not in lists.particles and key not in lexicon.SUFFIXES


def _mention(text: str, start: int, word: str) -> bool:
    """A part of a name that is also a common word counts only with a capital inside a sentence."""
    lists = lexicon.names()
    key = lookup_key(word)
    common = key in lists.stops or key in lists.given_ambiguous or key in lists.surnames_ambiguous or key in lists.verbs
    if word[0].isupper():
        return not common or not opens_sentence(text, start) or word.isupper()
    return not common and len(key) >= 4
