"""Byte-level evidence: whether given bytes or vectors still stand in files.

A probe that has never found anything proves nothing, so each one is run first as a positive control, while the data is
known to be there. When the control fails, the answer is ``unverified`` and never ``removed``.

Stored vectors may differ from the written ones in their last bits (an engine normalizes again), so vectors are looked
for with a tolerance: every 4-byte alignment is read as float32 and compared within ``TOLERANCE`` in each dimension.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from securevec.types import Vector

TOLERANCE: Final = 4e-7
_WINDOW: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Needles:
    """What to look for. ``texts`` are raw byte strings, at least 16 bytes each; ``vectors`` are float32 rows."""

    texts: tuple[bytes, ...]
    vectors: tuple[Vector, ...]

    def __len__(self) -> int:
        return len(self.texts) + len(self.vectors)


def occurrences(root: Path, needles: Needles) -> int:
    """How many of the needles stand at least once in some regular file below ``root``."""
    missing_texts = list(needles.texts)
    missing_vectors = [np.ascontiguousarray(vector, dtype="<f4") for vector in needles.vectors]
    for data in _files(root):
        missing_texts = [text for text in missing_texts if data.find(text) < 0]
        missing_vectors = [vector for vector in missing_vectors if not _holds_vector(data, vector)]
        if not missing_texts and not missing_vectors:
            break
    return len(needles) - len(missing_texts) - len(missing_vectors)


def _files(root: Path) -> Iterator[mmap.mmap]:
    for directory, _, names in os.walk(root):
        for name in sorted(names):
            data = _mapped(Path(directory) / name)
            if data is not None:
                with data:
                    yield data


def _mapped(path: Path) -> mmap.mmap | None:
    """The bytes of a regular file that is not empty. One that the engine has removed meanwhile holds nothing."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return None


def _holds_vector(data: mmap.mmap, vector: Vector) -> bool:
    """Whether the vector stands in ``data`` at any 4-byte alignment, within the tolerance."""
    width = len(vector)
    # Looked for by its largest component: small ones are near to much of what a file holds.
    anchor = int(np.argmax(np.abs(vector)))
    size = len(data) // 4 * 4
    step = _WINDOW - width * 4
    for start in range(0, max(size - width * 4, 0) + 1, step):
        count = min(_WINDOW, size - start) // 4
        if count < width:
            return False
        # A copy: an array on the mapping itself would keep it from being closed.
        window = np.frombuffer(data[start : start + count * 4], dtype="<f4")
        # Most of a file is no float at all, and its differences overflow or are no number.
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.abs(window[anchor : anchor + count - width + 1] - vector[anchor]) <= TOLERANCE
            for place in np.flatnonzero(near):
                if np.allclose(window[place : place + width], vector, rtol=0.0, atol=TOLERANCE):
                    return True
    return False
