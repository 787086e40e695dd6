"""One rule, ready to be applied: where its values are in a text's bytes.

The engine is asked for ranges alone, past the match objects of its Python module, which cost as much as the matching.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

import re2

from securevec.anonymize.rules.alphabet import Alphabet
from securevec.anonymize.rules.edges import EDGES
from securevec.anonymize.rules.nearby import Words
from securevec.anonymize.rules.rulebook import ACCEPT, AROUND_BYTES, Rule, engine_options
from securevec.anonymize.rules.shape import edged, shape
from securevec.anonymize.rules.sheet import View
from securevec.anonymize.rules.validators import EXTENTS, VALIDATORS

Range = tuple[int, int]
_WORD_END: Final = re.compile(rb"\s")
ANYWHERE: Final[Any] = re2._re2.RE2.Anchor.UNANCHORED
"""The engine's word for a match that may begin anywhere."""


class Engine(Protocol):
    """RE2 itself: the ranges of the first match in ``data[start:end]`` and its groups, -1 where there is none."""

    def Match(self, anchor: object, data: bytes, start: int, end: int, /) -> list[Range]: ...  # noqa: N802 - its name


def byte_options() -> Any:
    """Options of a pattern over an alphabet: a byte is a character."""
    options = engine_options()
    options.encoding = re2.Options.Encoding.LATIN1
    return options


def engine(regex: bytes, *, captures: bool) -> Engine:
    """``regex`` compiled. ``captures``: whether ranges of groups are wanted."""
    options = byte_options()
    options.never_capture = not captures
    compiled: Any = re2.compile(regex, options)
    return cast("Engine", compiled._regexp)


def questioning(regex: str) -> Engine:
    """``regex`` for copies of texts in ASCII, with a question mark for every other character: ``encode("ascii",
    "replace")``. Places stay what they are; what it finds too much, the caller sorts out in the text itself."""
    return engine(re.sub(r"[^\x00-\x7f]", r"\?", regex).encode(), captures=False)


