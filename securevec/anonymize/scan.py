"""Structured values: one RE2 set says which rules occur, RE2 finds where, validators and context words decide.

RE2 matches in time linear in the text, so no text can stall the scan. A sentinel is appended to every text and its
rule must be among the hits: if the engine ever gave up silently (for want of memory, say), the sentinel would be
missing and the scan raises instead of reporting "nothing found".

Texts are scanned together, rule by rule: a rule's automaton is in the processor's cache while all texts need it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import re2

from securevec.anonymize.alphabet import Alphabet
from securevec.anonymize.findings import Finding
from securevec.anonymize.matching import CompiledRule, Range, byte_options
from securevec.anonymize.rule_factors import Factors
from securevec.anonymize.rulebook import ACCEPT, CONTEXT_BONUS, RuleBook, engine_options
from securevec.anonymize.sheet import Part, Sheet
from securevec.errors import DetectorError

_SENTINEL: Final = b"\n\x02securevec-sentinel-7d1f\x03"
_FEW: Final = 3
"""Rules that are tried at once on a line; of more it is asked first which occur."""
_ONLY: Final = (0,)
_FAILED: Final = "The pattern engine failed; nothing was scanned."
_WORDS: Final = re.compile(r"[^a-z0-9]+")


class PatternScanner:
    """Compiled rules. Immutable after construction, safe for threads."""

    def __init__(self, book: RuleBook) -> None:
        self._alphabet = Alphabet(rule.regex for rule in book.rules)
        self._compiled = tuple(CompiledRule(rule, self._alphabet) for rule in book.rules)
        self._edged = frozenset(number for number, rule in enumerate(self._compiled) if rule.edged)
        self._set: Any = re2.Set.SearchSet(byte_options())
        for compiled in self._compiled:
            self._set.Add(compiled.regex)
        self._sentinel: int = self._set.Add(_SENTINEL)
        self._set.Compile()
        # Without the wrapper of the engine's module.
        self._set = self._set._set
        needy = (number for number, rule in enumerate(self._compiled) if rule.needy)
        self._needy = {number: place for place, number in enumerate(needy)}
        self._words: Any = re2.Set.SearchSet(engine_options())
        for number in self._needy:
            self._words.Add("|".join(map(re.escape, self._compiled[number].words)).encode())
        self._words.Add(_SENTINEL)
        self._words.Compile()
        self._words = self._words._set

    def crossing(self, *, without: Collection[str]) -> Factors:
        """Of the rules whose values may hold a space those that may have one with given signs in it.

        ``without``: ids of rules that are never asked.
        """
        kept = [number for number, rule in enumerate(self._compiled) if rule.spaced and rule.id not in without]
        rules = [self._compiled[number] for number in kept]
        return Factors(((rule.narrow, rule.group) for rule in rules), numbers=kept)

    def scan(self, text: str, *, field_name: str = "") -> list[Finding]:
        """Findings in offsets of ``text`` (already folded), unresolved. Raises ``DetectorError`` on engine failure."""
        part = Part(text, hint(field_name))
        try:
            sheet = Sheet([part], self._alphabet)
            rules = self._rules(sheet, 0, part)
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(_FAILED) from error
        if not rules:
            return []
        rules.sort()
        found: list[list[Finding]] = [[]]
        self._apply(((index, _ONLY) for index in rules), sheet, found)
        return found[0]

    def scan_each(self, parts: Sequence[Part]) -> list[list[Finding]]:
        """:meth:`scan` of each part, in its own offsets, of the values and rules that it counts."""
        found: list[list[Finding]] = [[] for _ in parts]
        wanted: dict[int, list[int]] = {}
        try:
            sheet = Sheet(parts, self._alphabet)
            lines = [number for number, part in enumerate(parts) if part.able is not None]
            common = self._common(sheet, lines) if len(lines) > 1 else None
            for number, part in enumerate(parts):
                for index in self._rules(sheet, number, part, common):
                    if index in wanted:
                        wanted[index].append(number)
                    else:
                        wanted[index] = [number]
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(_FAILED) from error
        self._apply(sorted(wanted.items()), sheet, found)
        return found

    def _rules(self, sheet: Sheet, number: int, part: Part, common: frozenset[int] | None = None) -> list[int]:
        """The rules to be tried in a part. ``common``: of lines the only ones that may be, as far as is known."""
        able = part.able
        if able is not None and common is not None:
            rules = list(able & common)
            if len(rules) > _FEW:
                hits = self._hits(sheet.part(number))
                rules = [index for index in rules if index in hits]
            return rules
        rules = self._hits(sheet.part(number))
        if able is not None:
            rules = [index for index in rules if index in able]
        if rules and not self._needy.keys().isdisjoint(rules):
            return self._spoken_of(rules, sheet.words(number), part.hint)
        return rules

    def _apply(self, rules: Iterable[tuple[int, Sequence[int]]], sheet: Sheet, found: list[list[Finding]]) -> None:
        """``rules``: the number of each, and of the parts to try it in."""
        try:
            for index, numbers in rules:
                _apply(self._compiled[index], sheet, numbers, found)
        except Exception as error:  # noqa: BLE001 - a rule that broke has not been applied
            # The cause is named and not chained: its message may quote the text.
            raise DetectorError(f"A detection rule failed ({type(error).__name__}); nothing was scanned.") from None

    def _hits(self, data: bytes) -> list[int]:
        """The rules that occur in a text's bytes."""
        hits: list[int] = self._set.Match(data + _SENTINEL)
        if not hits or self._sentinel not in hits:
            raise DetectorError("The pattern engine gave up on a text; nothing was scanned.")
        hits.remove(self._sentinel)
        return hits

    def _common(self, sheet: Sheet, lines: list[int]) -> frozenset[int]:
        """The rules that may have a value in one of some lines below each other.

        A rule that occurs in a line also occurs where all of them stand below each other, unless it says where a text
        begins or ends.
        """
        rules = [*self._edged.union(self._hits(b"\n".join(map(sheet.part, lines))))]
        return frozenset(self._spoken_of(rules, b"\n".join(map(sheet.words, lines)), ""))

    def _spoken_of(self, rules: list[int], words: bytes, hint: str) -> list[int]:
        """The rules without those that need a word near their value and have none of theirs anywhere in the text.

        ``words``: all that is around its values, ``hint`` at the beginning.
        """
        needy = self._needy
        spoken = self._words.Match(words + _SENTINEL)
        if not spoken or len(needy) not in spoken:
            raise DetectorError("The pattern engine gave up on a text; nothing was scanned.")
        hint_words = hint.split()
        return [
            index
            for index in rules
            # A phrase may begin in the name of the field and end where the words around a value begin.
            if index not in needy or needy[index] in spoken or not self._compiled[index].heads.isdisjoint(hint_words)
        ]


