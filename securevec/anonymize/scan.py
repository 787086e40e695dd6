"""Structured values: one RE2 set says which rules occur, RE2 finds where, validators and context words decide.

RE2 matches in time linear in the text, so no text can stall the scan. A sentinel is appended to every text and its
rule must be among the hits: if the engine ever gave up silently (for want of memory, say), the sentinel would be
missing and the scan raises instead of reporting "nothing found".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from securevec.anonymize.findings import Finding
from securevec.anonymize.rulebook import ACCEPT, CONTEXT_BONUS, Rule, RuleBook, engine_options
from securevec.anonymize.validators import EXTENTS, VALIDATORS
from securevec.errors import DetectorError

_SENTINEL: Final = b"\n\x02securevec-sentinel-7d1f\x03"
_BEFORE: Final = 56
_AFTER: Final = 32
_WORDS: Final = re.compile(r"[^a-z0-9]+")


class PatternScanner:
    """Compiled rules. Immutable after construction, safe for threads."""

    def __init__(self, book: RuleBook) -> None:
        self._rules = book.rules
        self._set: Any = re2.Set.SearchSet(engine_options())
        for rule in self._rules:
            self._set.Add(rule.regex)
        self._sentinel: int = self._set.Add(_SENTINEL.decode())
        self._set.Compile()
        self._patterns: list[Any] = [re2.compile(rule.regex, engine_options()) for rule in self._rules]

    def scan(self, text: str, *, field_name: str = "") -> list[Finding]:
        """Findings in offsets of ``text`` (already folded), unresolved. Raises ``DetectorError`` on engine failure."""
        try:
            data = text.encode()
            hits = self._set.Match(data + _SENTINEL)
        except Exception as error:
            raise DetectorError("The pattern engine failed; nothing was scanned.") from error
        if not hits or self._sentinel not in hits:
            raise DetectorError("The pattern engine gave up on a text; nothing was scanned.")
        if len(hits) == 1:
            return []
        lowered = text.lower()
        if len(lowered) != len(text):
            # A few letters change length in lower case; context offsets would drift.
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
        offsets = _Offsets(data, text)
        hint = " ".join(_WORDS.split(field_name.lower()))
        findings: list[Finding] = []
        for index in sorted(hits):
            if index != self._sentinel:
                findings.extend(self._apply(index, data, text, lowered, offsets, hint))
        return findings

    def _apply(self, index: int, data: bytes, text: str, lowered: str, offsets: _Offsets, hint: str) -> list[Finding]:
        rule = self._rules[index]
        if rule.keywords and not any(word in lowered or word in hint for word in rule.keywords):
            return []
        check = VALIDATORS[rule.validator] if rule.validator else None
        found: list[Finding] = []
        offsets.rewind()
        try:
            for begin, finish in self._matches(index, data):
                start, end = offsets.char(begin), offsets.char(finish)
                score = _score(rule, lowered, start, end, hint)
                if score >= ACCEPT and (check is None or check(text[start:end])):
                    found.append(Finding(start, end, rule.entity, min(score, 1.0), rule.id, rule.priority))
        except Exception as error:  # noqa: BLE001 - a rule that broke has not been applied
            # The cause is named and not chained: its message may quote the text.
            raise DetectorError(f"A detection rule failed ({type(error).__name__}); nothing was scanned.") from None
        return found

    def _matches(self, index: int, data: bytes) -> Iterator[tuple[int, int]]:
        """Byte ranges of a rule's values. Where only a part of a match is accepted, the search resumes behind it."""
        rule, pattern = self._rules[index], self._patterns[index]
        extent = EXTENTS.get(rule.validator)
        if extent is None:
            for match in pattern.finditer(data):
                begin, finish = match.span(rule.group)
                if 0 <= begin < finish:
                    yield begin, finish
            return
        position = 0
        while match := next(pattern.finditer(data, position), None):
            begin, finish = match.span()
            # Rules with an extent match ASCII only, so characters and bytes are the same inside the match.
            start, end = extent(data[begin:finish].decode())
            if start < end:
                yield begin + start, begin + end
            position = begin + max(end, 1)


def _score(rule: Rule, lowered: str, start: int, end: int, hint: str) -> float:
    if not rule.context and not rule.veto:
        return rule.score
    window = f"{hint} {lowered[max(0, start - _BEFORE) : start]} | {lowered[end : end + _AFTER]}"
    score = rule.score
    if rule.context and _any_word(rule.context).search(window):
        return score + CONTEXT_BONUS
    if rule.veto and _any_word(rule.veto).search(window):
        score -= CONTEXT_BONUS
    return score


@lru_cache(maxsize=512)
def _any_word(words: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(r"(?<![a-z])(?:" + "|".join(re.escape(word) for word in ordered) + r")(?![a-z])")


class _Offsets:
    """Byte offset to character offset, asked in rising order; free for ASCII text."""

    def __init__(self, data: bytes, text: str) -> None:
        self._data = data
        self._same = len(data) == len(text)
        self._byte = self._char = 0

    def rewind(self) -> None:
        self._byte = self._char = 0

    def char(self, offset: int) -> int:
        if self._same:
            return offset
        if offset < self._byte:
            self.rewind()
        self._char += len(self._data[self._byte : offset].decode())
        self._byte = offset
        return self._char