class CompiledRule:
    """Immutable but for the automaton the engine builds as it reads; safe for threads."""

    __slots__ = (
        "_around", "_extent", "_fewest", "_match", "_plain",
        "check", "context", "digit", "edged", "edges", "entity", "group", "heads", "id", "judged", "keywords", "narrow",
        "needy", "never", "priority", "regex", "score", "sieve", "spaced", "veto", "words",
    )  # fmt: skip

    def __init__(self, rule: Rule, alphabet: Alphabet) -> None:
        regex = alphabet.narrow(rule.regex)
        self.narrow = regex
        self.regex = regex.encode("latin-1")
        self.id = rule.id
        self.entity = rule.entity
        self.priority = rule.priority
        self.score = rule.score
        self._extent = EXTENTS.get(rule.validator)
        # What an extent accepts has passed the check.
        checked = rule.validator and self._extent is None
        self.check: Callable[[str], bool] | None = VALIDATORS[rule.validator] if checked else None
        self.edges = EDGES.get(rule.edges)
        self.context = Words(rule.context) if rule.context else None
        self.veto = Words(rule.veto) if rule.veto else None
        # Without one of its words such a rule says nothing; without any it never does.
        self.needy = rule.score < ACCEPT and self.context is not None
        self.never = rule.score < ACCEPT and self.context is None
        self.words = rule.context
        self.heads = frozenset(word.split()[0] for word in rule.context if " " in word)
        self.judged = self.context is not None or self.veto is not None
        # What every match holds need not be looked for once the engine has seen a match.
        self.keywords = rule.keywords if rule.around.lower() not in rule.keywords or not rule.around else ()
        self._match = engine(self.regex, captures=rule.group > 0).Match
        self.group = rule.group
        self.edged = edged(regex)
        self._fewest, self.spaced, self.digit = shape(regex, rule.group)
        self._around = rule.around.encode()
        # What the set of all rules looks for. A run of up to 64 letters in front of a sign makes it build a quarter of
        # its states, and looking around the sign costs next to nothing.
        sign = alphabet.narrow(rule.sign)
        self.sieve = sign.encode("latin-1") or re.escape(self._around) or self.regex
        # No match is empty, and all of it is the value: nothing is left to be decided about a match.
        self._plain = self._fewest > 0 and not (rule.group or self._around or self._extent is not None)

    def matches(self, view: View, starts_by: int | None = None) -> list[Range]:
        """Where the rule's values are in one part of a sheet; one that begins behind ``starts_by`` may be left out.

        Where only a part of a match is accepted, the search resumes behind it.
        """
        data, start, end = view.data, view.start, view.end
        last = end - self._fewest
        if self.digit and view.digits_end <= last:
            last = view.digits_end - 1
        if starts_by is not None and starts_by < last:
            last = starts_by
        if start > last:
            return []
        if self.edged and end - start < len(data):
            # The pattern says where a text begins or ends.
            found = self._found(data[start:end], 0, end - start, last - start)
            return [(begin + start, finish + start) for begin, finish in found] if start else found
        if not self._plain:
            return self._found(data, start, end, last)
        match, found = self._match, []
        while start <= last:
            place = match(ANYWHERE, data, start, end)[0]
            start = place[1]
            if start < 0:
                break
            found.append(place)
        return found

    def _found(self, data: bytes, start: int, end: int, last: int) -> list[Range]:
        """Of the values in a range of the text those that begin at ``last`` or before, and perhaps one behind."""
        if self._extent is not None:
            return self._parts(data, start, end, last, self._extent)
        if self._around:
            return self._near(data, start, end, last)
        return self._between(data, start, end, last)

    def _between(self, data: bytes, start: int, end: int, last: int) -> list[Range]:
        match, group = self._match, self.group
        found: list[Range] = []
        while start <= last:
            ranges = match(ANYWHERE, data, start, end)
            behind = ranges[0][1]
            if behind < 0:
                break
            place = ranges[group]
            if 0 <= place[0] < place[1]:
                found.append(place)
                # What follows a value may be what the next one begins behind.
                behind = place[1]
            start = behind if behind > start else start + 1
        return found

    def _near(self, data: bytes, start: int, end: int, last: int) -> list[Range]:
        """The same, looking only around the sign that every match holds.

        A repeat of up to 64 letters in front of the @ would make the engine build new states for nearly every text.
        """
        match, group, sign, fewest = self._match, self.group, self._around, self._fewest
        found: list[Range] = []
        at = data.find(sign, start, end)
        while at >= 0:
            following = data.find(sign, at + 1, end)
            # No further than the next sign, or a word of many would be read to its end from each.
            finish = following if following >= 0 else end
            behind = _WORD_END.search(data, at + 1, finish)
            if behind:
                finish = behind.start()
            nearest = at - AROUND_BYTES if at - AROUND_BYTES > start else start
            start = data.rfind(b" ", nearest, at) + 1 or nearest
            until = finish - fewest if finish - fewest < last else last
            while start <= until:
                ranges = match(ANYWHERE, data, start, finish)
                reached = ranges[0][1]
                if reached < 0:
                    break
                place = ranges[group]
                if 0 <= place[0] < place[1]:
                    found.append(place)
                    reached = place[1]
                    if reached > at:
                        # Every match holds the sign, and here it stands once.
                        break
                start = reached if reached > start else start + 1
            # Of `a@b.org@c.org` the second may not take the first one's end: it would be the longer, and `a@` stay.
            start = max(at + 1, found[-1][1] if found else 0)
            at = following
        return found

    def _parts(self, data: bytes, start: int, end: int, last: int, extent: Callable[[str], Range]) -> list[Range]:
        match = self._match
        found: list[Range] = []
        while start <= last:
            begin, finish = match(ANYWHERE, data, start, end)[0]
            if finish < 0:
                break
            # Rules with an extent match ASCII only.
            first, behind = extent(data[begin:finish].decode("latin-1"))
            if first < behind:
                found.append((begin + first, begin + behind))
            start = begin + max(behind, 1)
        return found
