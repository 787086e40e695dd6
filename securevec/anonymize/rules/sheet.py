"""Texts below each other as the rules see them, and what was made of them for one rule and will do for the next.

Most of what a short text costs is calling things for it. So some texts are written on one sheet, with a line break in
between: turned into bytes, into lower case and into runs of letters once for all of them. No rule looks over the end of
its own text, since the engine is given a range, and both edges of a text are to a pattern what a line break is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from securevec.anonymize.rules.alphabet import Alphabet

BEFORE: Final = 56
AFTER: Final = 32
"""Characters in front of a value and behind it that are read for the words around it."""
_DIGITS: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_FEW: Final = 4
"""Places of which the letters around are read by themselves; for more the whole sheet's are."""
_LETTERS: Final = bytes(code if 97 <= code <= 122 else 32 for code in range(256))


class Across(NamedTuple):
    """Only values that begin at ``starts_by`` at the latest and end at ``ends_from`` at the earliest."""

    starts_by: int
    ends_from: int

    def covers(self, start: int, end: int) -> bool:
        return start <= self.starts_by and end >= self.ends_from


class Part(NamedTuple):
    """A folded text. ``hint``: the words of its field's name, as if they stood in front.

    ``across``: which values count, ``able``: which rules are tried (by number); all of them unless given. ``among``
    says which of some rules are able, where nobody has asked yet about all.
    """

    text: str
    hint: str = ""
    across: Across | None = None
    able: frozenset[int] | None = None
    among: Callable[[frozenset[int]], frozenset[int]] | None = None


class Sheet:
    """``text``: the parts below each other; ``data``: their bytes, one a character, at the same places."""

    __slots__ = ("_letters", "data", "digits", "known", "lowered", "text")

    def __init__(self, text: str, alphabet: Alphabet) -> None:
        """Raises ``UnicodeEncodeError`` on a lone surrogate."""
        self.text = text
        self.data = alphabet.encode(text)
        self.digits = self.data.translate(_DIGITS)
        self.known: dict[tuple[int, int], list[bytes]] = {}
        self.lowered = ""
        self._letters = b""

    def lower(self) -> str:
        """The text in lower case, for context words and keywords: to be asked for once, then it is ``lowered``."""
        lowered = self.text.lower()
        if len(lowered) != len(self.text):
            # A few letters change length in lower case; places would drift.
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in self.text)
        self.lowered = lowered
        return lowered

    def letters(self) -> bytes:
        """The letters a to z of the text in lower case at their places, and spaces; nothing while few were asked."""
        if not self._letters and len(self.known) >= _FEW:
            self._letters = _letters(self.lowered or self.lower())
        return self._letters


class View:
    """One part of a sheet, from ``start`` to ``end`` of it. Places are those of the sheet."""

    __slots__ = ("across", "data", "digits_end", "end", "hint", "known", "sheet", "start", "text")

    def __init__(self, sheet: Sheet, part: Part, start: int, end: int) -> None:
        self.sheet = sheet
        self.text = sheet.text
        self.data = sheet.data
        self.known = sheet.known
        self.start = start
        self.end = end
        self.hint = part.hint
        self.across = part.across
        # Behind the last of the digits 0 to 9.
        self.digits_end = max(sheet.digits.rfind(b"0", start, end) + 1, start)

    def holds(self, words: tuple[str, ...]) -> bool:
        """Whether one of these stands anywhere in the part or in its hint."""
        lowered, hint = self.sheet.lowered or self.sheet.lower(), self.hint
        for word in words:  # noqa: SIM110 - a generator costs more than the search
            if lowered.find(word, self.start, self.end) >= 0 or (hint and word in hint):
                return True
        return False

    def words(self) -> bytes:
        """All that :meth:`window` may show a piece of."""
        lowered = (self.sheet.lowered or self.sheet.lower())[self.start : self.end]
        return f"{self.hint} {lowered}".encode()

    def runs(self, place: tuple[int, int]) -> list[bytes]:
        """The runs of the letters a to z around a place. To be asked for once; then they are in ``known``."""
        start, end = place
        begin = start - BEFORE if start - BEFORE > self.start else self.start
        finish = end + AFTER if end + AFTER < self.end else self.end
        if letters := self.sheet.letters():
            found = letters[begin:start].split() + letters[end:finish].split()
        else:
            lowered = self.sheet.lowered or self.sheet.lower()
            found = _letters(f"{lowered[begin:start]} {lowered[end:finish]}").split()
        if self.hint:
            found += _letters(self.hint).split()
        self.known[place] = found
        return found

    def window(self, place: tuple[int, int]) -> str:
        """The text around a place in lower case, behind the hint."""
        lowered, (start, end) = self.sheet.lowered or self.sheet.lower(), place
        begin, finish = max(start - BEFORE, self.start), min(end + AFTER, self.end)
        return f"{self.hint} {lowered[begin:start]} | {lowered[end:finish]}"


def views(parts: Sequence[Part], alphabet: Alphabet) -> list[View]:
    """The parts on one sheet. Raises ``UnicodeEncodeError`` on a lone surrogate."""
    sheet = Sheet("\n".join([part.text for part in parts]), alphabet)
    made: list[View] = []
    start = 0
    for part in parts:
        end = start + len(part.text)
        made.append(View(sheet, part, start, end))
        start = end + 1
    return made


def _letters(lowered: str) -> bytes:
    return lowered.encode("ascii", "replace").translate(_LETTERS)
