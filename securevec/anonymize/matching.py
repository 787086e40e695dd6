"""One rule, ready to be applied: where its values are in a text's bytes.

The engine is asked for ranges alone, past the match objects of its Python module, which cost as much as the matching.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

import re2

from securevec.anonymize.alphabet import Alphabet
from securevec.anonymize.nearby import Words
from securevec.anonymize.rule_shape import shape
from securevec.anonymize.rulebook import ACCEPT, AROUND_BYTES, Rule, engine_options
from securevec.anonymize.validators import EXTENTS, VALIDATORS

Range = tuple[int, int]
_WORD_END: Final = re.compile(rb"\s")
_EDGE: Final = re.compile(r"(?<![\\[])[\^$]|\\[AzZ]")
"""The beginning or end of the text, perhaps: a sign in a class may be meant."""
_ANYWHERE: Final[Any] = re2._re2.RE2.Anchor.UNANCHORED


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


class CompiledRule:
    """Immutable but for the automaton the engine builds as it reads; safe for threads."""

    __slots__ = (
        "_around", "_digit", "_extent", "_fewest", "_match", "_plain",
        "check", "context", "edged", "entity", "group", "heads", "id", "judged", "keywords", "narrow", "needy", "never",
        "priority", "regex", "score", "spaced", "veto", "words",
    )  # fmt: skip

    def __init__(self, rule: Rule, alphabet: Alphabet) -> None:
        regex = alphabet.narrow(rule.regex)
        self.narrow = regex
        self.regex = regex.encode("latin-1")
        self.id = rule.id
        self.entity = rule.entity
        self.priority = rule.priority
        self.score = rule.score
        self.check: Callable[[str], bool] | None = VALIDATORS[rule.validator] if rule.validator else None
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
        self.edged = _EDGE.search(regex) is not None
        self._fewest, self.spaced, self._digit = shape(regex, rule.group)
        self._extent = EXTENTS.get(rule.validator)
        self._around = rule.around.encode()
        # No match is empty, and all of it is the value: nothing is left to be decided about a match.
        self._plain = self._fewest > 0 and not (rule.group or self._around or self._extent is not None)

    def matches(self, data: bytes, digits_end: int, start_by: int | None = None) -> list[Range]:
        """Ranges of the rule's values. Where only a part of a match is accepted, the search resumes behind it.

        ``digits_end``: behind the last of the digits 0 to 9. ``start_by``: where a match has to begin at the latest.
        """
        size = len(data)
        last = size - self._fewest
        if self._digit and digits_end <= last:
            last = digits_end - 1
        if start_by is not None and start_by < last:
            last = start_by
        if self._plain:
            match, start, found = self._match, 0, []
            while start <= last:
                place = match(_ANYWHERE, data, start, size)[0]
                start = place[1]
                if start < 0:
                    break
                found.append(place)
            return found
        if self._extent is not None:
            return self._parts(data, last, self._extent)
        if self._around:
            return self._near(data, last)
        return self._between(data, 0, size, last)

    def _between(self, data: bytes, start: int, end: int, last: int) -> list[Range]:
        """Of the matches in a range of the text those that begin at ``last`` or before, and perhaps one behind."""
        match, group = self._match, self.group
        found: list[Range] = []
        while start <= last:
            ranges = match(_ANYWHERE, data, start, end)
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

    def _near(self, data: bytes, last: int) -> list[Range]:
        """The same, looking only around the sign that every match holds.

        A repeat of up to 64 letters in front of the @ would make the engine build new states for nearly every text.
        """
        found: list[Range] = []
        start, at = 0, data.find(self._around)
        while at >= 0:
            behind = _WORD_END.search(data, at + 1)
            end = behind.start() if behind else len(data)
            following = data.find(self._around, at + 1)
            if 0 <= following < end:
                end = following
            nearest = max(0, at - AROUND_BYTES)
            start = max(start, nearest, data.rfind(b" ", nearest, at) + 1)
            found += self._between(data, start, end, min(last, end - self._fewest))
            start, at = at + 1, following
        return found

    def _parts(self, data: bytes, last: int, extent: Callable[[str], Range]) -> list[Range]:
        match, size = self._match, len(data)
        found: list[Range] = []
        position = 0
        while position <= last:
            begin, finish = match(_ANYWHERE, data, position, size)[0]
            if finish < 0:
                break
            # Rules with an extent match ASCII only.
            start, end = extent(data[begin:finish].decode("latin-1"))
            if start < end:
                found.append((begin + start, begin + end))
            position = begin + max(end, 1)
        return found
