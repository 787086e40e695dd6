"""Byte-level evidence: whether given bytes or vectors still stand in files.

A probe that has never found anything proves nothing, so each one is run first as a positive control, while the data is
known to be there. When the control fails, the answer is ``unverified`` and never ``removed``.

Stored vectors may differ from the written ones in their last bits (an engine normalizes again), so vectors are looked
for with a tolerance: at every byte float32 is read and compared within ``TOLERANCE`` in each dimension. At every byte,
and in parts: SQLite (Chroma's log) puts a row anywhere in a page and cuts a long one between pages.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from securevec.types import Vector

TOLERANCE: Final = 4e-7
_WINDOW: Final = 1024 * 1024
_FLOAT: Final = 4
_PARTS: Final = 4
_SHORTEST: Final = 8
"""Components of the shortest part: eight within the tolerance are no accident."""
_WEIGHT: Final = 1e-3


@dataclass(frozen=True, slots=True, repr=False)
class Needles:
    """What to look for. ``texts`` are raw byte strings, at least 16 bytes each; ``vectors`` are float32 rows."""

    texts: tuple[bytes, ...]
    vectors: tuple[Vector, ...]

    def __len__(self) -> int:
        return len(self.texts) + len(self.vectors)


def occurrences(root: Path, needles: Needles) -> int:
    """How many of the needles stand at least once, vectors at least in part, in some regular file below ``root``."""
    texts = list(needles.texts)
    vectors = {number: _parts(vector) for number, vector in enumerate(needles.vectors)}
    overlap = max([len(text) for text in texts] + [vector.nbytes for vector in needles.vectors], default=0)
    for window in _windows(root, overlap):
        texts = [text for text in texts if window.find(text) < 0]
        for number in _standing(window, vectors):
            del vectors[number]
        if not texts and not vectors:
            break
    return len(needles) - len(texts) - len(vectors)


def _windows(root: Path, overlap: int) -> Iterator[bytes]:
    """The bytes of every regular file in pieces, each beginning with the last ``overlap`` bytes of the one before.

    Read, not mapped: an engine at work cuts and removes its files, and to touch a mapping beyond the new end of a file
    ends the process. A file that shrank, or is gone, holds what was read of it.
    """
    for directory, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(directory) / name
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISREG(path.lstat().st_mode):
                    with path.open("rb") as file:
                        yield from _pieces(file, overlap)


def _pieces(file: BinaryIO, overlap: int) -> Iterator[bytes]:
    kept = b""
    while fresh := file.read(_WINDOW):
        piece = kept + fresh
        yield piece
        kept = piece[max(len(piece) - overlap, 0) :]


def _parts(vector: Vector) -> list[Vector]:
    """The stretches of a vector that are looked for: where one stands, the vector stands. One without weight stands
    everywhere and is left out."""
    whole = np.ascontiguousarray(vector, dtype="<f4")
    parts = [whole] if len(whole) < 2 * _SHORTEST else np.array_split(whole, min(_PARTS, len(whole) // _SHORTEST))
    heavy = [part for part in parts if float(np.abs(part).max()) > _WEIGHT]
    return heavy or [whole]


def _standing(data: bytes, wanted: Mapping[int, Sequence[Vector]]) -> set[int]:
    """Which vectors stand in ``data`` with one of their parts, at any byte, within the tolerance."""
    if not wanted or data.count(0) == len(data):
        return set()  # engines keep sparse files, megabytes of zeros
    parts = [(number, part, int(np.argmax(np.abs(part)))) for number, held in wanted.items() for part in held]
    # Looked for by their largest components: small ones are near to much of what a file holds.
    parts.sort(key=lambda each: float(each[1][each[2]]))
    anchors = np.array([part[anchor] for _, part, anchor in parts], dtype=np.float32)
    found: set[int] = set()
    for offset in range(min(_FLOAT, len(data))):
        floats = np.frombuffer(data, dtype="<f4", offset=offset, count=(len(data) - offset) // _FLOAT)
        found |= {number for number, part, at in _near(floats, anchors, parts) if _stands(floats, part, at)}
    return found


def _near(
    floats: Vector, anchors: Vector, parts: Sequence[tuple[int, Vector, int]]
) -> Iterator[tuple[int, Vector, int]]:
    """Where a part may begin: number of its vector, the part, the place. ``anchors`` are sorted."""
    # What is no number sorts behind everything and is within no bound.
    first = np.searchsorted(anchors + TOLERANCE, floats, side="left")
    last = np.searchsorted(anchors - TOLERANCE, floats, side="right")
    for place in np.flatnonzero(first < last).tolist():
        for number, part, anchor in parts[int(first[place]) : int(last[place])]:
            yield number, part, place - anchor


def _stands(floats: Vector, part: Vector, at: int) -> bool:
    if at < 0 or at + len(part) > len(floats):
        return False
    # Most of a file is no float at all, and its differences overflow or are no number.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.allclose(floats[at : at + len(part)], part, rtol=0.0, atol=TOLERANCE))
