"""Which of many patterns occur in a text: one RE2 set, asked in one pass.

The set builds its automaton as it reads, a state for each combination of places that its patterns may be at; a text
that nobody has read before costs a hundred times what it costs the next time. Patterns that run through every word
multiply the states of all others, so they are better asked in a set of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import re2

from securevec.errors import DetectorError

SENTINEL: Final = b"\n\x02securevec-sentinel-7d1f\x03"


class Sieve:
    """Patterns by number. Immutable but for the automaton the engine builds as it reads; safe for threads."""

    __slots__ = ("_engine", "_numbers", "_sentinel")

    def __init__(self, patterns: Iterable[tuple[int, bytes]], options: Any) -> None:
        """``options``: those of the engine, for all patterns."""
        compiled: Any = re2.Set.SearchSet(options)
        self._numbers: list[int] = []
        for number, pattern in patterns:
            compiled.Add(pattern)
            self._numbers.append(number)
        self._sentinel: int = compiled.Add(SENTINEL)
        compiled.Compile()
        # Without the wrapper of the engine's module.
        self._engine: Any = compiled._set

    def numbers(self, data: bytes) -> list[int]:
        """Of the patterns that occur. Raises ``DetectorError`` when the engine gave up, which it does silently."""
        hits: list[int] = self._engine.Match(data + SENTINEL)
        if not hits or self._sentinel not in hits:
            raise DetectorError("The pattern engine gave up on a text; nothing was scanned.")
        hits.remove(self._sentinel)
        numbers = self._numbers
        return [numbers[hit] for hit in hits]
