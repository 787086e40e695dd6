"""Finding needles in a piece of a file: parts of sealed texts and of vectors, many at a time. Pure.

A file is no list of rows. SQLite puts a row at any byte and cuts a long one between pages; an engine reuses the room of
a deleted payload from its start and leaves the end standing; Edge's write-ahead log is CBOR, in which every float is
the byte ``FA`` and four bytes, highest first. So needles are looked for in parts, at every byte, and vectors in both
spellings, within a tolerance: an engine normalizes again and changes the last bits.

Many needles cost little more than one. Texts: every run of 39 bytes holds an aligned word of eight that a table of the
needles' own words lists. Vectors: each part is first looked for by its largest component, in a table of the leading 20
bits of floats, then by its second largest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from securevec.types import Vector

TOLERANCE: Final = 4e-7
"""How far each component may be off."""
RUN: Final = 32
"""Bytes in a row that make a trace of a text; all of them of a shorter one."""

_WORD: Final = 8
_STRIDE: Final = 4
"""Every fourth word of a text is listed, at each of the eight shifts: 4 * 8 + 7 bytes in a row hold one of them."""
_SPARSE_FROM: Final = 4 * _STRIDE * _WORD
_WHOLE: Final = 8192
"""A longer text is looked for by its first and last half of this."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_PARTS: Final = 4
_SHORTEST: Final = 8
"""Components of the shortest part: eight within the tolerance are no accident."""
_WEIGHT: Final = 1e-3
"""A part without a component of this size stands in every stretch of zeros."""
_SHIFT: Final = 12
_FLOAT: Final = 4
_TAG: Final = 0xFA
_TAGGED: Final = 5


