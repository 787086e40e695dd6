"""The read journey, read top to bottom.

admit                     fence, policy (which may add a row filter)
anonymize the query       detector, then the tenant's known tokens: the same surrogates as in the stored text
embed                     AnonymizedText only
query                     namespace from the handle in hand, never from an argument
judge each hit            open in this place; expiry, generation and filters on the sealed values; refill up to k
read chunk 0              for hits further into a record, whose fields lie there
recheck                   fence again: what was deleted meanwhile is not answered
audit (durable)           and only then the hits
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import numpy as np

from securevec import limits
from securevec.body import Body, RecordId, chunk_view, decode_vault
from securevec.crypto.derive import point_id
from securevec.errors import (
    IsolationViolation,
    LimitExceeded,
    QueryError,
    RecordNotFound,
    SecurevecError,
    VaultDisabled,
    VectorError,
)
from securevec.filters import Compare, Exists, Expr, Not, Or, all_of, check
from securevec.guard import Admission, admit
from securevec.hits import Hit, OriginalAt, SearchResult
from securevec.judge import Judged, Verdicts, judge, open_envelope
from securevec.minimize import rebuild
from securevec.protect import EXPIRY_KEY
from securevec.runtime import CollectionScope, Runtime
from securevec.schema import Record
from securevec.types import AnonymizedText, Matrix, StoredPoint, Vector

R = TypeVar("R", bound=Record)

_REFILL_FACTOR = 4
"""How much further each refill looks when hits were dropped."""


@dataclass(frozen=True, slots=True, repr=False)
class _Question:
    vector: Vector
    where: Expr | None
    pushed: Expr | None
    audit_key: bytes
    redactions: Mapping[str, int]


def search(
    runtime: Runtime,
    collection: CollectionScope,
    text: str | None,
    *,
    record_class: type[R],
    where: Expr | None = None,
    k: int = 10,
    vector: Matrix | None = None,
) -> SearchResult[R]:
    """The ``k`` nearest chunks to a query text, or to a given vector. See :meth:`Collection.search`."""
    _check_k(k)
    admission = admit(runtime, collection.scope, permission="search", action="search", collection=collection.collection)
    try:
        question = _question(runtime, collection, admission, text, vector, where)
        verdicts, exhausted = _ask(runtime, collection, question, k)
        hits = _hits(runtime, collection, verdicts.accepted[:k], record_class)
        violations = verdicts.violations + min(k, len(verdicts.accepted)) - len(hits)
        admission.recheck()
    except SecurevecError as error:
        admission.note(outcome="failed", error=error)
        raise
    admission.note(
        counts={
            "hits": len(hits),
            "violations": violations,
            "dropped": verdicts.passed_over,
        },
        redactions=question.redactions,
        record_ids=[judged.ref for judged in verdicts.accepted[:k]],
        query=question.audit_key,
    )
    return SearchResult(
        hits,
        violations=violations,
        complete=len(hits) == k or exhausted,
        request_id=admission.request_id,
        restorer=lambda places: _originals(runtime, collection, places),
    )


def get(runtime: Runtime, collection: CollectionScope, record_id: RecordId, *, record_class: type[R]) -> R:
    """One record by id. Raises :class:`RecordNotFound`, and :class:`IsolationViolation` when it was altered."""
    admission = admit(runtime, collection.scope, permission="get", action="get", collection=collection.collection)
    ref = collection.record_ref(runtime, record_id)
    try:
        row = runtime.control.current(collection.collection, [ref]).get(ref)
        if row is None:
            raise RecordNotFound("The collection has no such record.")
        id_key = runtime.keys.tenant_key(collection.tenant, "id")
        first = point_id(id_key, collection.collection, ref, row.generation, 0)
        points = runtime.backend().fetch(namespace=collection.namespace, ids=[first])
        if not points:
            raise IsolationViolation(
                "The store does not show a record the manifest names as live.", next_step="Ingest the record again."
            )
        verdicts = judge(runtime, collection, points, where=admission.decision.row_filter)
        if verdicts.violations:
            raise IsolationViolation("The stored record does not open in its place; it was altered in the store.")
        if not verdicts.accepted:
            raise RecordNotFound("The collection has no such record.")
        record = _record(collection, verdicts.accepted[0].body, record_class)
        admission.recheck()
    except SecurevecError as error:
        admission.note(outcome="failed", error=error, record_ids=[ref])
        raise
    admission.note(counts={"hits": 1}, record_ids=[ref])
    return record


def count(runtime: Runtime, collection: CollectionScope) -> tuple[int, int]:
    """Live records and their chunks, by the manifest."""
    admission = admit(runtime, collection.scope, permission="count", action="count", collection=collection.collection)
    records, chunks = runtime.control.count_live(collection.collection, now_ms=runtime.clock.now_ms())
    admission.recheck()
    admission.note(counts={"records": records, "chunks": chunks})
    return records, chunks


def _check_k(k: int) -> None:
    if type(k) is not int or k < 1:
        raise QueryError("k is a whole number of at least 1.")
    if k > limits.MAX_K:
        raise LimitExceeded(f"A search returns at most {limits.MAX_K} hits.", field="k")


def _question(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    text: str | None,
    vector: Matrix | None,
    where: Expr | None,
) -> _Question:
    parts = [part for part in (where, admission.decision.row_filter) if part is not None]
    judged_on = check(all_of(parts)) if parts else None
    lowered = [collection.protector(runtime).lower(judged_on)] if judged_on is not None else []
    backend = runtime.backend()
    if collection.retention_ms is not None and backend.capabilities.cheap_range_filter:
        lowered.append(Or((Not(Exists(EXPIRY_KEY)), Compare(EXPIRY_KEY, "gt", runtime.clock.now_ms()))))
    pushed = all_of(lowered) if lowered else None
    if (text is None) == (vector is None):
        raise QueryError("A search takes a text or a vector.")
    if text is None:
        given = _given_vector(collection, vector)
        return _Question(given, judged_on, pushed, given.tobytes(), {})
    anonymized, redactions = _anonymize_query(runtime, collection, text)
    embedded = collection.embedder.embed([anonymized])[0]
    return _Question(embedded, judged_on, pushed, anonymized.text.encode(), redactions)


def _anonymize_query(runtime: Runtime, collection: CollectionScope, text: str) -> tuple[AnonymizedText, Counter[str]]:
    if not text.strip():
        raise QueryError("The query is empty.", next_step="Say what to look for.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise QueryError("The query is not valid Unicode.") from error
    if size > limits.MAX_QUERY_BYTES:
        raise LimitExceeded(f"A query is at most {limits.MAX_QUERY_BYTES} bytes.", field="text")
    keys = collection.tenant_keys(runtime)
    return collection.anonymizer.query(
        text, keys=keys, known=lambda tokens: runtime.control.known_tokens(collection.tenant, tokens)
    )


def _given_vector(collection: CollectionScope, vector: Matrix | None) -> Vector:
    given = np.asarray(vector, dtype=np.float32)
    if given.shape != (collection.embedder.identity.dimension,):
        raise VectorError(f"A query vector has shape ({collection.embedder.identity.dimension},).", field="vector")
    norm = float(np.linalg.norm(given))
    if not np.isfinite(norm) or norm == 0.0:
        raise VectorError("A query vector is finite and not zero.", field="vector")
    return np.asarray(given / norm, dtype=np.float32)


def _ask(runtime: Runtime, collection: CollectionScope, question: _Question, k: int) -> tuple[Verdicts, bool]:
    """Query and judge, looking further until ``k`` hits passed or the store has no more."""
    backend = runtime.backend()
    limit = k
    while True:
        points = backend.query(
            namespace=collection.namespace,
            vector=question.vector,
            where=question.pushed,
            limit=limit,
            exclude=("v",),
        )
        verdicts = judge(runtime, collection, _distinct(points), where=question.where)
        if verdicts.violations * 2 > verdicts.examined:
            raise IsolationViolation(
                "More than half of what the store returned does not belong to this tenant and collection.",
                next_step="Stop writing to this store and run: securevec audit tail",
            )
        exhausted = len(points) < limit
        if len(verdicts.accepted) >= k or exhausted or limit >= limits.MAX_K * _REFILL_FACTOR:
            return verdicts, exhausted
        limit = min(limit * _REFILL_FACTOR, limits.MAX_K * _REFILL_FACTOR)


def _distinct(points: Sequence[StoredPoint]) -> list[StoredPoint]:
    """Each point once: a store that repeats one must not push others out."""
    seen: dict[UUID, StoredPoint] = {}
    for point in points:
        seen.setdefault(point.id, point)
    return list(seen.values())


def _hits(
    runtime: Runtime, collection: CollectionScope, accepted: Sequence[Judged], record_class: type[R]
) -> list[Hit[R]]:
    firsts = _first_chunks(runtime, collection, accepted)
    hits: list[Hit[R]] = []
    for judged in accepted:
        first = judged.body if judged.body.chunk == 0 else firsts.get((judged.ref, judged.body.generation))
        if first is None:
            # The record's own chunk is gone or altered: half a record is not an answer.
            continue
        text, spans = chunk_view(judged.body, collection.embedded_fields)
        hits.append(
            Hit(
                id=judged.body.record_id,
                score=judged.point.score,
                record=_record(collection, first, record_class),
                text=text,
                chunk=judged.body.chunk,
                chunks=judged.body.chunks,
                point=judged.point.id,
                generation=judged.body.generation,
                spans=spans,
            )
        )
    return hits


def _first_chunks(
    runtime: Runtime, collection: CollectionScope, accepted: Sequence[Judged]
) -> dict[tuple[bytes, int], Body]:
    id_key = runtime.keys.tenant_key(collection.tenant, "id")
    wanted = {
        point_id(id_key, collection.collection, judged.ref, judged.body.generation, 0)
        for judged in accepted
        if judged.body.chunk
    }
    if not wanted:
        return {}
    points = runtime.backend().fetch(namespace=collection.namespace, ids=sorted(wanted))
    verdicts = judge(runtime, collection, points, where=None)
    return {(judged.ref, judged.body.generation): judged.body for judged in verdicts.accepted}


def _record(collection: CollectionScope, body: Body, record_class: type[R]) -> R:
    values = {**(body.fields or {}), **body.filters, collection.schema.key.name: body.record_id}
    return rebuild(record_class, values)


def _originals(runtime: Runtime, collection: CollectionScope, places: Sequence[OriginalAt]) -> Mapping[OriginalAt, str]:
    """Open the vaults of these places for an actor that may reveal; audited, and fenced before and after."""
    admission = admit(
        runtime, collection.scope, permission="reveal", action="restore", collection=collection.collection
    )
    try:
        if not collection.vault:
            raise VaultDisabled("This collection keeps no originals, so nothing can be restored.")
        ids = sorted({place.point for place in places})
        points = runtime.backend().fetch(namespace=collection.namespace, ids=ids) if ids else []
        verdicts = judge(runtime, collection, points, where=admission.decision.row_filter)
        if len(verdicts.accepted) != len(ids):
            raise RecordNotFound("A record of this result was deleted, replaced or altered since the search.")
        vaults = {
            judged.point.id: decode_vault(
                open_envelope(runtime, collection, judged.point, payload_key="v", path="vault")
            )
            for judged in verdicts.accepted
        }
        originals: dict[OriginalAt, str] = {}
        for place in places:
            vault = vaults[place.point]
            held = vault.spans if place.field is None else vault.fields.get(place.field)
            if held is None or place.index >= len(held):
                raise RecordNotFound("A value of this result is no longer kept.")
            originals[place] = held[place.index]
        admission.recheck()
    except SecurevecError as error:
        admission.note(outcome="failed", error=error)
        raise
    admission.note(counts={"restored": len(originals)}, record_ids=[judged.ref for judged in verdicts.accepted])
    return originals
