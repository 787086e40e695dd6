"""What can be said of a pattern before any text is seen: how short its matches are, and whether they hold white space.

Both are bounds on the safe side: a pattern this cannot read may match anything. Read with the parser of the standard
library, which knows the syntax RE2 shares with it; :mod:`securevec.anonymize.rules.alphabet` wrote out what it does
not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

_PARSER: Final[Any] = getattr(re, "_parser", None)
_ONLY_RE2: Final = re.compile(r"\[:\^?\w+:\]|\\[QCEzpP]|\(\?\w*U")
_SPACE: Final = " "
_DIGITS: Final = frozenset("0123456789")
_NO_SPACE: Final = frozenset({"CATEGORY_DIGIT", "CATEGORY_WORD", "CATEGORY_NOT_SPACE"})


class Shape(NamedTuple):
    """``fewest``: characters of the shortest match, or less. ``spaced``: whether its value may hold a space.

    ``digit``: whether every match holds one of the digits 0 to 9.
    """

    fewest: int
    spaced: bool
    digit: bool


_ANYTHING: Final = Shape(0, True, False)


def shape(regex: str, group: int = 0) -> Shape:
    """Bounds on the matches of a pattern over an alphabet. ``group``: the capture that is the value, 0: all of it."""
    if _PARSER is None or _ONLY_RE2.search(regex):
        return _ANYTHING
    try:
        parsed: Any = _PARSER.parse(regex)
        values = _groups(parsed, group) if group else [parsed]
        return Shape(int(parsed.getwidth()[0]), any(map(_spaced, values)), _numbered(parsed))
    except (re.error, ValueError, RecursionError, OverflowError):
        return _ANYTHING


def edged(regex: str) -> bool:
    """Whether a pattern over an alphabet may say where the text begins or ends. Borders of words do not count."""
    if _PARSER is None or _ONLY_RE2.search(regex):
        return True
    try:
        return _edged(_PARSER.parse(regex))
    except (re.error, RecursionError, OverflowError):
        return True


def value_of(regex: str, group: int = 0) -> tuple[Iterable[tuple[Any, Any]], int]:
    """What a pattern's values are made of, and its flags. Raises ``ValueError`` for a pattern this cannot read."""
    if _PARSER is None or _ONLY_RE2.search(regex):
        raise ValueError("a pattern of RE2 alone")
    try:
        parsed: Any = _PARSER.parse(regex)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError("a pattern of RE2 alone") from error
    inside = _groups(parsed, group) if group else [parsed]
    if len(inside) != 1:
        raise ValueError("a capture in several places")
    return inside[0], int(parsed.state.flags)


def _groups(parsed: Iterable[tuple[Any, Any]], group: int) -> list[Any]:
    """What the capture of that number is made of. Raises ``ValueError`` where it does not stand at the top, or in
    choices and groups there that change no flags."""
    found: list[Any] = []
    waiting = [*parsed]
    while waiting:
        op, args = waiting.pop()
        if str(op) == "BRANCH":
            waiting += [item for branch in args[1] for item in branch]
        elif str(op) == "SUBPATTERN" and args[0] == group:
            found.append(args[-1])
        elif str(op) == "SUBPATTERN" and not (args[1] or args[2]):
            waiting += args[-1]
    if not found:
        raise ValueError("a capture inside another part")
    return found


def _edged(parsed: Iterable[tuple[Any, Any]]) -> bool:
    return any(_may_be_edge(str(op), args) for op, args in parsed)


def _may_be_edge(op: str, args: Any) -> bool:
    if op == "AT":
        return str(args) not in {"AT_BOUNDARY", "AT_NON_BOUNDARY"}
    if op == "BRANCH":
        return any(map(_edged, args[1]))
    if op in {"SUBPATTERN", "MAX_REPEAT", "MIN_REPEAT"}:
        return _edged(args[-1])
    return op not in {"LITERAL", "NOT_LITERAL", "IN", "ANY"}


def _spaced(parsed: Iterable[tuple[Any, Any]]) -> bool:
    return any(_may_be_space(str(op), args) for op, args in parsed)


def _may_be_space(op: str, args: Any) -> bool:
    if op == "LITERAL":
        return bool(chr(args) == _SPACE)
    if op == "NOT_LITERAL":
        return bool(chr(args) != _SPACE)
    if op == "IN":
        return _class_holds(cast("list[tuple[Any, Any]]", args))
    if op == "BRANCH":
        return any(map(_spaced, args[1]))
    if op in {"SUBPATTERN", "MAX_REPEAT", "MIN_REPEAT"}:
        return _spaced(args[-1])
    return op != "AT"


def words_in(parsed: Iterable[tuple[Any, Any]]) -> tuple[str, ...]:
    """The choice of words that says most of those in a parsed sequence: its shortest word is the longest. In small
    letters, one of them is in every match; none where the sequence does not say so."""
    best: tuple[str, ...] = ()
    run = ""
    for op, args in parsed:
        name = str(op)
        if name == "LITERAL" and 0x20 < args < 0x7F:
            run += chr(args).lower()
            found: tuple[str, ...] = (run,)
        elif name == "AT":
            continue
        else:
            run = ""
            found = _needed_by(name, args)
        if found and (not best or min(map(len, found)) > min(map(len, best))):
            best = found
    return best


def _needed_by(op: str, args: Any) -> tuple[str, ...]:
    if op == "BRANCH":
        each = [words_in(branch) for branch in args[1]]
        return tuple(word for words in each for word in words) if all(each) else ()
    if op == "SUBPATTERN" or (op in {"MAX_REPEAT", "MIN_REPEAT"} and args[0] > 0):
        return words_in(args[-1])
    return ()


def _numbered(parsed: Iterable[tuple[Any, Any]]) -> bool:
    return any(_is_number(str(op), args) for op, args in parsed)


def _is_number(op: str, args: Any) -> bool:
    if op == "LITERAL":
        return chr(args) in _DIGITS
    if op == "IN":
        return all(_only_digits(str(name), value) for name, value in args)
    if op == "BRANCH":
        return all(map(_numbered, args[1]))
    if op in {"MAX_REPEAT", "MIN_REPEAT"}:
        return bool(args[0] > 0) and _numbered(args[2])
    return op == "SUBPATTERN" and _numbered(args[-1])


def _only_digits(op: str, args: Any) -> bool:
    if op == "RANGE":
        return chr(args[0]) in _DIGITS and chr(args[1]) in _DIGITS
    return (op == "LITERAL" and chr(args) in _DIGITS) or (op == "CATEGORY" and str(args) == "CATEGORY_DIGIT")


def _class_holds(items: list[tuple[Any, Any]]) -> bool:
    negated = str(items[0][0]) == "NEGATE"
    held = False
    for op, args in items[1:] if negated else items:
        name = str(op)
        if name == "CATEGORY":
            held = held or str(args) not in _NO_SPACE
        elif name == "RANGE":
            held = held or args[0] <= ord(_SPACE) <= args[1]
        else:
            held = held or name != "LITERAL" or chr(args) == _SPACE
    return held != negated
