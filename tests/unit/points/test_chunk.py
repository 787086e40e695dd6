"""Chunks cover the text, fit the model, and never cut a span."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securevec import limits
from securevec.errors import LimitExceeded
from securevec.points.chunk import ChunkRange, chunk
from securevec.types import Span, Token


def tokens(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w{1,4}|[^\w\s]", text)]


def span(start: int, end: int) -> Span:
    return Span(start, end, "EMAIL", Token(bytes(16)), "surrogate", "email")


def cut(text: str, spans: list[Span], *, max_tokens: int, overlap: int = 0) -> list[str]:
    ranges = chunk(len(text), tokens(text), spans, max_tokens=max_tokens, overlap=overlap, text=text)
    return [text[part.start : part.end] for part in ranges]


def test_a_short_text_is_one_chunk() -> None:
    assert chunk(5, [(0, 5)], [], max_tokens=8, overlap=2) == [ChunkRange(0, 5)]


def test_an_empty_text_is_one_empty_chunk() -> None:
    assert chunk(0, [], [], max_tokens=8, overlap=2) == [ChunkRange(0, 0)]


def test_white_space_alone_is_one_chunk() -> None:
    assert cut("  \n ", [], max_tokens=1) == ["  \n "]


def test_paragraphs_are_preferred_to_sentences_and_sentences_to_words() -> None:
    assert cut("aa bb cc dd.\n\nee. ff gg hh", [], max_tokens=8) == ["aa bb cc dd.\n\n", "ee. ff gg hh"]
    assert cut("aa bb cc dd. ee ff gg hh", [], max_tokens=7) == ["aa bb cc dd. ", "ee ff gg hh"]
    assert cut("aa bb cc dd", [], max_tokens=3) == ["aa bb cc ", "dd"]


def test_a_word_is_not_cut_where_a_word_end_is_near() -> None:
    assert cut("aa bb cc dddddddd", [], max_tokens=4) == ["aa bb cc ", "dddddddd"]


def test_a_cut_moves_before_a_span() -> None:
    text = "aa bb cc Jane van der Berg dd ee"
    pieces = cut(text, [span(9, 26)], max_tokens=5)
    assert any("Jane van der Berg" in piece for piece in pieces)
    assert pieces[0] == "aa bb cc "


def test_a_span_longer_than_the_window_gets_a_chunk_of_its_own() -> None:
    masked = "*" * 40
    text = f"before it {masked} after it"
    pieces = cut(text, [span(10, 50)], max_tokens=6, overlap=2)
    assert masked in pieces
    assert pieces[-1].strip().endswith("after it")


def test_many_tokens_of_one_character_do_not_stop_the_cutting() -> None:
    offsets = [(0, 1)] * 20 + [(1, 2)] * 20
    assert chunk(2, offsets, [], max_tokens=4, overlap=2) == [ChunkRange(0, 1), ChunkRange(1, 2)]


def test_too_many_chunks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CHUNKS", 3)
    with pytest.raises(LimitExceeded):
        cut("a " * 10, [], max_tokens=1)


@pytest.mark.parametrize(("max_tokens", "overlap"), [(0, 0), (4, 3), (4, -1)])
def test_a_window_that_cannot_advance_is_refused(max_tokens: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        chunk(1, [(0, 1)], [], max_tokens=max_tokens, overlap=overlap)


@settings(max_examples=400, deadline=None)
@given(
    text=st.text(alphabet="ab é.\n,😀-", max_size=120),
    marks=st.lists(st.integers(0, 120), max_size=12, unique=True),
    max_tokens=st.integers(1, 12),
    overlap=st.integers(0, 6),
    with_text=st.booleans(),
)
def test_every_character_is_covered_no_span_is_cut_and_chunks_fit(
    text: str, marks: list[int], max_tokens: int, overlap: int, with_text: bool
) -> None:
    edges = sorted(mark for mark in marks if mark <= len(text))
    spans = [span(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    offsets = tokens(text)
    overlap = min(overlap, max_tokens // 2)
    ranges = chunk(len(text), offsets, spans, max_tokens=max_tokens, overlap=overlap, text=text if with_text else None)
    assert ranges[0].start == 0
    assert ranges[-1].end == len(text)
    for left, right in itertools.pairwise(ranges):
        assert left.start < right.start <= left.end < right.end
        assert sum(right.start <= start < left.end for start, _ in offsets) <= overlap
    for part in ranges:
        assert not any(s.start < edge < s.end for s in spans for edge in (part.start, part.end))
        held = sum(start < part.end and end > part.start for start, end in offsets)
        # Only white space and one span may come with more than the window holds.
        inner = [s for s in spans if part.start <= s.start and s.end <= part.end]
        if held > max_tokens:
            assert any(text[part.start : s.start].strip() == "" == text[s.end : part.end].strip() for s in inner)
