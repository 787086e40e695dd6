"""Cutting a text into pieces that fit the model, without cutting a span. Pure.

Everything here is in characters of the anonymized text, except ``max_tokens`` and ``overlap``, which count the
model's own tokens: a limit in characters would either waste the window or be cut silently by the model.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from securevec import limits
from securevec.errors import LimitExceeded
from securevec.types import Span

_BOUNDARIES: Final = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"[.!?…。！？][\"'”’)\]]*\s+"),
    re.compile(r"[,;:]\s+"),
    re.compile(r"\s+"),
    re.compile(r"(?<=\w)(?!\w)|(?<!\w)(?=\w)"),
)
"""Where a reader would cut, best first; a cut lies at the end of a match."""


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """One chunk: characters ``start`` to ``end`` (exclusive) of the joined text."""

    start: int
    end: int


def chunk(
    text_length: int,
    offsets: Sequence[tuple[int, int]],
    spans: Sequence[Span],
    *,
    max_tokens: int,
    overlap: int,
    text: str | None = None,
) -> list[ChunkRange]:
    """Ranges in order that together cover the whole text; neighbours share up to ``overlap`` tokens.

    ``offsets``: the model's tokens in order. ``spans``: sorted, not overlapping. With ``text`` a cut prefers, within
    the second half of a window, the end of a paragraph, line, sentence, clause or word; else it lies between tokens.

    A cut never lies inside a span: it moves to the span's start. Only a span that by itself is longer than
    ``max_tokens`` makes a chunk longer than that; it gets a chunk of its own, so that no other text is lost to the
    model's own cut.

    An empty text is one empty chunk. Raises :class:`LimitExceeded` above 65,536 chunks, ``ValueError`` for
    ``max_tokens < 1`` or an overlap that is negative or more than half of it.

    >>> chunk(11, [(0, 5), (6, 11)], [], max_tokens=1, overlap=0, text="hello world")
    [ChunkRange(start=0, end=6), ChunkRange(start=6, end=11)]
    """
    if max_tokens < 1 or not 0 <= overlap <= max_tokens // 2:
        raise ValueError("max_tokens is at least 1, overlap at most half of it")
    cutter = _Cutter(text_length, offsets, spans, max_tokens, text)
    ranges: list[ChunkRange] = []
    start = covered = 0
    while True:
        end = cutter.end_of(start, covered)
        if end is None:
            # Between what is covered and a span that does not fit there is nothing new: begin at the span.
            start = covered
            continue
        ranges.append(ChunkRange(start, end))
        if len(ranges) > limits.MAX_CHUNKS:
            raise LimitExceeded(f"A record makes more than {limits.MAX_CHUNKS} chunks.")
        if end >= text_length:
            return ranges
        covered = end
        start = cutter.start_before(end, overlap, after=start)


class _Cutter:
    def __init__(
        self,
        length: int,
        offsets: Sequence[tuple[int, int]],
        spans: Sequence[Span],
        max_tokens: int,
        text: str | None,
    ) -> None:
        self._length = length
        self._starts = [start for start, _ in offsets]
        self._ends = [end for _, end in offsets]
        self._spans = [(span.start, span.end) for span in spans]
        self._span_starts = [span.start for span in spans]
        self._max = max_tokens
        self._text = text

    def end_of(self, start: int, covered: int) -> int | None:
        """Where a chunk that begins at ``start`` ends, beyond ``covered``; ``None`` when it cannot get beyond."""
        first = bisect_right(self._ends, start)
        last = first + self._max
        # Some tokenizers give several tokens one range; a cut needs a place beyond what is covered.
        while last < len(self._starts) and self._starts[last] <= covered:
            last += 1
        if last >= len(self._starts):
            return self._length
        limit = self._starts[last]
        divided = self._span_around(limit)
        if divided is not None and divided[0] <= start:
            return self._after(divided[1])
        floor = max(covered, self._starts[first + self._max // 2])
        cut = self._preferred(floor, limit)
        divided = self._span_around(cut)
        if divided is not None:
            cut = divided[0]
        return cut if cut > covered else None

    def start_before(self, end: int, overlap: int, *, after: int) -> int:
        """Where the next chunk begins: up to ``overlap`` tokens before ``end``, at a word, outside any span."""
        if overlap == 0:
            return end
        index = bisect_left(self._starts, end) - overlap
        if index < 0 or self._starts[index] <= after:
            return end
        start = self._starts[index]
        if self._text is not None:
            while start < end and start > 0 and self._text[start - 1].isalnum() and self._text[start].isalnum():
                start += 1
        inside = self._span_around(start)
        return min(start if inside is None else inside[1], end)

    def _preferred(self, floor: int, limit: int) -> int:
        """The best cut in ``(floor, limit]`` that lies in no span, or ``limit``."""
        if self._text is None:
            return limit
        for boundary in _BOUNDARIES:
            best = 0
            # One character more, because a search that stops at `limit` would take it for the end of a word.
            for match in boundary.finditer(self._text, floor, limit + 1):
                if floor < match.end() <= limit and self._span_around(match.end()) is None:
                    best = match.end()
            if best:
                return best
        return limit

    def _after(self, end: int) -> int:
        """``end``, or the end of the text when only white space follows."""
        return self._length if bisect_left(self._starts, end) >= len(self._starts) else end

    def _span_around(self, cut: int) -> tuple[int, int] | None:
        """The span that a cut at ``cut`` would divide."""
        index = bisect_left(self._span_starts, cut) - 1
        if index < 0:
            return None
        start, end = self._spans[index]
        return (start, end) if start < cut < end else None
