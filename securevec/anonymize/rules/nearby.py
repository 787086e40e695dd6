"""Words around a value. Many rules claim the same digits, so the words around them are read once for all rules.

A word of plain letters stands near a value when it is one of the runs of letters there, which a set can say; what has
spaces or signs in it ("sort code", "s/c") is looked for by its pattern, and only where its first run of letters is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from securevec.anonymize.rules.sheet import View

_RUN: Final = re.compile(r"[a-z]+")


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

    def among(self, runs: list[bytes], view: View, place: tuple[int, int]) -> bool:
        """Whether one is near a place. ``runs``: what :meth:`View.runs` says of the place."""
        if self._any is not None and self._any.isdisjoint(runs):
            return False
        return not self._plain.isdisjoint(runs) or self._pattern.search(view.window(place)) is not None
