"""A pattern with every class spelled out in bytes, so that another engine cannot read it differently.

Engines agree on sequences, choices and repeats and differ in the small print: what white space is (to RE2 no vertical
tab), whether letters beyond ASCII have cases, whether ``$`` may stand in front of a last line break. A second engine
that read one of these more narrowly would pass over a value in silence. So it gets no names of classes and no flags:
each place of a pattern is the set of bytes that RE2 takes there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from securevec.anonymize.rules.shape import value_of
from securevec.errors import ConfigError

_ALL: Final = frozenset(range(256))
_BREAK: Final = ord("\n")
_DIGIT: Final = frozenset(b"0123456789")
_WORD: Final = _DIGIT | frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_LETTERS: Final = _WORD - _DIGIT - {ord("_")}
_SPACE: Final = frozenset(b"\t\n\f\r ")
_CLASSES: Final = {
    "CATEGORY_DIGIT": _DIGIT,
    "CATEGORY_NOT_DIGIT": _ALL - _DIGIT,
    "CATEGORY_WORD": _WORD,
    "CATEGORY_NOT_WORD": _ALL - _WORD,
    "CATEGORY_SPACE": _SPACE,
    "CATEGORY_NOT_SPACE": _ALL - _SPACE,
}
"""As RE2 has them."""
_EDGES: Final = {
    "AT_BEGINNING": rb"\A",
    "AT_BEGINNING_STRING": rb"\A",
    "AT_END": rb"\z",
    "AT_BOUNDARY": rb"\b",
    "AT_NON_BOUNDARY": rb"\B",
}
_READ: Final = re.IGNORECASE | re.DOTALL | re.UNICODE
"""Flags that this knows, the last of which every pattern of text has."""


def spelled(regex: bytes) -> bytes:
    """``regex`` (RE2 syntax over an alphabet, a byte a character) in terms of single bytes.

    Raises ``ConfigError`` for a pattern that this cannot read.
    """
    try:
        items, flags = value_of(regex.decode("latin-1"))
        return spelled_items(items, flags)
    except (ValueError, KeyError, RecursionError):
        # Not chained: the pattern may be an operator's own.
        raise ConfigError(
            "A rule's pattern cannot be put to the second pattern engine.", next_step="Use the engine re2."
        ) from None


def spelled_items(items: Iterable[tuple[Any, Any]], flags: int) -> bytes:
    """:func:`spelled` of a parsed sequence. Raises ``ValueError`` or ``KeyError`` for one that this cannot read."""
    if flags & ~_READ:
        raise ValueError("a flag that is not known")
    return b"".join(_piece(str(op), args, flags) for op, args in items)


def _piece(op: str, args: Any, flags: int) -> bytes:
    if op == "AT":
        return _EDGES[str(args)]
    if op == "BRANCH":
        return b"(?:" + b"|".join(spelled_items(branch, flags) for branch in args[1]) + b")"
    if op == "SUBPATTERN":
        return b"(?:" + spelled_items(args[3], (flags | args[1]) & ~args[2]) + b")"
    if op in {"MAX_REPEAT", "MIN_REPEAT"}:
        # Which of several matches is taken does not matter to whether there is one.
        least, most = int(args[0]), int(args[1])
        counted = b"{%d,}" % least if str(args[1]) == "MAXREPEAT" else b"{%d,%d}" % (least, most)
        return b"(?:" + spelled_items(args[2], flags) + b")" + counted
    return _class(bytes_at(op, args, flags))


def bytes_at(op: str, args: Any, flags: int) -> frozenset[int]:
    """The bytes that RE2 takes at one place. Raises ``ValueError`` for a part that is no single place."""
    if op == "ANY":
        return _ALL if flags & re.DOTALL else _ALL - {_BREAK}
    if op == "LITERAL":
        return _cased({int(args)}, flags)
    if op == "NOT_LITERAL":
        return _ALL - _cased({int(args)}, flags)
    if op != "IN":
        raise ValueError("a part that is not known")
    items = list(args)
    negated = str(items[0][0]) == "NEGATE"
    named: set[int] = set()
    classes: set[int] = set()
    for kind, value in items[1:] if negated else items:
        if str(kind) == "CATEGORY":
            classes |= _CLASSES[str(value)]
        elif str(kind) == "RANGE":
            named |= set(range(value[0], value[1] + 1))
        elif str(kind) == "LITERAL":
            named.add(int(value))
        else:
            raise ValueError("a part of a class that is not known")
    taken = _cased(named, flags) | classes
    return _ALL - taken if negated else taken


def _cased(codes: set[int], flags: int) -> frozenset[int]:
    """These bytes, and where case does not count those of ASCII in the other case: RE2 knows no others in Latin-1."""
    if not codes <= _ALL:
        raise ValueError("a character that is no byte")
    if not flags & re.IGNORECASE:
        return frozenset(codes)
    return frozenset(codes | {ord(chr(code).swapcase()) for code in codes if code in _LETTERS})


def _class(codes: frozenset[int]) -> bytes:
    if not codes:
        raise ValueError("a class of nothing")
    if len(codes) == 1:
        return b"\\x%02x" % min(codes)
    if codes == _ALL:
        return b"[\\x00-\\xff]"
    ranges: list[bytes] = []
    ordered = sorted(codes)
    first = last = ordered[0]
    for code in [*ordered[1:], 512]:
        if code == last + 1:
            last = code
            continue
        ranges.append(b"\\x%02x" % first if first == last else b"\\x%02x-\\x%02x" % (first, last))
        first = last = code
    return b"[" + b"".join(ranges) + b"]"
