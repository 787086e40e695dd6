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
from securevec.anonymize.rulebook import ACCEPT, CONTEXT_BONUS, RuleBook
from securevec.errors import DetectorError

_SENTINEL: Final = b"\n\x02securevec-sentinel-7d1f\x03"
_DIGITS: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
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

    def across_breaks(self, *, without: Collection[str]) -> PatternScanner:
        """The rules whose values may hold a space, but for those named: for :mod:`securevec.anonymize.wraps`."""
        made = object.__new__(PatternScanner)
        made._compile([rule for rule in self._compiled if rule.spaced and rule.id not in without], self._alphabet)
        return made

    def scan(self, text: str, *, field_name: str = "", across: Across | None = None) -> list[Finding]:
        """Findings in offsets of ``text`` (already folded), unresolved. Raises ``DetectorError`` on engine failure."""
        try:
            data = self._alphabet.encode(text)
            hits = self._set.Match(data + _SENTINEL)
        except Exception as error:
            raise DetectorError("The pattern engine failed; nothing was scanned.") from error
        if not hits or self._sentinel not in hits:
            raise DetectorError("The pattern engine gave up on a text; nothing was scanned.")
        if len(hits) == 1:
            return []
        view = _View(text, data, field_name)
        findings: list[Finding] = []
        hits.sort()
        try:
            for index in hits:
                if index != self._sentinel:
                    _apply(self._compiled[index], view, across, findings)
        except Exception as error:  # noqa: BLE001 - a rule that broke has not been applied
            # The cause is named and not chained: its message may quote the text.
            raise DetectorError(f"A detection rule failed ({type(error).__name__}); nothing was scanned.") from None
        return findings


def _apply(compiled: CompiledRule, view: _View, across: Across | None, findings: list[Finding]) -> None:
    if compiled.keywords and not view.holds(compiled.keywords):
        return
    start_by = None if across is None else across.starts_by
    places = compiled.matches(view.data, view.digits_end, start_by)
    if not places:
        return
    rule, check, text, judged = compiled.rule, compiled.check, view.text, compiled.judged
    context, veto, known = compiled.context, compiled.veto, view.known
    for place in places:
        start, end = place
        if across is not None and not across.covers(start, end):
            continue
        score = rule.score
        if judged:
            around = known.get(place) or view.near(place)
            if context is not None and context.among(around):
                score += CONTEXT_BONUS
            elif veto is not None and veto.among(around):
                score -= CONTEXT_BONUS
        if score >= ACCEPT and (check is None or check(text[start:end])):
            findings.append(Finding(start, end, rule.entity, min(score, 1.0), rule.id, rule.priority))


class _View:
    """A text as the rules see it, and what was made of it for one rule and will do for the next."""

    __slots__ = ("_hint", "_lowered", "data", "digits_end", "known", "text")

    def __init__(self, text: str, data: bytes, field_name: str) -> None:
        self.text = text
        self.data = data
        self._hint = " ".join(_WORDS.split(field_name.lower())) if field_name else ""
        lowered = text.lower()
        if len(lowered) != len(text):
            # A few letters change length in lower case; context offsets would drift.
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
        self._lowered = lowered
        self.digits_end = data.translate(_DIGITS).rfind(b"0") + 1
        self.known: dict[tuple[int, int], Near] = {}

    def holds(self, keywords: tuple[str, ...]) -> bool:
        for word in keywords:  # noqa: SIM110 - a generator costs more than the search
            if word in self._lowered or word in self._hint:
                return True
        return False

    def near(self, place: tuple[int, int]) -> Near:
        """The words around a place, to be asked for once; afterwards they are in ``known``."""
        found = self.known[place] = near(self._lowered, *place, self._hint)
        return found