def hint(field_name: str) -> str:
    """The words of a field's name, as they stand in front of its text."""
    return " ".join(_WORDS.split(field_name.lower())) if field_name else ""


def _apply(rule: CompiledRule, sheet: Sheet, numbers: Sequence[int], found: list[list[Finding]]) -> None:
    if rule.never:
        return
    keywords, starts, parts = rule.keywords, sheet.starts, sheet.parts
    entity, own, name, priority, check = rule.entity, rule.score, rule.id, rule.priority, rule.check
    for number in numbers:
        if keywords and not sheet.holds(number, keywords):
            continue
        across = parts[number].across
        if across is None:
            places = rule.matches(sheet, number)
        else:
            first, last = starts[number] + across.starts_by, starts[number] + across.ends_from
            places = [place for place in rule.matches(sheet, number, first) if place[0] <= first and place[1] >= last]
        if not places:
            continue
        at, text, here = starts[number], sheet.text, found[number]
        if rule.judged:
            _judge(rule, sheet, number, places, here)
            continue
        for start, end in places:
            if check is None or check(text[start:end]):
                here.append(Finding(start - at, end - at, entity, own, name, priority))


def _judge(rule: CompiledRule, sheet: Sheet, number: int, places: list[Range], here: list[Finding]) -> None:
    """The values that the words around them leave credible."""
    context, veto, check, text, at = rule.context, rule.veto, rule.check, sheet.text, sheet.starts[number]
    known, own = sheet.known, rule.score
    for place in places:
        runs = known.get(place) or sheet.runs(number, place)
        score = own
        if context is not None and context.among(runs, sheet, number, place):
            score = own + CONTEXT_BONUS
        elif veto is not None and veto.among(runs, sheet, number, place):
            score = own - CONTEXT_BONUS
        if score >= ACCEPT and (check is None or check(text[place[0] : place[1]])):
            start, end = place
            here.append(Finding(start - at, end - at, rule.entity, min(score, 1.0), rule.id, rule.priority))
