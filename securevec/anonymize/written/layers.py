"""One layer of notation taken off a text, with the way back to the text's own offsets."""

from __future__ import annotations

from typing import NamedTuple

from securevec.anonymize.fold import Folded


class Unit(NamedTuple):
    """A range of a text that stands for ``image``: an escape, a tag (which stands for nothing or a break)."""

    start: int
    end: int
    image: str
    tag: bool = False


class Cell(NamedTuple):
    """A value in a view's text, and the key, column or element that names it."""

    start: int
    end: int
    head: str


class Layer:
    """Collects what a text reads as, piece by piece from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: list[str] = []
        self._made_at: list[int] = []
        self._original_at: list[int] = []
        self._sizes: list[int] = []
        self.length = 0

    def put(self, image: str, start: int, size: int) -> None:
        """``image`` for ``size`` characters at ``start``. An empty image leaves a gap."""
        if image:
            self._push(image, start, size)

    def copy(self, start: int, end: int) -> None:
        """The text's own characters."""
        if start < end:
            self._push(self._text[start:end], start, 0)

    def spell(self, start: int, end: int, units: list[Unit]) -> None:
        """The text's own characters, but for ``units``, which lie between ``start`` and ``end`` in order."""
        for unit in units:
            self.copy(start, unit.start)
            self.put(unit.image, unit.start, unit.end - unit.start)
            start = unit.end
        self.copy(start, end)

    def made(self) -> Folded:
        """What was collected."""
        return Folded("".join(self._pieces), self._made_at or [0], self._original_at or [0], self._sizes or [0])

    def _push(self, image: str, start: int, size: int) -> None:
        self._pieces.append(image)
        self._made_at.append(self.length)
        self._original_at.append(start)
        self._sizes.append(size)
        self.length += len(image)
