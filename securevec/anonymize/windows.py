"""Long texts in windows, without losing a value at a border.

Windows overlap. A finding belongs to the window in which at least half the overlap lies on either side of its start;
one that reaches the end of its window makes the window grow until it no longer does, so that a value of any length is
seen whole (a rule whose value can be longer than half the overlap must match its beginning alone). Bounded windows
keep memory bounded: the name detector's word objects outweigh the text many times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from securevec.anonymize.findings import Finding

WINDOW: Final = 1 << 20
OVERLAP: Final = 1 << 15


def scan_windows(
    text: str, scan: Callable[[str], list[Finding]], *, window: int = WINDOW, overlap: int = OVERLAP
) -> list[Finding]:
    """``scan`` over all of ``text``; findings in offsets of ``text``. Each character is scanned at most a few times."""
    if len(text) <= window:
        return scan(text)
    found: list[Finding] = []
    start = owned_from = 0
    while True:
        end = min(start + window, len(text))
        part = scan(text[start:end])
        while end < len(text) and any(finding.end == end - start for finding in part):
            end = min(start + 2 * (end - start), len(text))
            part = scan(text[start:end])
        last = end == len(text)
        owned_to = end if last else end - overlap // 2
        found.extend(f.shifted(start) for f in part if owned_from <= f.start + start < owned_to)
        if last:
            return found
        owned_from = owned_to
        start = end - overlap
