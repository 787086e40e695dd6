"""Sources of records: an iterable of mappings or Records, a frame, a CSV, JSONL or Parquet file, row by row.

A bad row is answered as a :class:`Row` with an ``error`` and never loses the others; a source that is no source at
all (absent, a directory, not text, another format) raises :class:`SourceError`.

Row numbers count from 1: items of an iterable, data rows of a CSV (the header is not one), lines of a JSONL file
(blank lines are counted, and skipped).

Text is UTF-8, or UTF-16 or UTF-32 that begins with a byte order mark. CSV is that of RFC 4180, with a header. Where the
header has no comma but semicolons, tabs or bars, these separate the columns, as spreadsheets of many countries write
them; a first line ``sep=;`` is followed. Quoting is read strictly, so that a stray quote is an error in its own row:
the rest of what it swallowed is read again, line by line. An empty cell is absent, so that a field's default applies.
"""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal, NoReturn, cast

from securevec import limits
from securevec.errors import LimitExceeded, RecordError, SourceError, UsageError
from securevec.rows.frames import Frame, frame_rows
from securevec.rows.parquet import ParquetRows
from securevec.rows.recode import as_utf8
from securevec.schema.record import Record

Position = Callable[[int], None]
"""Called now and then with the number of bytes read so far, and at the end with all of them."""

_BOM: Final = b"\xef\xbb\xbf"
_STEP: Final = 256 * 1024
_CSV: Final = frozenset({".csv"})
_PARQUET: Final = frozenset({".parquet"})
_SEPARATORS: Final = ";\t|"
_NAMED: Final = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"[^"]*"')
_JSONL: Final = frozenset({".jsonl", ".ndjson"})


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One row of a source: a ``value``, or the ``error`` that refuses it (its ``row`` is ``number``)."""

    number: int
    value: Mapping[str, object] | Record | None = None
    error: RecordError | None = None

    def __repr__(self) -> str:
        return f"Row({self.number}, {'refused' if self.error else 'read'})"


def read_records(
    source: str | Path | Iterable[Mapping[str, object] | Record] | Frame,
    *,
    position: Position | None = None,
    encoding: str | None = None,
) -> Iterator[Row]:
    """The rows of a source, lazily. A ``str`` is a path. ``encoding`` is that of a file of text, when it is known.

    Raises :class:`SourceError` at once for a path that is absent, not a regular file, or of an unknown suffix, and
    on the way for a file that cannot be read or has no usable header. One record alone, and what has no rows, is a
    :class:`UsageError`: a mapping would be read as a list of its names.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        source_size(path)
        suffix = path.suffix.lower()
        if suffix in _CSV:
            return _read_file(path, "csv", position, encoding)
        if suffix in _JSONL:
            return _read_file(path, "jsonl", position, encoding)
        if suffix in _PARQUET:
            return _parquet_rows(path, position)
        if suffix == ".json":
            raise SourceError(
                "A .json file is one document, not a stream of records.",
                next_step="Write one object per line and name the file .jsonl.",
            )
        raise SourceError("The source file has a suffix that is not read.", next_step="Use .csv, .jsonl or .parquet.")
    given = cast("object", source)  # callers may be untyped
    if isinstance(given, Mapping | Record):
        raise UsageError("One record is not a source of records.", next_step="Put it into a list: [record].")
    rows = frame_rows(given)
    if rows is not None:
        return _iterable_rows(rows)
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise UsageError("A source is the path of a file, a frame, or an iterable of mappings or Records.")
    return _iterable_rows(cast("Iterable[object]", given))


def read_stream(
    stream: IO[bytes],
    kind: Literal["csv", "jsonl"],
    *,
    position: Position | None = None,
    header: Callable[[Sequence[str]], None] | None = None,
) -> Iterator[Row]:
    """The rows of an open file, lazily. Raises :class:`SourceError` on the way, as :func:`read_records` does.

    ``header`` is called with the names of a CSV file's columns, and may refuse it.
    """
    lines = _Lines(stream, position)
    try:
        yield from _csv_rows(lines, header) if kind == "csv" else _jsonl_rows(lines)
        lines.report()
    except OSError as error:
        raise SourceError("The source file cannot be read.") from error


