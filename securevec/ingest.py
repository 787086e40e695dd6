"""The write journey, read top to bottom. The order is a security property, so it is code and not configuration.

    admit                      fence, policy
    per row     validate, minimize        undeclared fields are gone; a bad row is refused by row and field
                content digest            unchanged records stop here
                anonymize                 fold, detect, replace, in every declared text; another process may have
                                          detected already, while the batch before was written (writing.batching)
                chunk
    per batch   embed                     AnonymizedText only
                begin                     control store: new generation, rows `pending`; fence checked in it
                seal                      under the DEK of the record's expiry bucket
                audit intent (durable)
                insert, read back         the store is not believed until it shows what was written
                switch                    one transaction: `pending` -> `live`, the old generation -> `retiring`
                delete old, read back
                audit result (durable), finish

Killed between any two steps, readers see the old or the new generation: only the switch makes a generation live, and
what it left behind is removed when the home is next opened (:mod:`securevec.removing.recover`).
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from securevec import limits
from securevec.anonymize.ahead import Found
from securevec.anonymize.known import stand_ins
from securevec.crypto.envelope import SubjectKey
from securevec.errors import (
    BoundKeyDestroyed,
    DetectorError,
    LegalHold,
    QuotaExceeded,
    RecordChanged,
    RecordError,
    SecurevecError,
    SubjectErased,
    VectorError,
)
from securevec.guard import Admission, admit
from securevec.reading.cloaking import cloaked
from securevec.reading.live import whole_records
from securevec.removing.recover import LEASE_MS, settle_collection
from securevec.reopen import require_as_opened
from securevec.retention.rulebook import effective_retention
from securevec.retention.rules import epoch, expiry
from securevec.rows.frames import Frame
from securevec.rows.readers import read_records, source_size
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix, RecordRef, Token
from securevec.vectors import VectorsOf, check_vectors
from securevec.writing.anonymizing import texts_of
from securevec.writing.batching import BATCH, Candidate, batches, in_step
from securevec.writing.inserting import switch_over
from securevec.writing.prepare import prepare
from securevec.writing.refusals import Over, allowed, within_quota, without_erased, without_weak
from securevec.writing.report import IngestReport, Progress, Tally, redactions_in
from securevec.writing.sealing import Prepared, seal_points

Source = str | Path | Iterable[Mapping[str, object] | Record] | Frame

_ATTEMPTS: Final = 5
"""How often that is asked again because another process changed one of the rows first."""


def ingest(
    runtime: Runtime,
    collection: CollectionScope,
    source: Source,
    *,
    vectors: Matrix | None = None,
    vectors_of: VectorsOf | None = None,
    progress: Callable[[Progress], None] | None = None,
    batch: int = BATCH,
    stored: Callable[[Sequence[tuple[RecordRef, bytes]]], None] | None = None,
    over: Over | None = None,
) -> IngestReport:
    """Store records from a file, or from an iterable of mappings or Records. See :meth:`Collection.ingest`.

    ``stored`` is called after each batch with ref and content digest of the records that are live now as they came,
    whether they were written or found unchanged. ``over`` is asked before a record takes the place of a row that it
    differs from, or of none, and again when another process changed that row meanwhile.
    """
    started = time.monotonic()
    admission = admit(runtime, collection.scope, permission="ingest", action="ingest", collection=collection.collection)
    tally = Tally()
    # What was stored before an error or an interrupt stays stored.
    with admission.writing(tally.counts):
        given = check_vectors(runtime, collection, vectors, vectors_of)
        total = source_size(Path(source)) if isinstance(source, str | Path) else None
        rows = read_records(source, position=tally.read)
        ready = batches(runtime, collection, rows, given, tally, min(batch, limits.MAX_BATCH))
        with contextlib.closing(in_step(runtime, collection, ready)) as steps:
            for candidates, found in steps:
                admission.recheck()
                with runtime.write_lock(collection.collection):
                    settle_collection(runtime, collection.collection)
                    refused = len(tally.refused)
                    _store(runtime, collection, admission, candidates, tally, found, over)
                if stored is not None:
                    absent = {row.row for row in tally.refused[refused:]}
                    stored([(each.ref, each.digest) for each in candidates if each.row not in absent])
                if progress is not None:
                    progress(Progress(tally.rows, tally.bytes_read, total))
        tally.require_a_detector()
        if given is not None and tally.rows < len(given):
            raise VectorError(
                "There are more vectors than rows, so rows may have been stored under other rows' vectors.",
                field="vectors",
                next_step="Look at both, and ingest the rows again with as many vectors.",
            )
        admission.recheck()
    admission.note(counts=tally.counts())
    return tally.report(time.monotonic() - started)


def _store(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    candidates: Sequence[Candidate],
    tally: Tally,
    found: Found,
    over: Over | None,
) -> None:
    """Carry one batch from validated rows to live records. ``found``: what the detector read ahead of it."""
    now_ms = runtime.clock.sure_ms()
    retention_ms = effective_retention(runtime, collection)
    expires_ms = expiry(retention_ms, ingested_ms=now_ms)
    prepared: list[Prepared] = []
    keys = collection.tenant_keys(runtime)
    changed = _changed(runtime, collection, admission, candidates, tally, now_ms)
    judged: dict[bytes, int] | None = None
    if over is not None:
        changed, judged = allowed(runtime, collection, changed, tally, over)
    began = time.monotonic()
    texts = (text for candidate in changed for text in texts_of(collection, candidate.minimized))
    found = collection.anonymizer.read(texts, found)
    for candidate in changed:
        try:
            prepared.append(
                prepare(
                    collection,
                    candidate.minimized,
                    ref=candidate.ref,
                    row=candidate.row,
                    keys=keys,
                    digest=candidate.digest,
                    expires_ms=expires_ms,
                    epoch=epoch(retention_ms, expires_ms=expires_ms),
                    ingested_ms=now_ms,
                    vector=candidate.vector,
                    ahead=found,
                )
            )
        except RecordError as error:
            tally.refuse(candidate.row, error)
        except DetectorError as error:
            tally.not_detected(candidate.row, error)
        else:
            tally.detected()
    runtime.ahead.spent(time.monotonic() - began)
    prepared = without_erased(runtime, collection, prepared, tally)
    prepared = without_weak(runtime, collection, prepared, tally)
    prepared = within_quota(runtime, collection, prepared, tally)
    for attempt in range(_ATTEMPTS):
        if not prepared:
            return
        vectors = _embed(collection, prepared)
        kept: Mapping[bytes, int] | None = None
        if judged is not None:
            kept = {record.ref: judged[record.ref] for record in prepared}
        try:
            request_id = write_batch(
                runtime, collection, admission, prepared, vectors, tally, judged=kept, as_opened=True
            )
        except QuotaExceeded as error:
            # Another writer took the room between the look above and the transaction that counts.
            for record in prepared:
                tally.refuse(record.row, error)
            return
        except RecordChanged:
            if over is None or attempt == _ATTEMPTS - 1:
                raise
            going = {record.ref for record in prepared}
            changed = [candidate for candidate in changed if candidate.ref in going]
            changed, judged = allowed(runtime, collection, changed, tally, over)
            prepared = [record for record in prepared if record.ref in judged]
        else:
            tally.request_ids.append(request_id)
            return


def _changed(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    candidates: Sequence[Candidate],
    tally: Tally,
    now_ms: int,
) -> list[Candidate]:
    """The candidates to write: new, changed, expired, or claimed by the manifest and gone or altered in the store."""
    refs = [candidate.ref for candidate in candidates]
    current = runtime.control.current(collection.collection, refs)
    held = runtime.control.held_refs(collection.tenant, collection.collection, refs)
    whole = whole_records(runtime, collection, {each.ref: each.digest for each in candidates}, current, now_ms=now_ms)
    tally.unchanged += len(whole)
    changed: list[Candidate] = []
    kept: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.ref in whole:
            continue
        by_hold = candidate.ref in held and candidate.ref in current
        (kept[held[candidate.ref]] if by_hold else changed).append(candidate)
    for hold_id, refused in kept.items():
        hold = LegalHold("A legal hold keeps the stored version of this record.", hold_id=hold_id)
        for candidate in refused:
            tally.refuse(candidate.row, hold)
        admission.note(outcome="denied", record_ids=[candidate.ref for candidate in refused], error=hold)
    return changed


def _embed(collection: CollectionScope, prepared: Sequence[Prepared]) -> Matrix:
    """One row per chunk, in order: given vectors where the caller brought them, the model's otherwise."""
    given = [record.vector for record in prepared if record.vector is not None]
    if given:
        return np.vstack([vector for record, vector in zip(prepared, given, strict=True) for _ in record.chunks])
    return collection.embedder.embed([chunk.text for record in prepared for chunk in record.chunks])


