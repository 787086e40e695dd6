"""Byte-level evidence: whether given bytes or vectors still stand in files.

A probe that has never found anything proves nothing, so each one is run first as a positive control, while the data is
known to be there, or beside something that lives (:mod:`securevec.proof.purging`). When the control fails, the
answer is ``unverified`` and never ``removed``. How a needle is found wherever an engine put it: ``traces``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

import numpy as np

from securevec.proof.traces import TextTraces, VectorTraces
from securevec.types import Vector

_WINDOW: Final = 1024 * 1024
_OVERLAP: Final = 512
"""Bytes that two windows of a file share, at least: more than a trace of a text."""


@dataclass(frozen=True, slots=True, repr=False)
class Needles:
    """What to look for. ``texts`` are raw byte strings, at least 16 bytes each; ``vectors`` are float32 rows; ``terms``
    the indices of sets of terms, as an engine's log spells them."""

    texts: tuple[bytes, ...]
    vectors: tuple[Vector, ...]
    terms: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return len(self.texts) + len(self.vectors) + len(self.terms)


@dataclass(frozen=True, slots=True)
class Standing:
    """Numbers of the texts, of the vectors and of the sets of terms that were found."""

    texts: frozenset[int]
    vectors: frozenset[int]
    terms: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.texts) + len(self.vectors) + len(self.terms)


def standing(roots: Iterable[Path], needles: Needles) -> Standing:
    """Which needles stand, at least in part, in some regular file that is or lies below one of ``roots``.

    A part is 32 bytes in a row of a text (all of a shorter one), a quarter of a vector within 4e-7 in each component.
    Of a set of terms all of it: two texts of the same words but one have long runs of terms in common.
    """
    of_texts, of_vectors = TextTraces(needles.texts), VectorTraces(needles.vectors)
    of_terms = TextTraces(needles.terms, whole=True)
    texts: set[int] = set()
    vectors: set[int] = set()
    terms: set[int] = set()
    # A float takes up to five bytes (``traces``).
    overlap = max([_OVERLAP] + [vector.size * 5 + 8 for vector in needles.vectors] + [*map(len, needles.terms)])
    for window in _windows(roots, overlap):
        texts |= of_texts.standing(window, texts)
        vectors |= of_vectors.standing(window, vectors)
        terms |= of_terms.standing(window, terms)
        if len(texts) + len(vectors) + len(terms) == len(needles):
            break
    return Standing(frozenset(texts), frozenset(vectors), frozenset(terms))


def _windows(roots: Iterable[Path], overlap: int) -> Iterator[bytes]:
    """The bytes of every regular file in pieces, each beginning with the last ``overlap`` bytes of the one before;
    without the pieces that are all zeros, of which engines keep megabytes.

    Read, not mapped: an engine at work cuts and removes its files, and to touch a mapping beyond the new end of a file
    ends the process. A file that shrank, or is gone, holds what was read of it.
    """
    for path in _files(roots):
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISREG(path.lstat().st_mode):
                with path.open("rb", buffering=0) as file:  # a buffer would not see the seeks of _extents
                    yield from (piece for piece in _pieces(file, overlap) if np.frombuffer(piece, np.uint8).any())


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        if root.is_file():
            yield root
        for directory, _, names in os.walk(root):
            yield from (Path(directory) / name for name in sorted(names))


def _pieces(file: FileIO, overlap: int) -> Iterator[bytes]:
    for start, end in _extents(file):
        kept = b""
        file.seek(start)
        while fresh := file.read(min(_WINDOW, max(end - file.tell(), 0))):
            piece = kept + fresh
            yield piece
            kept = piece[max(len(piece) - overlap, 0) :]


def _extents(file: FileIO) -> Iterator[tuple[int, int]]:
    """Where a sparse file holds data. Between the extents are zeros that were never written."""
    end = 0
    while True:
        try:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno != errno.ENXIO:  # this file system cannot say
                yield end, sys.maxsize
            return
        yield start, end
