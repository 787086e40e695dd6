"""Structured values: one RE2 set says which rules occur, RE2 finds where, validators and context words decide.

RE2 matches in time linear in the text, so no text can stall the scan. A sentinel is appended to every text and its
rule must be among the hits: if the engine ever gave up silently (for want of memory, say), the sentinel would be
missing and the scan raises instead of reporting "nothing found".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, NamedTuple

import re2

from securevec.anonymize.findings import Finding
from securevec.anonymize.rulebook import ACCEPT, AROUND_BYTES, CONTEXT_BONUS, Rule, RuleBook, engine_options
from securevec.anonymize.validators import EXTENTS, VALIDATORS
from securevec.errors import DetectorError

_SENTINEL: Final = b"\n\x02securevec-sentinel-7d1f\x03"
_BEFORE: Final = 56
_AFTER: Final = 32
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_WORD_END: Final = re.compile(rb"\s")


class Across(NamedTuple):
    """Only values that begin at ``starts_by`` at the latest and end at ``ends_from`` at the earliest, and of no rule in
    ``without``."""

    starts_by: int
    ends_from: int
    without: Collection[str] = ()

    def covers(self, start: int, end: int) -> bool:
        return start <= self.starts_by and end >= self.ends_from


class PatternScanner:
    """Compiled rules. Immutable after construction, safe for threads."""

    def __init__(self, book: RuleBook) -> None:
        self._rules = book.rules
        self._set: Any = re2.Set.SearchSet(engine_options())
        for rule in self._rules:
            self._set.Add(rule.regex)
        self._sentinel: int = self._set.Add(_SENTINEL.decode())
        self._set.Compile()
        self._compiled = [_Compiled(rule) for rule in self._rules]

    def scan(self, text: str, *, field_name: str = "", across: Across | None = None) -> list[Finding]:
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
                self._apply(self._compiled[index], data, text, lowered, offsets, hint, across, findings)
        return findings

    def _apply(
        self,
        compiled: _Compiled,
        data: bytes,
        text: str,
        lowered: str,
        offsets: _Offsets,
        hint: str,
        across: Across | None,
        findings: list[Finding],
    ) -> None:
        rule, check = compiled.rule, compiled.check
        if rule.keywords and not any(word in lowered or word in hint for word in rule.keywords):
            return
        if across is not None and rule.id in across.without:
            return
        offsets.rewind()
        try:
            for begin, finish in compiled.matches(data):
                start, end = (begin, finish) if offsets.same else (offsets.char(begin), offsets.char(finish))
                if across is not None and not across.covers(start, end):
                    continue
                score = compiled.score(lowered, start, end, hint) if compiled.judged else rule.score
                if score >= ACCEPT and (check is None or check(text[start:end])):
                    findings.append(Finding(start, end, rule.entity, min(score, 1.0), rule.id, rule.priority))
        except Exception as error:  # noqa: BLE001 - a rule that broke has not been applied
            # The cause is named and not chained: its message may quote the text.
            raise DetectorError(f"A detection rule failed ({type(error).__name__}); nothing was scanned.") from None


class _Compiled:
    """One rule, ready to be applied."""

    __slots__ = ("_around", "_context", "_extent", "_group", "_pattern", "_veto", "check", "judged", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.check = VALIDATORS[rule.validator] if rule.validator else None
        self.judged = bool(rule.context or rule.veto)
        self._pattern: Any = re2.compile(rule.regex, engine_options())
        self._group = rule.group
        self._extent = EXTENTS.get(rule.validator)
        self._context = _any_word(rule.context) if rule.context else None
        self._veto = _any_word(rule.veto) if rule.veto else None
        self._around = rule.around.encode()

    def matches(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Byte ranges of the rule's values. Where only a part of a match is accepted, the search resumes behind it."""
        if self._extent is not None:
            return self._parts(data, self._extent)
        if self._around:
            return self._near(data)
        return self._everywhere(data)

    def _everywhere(self, data: bytes) -> Iterator[tuple[int, int]]:
        for match in self._pattern.finditer(data):
            begin, finish = match.span(self._group)
            if 0 <= begin < finish:
                yield begin, finish

    def _near(self, data: bytes) -> Iterator[tuple[int, int]]:
        """The same, looking only around the sign that every match holds.

        A repeat of up to 64 letters in front of the @ would make the engine build new states for nearly every text.
        """
        start, at = 0, data.find(self._around)
        while at >= 0:
            behind = _WORD_END.search(data, at + 1)
            end = behind.start() if behind else len(data)
            following = data.find(self._around, at + 1)
            if 0 <= following < end:
                end = following
            nearest = max(0, at - AROUND_BYTES)
            start = max(start, nearest, data.rfind(b" ", nearest, at) + 1)
            for match in self._pattern.finditer(data, start, end):
                begin, finish = match.span(self._group)
                if 0 <= begin < finish:
                    yield begin, finish
            start, at = at + 1, following

    def _parts(self, data: bytes, extent: Callable[[str], tuple[int, int]]) -> Iterator[tuple[int, int]]:
        position = 0
        while match := next(self._pattern.finditer(data, position), None):
            begin, finish = match.span()
            # Rules with an extent match ASCII only, so characters and bytes are the same inside the match.
            start, end = extent(data[begin:finish].decode())
            if start < end:
                yield begin + start, begin + end
            position = begin + max(end, 1)

    def score(self, lowered: str, start: int, end: int, hint: str) -> float:
        window = f"{hint} {lowered[max(0, start - _BEFORE) : start]} | {lowered[end : end + _AFTER]}"
        score = self.rule.score
        if self._context is not None and self._context.search(window):
            return score + CONTEXT_BONUS
        if self._veto is not None and self._veto.search(window):
            score -= CONTEXT_BONUS
        return score


def _any_word(words: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(r"(?<![a-z])(?:" + "|".join(re.escape(word) for word in ordered) + r")(?![a-z])")


class _Offsets:
    """Byte offset to character offset, asked in rising order; free for ASCII text."""

    def __init__(self, data: bytes, text: str) -> None:
        self._data = data
        self.same = len(data) == len(text)
        self._byte = self._char = 0

    def rewind(self) -> None:
        self._byte = self._char = 0

    def char(self, offset: int) -> int:
        if self.same:
            return offset
        if offset < self._byte:
            self.rewind()
        self._char += len(self._data[self._byte : offset].decode())
        self._byte = offset
        return self._char
