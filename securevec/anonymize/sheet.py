"""Texts below each other as the rules see them, and what was made of them for one rule and will do for the next.

Most of what a short text costs is calling things for it. So some texts are written on one sheet, with a line break in
between: turned into bytes, into lower case and into runs of letters once for all of them. No rule looks over the end of
its own text, since the engine is given a range, and both edges of a text are to a pattern what a line break is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from securevec.anonymize.alphabet import Alphabet

BEFORE: Final = 56
AFTER: Final = 32
"""Characters in front of a value and behind it that are read for the words around it."""
_DIGITS: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_LETTERS: Final = bytes(code if 97 <= code <= 122 else 32 for code in range(256))


class Across(NamedTuple):
    """Only values that begin at ``starts_by`` at the latest and end at ``ends_from`` at the earliest."""

    starts_by: int
    ends_from: int

    def covers(self, start: int, end: int) -> bool:
        return start <= self.starts_by and end >= self.ends_from


class Part(NamedTuple):
    """A folded text. ``hint``: the words of its field's name, as if they stood in front.

    ``across``: which values count, ``able``: which rules are tried (by number); all of them unless given.
    """

    text: str
    hint: str = ""
    across: Across | None = None
    able: frozenset[int] | None = None


class Sheet:
    """``starts`` and ``ends``: where each part lies in ``text`` and, at the same places, in ``data``."""

    __slots__ = ("_digits", "_letters", "_lowered", "data", "ends", "known", "parts", "starts", "text")

    def __init__(self, parts: Sequence[Part], alphabet: Alphabet) -> None:
        """Raises ``UnicodeEncodeError`` on a lone surrogate."""
        self.parts = parts
        if len(parts) == 1:
            self.text = parts[0].text
            self.starts, self.ends = [0], [len(self.text)]
        else:
            self.text = "\n".join([part.text for part in parts])
            self.starts, self.ends = [], []
            at = 0
            for part in parts:
                self.starts.append(at)
                at += len(part.text)
                self.ends.append(at)
                at += 1
        self.data = alphabet.encode(self.text)
        self.known: dict[tuple[int, int], list[bytes]] = {}
        self._digits = b""
        self._letters = b""
        self._lowered = ""

    def part(self, number: int) -> bytes:
        """The bytes of a part."""
        return self.data[self.starts[number] : self.ends[number]]

    def digits_end(self, number: int) -> int:
        """Behind the last of the digits 0 to 9 in a part; 0 without any."""
        digits = self._digits
        if not digits:
            digits = self._digits = self.data.translate(_DIGITS)
        return digits.rfind(b"0", self.starts[number], self.ends[number]) + 1

    def holds(self, number: int, words: tuple[str, ...]) -> bool:
        """Whether one of these stands anywhere in a part or in its hint."""
        lowered = self._lowered or self._lower()
        hint, start, end = self.parts[number].hint, self.starts[number], self.ends[number]
        for word in words:  # noqa: SIM110 - a generator costs more than the search
            if lowered.find(word, start, end) >= 0 or (hint and word in hint):
                return True
        return False

    def words(self, number: int) -> bytes:
        """All that :meth:`window` may show a piece of."""
        lowered = self._lowered or self._lower()
        hint, body = self.parts[number].hint, lowered[self.starts[number] : self.ends[number]]
        return f"{hint} {body}".encode() if hint else body.encode()

    def runs(self, number: int, place: tuple[int, int]) -> list[bytes]:
        """The runs of the letters a to z around a place. To be asked for once; then they are in ``known``."""
        letters = self._letters
        if not letters:
            lowered = self._lowered or self._lower()
            letters = self._letters = lowered.encode("ascii", "replace").translate(_LETTERS)
        start, end = place
        first, last = self.starts[number], self.ends[number]
        begin = start - BEFORE if start - BEFORE > first else first
        finish = end + AFTER if end + AFTER < last else last
        found = letters[begin:start].split() + letters[end:finish].split()
        if hint := self.parts[number].hint:
            found += hint.encode("ascii", "replace").translate(_LETTERS).split()
        self.known[place] = found
        return found

    def window(self, number: int, place: tuple[int, int]) -> str:
        """The text around a place in lower case, behind the hint."""
        lowered = self._lowered or self._lower()
        start, end = place
        begin, finish = max(start - BEFORE, self.starts[number]), min(end + AFTER, self.ends[number])
        return f"{self.parts[number].hint} {lowered[begin:start]} | {lowered[end:finish]}"

    def _lower(self) -> str:
        """The text in lower case, for context words and keywords; many texts need neither."""
        lowered = self.text.lower()
        if len(lowered) != len(self.text):
            # A few letters change length in lower case; places would drift.
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in self.text)
        self._lowered = lowered
        return lowered