def write_batch(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    prepared: Sequence[Prepared],
    vectors: Matrix,
    tally: Tally,
    *,
    expect: Mapping[bytes, int] | None = None,
    erasing: bool = False,
    same: Callable[[], None] | None = None,
    judged: Mapping[bytes, int] | None = None,
    as_opened: bool = False,
) -> str:
    """The part of the journey a crash can interrupt. Returns the request id of the batch.

    The caller holds the collection's write lock and has settled it. ``expect``, ref to live generation, is for records
    made out of their stored version: raises :class:`RecordChanged` when one was replaced or erased since. ``erasing``
    is for the erasure itself, which stores records again that it hides. ``same`` is for records that say what they said
    (as those of :mod:`securevec.writing.resealing`); it is asked in the transaction that switches, and raises what
    forbids it. ``judged`` as for ``begin_batch``. ``as_opened`` is for writers who bring texts: raises
    :class:`CollectionMismatch` when another detector or other operators were accepted since the collection was opened.
    """
    runtime.backend()  # before anything is announced: another process may hold the engine
    now_ms = runtime.clock.now_ms()
    request = admission.fresh()
    before = runtime.control.current(collection.collection, [record.ref for record in prepared])
    people = list(dict.fromkeys(record.shred for record in prepared if record.shred is not None))
    generations = runtime.control.begin_batch(
        tenant=collection.tenant,
        collection=collection.collection,
        request_id=request.request_id,
        writer=runtime.audit.writer_id,
        fence=admission.fence,
        rows=[record.announced() for record in prepared],
        lease_until_ms=now_ms + LEASE_MS,
        now_ms=now_ms,
        expect=expect,
        erasing=erasing,
        people=people,
        resealing=same is not None,
        judged=judged,
        bound=partial(require_as_opened, collection) if as_opened else None,
    )
    counts = {
        "records": len(prepared),
        "new": sum(record.ref not in before for record in prepared),
        "updated": sum(record.ref in before for record in prepared),
        "chunks": len(vectors),
    }
    redactions = redactions_in(prepared)
    try:
        texts = [chunk.text.text for record in prepared for chunk in record.chunks]
        stored, version = cloaked(runtime, collection, vectors, texts)
        # What an erasure stores again may be about people who are being erased too: theirs is not made anew.
        known = erasing or same is not None
        bound = _bound_to(runtime, collection, request, prepared, generations, people, create=not known)
        points = seal_points(runtime, collection, prepared, generations, stored, bound=bound, cloak=version)
        _keep_tokens(runtime, collection, request, prepared)
        request.note(
            phase="intent", counts=counts, redactions=redactions, record_ids=[record.ref for record in prepared]
        )
    except BaseException:
        # Nothing has reached the store: forget the pending rows, and let the cause speak.
        with contextlib.suppress(SecurevecError):
            runtime.control.abort_batch(request_id=request.request_id)
            runtime.keys.bury_documents(collection.tenant, generations.items())
            runtime.control.finish_batch(request_id=request.request_id)
        raise
    switch_over(
        runtime,
        collection,
        request,
        generations,
        points,
        counts,
        redactions=redactions,
        erasing=erasing,
        people=people,
        alive=lambda: _require_alive(runtime, bound.values(), same),
        resealing=same is not None,
    )
    tally.new += counts["new"]
    tally.updated += counts["updated"]
    tally.chunks += counts["chunks"]
    tally.redactions.update(redactions)
    return request.request_id


