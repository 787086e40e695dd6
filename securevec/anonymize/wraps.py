"""Values that a mail program or a page has broken over two lines: ``GB82 WEST 1234`` here, ``5698 7654 32`` there.

Around every line break with a number on either side, the end of one line and the start of the next (marks of quotation
left out) are read once more as one line; of what is found there, only what lies across the break counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.scan import Across

_REACH: Final = 64
_LEAST: Final = 2
"""Characters on either side: a single letter under a number is mostly something else."""
_BREAK: Final = re.compile(r"\n(?:[ \t]*+[>|])*+[ \t]*+(?=[^\s>|])")
_MARKS: Final = " \t>|"
_NEAR: Final = 16
_MARKED: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_TWO_DIGITS: Final = re.compile(r"[0-9][^0-9]*[0-9]")
_CARD_BREAKS: Final = frozenset([4, 8, 10, 12])
ScanEach = Callable[[Sequence[tuple[str, Across]]], list[list[Finding]]]
"""Of each line what is found in it and covered."""
GUESSED: Final = frozenset(["phone-national", "phone-context", "phone-double-zero", "us-ssn-bare", "bank-account"])
"""Rules that lean on a number standing alone: two numbers of a column would make one."""


def scan_breaks(text: str, scan_each: ScanEach) -> list[Finding]:
    """Findings across line breaks, in offsets of ``text``; each covers the break as well.

    ``scan_each``: a scanner's, without the rules ``GUESSED``.
    """
    places = [
        (left, gap, right, end)
        for left, (gap, right), end in _joints(text)
        if gap - left >= _LEAST and end - right >= _LEAST
    ]
    if not places:
        return []
    lines = [
        (f"{text[left:gap]} {text[right:end]}", Across(gap - left - _LEAST, gap - left + 1 + _LEAST))
        for left, gap, right, end in places
    ]
    found: list[Finding] = []
    for (left, gap, right, _), here in zip(places, scan_each(lines), strict=True):
        size = gap - left
        for finding in here:
            if _whole_groups(finding, text[left + finding.start : gap]):
                begin, finish = left + finding.start, right + finding.end - size - 1
                found.append(Finding(begin, finish, finding.entity, finding.score, finding.rule, finding.priority))
    return found


def _whole_groups(finding: Finding, before: str) -> bool:
    """A card number breaks between its groups; one of ten pairs of neighbouring numbers passes its check by chance."""
    return finding.rule != "card" or sum(map(str.isdigit, before)) in _CARD_BREAKS


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
