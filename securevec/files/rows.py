"""A file of rows as a stream of records of the caller's class. Never read whole: memory does not grow with the file.

CSV and JSON lines are read here; a Parquet file by a child process, because its reader is not Python. In either case
only what arrives whole is a row, and a file that breaks off has the rows before it stored and is refused.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from typing import Any, Literal, cast

from pydantic import AliasChoices, AliasPath
from pydantic.fields import FieldInfo

from securevec import limits
from securevec.children.process import MEMORY, Child, Died
from securevec.errors import FileMismatch, LimitExceeded, MissingExtra, ParserFailed, SecurevecError, SourceError
from securevec.files.documents import Item
from securevec.files.pool import REFUSALS, SECONDS
from securevec.files.reading import opened, require_unchanged
from securevec.ingest import ingest
from securevec.rows.readers import Row, read_stream
from securevec.rows.recode import as_utf8
from securevec.schema import Record, describe
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef
from securevec.writing.report import IngestReport


class RowsReader:
    """One file of rows. ``failure`` says afterwards why it was not read to its end."""

    def __init__(
        self,
        item: Item,
        record_class: type[Record],
        *,
        advanced: Callable[[int, int], None],
        remember: bool,
        encoding: str | None = None,
        seconds: float | None = None,
    ) -> None:
        self._item = item
        self._class = record_class
        self._advanced = advanced
        self._remember = remember
        self._encoding = encoding
        self._seconds = SECONDS if seconds is None else seconds
        self.state = item.state
        self.member = item.state.member_of(item.path)
        self.seen: set[bytes] = set()
        """Refs of the file's records, when they are to be remembered: 16 bytes a row."""
        self.whole = False
        """Whether every row was read and none refused, so that what is not ``seen`` is not in the file."""
        self.failure: SecurevecError | None = None
        self.bytes_read = 0
        self._rows_read = self._rows_told = 0

    def store(self, runtime: Runtime, collection: CollectionScope) -> IngestReport:
        """Carry every row into the collection. What was stored before a failure stays and is found unchanged later.

        Raises what :func:`securevec.ingest.ingest` does.
        """
        with contextlib.closing(self.rows()) as rows:
            report = ingest(runtime, collection, cast("Iterator[dict[str, object]]", rows), stored=self._stored)
        self.whole = self.failure is None and not report.refused
        return report

    def rows(self) -> Generator[Row]:
        """The rows until the end or the first failure of the file itself."""
        try:
            with opened(self._item.found) as descriptor:
                before = os.fstat(descriptor)
                of_parquet = self._item.found.kind == "parquet"
                for row in self._of_parquet(descriptor) if of_parquet else self._of_text(descriptor):
                    self._rows_read += 1
                    yield row
                require_unchanged(descriptor, before)
            self._at(before.st_size)
        except (SourceError, LimitExceeded, MissingExtra) as error:
            self.failure = error

    def _of_text(self, descriptor: int) -> Iterator[Row]:
        kind = cast('Literal["csv", "jsonl"]', self._item.found.kind)
        with open(descriptor, "rb", closefd=False) as stream:
            text = as_utf8(stream, self._encoding)
            recoded = text is not stream
            yield from read_stream(text, kind, position=None if recoded else self._at, header=self._require_columns)

    def _of_parquet(self, descriptor: int) -> Iterator[Row]:
        wanted = sorted(_names(self._class))
        child = Child("securevec.files.row_worker", [json.dumps([MEMORY, self._seconds, wanted])], stdin=descriptor)
        number = 0
        try:
            while True:
                match self._frame(child):
                    case {"columns": [*names]}:
                        self._require_columns([str(name) for name in names])
                    case {"rows": [*rows]}:
                        for row in rows:
                            number += 1
                            yield _row(number, row)
                        self._at(self.bytes_read)
                    case {"end": end} if end == number:
                        return
                    case {"refused": str(code)} if code in REFUSALS:
                        raise REFUSALS[code]()
                    case _:
                        raise ParserFailed("The reader of this file gave no usable answer.")
        finally:
            child.end()

    def _frame(self, child: Child) -> Any:
        """One answer of the child, as JSON. Raises :class:`ParserFailed`."""
        late: bool | None = None
        try:
            return json.loads(child.next(seconds=self._seconds))
        except Died as death:
            late = death.late
        except (ValueError, RecursionError):
            pass
        if late:
            raise ParserFailed(f"The reader of this file was ended after {self._seconds:g} seconds without a row.")
        raise ParserFailed("The reader of this file died.")

    def _require_columns(self, names: Collection[str]) -> None:
        """Raise :class:`FileMismatch` for a file in which every single row would be refused."""
        present = set(names)
        for name, info in self._class.model_fields.items():
            if info.is_required() and present.isdisjoint(_names_of(name, info)):
                raise FileMismatch(
                    f'The file has no column for the field "{name}".',
                    next_step="Names are compared letter by letter. securevec schema infer FILE shows the file's own.",
                )

    def _stored(self, records: Sequence[tuple[RecordRef, bytes]]) -> None:
        self.state.note((ref, self.member, content) for ref, content in records)
        if self._remember:
            self.seen.update(ref for ref, _ in records)

    def _at(self, position: int) -> None:
        self._advanced(self._rows_read - self._rows_told, position - self.bytes_read)
        self._rows_told = self._rows_read
        self.bytes_read = position


def _names(record_class: type[Record]) -> set[str]:
    """The columns a record class can take anything from: declared fields, by their names and aliases."""
    declared = describe(record_class).names
    fields = {name: info for name, info in record_class.model_fields.items() if name in declared or info.is_required()}
    return {column for name, info in fields.items() for column in _names_of(name, info)}


def _names_of(name: str, info: FieldInfo) -> set[str]:
    """A field's name and everything it may be called instead."""
    names = {name}
    for alias in (info.alias, info.validation_alias):
        for choice in alias.choices if isinstance(alias, AliasChoices) else [alias]:
            first = choice.path[0] if isinstance(choice, AliasPath) else choice
            if isinstance(first, str):
                names.add(first)
    return names


def _row(number: int, value: object) -> Row:
    if value is None:
        return Row(number, error=LimitExceeded(f"The row is larger than {limits.MAX_RECORD_BYTES} bytes.", row=number))
    if not isinstance(value, dict):
        raise ParserFailed("The reader of this file gave no usable answer.")
    return Row(number, cast("dict[str, object]", value))
