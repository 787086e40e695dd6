"""Structured values: a set says which rules occur, RE2 finds where, validators and context words decide.

RE2 matches in time linear in the text, so no text can stall the scan. A sentinel is appended to every text and its
rule must be among the hits: if the engine ever gave up silently (for want of memory, say), the sentinel would be
missing and the scan raises instead of reporting "nothing found".

Texts are scanned together, rule by rule: a rule's automaton is in the processor's cache while all texts need it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.rules.alphabet import Alphabet
from securevec.anonymize.rules.factors import Factors
from securevec.anonymize.rules.gist import gist
from securevec.anonymize.rules.matching import CompiledRule, byte_options
from securevec.anonymize.rules.rulebook import ACCEPT, CONTEXT_BONUS, RuleBook, engine_options
from securevec.anonymize.rules.runs import Runs
from securevec.anonymize.rules.second import PatternEngine, require, shared
from securevec.anonymize.rules.sheet import Part, Sheet, View, views
from securevec.anonymize.rules.sieve import Sieve
from securevec.errors import DetectorError

_PLACES: Final = frozenset({"ADDRESS", "POSTCODE"})
_FAILED: Final = "The pattern engine failed; nothing was scanned."
_TRIED: Final = 2
"""So few rules are tried in a line across a break without asking which of them occur in it."""
_MOST_TOGETHER: Final = 12
"""More lines than this hold nearly all rules between them."""
_FEW_WORDS: Final = 12
"""So few words are looked for one by one, more by a set."""
_WORDS: Final = re.compile(r"[^a-z0-9]+")

_Placed = tuple[Part, View, list[Finding]]
"""A part, where it lies on its sheet, and where its findings go."""


class PatternScanner:
    """Compiled rules. Immutable after construction, safe for threads."""

    def __init__(self, book: RuleBook, engine: PatternEngine = "re2") -> None:
        """Raises what :func:`securevec.anonymize.rules.second.require` does."""
        self._alphabet = Alphabet(rule.regex for rule in book.rules)
        self._compiled = tuple(CompiledRule(rule, self._alphabet) for rule in book.rules)
        by_number = {n: self._compiled[n] for n, rule in enumerate(book.rules) if not rule.like}
        numbers = {rule.id: n for n, rule in enumerate(book.rules)}
        # What is like another rule is tried where that occurs, and is in no set.
        self._alike: dict[int, list[int]] = {}
        for n, rule in enumerate(book.rules):
            if rule.like:
                self._alike.setdefault(numbers[rule.like], []).append(n)
        # Names of streets may be any words, so their rules have a set of their own; they need a house number.
        places = {n: rule for n, rule in by_number.items() if rule.entity in _PLACES and rule.digit}
        # Credentials begin with words of code and configurations; in one set with the rest, each multiplies the other.
        secrets = {n: rule for n, rule in by_number.items() if rule.entity in book.secrets}
        others = {n: rule for n, rule in by_number.items() if n not in places and n not in secrets}
        self._places = Sieve(((n, rule.sieve) for n, rule in places.items()), byte_options())
        self._credentials = frozenset(secrets)
        self._runs = Runs((n, rule.sieve) for n, rule in secrets.items())
        in_set = ((n, gist(rule.sieve)) for n, rule in secrets.items() if n not in self._runs)
        self._secrets = Sieve(in_set, byte_options())
        self._others = Sieve(((n, gist(rule.sieve)) for n, rule in others.items()), byte_options())
        # A line among others does not begin or end where a text does.
        self._at_edges = frozenset(n for n, rule in enumerate(self._compiled) if rule.edged)
        # A passphrase may hold any signs, so those around a break never say that it is none; its few rules' words do.
        broken = {n: rule for n, rule in secrets.items() if rule.spaced}
        self._broken = Sieve(((n, gist(rule.sieve)) for n, rule in broken.items()), byte_options())
        self._broken_at_edges = self._at_edges & broken.keys()
        require(engine)
        all_of_them = tuple((n, rule.sieve) for n, rule in by_number.items())
        self._second = shared(all_of_them) if engine == "hyperscan" else None
        self._needy = {n: rule for n, rule in enumerate(self._compiled) if rule.needy}
        words = ((n, "|".join(map(re.escape, rule.words)).encode()) for n, rule in self._needy.items())
        self._words = Sieve(words, engine_options())

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
            on_sheet = zip(parts, views(parts, self._alphabet), found, strict=True)
            for whole, group in groupby(on_sheet, key=_whole):
                if whole:
                    wanted += [(index, view, here) for _, view, here in group for index in self._occurring(view)]
                else:
                    wanted += self._in_lines([*group])
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(_FAILED) from error
        # The parts of a rule stay in their order.
        wanted.sort(key=itemgetter(0))
        self._apply(wanted)
        return found

    def _occurring(self, view: View) -> list[int]:
        """The rules to be tried in a part."""
        rules = self._named(view.data[view.start : view.end], numbered=view.digits_end > view.start)
        return self._worth(rules, view)

    def _in_lines(self, lines: Sequence[_Placed]) -> list[tuple[int, View, list[Finding]]]:
        """The rules to be tried in neighbouring lines across breaks, of those able to be in each.

        In most of a few lines no rule is, which one question about all of them tells.
        """
        together = lines[0][1].data[lines[0][1].start : lines[-1][1].end]
        loud = self._broken_at_edges.union(self._broken.numbers(together))
        silent = self._credentials - loud
        anywhere: frozenset[int] | None = None
        if len(lines) <= _MOST_TOGETHER:
            anywhere = self._at_edges.union(loud, self._named(together, numbered=True, broken=True))
        wanted: list[tuple[int, View, list[Finding]]] = []
        for part, view, here in lines:
            able = part.able or frozenset()
            left = able if anywhere is None else anywhere & able
            if left and part.among is not None:
                left = part.among(left)
            left -= silent
            if len(left) > _TRIED:
                data, numbered = view.data[view.start : view.end], view.digits_end > view.start
                left = left.intersection([*loud, *self._named(data, numbered=numbered, broken=True)])
            if left:
                wanted += [(index, view, here) for index in self._worth([*left], view)]
        return wanted

    def _worth(self, rules: list[int], view: View) -> list[int]:
        """The rules without those that need a word near their value and have none of theirs anywhere in the part."""
        needy = self._needy
        if not rules or needy.keys().isdisjoint(rules):
            return rules
        asked = [n for n in rules if n in needy]
        if view.hint:
            # A phrase may begin in the name of the field and end where the words around a value begin.
            begun = view.hint.split()
            asked = [n for n in asked if needy[n].heads.isdisjoint(begun)]
            if not asked:
                return rules
        if len(asked) == 1 and len(needy[asked[0]].words) <= _FEW_WORDS:
            silent = {*asked} if not view.holds(needy[asked[0]].words) else set[int]()
        else:
            silent = {*asked}.difference(self._words.numbers(view.words()))
        return [n for n in rules if n not in silent] if silent else rules

    def _named(self, data: bytes, *, numbered: bool, broken: bool = False) -> list[int]:
        """The rules that the sets name of some text. ``numbered``: whether it has a digit. ``broken``: of lines across
        breaks, without credentials."""
        rules = self._second.numbers(data) if self._second is not None else None
        if rules is None:
            rules = self._others.numbers(data)
            if not broken:
                rules += self._secrets.numbers(data)
                rules += self._runs.numbers(data)
            if numbered:
                rules += self._places.numbers(data)
        alike = self._alike
        return rules if alike.keys().isdisjoint(rules) else rules + [n for rule in rules for n in alike.get(rule, ())]

    def _apply(self, wanted: Iterable[tuple[int, View, list[Finding]]]) -> None:
        """``wanted``: the number of a rule, where to try it, and where its findings go."""
        compiled = self._compiled
        try:
            for index, view, here in wanted:
                _apply(compiled[index], view, here)
        except Exception as error:  # noqa: BLE001 - a rule that broke has not been applied
            # The cause is named and not chained: its message may quote the text.
            raise DetectorError(f"A detection rule failed ({type(error).__name__}); nothing was scanned.") from None


def _whole(placed: _Placed) -> bool:
    """Whether all rules are asked for in a part: it is no line across a break."""
    return placed[0].able is None


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
    whole, until = rule.edges, view.end
    if not rule.judged:
        for start, end in places:
            if (check is None or check(text[start:end])) and (whole is None or whole(text, start, end, at, until)):
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
            if (check is None or check(text[start:end])) and (whole is None or whole(text, start, end, at, until)):
                here.append(Finding(start - at, end - at, entity, min(score, 1.0), name, priority))
