"""Structured values: one RE2 set says which rules occur, RE2 finds where, validators and context words decide.

RE2 matches in time linear in the text, so no text can stall the scan. A sentinel is appended to every text and its
rule must be among the hits: if the engine ever gave up silently (for want of memory, say), the sentinel would be
missing and the scan raises instead of reporting "nothing found".

Texts are scanned together, rule by rule: a rule's automaton is in the processor's cache while all texts need it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

import re2

from securevec.anonymize.findings import Finding
from securevec.anonymize.rules.alphabet import Alphabet
from securevec.anonymize.rules.factors import Factors
from securevec.anonymize.rules.matching import CompiledRule, byte_options
from securevec.anonymize.rules.rulebook import ACCEPT, CONTEXT_BONUS, RuleBook, engine_options
from securevec.anonymize.rules.sheet import Part, Sheet, View, views
from securevec.errors import DetectorError

_SENTINEL: Final = b"\n\x02securevec-sentinel-7d1f\x03"
_FAILED: Final = "The pattern engine failed; nothing was scanned."
_WORDS: Final = re.compile(r"[^a-z0-9]+")


class PatternScanner:
    """Compiled rules. Immutable after construction, safe for threads."""

    def __init__(self, book: RuleBook) -> None:
        self._alphabet = Alphabet(rule.regex for rule in book.rules)
        self._compiled = tuple(CompiledRule(rule, self._alphabet) for rule in book.rules)
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
        try:
            view = View(Sheet(text, self._alphabet), Part("", hint(field_name)), 0, len(text))
            rules = self._occurring(view)
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(_FAILED) from error
        found: list[Finding] = []
        if rules:
            rules.sort()
            self._apply([(index, view, found) for index in rules])
        return found

    def scan_each(self, parts: Sequence[Part]) -> list[list[Finding]]:
        """:meth:`scan` of each part, in its own offsets, of the values and rules that it counts."""
        found: list[list[Finding]] = [[] for _ in parts]
        wanted: list[tuple[int, View, list[Finding]]] = []
        try:
            for part, view, here in zip(parts, views(parts, self._alphabet), found, strict=True):
                wanted += [(index, view, here) for index in self._occurring(view, part.able)]
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(_FAILED) from error
        # The parts of a rule stay in their order.
        wanted.sort(key=itemgetter(0))
        self._apply(wanted)
        return found

    def _occurring(self, view: View, able: frozenset[int] | None = None) -> list[int]:
        """The rules to be tried in a part, of those ``able`` where it names some."""
        rules = self._hits(view.data[view.start : view.end])
        if able is not None:
            rules = [*able.intersection(rules)]
        if rules and not self._needy.keys().isdisjoint(rules):
            return self._spoken_of(rules, view.words(), view.hint)
        return rules

    def _apply(self, wanted: Iterable[tuple[int, View, list[Finding]]]) -> None:
        """``wanted``: the number of a rule, where to try it, and where its findings go."""
        compiled = self._compiled
        try:
            for index, view, here in wanted:
                _apply(compiled[index], view, here)
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

    def _spoken_of(self, rules: Iterable[int], words: bytes, hint: str) -> list[int]:
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


def _apply(rule: CompiledRule, view: View, here: list[Finding]) -> None:
    if rule.never or (rule.keywords and not view.holds(rule.keywords)):
        return
    at, across = view.start, view.across
    if across is None:
        places = rule.matches(view)
    else:
        first, last = at + across.starts_by, at + across.ends_from
        places = [place for place in rule.matches(view, first) if place[0] <= first and place[1] >= last]
    if not places:
        return
    entity, own, name, priority, check, text = rule.entity, rule.score, rule.id, rule.priority, rule.check, view.text
    if not rule.judged:
        for start, end in places:
            if check is None or check(text[start:end]):
                here.append(Finding(start - at, end - at, entity, own, name, priority))
        return
    context, veto, known = rule.context, rule.veto, view.known
    for place in places:
        runs = known.get(place) or view.runs(place)
        score = own
        if context is not None and context.among(runs, view, place):
            score = own + CONTEXT_BONUS
        elif veto is not None and veto.among(runs, view, place):
            score = own - CONTEXT_BONUS
        if score >= ACCEPT:
            start, end = place
            if check is None or check(text[start:end]):
                here.append(Finding(start - at, end - at, entity, min(score, 1.0), name, priority))