def _keep_tokens(
    runtime: Runtime, collection: CollectionScope, request: Admission, prepared: Sequence[Prepared]
) -> None:
    """Have the tenant know the people of these records by their tokens, and their names by the words in them."""
    keys = collection.tenant_keys(runtime)
    fields = (field for record in prepared for field in record.anonymized.values())
    runtime.control.add_tokens(
        collection.tenant,
        {pair for record in prepared for pair in record.tokens},
        [
            (part, person, runtime.names.seal_stand_in(stand_ins.written({keys.naming: stand_in}), part=part))
            for part, person, stand_in in collection.anonymizer.name_parts(fields, keys=keys)
        ],
        fence=request.fence,
        request_id=request.request_id,
    )


def _bound_to(
    runtime: Runtime,
    collection: CollectionScope,
    request: Admission,
    prepared: Sequence[Prepared],
    generations: Mapping[bytes, int],
    people: Sequence[Token],
    *,
    create: bool,
) -> dict[bytes, SubjectKey]:
    """By ref, the key a record is sealed under besides the data key: of its person, or its own.

    A person who has none gets one while no erasure can be accepted, and not when one was since the batch began: that
    one has destroyed what there was, and would not come back for a key that was made behind it.
    """
    if collection.key_scope == "document":
        return runtime.keys.document_keys(collection.tenant, generations)
    if not people:
        return {}
    version = max(record.token_version for record in prepared)
    ask = partial(runtime.keys.subject_keys, collection.tenant, people, version=version)
    try:
        keys = ask(create=False)
    except BoundKeyDestroyed:
        if not create:
            raise
        keys = runtime.control.while_unerased(request.request_id, ask)
    return {record.ref: keys[record.shred] for record in prepared if record.shred is not None}


def _require_alive(runtime: Runtime, bound: Iterable[SubjectKey], same: Callable[[], None] | None) -> None:
    """Raises :class:`SubjectErased` when the key of a person of this batch was destroyed since it was asked for, and
    what ``same`` raises."""
    try:
        if same is not None:
            same()
        runtime.keys.require_alive([key.key_id for key in bound])
    except BoundKeyDestroyed as error:
        raise SubjectErased("A subject of this batch was erased while it was written.") from error
