"""Documents of a source as a stream of rows: parsed ahead in other processes, in the order of the listing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from securevec.control.rows import ManifestRow
from securevec.errors import FileConflict, MissingExtra, RecordError, SecurevecError, SourceError
from securevec.files.kinds import PageKind
from securevec.files.parse import Parsed
from securevec.files.pool import ParserPool
from securevec.files.reading import read_whole
from securevec.files.report import FilesTally
from securevec.files.state import SourceState
from securevec.files.walk import Found
from securevec.rows.readers import Row
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef
from securevec.writing.batching import Candidate

_TOGETHER: Final = 64
"""Files whose records are looked up at once."""
_AHEAD: Final = 2
"""Files parsed ahead of the one that is stored, per process."""


@dataclass(frozen=True, slots=True, repr=False)
class Item:
    """A file of a source under the path its record has."""

    found: Found
    path: str
    state: SourceState

    def __repr__(self) -> str:
        return f"Item({self.found})"


@dataclass(frozen=True, slots=True, repr=False)
class _Taken:
    """A file that was read. ``parsed`` is ``None`` when its record is already there."""

    digest: bytes
    modified: datetime
    parsed: Parsed | None


class Documents:
    """Rows for :func:`securevec.ingest.ingest`, and what to do when a batch of them is stored."""

    def __init__(
        self,
        runtime: Runtime,
        collection: CollectionScope,
        items: Sequence[Item],
        tally: FilesTally,
        *,
        pool: ParserPool,
        encoding: str | None,
        advanced: Callable[[int, int], None],
    ) -> None:
        self._runtime = runtime
        self._collection = collection
        self._items = items
        self._tally = tally
        self._pool = pool
        self._encoding = encoding
        self._advanced = advanced
        self._paths: list[str] = []
        self._origins: dict[RecordRef, tuple[SourceState, bytes]] = {}
        self._found: dict[RecordRef, bytes | None] = {}
        """Content digest of what was live under each path when it was looked up."""

    def rows(self) -> Generator[Row]:
        """One row for each file that is new or changed. Refused files go into the report."""
        threads = ThreadPoolExecutor(self._pool.jobs, thread_name_prefix="securevec-parse")
        waiting: deque[tuple[Item, RecordRef, Future[_Taken]]] = deque()
        try:
            for group in _batched(self._items, _TOGETHER):
                for item, ref, settled in self._looked_up(group):
                    waiting.append((item, ref, threads.submit(self._take, item, ref, settled)))
                    if len(waiting) > _AHEAD * self._pool.jobs:
                        yield from self._finished(*waiting.popleft())
            while waiting:
                yield from self._finished(*waiting.popleft())
        finally:
            # Whoever is still parsing is ended by the pool.
            threads.shutdown(wait=False, cancel_futures=True)

    def stored(self, records: Sequence[tuple[RecordRef, bytes]]) -> None:
        """Remember what these records were read from, so that the next run passes over their files."""
        of: dict[SourceState, list[tuple[RecordRef, bytes, bytes]]] = {}
        for ref, content in records:
            self._found.pop(ref)
            state, digest = self._origins.pop(ref)
            of.setdefault(state, []).append((ref, digest, content))
        for state, entries in of.items():
            state.note(entries)

    def require_as_found(self, candidate: Candidate, row: ManifestRow | None) -> None:
        """Nobody stored something else under a file's path since that was looked up: whoever did holds it now, and says
        so to the next run. Raises :class:`FileConflict`."""
        if row is not None and row.content_digest != self._found[candidate.ref]:
            raise FileConflict(
                "A record of this path was stored by somebody else while the file was read, and was left as it is.",
                next_step="Run it again; if another folder holds the path too, keep the two apart with --prefix.",
            )

    def path_of(self, row: int) -> str:
        """The path of the file that became this row."""
        return self._paths[row - 1]

    def _looked_up(self, items: Sequence[Item]) -> Iterator[tuple[Item, RecordRef, bytes | None]]:
        """Files that may be read, each with its record's ref and what that was read from, if it is in order."""
        refs: dict[RecordRef, Item] = {}
        for item in items:
            try:
                refs[self._collection.record_ref(self._runtime, item.path)] = item
            except RecordError as error:
                self._refuse(item, error)
        # First: whoever stores one of them from here on is met by ``require_as_found``.
        live = self._runtime.control.current(self._collection.collection, list(refs))
        settled: dict[RecordRef, bytes] = {}
        theirs: set[bytes] = set()
        for state in {item.state for item in refs.values()}:
            mine = [ref for ref, item in refs.items() if item.state is state]
            settled |= state.settled(mine)
            theirs |= state.of_others([ref for ref in mine if ref in live])
        for ref, item in refs.items():
            if ref in theirs:
                conflict = FileConflict(
                    "A record of this path came from another folder and was left as it is.",
                    next_step="Keep the two apart with --prefix. If the folder moved, name its old path with --source.",
                )
                self._refuse(item, conflict)
            else:
                self._found[ref] = live[ref].content_digest if ref in live else None
                yield item, ref, settled.get(ref)

    def _take(self, item: Item, ref: RecordRef, settled: bytes | None) -> _Taken:
        """In a thread: read, compare, parse."""
        contents = read_whole(item.found)
        digest = item.state.digest_of(ref, contents.data)
        if digest == settled:
            return _Taken(digest, contents.modified, None)
        kind = cast("PageKind", item.found.kind)
        return _Taken(digest, contents.modified, self._pool.parse(kind, contents.data, encoding=self._encoding))

    def _finished(self, item: Item, ref: RecordRef, future: Future[_Taken]) -> Iterator[Row]:
        try:
            taken = future.result()
        except (SourceError, RecordError, MissingExtra) as error:
            self._refuse(item, error)
            return
        self._advance(item)
        if taken.parsed is None:
            self._tally.passed_over += 1
            self._found.pop(ref)
            return
        self._tally.documents += 1
        self._paths.append(item.path)
        self._origins[ref] = (item.state, taken.digest)
        yield Row(
            len(self._paths),
            {
                "path": item.path,
                "title": taken.parsed.title,
                "text": taken.parsed.text,
                "modified": taken.modified,
            },
        )

    def _refuse(self, item: Item, error: SecurevecError) -> None:
        self._tally.refuse(item.path, error)
        self._advance(item)

    def _advance(self, item: Item) -> None:
        self._tally.bytes_read += item.found.size
        self._advanced(1, item.found.size)


def _batched(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
