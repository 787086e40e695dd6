"""Vectors of one's own for a measurement: a NumPy file, or a column of lists in a Parquet file."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final, TypeGuard, cast

import numpy as np

from securevec.errors import SourceError
from securevec.rows.parquet import ParquetRows
from securevec.types import Matrix

MOST: Final = 1_000_000
"""Rows that are read at most."""


def read_vectors(path: Path) -> Matrix:
    """The first :data:`MOST` vectors of a ``.npy`` or ``.parquet`` file, shape (n, dimension), float32 of length one.

    Nothing of a file is run: an array of Python objects is refused. In Parquet they are in the one column of lists of
    numbers. Raises :class:`SourceError` for anything else, :class:`FileCorrupt`, :class:`MissingExtra`.
    """
    if not path.is_file():
        raise SourceError(f"{path} cannot be read.", next_step="Name a .npy or .parquet file of vectors.")
    if path.suffix == ".npy":
        rows = _array(path)
    elif path.suffix == ".parquet":
        rows = _column(path)
    else:
        raise SourceError(f"{path} is neither .npy nor .parquet.", next_step="Save it with numpy.save(FILE, vectors).")
    if rows.ndim != 2 or not len(rows) or rows.shape[1] < 2:  # rows and columns
        raise SourceError(f"{path} does not hold vectors: rows of at least two numbers, all of one length.")
    made = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    if not np.isfinite(made).all() or not (lengths > 0).all():
        raise SourceError(f"{path} holds a vector of zeros, or one that is not finite.", next_step="Leave it out.")
    return np.asarray(made / lengths, dtype=np.float32)


def _array(path: Path) -> Matrix:
    found: Matrix | None = None
    with contextlib.suppress(ValueError, OSError, EOFError):
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    if found is None or found.dtype.kind not in "fiu":
        raise SourceError(f"{path} is not an array of numbers.", next_step="Save it with numpy.save(FILE, vectors).")
    return found[:MOST]


def _column(path: Path) -> Matrix:
    with path.open("rb") as stream:
        reader = ParquetRows(stream)
        rows: list[list[float]] = []
        name = ""
        for row in reader.rows():
            if not name:
                lists = [key for key, value in row.items() if _is_vector(value)]
                if len(lists) != 1:
                    raise SourceError(
                        f"{path} has {len(lists)} columns of lists of numbers; one is needed.",
                        next_step="Write a file with that column alone.",
                    )
                name = lists[0]
            value = row.get(name)
            if not _is_vector(value) or (rows and len(value) != len(rows[0])):
                raise SourceError(f"{path}: row {len(rows) + 1} has no vector of that length.")
            rows.append(value)
            if len(rows) == MOST:
                break
    return np.asarray(rows, dtype=np.float32)


def _is_vector(value: object) -> TypeGuard[list[float]]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return bool(items) and all(isinstance(item, float | int) and not isinstance(item, bool) for item in items)
