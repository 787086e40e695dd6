"""Which rules can have a value that holds some signs one behind the other: ``56 Am`` is in an address, never in a card.

Asked at line breaks, where for most of them hardly a rule is left to be tried. A pattern is turned into the positions
of its signs and what may follow each (Glushkov 1961). Repeats are taken as endless, digits and all beyond ASCII for one
another: a rule is let through too often and never too rarely. It is asked twice: for all rules with capitals and small
letters taken for one another, which few answers serve, then with the letters themselves for the rules left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from securevec.anonymize.rules.shape import value_of

_SIGNS: Final = 256
_ALL: Final = (1 << _SIGNS) - 1
_MOST: Final = 4096
"""Positions of one rule. One with more is always let through."""
_REMEMBERED: Final = 16_384
_NOTHING: Final = (frozenset[int](), frozenset[int]())
_REACHED: Final = 1024
"""Sets of positions of one rule that are remembered."""


def _mask(codes: Iterable[int]) -> int:
    made = 0
    for code in codes:
        made |= 1 << code
    return made


_CATEGORIES: Final = {
    "DIGIT": _mask(range(48, 58)),
    "WORD": _mask([*range(48, 58), *range(65, 91), 95, *range(97, 123)]),
    "SPACE": _mask(b"\t\n\f\r "),
}
"""What ``\\d``, ``\\w`` and ``\\s`` are to RE2."""
_SAME: Final = (_CATEGORIES["DIGIT"], _mask(range(65, 91)), _mask(range(97, 123)), _mask(range(128, 256)))
"""Signs that are taken for one another: digits, capitals, small letters, and all beyond ASCII."""
_IMAGE: Final = {
    code: min(other for other in range(_SIGNS) if kind >> other & 1)
    for kind in _SAME
    for code in range(_SIGNS)
    if kind >> code & 1
}
_DIGIT_IMAGE: Final = {code: image for code, image in _IMAGE.items() if _CATEGORIES["DIGIT"] >> code & 1}


class _Part(NamedTuple):
    """A piece of a pattern: positions it may begin with and end with, and whether it may be nothing."""

    first: int
    last: int
    empty: bool


class _Pattern:
    """Positions of one pattern: the signs of each, and the positions that may follow it (as bits)."""

    def __init__(self, parsed: Iterable[tuple[Any, Any]], flags: int) -> None:
        self.signs: list[int] = []
        self.follow: list[int] = []
        self._sequence(parsed, flags)
        self._taking: dict[int, tuple[int, int]] = {}
        self._following: dict[int, int] = {}

    def holds(self, signs: Sequence[int]) -> bool:
        """Whether some match holds, one behind the other, a sign of each of these kinds."""
        here = self._from(signs[0])[1]
        for kind in signs[1:]:
            reached = here & self._from(kind)[0]
            if not reached:
                return False
            here = self._following.get(reached) or self._behind(reached)
        return self._from(signs[0])[0] != 0

    def _behind(self, reached: int) -> int:
        """What may follow one of these positions. The same few sets of them are met again and again."""
        here, left = 0, reached
        while left:
            low = left & -left
            here |= self.follow[low.bit_length() - 1]
            left ^= low
        if len(self._following) >= _REACHED:
            self._following = {}
        self._following[reached] = here
        return here

    def _from(self, kind: int) -> tuple[int, int]:
        """The positions that a sign of a kind may stand at, and those that may follow one of them."""
        known = self._taking.get(kind)
        if known is None:
            taking = behind = 0
            for place, accepted in enumerate(self.signs):
                if accepted & kind:
                    taking |= 1 << place
                    behind |= self.follow[place]
            known = self._taking[kind] = (taking, behind)
        return known

    def _sequence(self, items: Iterable[tuple[Any, Any]], flags: int) -> _Part:
        made = _Part(0, 0, empty=True)
        for op, args in items:
            part = self._item(str(op), args, flags)
            self._link(made.last, part.first)
            made = _Part(
                made.first | part.first if made.empty else made.first,
                made.last | part.last if part.empty else part.last,
                empty=made.empty and part.empty,
            )
        return made

    def _item(self, op: str, args: Any, flags: int) -> _Part:
        if op in {"LITERAL", "NOT_LITERAL", "IN", "ANY"}:
            return self._sign(_class(op, args, flags))
        if op == "AT":
            return _Part(0, 0, empty=True)
        if op == "SUBPATTERN":
            return self._sequence(args[3], (flags | args[1]) & ~args[2])
        if op == "BRANCH":
            made = [self._sequence(each, flags) for each in args[1]]
            first = last = 0
            for part in made:
                first, last = first | part.first, last | part.last
            return _Part(first, last, empty=any(part.empty for part in made))
        if op in {"MAX_REPEAT", "MIN_REPEAT"}:
            part = self._sequence(args[2], flags)
            self._link(part.last, part.first)
            return part._replace(empty=part.empty or args[0] == 0)
        raise ValueError("a pattern of unknown parts")

    def _sign(self, signs: int) -> _Part:
        if len(self.signs) >= _MOST:
            raise ValueError("a pattern of too many signs")
        self.signs.append(signs)
        self.follow.append(0)
        place = 1 << (len(self.signs) - 1)
        return _Part(place, place, empty=False)

    def _link(self, last: int, first: int) -> None:
        while last:
            low = last & -last
            self.follow[low.bit_length() - 1] |= first
            last ^= low


class Factors:
    """Of some rules those that may have a value with given signs in it. Thread-safe; remembers what it was asked."""

    def __init__(self, rules: Iterable[tuple[str, int]], *, numbers: Sequence[int] | None = None) -> None:
        """``rules``: the pattern of each over an alphabet, and the capture that is its value.

        ``numbers``: what the rules are called in answers; from 0 on unless given.
        """
        given = list(rules)
        numbered = range(len(given)) if numbers is None else numbers
        self._patterns = dict(zip(numbered, (_read(regex, group) for regex, group in given), strict=True))
        self.numbers = frozenset(self._patterns)
        self._known: dict[str, tuple[frozenset[int], frozenset[int]]] = {}

    def holders(self, signs: str, among: frozenset[int] | None = None) -> frozenset[int]:
        """Numbers of the rules that may have a value with these characters of a text in it, and perhaps of others.

        ``signs``: at least one character. ``among``: the rules that are asked about; all of them unless given.
        """
        wanted = self.numbers if among is None or among is self.numbers else among & self.numbers
        image = signs.translate(_DIGIT_IMAGE)
        asked, holding = self._known.get(image, _NOTHING)
        if len(asked) < len(self.numbers) and not wanted <= asked:
            more = wanted - asked
            asked, holding = asked | more, holding.union(self._ask(image, more))
            if len(self._known) >= _REMEMBERED:
                self._known = {}
            self._known[image] = asked, holding
        return wanted & holding

    def _ask(self, signs: str, numbers: Iterable[int]) -> list[int]:
        alike = [_kind(ord(char)) for char in signs]
        close = [_close_kind(ord(char)) for char in signs]
        asked = ((number, self._patterns[number]) for number in numbers)
        return [number for number, each in asked if each is None or (each.holds(alike) and each.holds(close))]


def _kind(code: int) -> int:
    """All signs that this one is taken for. What lies beyond the alphabet has an image beyond ASCII."""
    if code >= _SIGNS:
        return _SAME[-1]
    return next((kind for kind in _SAME if kind >> code & 1), 1 << code)


def _close_kind(code: int) -> int:
    """The same, a letter of ASCII for itself."""
    kind = _kind(code)
    return 1 << code if kind in {_SAME[1], _SAME[2]} else kind


def _read(regex: str, group: int) -> _Pattern | None:
    try:
        return _Pattern(*value_of(regex, group))
    except (ValueError, RecursionError):
        return None


def _class(op: str, args: Any, flags: int) -> int:
    if op == "ANY":
        return _ALL
    if op != "IN":
        signs = _cased(1 << args, flags if op == "LITERAL" else 0)
        return signs if op == "LITERAL" else _ALL & ~signs
    negated = str(args[0][0]) == "NEGATE"
    signs = 0
    for name, value in args[1:] if negated else args:
        signs |= _set(str(name), value)
    # Without the other case of what is left out, too much is let in, never too little.
    return _ALL & ~signs if negated else _cased(signs, flags)


def _set(name: str, value: Any) -> int:
    if name == "LITERAL":
        return 1 << int(value)
    if name == "RANGE":
        return _mask(range(value[0], value[1] + 1))
    if name == "CATEGORY":
        kind = str(value).removeprefix("CATEGORY_")
        signs = _CATEGORIES[kind.removeprefix("NOT_")]
        return _ALL & ~signs if kind.startswith("NOT_") else signs
    raise ValueError("a class of unknown parts")


def _cased(signs: int, flags: int) -> int:
    if not flags & re.IGNORECASE:
        return signs
    made = signs
    for code in range(_SIGNS):
        if signs >> code & 1:
            for other in (chr(code).lower(), chr(code).upper()):
                if len(other) == 1 and ord(other) < _SIGNS:
                    made |= 1 << ord(other)
    return made
