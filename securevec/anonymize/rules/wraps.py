"""Values that a mail program or a page has broken over two lines: ``GB82 WEST 1234`` here, ``5698 7654 32`` there.

Around every line break with a number on either side, the end of one line and the start of the next (marks of quotation
left out) are read once more as one line; of what is found there, only what lies across the break counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from securevec.anonymize.findings import Finding
from securevec.anonymize.rules.sheet import Across

_REACH: Final = 64
_LEAST: Final = 2
"""Characters on either side: a single letter under a number is mostly something else."""
_BREAK: Final = re.compile(r"\n(?:[ \t]*+[>|])*+[ \t]*+(?=[^\s>|])")
_MARKS: Final = " \t>|"
_NEAR: Final = 16
_MARKED: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_TWO_DIGITS: Final = re.compile(r"[0-9][^0-9]*[0-9]")
_CARD_BREAKS: Final = frozenset([4, 8, 10, 12])
GUESSED: Final = frozenset(["phone-national", "phone-context", "phone-double-zero", "us-ssn-bare", "bank-account"])
"""Rules that lean on a number standing alone: two numbers of a column would make one."""


class Joint(NamedTuple):
    """A break from ``gap`` to ``right`` in a text, and the stretch around it, which begins at ``left``, as one line."""

    line: str
    left: int
    gap: int
    right: int

    @property
    def across(self) -> Across:
        """Which values of the line count: those with ``_LEAST`` characters on either side of the break."""
        size = self.gap - self.left
        return Across(size - _LEAST, size + 1 + _LEAST)

    @property
    def signs(self) -> str:
        """What every such value holds."""
        size = self.gap - self.left
        return self.line[size - _LEAST : size + 1 + _LEAST]

    def unbroken(self, found: list[Finding]) -> list[Finding]:
        """Findings of the line that lie across, in offsets of the text; each covers the break as well."""
        left, behind = self.left, self.right - (self.gap - self.left) - 1
        return [
            Finding(left + f.start, behind + f.end, f.entity, f.score, f.rule, f.priority)
            for f in found
            if f.rule != "card" or self._whole_groups(f)
        ]

    def _whole_groups(self, card: Finding) -> bool:
        """A number breaks between its groups; one of ten pairs of neighbouring numbers passes the check by chance."""
        return sum(map(str.isdigit, self.line[card.start : self.gap - self.left])) in _CARD_BREAKS


def joints(text: str) -> Iterator[Joint]:
    """The breaks of a text that a value may lie across."""
    for left, (gap, right), end in _joints(text):
        if gap - left >= _LEAST and end - right >= _LEAST:
            yield Joint(f"{text[left:gap]} {text[right:end]}", left, gap, right)


def _joints(text: str) -> Iterator[tuple[int, tuple[int, int], int]]:
    """Where a stretch to be read again begins, where its break begins and ends, and where it ends.

    The text is folded, so its digits are 0 to 9. Goes from one pair of them to the next, and looks at the breaks near.
    """
    marks = text.encode("latin-1", "replace").translate(_MARKED)
    line_end = text.find("\n")
    while line_end >= 0:
        first = marks.find(b"00", max(0, line_end - _NEAR))
        if first < 0:
            return
        if first - _NEAR > line_end:
            # Only marks lie between a break and the next line, so no break before these reaches the pair.
            reached = line_end + len(text[line_end : first - _NEAR].rstrip(_MARKS)) - 1
            if reached > line_end:
                line_end = text.find("\n", reached)
                continue
        match = _BREAK.match(text, line_end)
        if match is not None and first + 2 <= match.end() + _NEAR:
            right = match.end()
            left = max(text.rfind("\n", 0, line_end) + 1, line_end - _REACH)
            gap = left + len(text[left:line_end].rstrip())
            end = text.find("\n", right)
            end = min(len(text) if end < 0 else end, right + _REACH)
            if gap > left and _numbers(text[left:gap], text[right:end]):
                yield left, (gap, right), end
        line_end = text.find("\n", line_end + 1)


def _numbers(before: str, behind: str) -> bool:
    """Whether the words on both sides of a break hold enough digits together."""
    words = f"{before.rsplit(None, 1)[-1]}{behind.split(None, 1)[0]}"
    return _TWO_DIGITS.search(words) is not None
