"""Structured values: one RE2 set says which rules occur, RE2 finds where, validators and context words decide.

RE2 matches in time linear in the text, so no text can stall the scan. A sentinel is appended to every text and its
rule must be among the hits: if the engine ever gave up silently (for want of memory, say), the sentinel would be
missing and the scan raises instead of reporting "nothing found".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

import re2

from securevec.anonymize.alphabet import Alphabet
from securevec.anonymize.findings import Finding
from securevec.anonymize.matching import CompiledRule, byte_options
from securevec.anonymize.nearby import Near, near
from securevec.anonymize.rule_factors import Factors
from securevec.anonymize.rulebook import ACCEPT, CONTEXT_BONUS, RuleBook, engine_options
from securevec.errors import DetectorError

_SENTINEL: Final = b"\n\x02securevec-sentinel-7d1f\x03"
_DIGITS: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_FEW: Final = 3
"""Rules that are tried at once; of more it is asked first which occur."""
_WORDS: Final = re.compile(r"[^a-z0-9]+")


class Across(NamedTuple):
    """Only values that begin at ``starts_by`` at the latest and end at ``ends_from`` at the earliest."""

    starts_by: int
    ends_from: int

    def covers(self, start: int, end: int) -> bool:
        return start <= self.starts_by and end >= self.ends_from


class PatternScanner:
    """Compiled rules. Immutable after construction, safe for threads."""

    def __init__(self, book: RuleBook) -> None:
        alphabet = Alphabet(rule.regex for rule in book.rules)
        self._compile([CompiledRule(rule, alphabet) for rule in book.rules], alphabet)

    def _compile(self, rules: Sequence[CompiledRule], alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._set: Any = re2.Set.SearchSet(byte_options())
        for compiled in rules:
            self._set.Add(compiled.regex)
        self._sentinel: int = self._set.Add(_SENTINEL)
        self._set.Compile()
        self._compiled = tuple(rules)
        self._needy = {number: place for place, number in enumerate(n for n, rule in enumerate(rules) if rule.needy)}
        self._words: Any = re2.Set.SearchSet(engine_options())
        for number in self._needy:
            self._words.Add("|".join(map(re.escape, rules[number].words)).encode())
        self._words.Add(_SENTINEL)
        self._words.Compile()

    def across_breaks(self, *, without: Collection[str]) -> AcrossScanner:
        """The rules whose values may hold a space, but for those named."""
        kept = [rule for rule in self._compiled if rule.spaced and rule.id not in without]
        return AcrossScanner(kept, self._alphabet)

    def scan(self, text: str, *, field_name: str = "") -> list[Finding]:
        """Findings in offsets of ``text`` (already folded), unresolved. Raises ``DetectorError`` on engine failure."""
        data, hits = self._occurring(text)
        if len(hits) == 1:
            return []
        hits.sort()
        hits.remove(self._sentinel)
        return self._applied(hits, text, data, field_name, None)

    def _occurring(self, text: str) -> tuple[bytes, list[int]]:
        """The text's bytes, and the rules that occur in them, the sentinel among them."""
        try:
            data = self._alphabet.encode(text)
            hits: list[int] = self._set.Match(data + _SENTINEL)
        except Exception as error:
            raise DetectorError("The pattern engine failed; nothing was scanned.") from error
        if not hits or self._sentinel not in hits:
            raise DetectorError("The pattern engine gave up on a text; nothing was scanned.")
        return data, hits

    def _applied(
        self, rules: list[int], text: str, data: bytes, field_name: str, across: Across | None
    ) -> list[Finding]:
        view = _View(text, data, field_name)
        findings: list[Finding] = []
        try:
            for index in self._spoken_of(rules, view):
                _apply(self._compiled[index], view, across, findings)
        except Exception as error:  # noqa: BLE001 - a rule that broke has not been applied
            # The cause is named and not chained: its message may quote the text.
            raise DetectorError(f"A detection rule failed ({type(error).__name__}); nothing was scanned.") from None
        return findings

    def _spoken_of(self, rules: list[int], view: _View) -> list[int]:
        """The rules without those that need a word near their value and have none of theirs anywhere in the text."""
        needy = self._needy
        if needy.keys().isdisjoint(rules):
            return rules
        spoken = self._words.Match(view.words() + _SENTINEL)
        if not spoken or len(needy) not in spoken:
            raise DetectorError("The pattern engine gave up on a text; nothing was scanned.")
        hint = view.hint_words
        return [
            index
            for index in rules
            # A phrase may begin in the name of the field and end where the words around a value begin.
            if index not in needy or needy[index] in spoken or not self._compiled[index].heads.isdisjoint(hint)
        ]