def source_size(path: Path) -> int:
    """Bytes of a source file. Raises :class:`SourceError` when it is absent or not a regular file."""
    try:
        if not path.is_file():
            raise SourceError(
                "The source is not a file that exists.", next_step="Is the path right, seen from this directory?"
            )
        return path.stat().st_size
    except (OSError, ValueError) as error:
        raise SourceError("The source file cannot be read.") from error


def _iterable_rows(source: Iterable[object]) -> Iterator[Row]:
    for number, item in enumerate(source, start=1):
        if isinstance(item, Row):
            # From another reader, which knows its place in a file of its own.
            yield item
        elif isinstance(item, Mapping | Record):
            yield Row(number, cast("Mapping[str, object] | Record", item))
        else:
            yield _refuse(number, "The item is neither a mapping nor a Record.")


def _read_file(
    path: Path, kind: Literal["csv", "jsonl"], position: Position | None, encoding: str | None
) -> Iterator[Row]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SourceError("The source file cannot be read.") from error
    with stream:
        text = as_utf8(stream, encoding)
        # Bytes of the file and bytes of its text are not the same number when it is recoded.
        yield from read_stream(text, kind, position=position if text is stream else None)
        if text is not stream and position is not None:
            position(stream.tell())


def _parquet_rows(path: Path, position: Position | None) -> Iterator[Row]:
    """In this process, for files one trusts; an ingest of files reads them in a child."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SourceError("The source file cannot be read.") from error
    with stream:
        for number, row in enumerate(ParquetRows(stream).rows(), start=1):
            yield Row(number, row)
        if position is not None:
            position(path.stat().st_size)


class _Lines:
    """Lines of a file in bounded memory: bytes up to ``MAX_RECORD_BYTES``, or ``None`` for a longer line."""

    def __init__(self, stream: IO[bytes], position: Position | None) -> None:
        self._stream = stream
        self._position = position
        self._read = 0
        self._reported = 0
        self._first = True

    def __iter__(self) -> Iterator[bytes | None]:
        while (line := self._next()) != b"":
            yield line

    def report(self) -> None:
        if self._position is not None:
            self._position(self._read)
            self._reported = self._read

    def _next(self) -> bytes | None:
        limit = limits.MAX_RECORD_BYTES
        line = self._stream.readline(limit + 1)
        size = len(line)
        self._read += size
        if self._first:
            self._first = False
            line = _first_line(line)
        if size > limit:
            while not line.endswith(b"\n") and (line := self._stream.readline(_STEP)):
                self._read += len(line)
            self.report()
            return None
        if self._read - self._reported >= _STEP:
            self.report()
        return line


def _first_line(line: bytes) -> bytes:
    """The first line without a byte order mark. Raises :class:`SourceError` when this is not UTF-8 text."""
    if b"\0" in line:
        raise SourceError("The source file is not text.", next_step="Name a .csv or .jsonl file in UTF-8.")
    return line.removeprefix(_BOM)


def _jsonl_rows(lines: _Lines) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if line is None:
            yield _too_large(number)
        elif line.strip():
            yield _jsonl_row(number, line)


def _jsonl_row(number: int, line: bytes) -> Row:
    try:
        value = json.loads(line.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError:
        return _refuse(number, "The line is not UTF-8.")
    except _Duplicate:
        return _refuse(number, "The line names a member twice.")
    except (ValueError, RecursionError):
        return _refuse(number, "The line is not JSON.")
    if not isinstance(value, dict):
        return _refuse(number, "The line is not a JSON object.")
    return Row(number, cast("dict[str, object]", value))


class _Duplicate(ValueError):
    """An object with a repeated member: readers disagree which one counts, so neither does."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Duplicate
    return value


def _no_constant(_: str) -> NoReturn:
    raise ValueError


