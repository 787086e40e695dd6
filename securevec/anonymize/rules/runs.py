"""Rules that look for a long run of signs of one kind, forty of base64 in a row: told without an automaton.

In a set of patterns a run counts along with every letter of a text, and each count is another state for each state of
all other patterns. Marked in a copy of the text, the run is one search for a string, which looks at few of its places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from securevec.anonymize.rules.shape import value_of
from securevec.anonymize.rules.spelled import bytes_at

_SHORTEST: Final = 16
_MARK: Final = b"x"


class Runs:
    """Rules by number. Immutable."""

    __slots__ = ("_looked_for",)

    def __init__(self, patterns: Iterable[tuple[int, bytes]]) -> None:
        """``patterns``: RE2 syntax over an alphabet; those that are no run (:func:`run_of`) are left out."""
        runs = ((number, run_of(pattern)) for number, pattern in patterns)
        self._looked_for = tuple((number, *run) for number, run in runs if run is not None)

    def __contains__(self, number: int) -> bool:
        return any(number == looked_for[0] for looked_for in self._looked_for)

    def numbers(self, data: bytes) -> list[int]:
        """Of the patterns that occur."""
        return [number for number, marks, run in self._looked_for if run in data.translate(marks)]


def run_of(regex: bytes) -> tuple[bytes, bytes] | None:
    """A table that marks what a pattern is made of, and its shortest match so marked; ``None`` for a pattern that is
    anything but one long run."""
    try:
        items, flags = value_of(regex.decode("latin-1"))
        ((op, args),) = items
        if str(op) not in {"MAX_REPEAT", "MIN_REPEAT"} or int(args[0]) < _SHORTEST or flags & re.IGNORECASE:
            return None
        ((kind, value),) = args[2]
        taken = bytes_at(str(kind), value, flags)
    except (ValueError, KeyError, RecursionError):
        return None
    return bytes(ord(_MARK) if code in taken else 0 for code in range(256)), _MARK * int(args[0])
