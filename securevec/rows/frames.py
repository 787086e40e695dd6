"""Rows of a frame that is in memory already: pandas, polars, Arrow. None of them is imported; a frame is known by what
it can do.

What a frame keeps for a missing value (NaN, NaT, NA, null) is absent, so that a field's default applies, as in a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from securevec.errors import SourceError, UsageError

_TOGETHER: Final = 256
"""Rows made at once."""


class Frame(Protocol):
    """A table of rows and columns with names: ``DataFrame`` of pandas or polars, ``Table`` of Arrow."""

    @property
    def shape(self) -> tuple[int, int]: ...


def frame_rows(given: Any) -> Iterator[Mapping[str, object]] | None:
    """The rows of a frame, lazily, or nothing where this is none.

    Raises :class:`SourceError` for one that names a column twice, :class:`UsageError` for one that was not computed.
    """
    if hasattr(given, "iloc") and hasattr(given, "columns"):
        return _once(given.columns, _pandas(given))
    if hasattr(given, "collect_schema") and hasattr(given, "collect"):
        raise UsageError("A lazy frame holds no rows yet.", next_step="Give what it computes: frame.collect().")
    if hasattr(given, "iter_rows") and hasattr(given, "columns"):
        return _once(given.columns, map(_held, given.iter_rows(named=True)))
    if hasattr(given, "to_pylist") and hasattr(given, "schema"):
        return _once(given.schema.names, _arrow(given))
    return None


def _once(names: Sequence[object], rows: Iterator[Mapping[str, object]]) -> Iterator[Mapping[str, object]]:
    if len(set(names)) != len(names):
        raise SourceError("The frame names a column twice.", next_step="Rename one of the two.")
    return rows


def _pandas(frame: Any) -> Iterator[Mapping[str, object]]:
    names = list(frame.columns)
    for start in range(0, len(frame), _TOGETHER):
        part = frame.iloc[start : start + _TOGETHER]
        absent = part.isna()
        columns = [
            (name, part.iloc[:, number].tolist(), absent.iloc[:, number].tolist()) for number, name in enumerate(names)
        ]
        for row in range(len(part)):
            yield _held({name: values[row] for name, values, missing in columns if not missing[row]})


def _arrow(table: Any) -> Iterator[Mapping[str, object]]:
    for start in range(0, table.num_rows, _TOGETHER):
        yield from map(_held, table.slice(start, _TOGETHER).to_pylist())


def _held(row: Mapping[object, object]) -> Mapping[str, object]:
    """What a row holds under names that a field can have; lists, which a frame may keep as arrays, as lists."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in row.items()
        if isinstance(name, str) and value is not None
    }