class _Record:
    """The physical lines of the CSV record being parsed, so that a broken one can be given back.

    An iterator of text for :func:`csv.reader`, which takes one line at a time and starts afresh after an error.
    """

    def __init__(self, lines: _Lines) -> None:
        self._source = iter(lines)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            raw = next(self._source)
            if raw is None:
                raise _LineTooLong
            # Undecodable bytes become lone surrogates, which only their own row can hold.
            line = raw.decode(errors="surrogateescape")
        self._size += len(line)
        self._taken.append(line)
        if self._size > limits.MAX_RECORD_BYTES:
            raise _RecordTooLong
        return line

    def begin(self) -> None:
        self._taken.clear()
        self._size = 0

    def give_back_last(self) -> None:
        """The line that was taken last is read again."""
        self._again.appendleft(self._taken.pop())
        self._size = 0

    def give_back_rest(self) -> None:
        """Everything after the first line of the broken record is read again."""
        self._again.extendleft(reversed(self._taken[1:]))


class _LineTooLong(Exception):
    pass


class _RecordTooLong(Exception):
    pass


def _csv_rows(lines: _Lines, accept: Callable[[Sequence[str]], None] | None) -> Iterator[Row]:
    # The csv module's limit on a cell is process-wide and 128 KiB by default; it is raised here, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), limits.MAX_RECORD_BYTES))
    record = _Record(lines)
    header, reader = _header(record)
    if accept is not None:
        accept(header)
    number = 0
    while True:
        record.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _RecordTooLong):
            record.give_back_rest()
            number += 1
            yield _refuse(number, "The row's quotes do not match.")
            continue
        except _LineTooLong:
            record.give_back_rest()
            number += 1
            yield _too_large(number)
            continue
        if cells:
            number += 1
            yield _csv_row(number, header, cells)


def _csv_row(number: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        return _refuse(number, f"The row has {len(cells)} columns, the header {len(header)}.")
    value: dict[str, object] = {name: cell for name, cell in zip(header, cells, strict=True) if cell and name}
    for cell in cells:
        if not cell.isascii() and not _is_unicode(cell):
            return _refuse(number, "The row is not UTF-8.")
    return Row(number, value)


def _header(record: _Record) -> tuple[list[str], Iterator[list[str]]]:
    """The names of the columns, and a reader of the rows below them."""
    try:
        reader = csv.reader(record, strict=True, delimiter=_delimiter(record))
        cells = next(reader)
        while not cells:
            cells = next(reader)
    except StopIteration:
        raise SourceError("The CSV file is empty; it needs a header.") from None
    except (csv.Error, _RecordTooLong, _LineTooLong) as error:
        raise SourceError("The CSV file's header cannot be read.") from error
    header = [cell.strip() for cell in cells]
    if not all(map(_is_unicode, header)):
        raise SourceError(
            "The CSV file is not UTF-8.", next_step="Name its encoding with --encoding, or save it as UTF-8."
        )
    if len(header) == 1 and any(mark in header[0] for mark in _SEPARATORS):
        raise SourceError("The CSV file's columns are not separated by commas.", next_step="Save it with commas.")
    names = [name for name in header if name]
    if len(set(names)) != len(names):
        raise SourceError("The CSV file's header names a column twice.", next_step="Rename one of the two.")
    return header, reader


def _delimiter(record: _Record) -> str:
    """What separates the columns: a comma, unless the header has none and one other separator. Takes ``sep=;`` away."""
    line = next(record)
    while not line.strip():
        line = next(record)
    if (named := _NAMED.fullmatch(line)) is not None:
        return named[1]
    record.give_back_last()
    bare = _QUOTED.sub("", line)
    used = [mark for mark in _SEPARATORS if mark in bare]
    return used[0] if len(used) == 1 and "," not in bare else ","


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(number: int, message: str) -> Row:
    return Row(number, error=RecordError(message, row=number))


def _too_large(number: int) -> Row:
    return Row(number, error=LimitExceeded(f"The row is larger than {limits.MAX_RECORD_BYTES} bytes.", row=number))