class TextTraces:
    """Traces of texts. Number ``n`` stands for the n-th text. ``whole``: a part of one is no trace of it."""

    def __init__(self, texts: Sequence[bytes], *, whole: bool = False) -> None:
        self._run = sys.maxsize if whole else RUN
        self._fragments = [(number, piece) for number, text in enumerate(texts) for piece in _pieces(text)]
        words: list[NDArray[np.uint64]] = [np.zeros(0, "<u8")]
        owners: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        offsets: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        for owner, (_, piece) in enumerate(self._fragments):
            at = np.arange(len(piece) - _WORD + 1)
            if len(piece) >= _SPARSE_FROM:
                at = at[(at // _WORD) % _STRIDE == 0]
            view = np.lib.stride_tricks.sliding_window_view(np.frombuffer(piece, np.uint8), _WORD)[at]
            words.append(np.ascontiguousarray(view).view("<u8").ravel())
            owners.append(np.full(len(at), owner))
            offsets.append(at)
        every = np.concatenate(words)
        order = np.argsort(every, kind="stable")
        self._words = every[order]
        self._owners = np.concatenate(owners)[order]
        self._offsets = np.concatenate(offsets)[order]
        self._bits = np.uint64(64 - max(16, min(24, len(every).bit_length() + 4)))
        self._listed = np.zeros(1 << int(np.uint64(64) - self._bits), dtype=np.bool_)
        self._listed[self._slots(self._words)] = True

    def standing(self, data: bytes, known: set[int]) -> set[int]:
        """Texts of which a trace stands in ``data``, without those already ``known``."""
        found: set[int] = set()
        if not len(self._words):
            return found
        held = np.frombuffer(data, "<u8", count=len(data) // _WORD)
        places = np.flatnonzero(self._listed[self._slots(held)])
        which, index = _pairs(held[places], self._words, self._words)
        owners, offsets = self._owners[index].tolist(), self._offsets[index].tolist()
        for place, owner, offset in zip(places[which].tolist(), owners, offsets, strict=True):
            number, piece = self._fragments[owner]
            if number not in known and number not in found and _runs(data, place * _WORD, piece, offset, self._run):
                found.add(number)
        return found

    def _slots(self, words: NDArray[np.uint64]) -> NDArray[Any]:
        return (words * _MIX) >> self._bits


class VectorTraces:
    """Traces of vectors. Number ``n`` stands for the n-th vector.

    A vector without a component above a thousandth leaves no trace that could be told from zeros: it is never found.
    """

    def __init__(self, vectors: Sequence[Vector]) -> None:
        parts = [(number, part) for number, vector in enumerate(vectors) for part in _parts(vector)]
        first = [int(np.argmax(np.abs(part))) for _, part in parts]
        order = sorted(range(len(parts)), key=lambda at: float(parts[at][1][first[at]]))
        self._parts = [parts[at] for at in order]
        self._first = np.array([first[at] for at in order], dtype=np.int64)
        self._second = np.array([_second(parts[at][1], first[at]) for at in order], dtype=np.int64)
        self._lengths = np.array([len(part) for _, part in self._parts], dtype=np.int64)
        self._anchors = _components(self._parts, self._first)
        self._seconds = _components(self._parts, self._second)
        self._low = self._anchors - np.float32(TOLERANCE)
        self._high = self._anchors + np.float32(TOLERANCE)
        self._near = np.zeros(1 << (32 - _SHIFT), dtype=np.bool_)
        for low, high in zip(self._low.view(np.uint32) >> _SHIFT, self._high.view(np.uint32) >> _SHIFT, strict=True):
            self._near[min(low, high) : max(low, high) + 1] = True  # of one sign: an anchor is above the tolerance
        first_bytes = np.flatnonzero(self._near) >> (32 - _SHIFT - 8)
        self._leading = bytes(int(byte in set(first_bytes.tolist())) for byte in range(256))

    def standing(self, data: bytes, known: set[int]) -> set[int]:
        """Vectors of which a part stands in ``data``, without those already ``known``."""
        found: set[int] = set()
        if not self._parts or len(data) < _FLOAT:
            return found
        raw = np.frombuffer(data, np.uint8)
        last = np.flatnonzero(np.frombuffer(data.translate(self._leading), np.bool_)[_FLOAT - 1 :])
        starts = last[self._filter(raw[last + 3], raw[last + 2], raw[last + 1])]
        for offset in range(_FLOAT):
            places = starts[starts % _FLOAT == offset] // _FLOAT
            if len(places):
                floats = np.frombuffer(data, "<f4", offset=offset, count=(len(data) - offset) // _FLOAT)
                self._collect(floats, places, known, found)
        self._collect_tagged(data, raw, known, found)
        return found

    def _collect_tagged(self, data: bytes, raw: NDArray[np.uint8], known: set[int], found: set[int]) -> None:
        """The same in CBOR: runs of the tag and four bytes, highest first."""
        if len(data) < 2 * _TAGGED:
            return
        tags = raw == _TAG
        pairs = tags[:-_TAGGED] & tags[_TAGGED:]
        tags[:] = False
        tags[:-_TAGGED] = pairs
        tags[_TAGGED:] |= pairs
        starts = np.flatnonzero(tags[: 1 - _TAGGED])
        starts = starts[self._filter(raw[starts + 1], raw[starts + 2], raw[starts + 3])]
        for shift in range(_TAGGED):
            places = starts[starts % _TAGGED == shift] // _TAGGED
            if len(places):
                count = (len(data) - shift) // _TAGGED * _TAGGED
                rows = np.frombuffer(data, np.uint8, offset=shift, count=count).reshape(-1, _TAGGED)
                floats = np.ascontiguousarray(rows[:, 1:]).view(">f4").ravel().astype("<f4")
                self._collect(floats, places, known, found)

    def _filter(self, first: NDArray[Any], second: NDArray[Any], third: NDArray[Any]) -> NDArray[np.bool_]:
        """Which floats, by their three highest bytes, may be the largest component of a part."""
        leading = first.astype(np.int32) << 16 | second.astype(np.int32) << 8 | third
        near: NDArray[np.bool_] = self._near[leading >> (24 - (32 - _SHIFT))]
        return near

    def _collect(self, floats: Vector, places: NDArray[np.int64], known: set[int], found: set[int]) -> None:
        for part, place in self._candidates(floats, places):
            number, wanted = self._parts[part]
            if number not in known and number not in found and _close(floats[place : place + len(wanted)], wanted):
                found.add(number)

    def _candidates(self, floats: Vector, places: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Part and place of its first component, where its two largest components stand."""
        which, part = _pairs(floats[places], self._high, self._low)
        start = places[which] - self._first[part]
        inside = (start >= 0) & (start + self._lengths[part] <= len(floats))
        start, part = start[inside], part[inside]
        with np.errstate(over="ignore", invalid="ignore"):  # most of a file is no float at all
            stands = np.abs(floats[start + self._second[part]] - self._seconds[part]) <= TOLERANCE
        yield from zip(part[stands].tolist(), start[stands].tolist(), strict=True)


def _pairs(values: NDArray[Any], high: NDArray[Any], low: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of a value and an index at which ``low <= value <= high``; both are sorted. What is no number sorts
    behind everything and pairs with nothing."""
    first = np.searchsorted(high, values, side="left")
    counts = np.searchsorted(low, values, side="right") - first
    counts[counts < 0] = 0
    which = np.repeat(np.arange(len(values)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    return which, first[which] + within


def _pieces(text: bytes) -> Iterable[bytes]:
    if len(text) < 2 * _WORD:
        raise ValueError("a text to look for has at least 16 bytes")
    return (text,) if len(text) <= _WHOLE else (text[: _WHOLE // 2], text[-_WHOLE // 2 :])


def _runs(data: bytes, place: int, piece: bytes, offset: int, run: int) -> bool:
    """Whether enough bytes around ``place`` are those of ``piece`` around ``offset``, where eight are equal."""
    start, end = 0, _WORD
    if data[place : place + _WORD] != piece[offset : offset + _WORD]:
        return False
    while (
        end < run and offset + end < len(piece) and place + end < len(data) and data[place + end] == piece[offset + end]
    ):
        end += 1
    while end - start < run and offset + start > 0 and place + start > 0:
        if data[place + start - 1] != piece[offset + start - 1]:
            break
        start -= 1
    return end - start >= min(run, len(piece))


def _parts(vector: Vector) -> list[Vector]:
    """The stretches of a vector that are looked for: where one stands, the vector stands."""
    whole = np.ascontiguousarray(vector, dtype="<f4")
    parts = [whole] if len(whole) < 2 * _SHORTEST else np.array_split(whole, min(_PARTS, len(whole) // _SHORTEST))
    # What stands everywhere is left out. A vector whose weight is in one part is looked for by that part.
    return [part for part in parts if float(np.abs(part).max(initial=0.0)) > _WEIGHT]


def _second(part: Vector, first: int) -> int:
    """The place of the second largest component; of the largest when there is no other."""
    sizes = np.abs(part)
    sizes[first] = -1.0
    return int(np.argmax(sizes)) if len(part) > 1 else first


def _components(parts: Sequence[tuple[int, Vector]], at: NDArray[np.int64]) -> Vector:
    return np.array([part[place] for (_, part), place in zip(parts, at, strict=True)], dtype="<f4")


def _close(held: Vector, wanted: Vector) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.allclose(held, wanted, rtol=0.0, atol=TOLERANCE))