class AcrossScanner(PatternScanner):
    """Rules for values that lie across a place in a short text, many such texts at a time."""

    def __init__(self, rules: Sequence[CompiledRule], alphabet: Alphabet) -> None:
        self._compile(rules, alphabet)
        self._factors = Factors((rule.narrow, rule.group) for rule in rules)
        self._edged = frozenset(number for number, rule in enumerate(rules) if rule.edged)

    def scan_each(self, texts: Sequence[tuple[str, Across]]) -> list[list[Finding]]:
        """Of each text what :meth:`scan` finds there and its ``Across`` covers. Raises ``DetectorError``.

        A rule that occurs in a text also occurs where all of them stand below each other, unless it says where a text
        begins or ends; and its value holds the signs that every covering one does.
        """
        found: list[list[Finding]] = [[] for _ in texts]
        able = [self._factors.holders(text[across.starts_by : across.ends_from]) for text, across in texts]
        asked = [number for number, rules in enumerate(able) if rules]
        if not asked:
            return found
        together = len(asked) > 1
        occurring = self._edged
        if together:
            lines = "\n".join([texts[number][0] for number in asked])
            occurring = occurring.union(self._occurring(lines)[1])
        for number in asked:
            text, across = texts[number]
            rules = able[number] & occurring if together else able[number]
            if together and len(rules) <= _FEW:
                data = self._alphabet.encode(text)
            else:
                data, hits = self._occurring(text)
                rules = rules.intersection(hits)
            if rules:
                found[number] = self._applied(sorted(rules), text, data, "", across)
        return found


def _apply(compiled: CompiledRule, view: _View, across: Across | None, findings: list[Finding]) -> None:
    if compiled.never or (compiled.keywords and not view.holds(compiled.keywords)):
        return
    places = compiled.matches(view.data, view.digits_end, None if across is None else across.starts_by)
    if not places:
        return
    entity, own, priority, check, text = compiled.entity, compiled.score, compiled.priority, compiled.check, view.text
    if not compiled.judged:
        for start, end in places:
            if (across is None or across.covers(start, end)) and (check is None or check(text[start:end])):
                findings.append(Finding(start, end, entity, own, compiled.id, priority))
        return
    context, veto, known = compiled.context, compiled.veto, view.known
    for place in places:
        start, end = place
        if across is not None and not across.covers(start, end):
            continue
        around = known.get(place) or view.near(place)
        score = own
        if context is not None and context.among(around):
            score = own + CONTEXT_BONUS
        elif veto is not None and veto.among(around):
            score = own - CONTEXT_BONUS
        if score >= ACCEPT and (check is None or check(text[start:end])):
            findings.append(Finding(start, end, entity, min(score, 1.0), compiled.id, priority))


class _View:
    """A text as the rules see it, and what was made of it for one rule and will do for the next."""

    __slots__ = ("_hint", "_lowered", "data", "digits_end", "known", "text")

    def __init__(self, text: str, data: bytes, field_name: str) -> None:
        self.text = text
        self.data = data
        self._hint = " ".join(_WORDS.split(field_name.lower())) if field_name else ""
        self._lowered = ""
        self.digits_end = data.translate(_DIGITS).rfind(b"0") + 1
        self.known: dict[tuple[int, int], Near] = {}

    def holds(self, keywords: tuple[str, ...]) -> bool:
        lowered = self._lowered or self._lower()
        for word in keywords:  # noqa: SIM110 - a generator costs more than the search
            if word in lowered or word in self._hint:
                return True
        return False

    def near(self, place: tuple[int, int]) -> Near:
        """The words around a place, to be asked for once; afterwards they are in ``known``."""
        found = self.known[place] = near(self._lowered or self._lower(), *place, self._hint)
        return found

    @property
    def hint_words(self) -> list[str]:
        return self._hint.split()

    def words(self) -> bytes:
        """All that :func:`near` may be given a part of."""
        return f"{self._hint} {self._lowered or self._lower()}".encode()

    def _lower(self) -> str:
        """The text in lower case, for context words and keywords; many texts need neither."""
        lowered = self.text.lower()
        if len(lowered) != len(self.text):
            # A few letters change length in lower case; context offsets would drift.
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in self.text)
        self._lowered = lowered
        return lowered
