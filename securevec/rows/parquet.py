"""Rows of a Parquet file, batch by batch, as values a Record class knows: text, numbers, booleans, times.

A null is absent, so that a field's default applies. Binary columns are text when they are UTF-8, as older writers keep
text; decimals are text, since a double would change them. Nested values stay nested and are refused by their field.
"""

from __future__ import annotations

import contextlib
import decimal
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, Final

from securevec.errors import FileCorrupt, MissingExtra

_TOGETHER: Final = 256
"""Rows decoded at once. A row group's pages are decoded as they come, not the whole group."""
_DAMAGED: Final = "The file is damaged, or not Parquet."


class ParquetRows:
    """An open Parquet file. ``columns`` are the names it has.

    Raises :class:`MissingExtra`, and :class:`FileCorrupt` for what is no Parquet file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        try:
            import pyarrow as arrow
            import pyarrow.parquet as parquet
        except ModuleNotFoundError as error:
            raise MissingExtra("The reader for Parquet", extra="files") from error
        self._arrow: Any = arrow
        self._failures: tuple[type[Exception], ...] = (arrow.ArrowException, OSError, ValueError)
        self._file: Any = None
        with contextlib.suppress(*self._failures):
            self._file = parquet.ParquetFile(stream, memory_map=False, pre_buffer=False)
        if self._file is None:
            # Not while the reader's own error is handled: it may quote what it read.
            raise FileCorrupt(_DAMAGED)
        self.columns: list[str] = list(self._file.schema_arrow.names)

    def rows(self, columns: Collection[str] | None = None) -> Iterator[dict[str, object]]:
        """Every row. Only ``columns`` are read, if given: what nobody declared is not even decoded.

        Raises :class:`FileCorrupt` when the file is damaged further on.
        """
        names = [name for name in self.columns if columns is None or name in columns]
        if len(set(names)) != len(names):
            raise FileCorrupt("The file names a column twice.")
        batches = self._file.iter_batches(batch_size=_TOGETHER, columns=names, use_threads=False)
        while (batch := self._next(batches)) is not None:
            for row in batch:
                yield {name: _plain(value) for name, value in row.items() if value is not None}

    def _next(self, batches: Iterator[Any]) -> list[dict[str, Any]] | None:
        try:
            batch = next(batches, None)
            if batch is None:
                return None
            values = {
                name: self._values(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)
            }
            return [{name: column[row] for name, column in values.items()} for row in range(batch.num_rows)]
        except self._failures:
            pass
        raise FileCorrupt(_DAMAGED)

    def _values(self, column: Any) -> list[Any]:
        """A column's values in Python. One that Python has none for (a day after the year 9999) costs its own row."""
        with contextlib.suppress(*self._failures, OverflowError):
            return list(self._in_micros(column).to_pylist())
        return [self._value(scalar) for scalar in column]

    def _value(self, scalar: Any) -> Any:
        with contextlib.suppress(*self._failures, OverflowError):
            return self._in_micros(scalar).as_py()
        return {"unreadable": str(scalar.type)}

    def _in_micros(self, part: Any) -> Any:
        """Nanoseconds, as pandas writes them, cut to what Python's times hold; milliseconds are kept of them."""
        kind, types = part.type, self._arrow.types
        if getattr(kind, "unit", "") != "ns":
            return part
        if types.is_timestamp(kind):
            return part.cast(self._arrow.timestamp("us", kind.tz), safe=False)
        return part.cast(
            self._arrow.duration("us") if types.is_duration(kind) else self._arrow.time64("us"), safe=False
        )


def _plain(value: Any) -> object:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            # No field takes an object, so the row is refused by the name of the field.
            return {"bytes": len(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | date | time | timedelta):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
