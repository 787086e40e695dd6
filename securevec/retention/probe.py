"""Byte-level evidence: whether given bytes or vectors still stand in files.

A probe that has never found anything proves nothing, so each one is run first as a positive control, while the data is
known to be there. When the control fails, the answer is ``unverified`` and never ``removed``.

Stored vectors may differ from the written ones in their last bits (an engine normalizes again), so vectors are looked
for with a tolerance: every 4-byte alignment is read as float32 and compared within ``TOLERANCE`` in each dimension.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from securevec.types import Vector

TOLERANCE: Final = 4e-7
_WINDOW: Final = 32 * 1024 * 1024
_FLOAT: Final = 4


@dataclass(frozen=True, slots=True, repr=False)
class Needles:
    """What to look for. ``texts`` are raw byte strings, at least 16 bytes each; ``vectors`` are float32 rows."""

    texts: tuple[bytes, ...]
    vectors: tuple[Vector, ...]

    def __len__(self) -> int:
        return len(self.texts) + len(self.vectors)


def occurrences(root: Path, needles: Needles) -> int:
    """How many of the needles stand at least once in some regular file below ``root``."""
    texts = list(needles.texts)
    vectors = [np.ascontiguousarray(vector, dtype="<f4") for vector in needles.vectors]
    longest = max([len(text) for text in texts] + [vector.nbytes for vector in vectors], default=0)
    # Whole floats, so that a window begins where a float of the file does.
    overlap = -(-longest // _FLOAT) * _FLOAT
    for window in _windows(root, overlap):
        texts = [text for text in texts if window.find(text) < 0]
        vectors = [vector for vector in vectors if not _holds_vector(window, vector)]
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
        kept = piece[max(len(piece) - overlap, 0) // _FLOAT * _FLOAT :]


def _holds_vector(data: bytes, vector: Vector) -> bool:
    """Whether the vector stands in ``data`` at any 4-byte alignment, within the tolerance."""
    width = len(vector)
    count = len(data) // _FLOAT
    if count < width:
        return False
    # Looked for by its largest component: small ones are near to much of what a file holds.
    anchor = int(np.argmax(np.abs(vector)))
    floats = np.frombuffer(data, dtype="<f4", count=count)
    # Most of a file is no float at all, and its differences overflow or are no number.
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.abs(floats[anchor : anchor + count - width + 1] - vector[anchor]) <= TOLERANCE
        return any(
            np.allclose(floats[place : place + width], vector, rtol=0.0, atol=TOLERANCE)
            for place in np.flatnonzero(near)
        )
