"""A file of rows as a stream of records of the caller's class. Never read whole: memory does not grow with the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Literal, cast

from securevec.errors import SourceError
from securevec.files.documents import Item
from securevec.files.reading import opened, require_unchanged
from securevec.ingest import ingest
from securevec.readers import Row, read_stream
from securevec.report import IngestReport
from securevec.runtime import CollectionScope, Runtime
from securevec.types import RecordRef


class RowsReader:
    """One file of rows. ``failure`` says afterwards why it was not read to its end."""

    def __init__(self, item: Item, *, advanced: Callable[[int, int], None], remember: bool) -> None:
        self._item = item
        self._advanced = advanced
        self._remember = remember
        self.state = item.state
        self.member = item.state.member_of(item.path)
        self.seen: set[bytes] = set()
        """Refs of the file's records, when they are to be remembered: 16 bytes a row."""
        self.whole = False
        """Whether every row was read and none refused, so that what is not ``seen`` is not in the file."""
        self.failure: SourceError | None = None
        self.bytes_read = 0

    def store(self, runtime: Runtime, collection: CollectionScope) -> IngestReport:
        """Carry every row into the collection. What was stored before a failure stays and is found unchanged later.

        Raises what :func:`securevec.ingest.ingest` does.
        """
        rows = cast("Iterator[dict[str, object]]", self.rows())
        report = ingest(runtime, collection, rows, stored=self._stored)
        self.whole = self.failure is None and not report.refused
        return report

    def _stored(self, records: Sequence[tuple[RecordRef, bytes]]) -> None:
        self.state.note((ref, self.member, content) for ref, content in records)
        if self._remember:
            self.seen.update(ref for ref, _ in records)

    def rows(self) -> Iterator[Row]:
        """The rows until the end or the first failure of the file itself."""
        try:
            with opened(self._item.found) as descriptor:
                before = os.fstat(descriptor)
                with os.fdopen(descriptor, "rb", closefd=False) as stream:
                    yield from self._read(stream)
                require_unchanged(descriptor, before)
        except SourceError as error:
            self.failure = error

    def _read(self, stream: IO[bytes]) -> Iterator[Row]:
        kind = cast('Literal["csv", "jsonl"]', self._item.found.kind)
        yield from read_stream(stream, kind, position=self._at)

    def _at(self, position: int) -> None:
        self._advanced(0, position - self.bytes_read)
        self.bytes_read = position
