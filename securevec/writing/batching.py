"""Rows in batches: validated, minimized, and read ahead by the detector while the batch before is written.

What is read ahead decides nothing: which records are written, and in which order, is found out when their turn comes.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from securevec.anonymize.ahead import NOTHING, Found, Text
from securevec.crypto.derive import RecordIds, content_digest, typed_record_id
from securevec.errors import RecordError
from securevec.rows.minimize import Minimized, minimize
from securevec.rows.readers import Row
from securevec.rows.validate import validate
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix, RecordRef
from securevec.vectors import vector_of
from securevec.writing.anonymizing import texts_of
from securevec.writing.report import Tally

BATCH: Final = 64
"""Records under one intent: enough to amortise the flushes, few enough to redo."""

BATCH_BYTES: Final = 16 * 1024 * 1024
"""A batch of large records ends earlier, so that memory does not grow with them."""

_SLOW: Final = 0.25
"""Seconds for the rows of a batch. A source that takes longer, perhaps a queue, does not hold up a batch in hand."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A valid row: what would be stored of it, and under which content digest."""

    row: int
    ref: RecordRef
    minimized: Minimized
    digest: bytes
    vector: Matrix | None


def batches(
    runtime: Runtime,
    collection: CollectionScope,
    rows: Iterable[Row],
    vectors: Matrix | None,
    tally: Tally,
    size: int = BATCH,
) -> Iterator[list[Candidate]]:
    """Valid rows in batches. A repeated id ends a batch, so that the later row replaces the earlier one."""
    waiting: list[Candidate] = []
    seen: set[RecordRef] = set()
    waiting_bytes = 0
    content_key = runtime.keys.tenant_key(collection.tenant, "content")
    # Once for all rows: the fence, which the batch is begun under, tells whether the tenant is still there.
    ids = RecordIds(runtime.keys.tenant_key(collection.tenant, "id"), collection.collection)
    for position, row in enumerate(rows):
        tally.rows += 1
        try:
            if row.error is not None or row.value is None:
                raise row.error or RecordError("The row holds nothing.")
            record = validate(collection.record_class, row.value)
            minimized = minimize(collection.schema, record)
            ref = ids.ref(typed_record_id(minimized.record_id))
            vector = vector_of(vectors, position) if vectors is not None else None
        except RecordError as error:
            tally.refuse(row.number, error)
            continue
        canonical = minimized.canonical if vector is None else minimized.canonical + vector.tobytes()
        digest = content_digest(content_key, collection.collection, canonical, collection.identity_digest)
        if ref in seen or len(waiting) >= size or (waiting and waiting_bytes + minimized.size > BATCH_BYTES):
            yield waiting
            waiting, seen, waiting_bytes = [], set(), 0
        waiting_bytes += minimized.size
        waiting.append(Candidate(row.number, ref, minimized, digest, vector))
        seen.add(ref)
    if waiting:
        yield waiting


def in_step(
    runtime: Runtime, collection: CollectionScope, ready: Iterator[list[Candidate]]
) -> Generator[tuple[list[Candidate], Found]]:
    """Each batch, and what was found in its texts while the one before was written.

    The next batch is drawn before this one is handed out, but only while there is a process to read it, and only from a
    source that does not let this one wait. A source that fails later fails behind the batches it gave before.
    """
    with runtime.ahead.lane(collection.anonymizer.detector) as lane:
        found = NOTHING
        current, slow = _next(ready)
        while current is not None:
            following: list[Candidate] | None = None
            failure: Exception | None = None
            looked = not slow and lane.open
            if looked:
                try:
                    following, slow = _next(ready)
                except Exception as error:  # noqa: BLE001 - whatever the caller's own iterable raises
                    failure = error
                if following is not None:
                    lane.send(_unread(runtime, collection, following))
            yield current, found
            if failure is not None:
                raise failure
            found = lane.receive()
            current, slow = (following, slow) if looked else _next(ready)


def _next(ready: Iterator[list[Candidate]]) -> tuple[list[Candidate] | None, bool]:
    """The next batch or ``None``, and whether it took its time."""
    began = time.monotonic()
    batch = next(ready, None)
    return batch, time.monotonic() - began > _SLOW


def _unread(runtime: Runtime, collection: CollectionScope, batch: list[Candidate]) -> Iterator[Text]:
    """The texts of a batch, without those of records that seem to be stored as they are: these are not read again."""
    current = runtime.control.current(collection.collection, [each.ref for each in batch])
    for candidate in batch:
        row = current.get(candidate.ref)
        if row is None or row.content_digest != candidate.digest:
            yield from texts_of(collection, candidate.minimized)
