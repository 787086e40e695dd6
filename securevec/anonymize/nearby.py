"""Words around a value. Many rules claim the same digits, so the words around them are read once for all rules.

A word of plain letters stands near a value when it is one of the runs of letters there, which a set can say; what has
spaces or signs in it ("sort code", "s/c") is looked for by its pattern, and only where its first run of letters is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

BEFORE: Final = 56
AFTER: Final = 32
"""Characters in front of a value and behind it that are read for such words."""
_LETTERS: Final = bytes(code if 97 <= code <= 122 else 32 for code in range(256))
_RUN: Final = re.compile(r"[a-z]+")


class Near(NamedTuple):
    """``window``: the text around a value in lower case; ``runs``: its runs of the letters a to z."""

    window: str
    runs: list[bytes]


def near(lowered: str, start: int, end: int, hint: str) -> Near:
    """What stands around ``start`` to ``end``. ``hint``: the name of the field, as if it stood in front."""
    begin = start - BEFORE if start > BEFORE else 0
    window = f"{hint} {lowered[begin:start]} | {lowered[end : end + AFTER]}"
    return Near(window, window.encode().translate(_LETTERS).split())


class Words:
    """Whether one of some words is near: a whole word, not a part of one."""

    __slots__ = ("_any", "_pattern", "_plain")

    def __init__(self, words: Sequence[str]) -> None:
        ordered = sorted(words, key=len, reverse=True)
        self._pattern = re.compile(r"(?<![a-z])(?:" + "|".join(re.escape(word) for word in ordered) + r")(?![a-z])")
        self._plain = frozenset(word.encode() for word in words if _RUN.fullmatch(word))
        firsts = [_RUN.search(word) for word in words]
        # None: a word without such letters may stand anywhere, so the pattern is always asked.
        self._any = None if None in firsts else frozenset(run.group().encode() for run in firsts if run)

    def among(self, found: Near) -> bool:
        window, runs = found
        if self._any is not None and self._any.isdisjoint(runs):
            return False
        return not self._plain.isdisjoint(runs) or self._pattern.search(window) is not None
