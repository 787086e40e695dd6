"""Rows that are sound and may not be written all the same: over a record of somebody else's, of an erased subject,
beyond the tenant's quota, or with a token that says too much.

A look ahead, so that the other rows of the batch go through and the report names these; the transaction that announces
the batch judges them again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from securevec.control.quotas import require_within
from securevec.control.rows import NO_QUOTA, ManifestRow
from securevec.crypto.derive import RecordIds
from securevec.errors import FileConflict, LowEntropy, QuotaExceeded, SubjectErased
from securevec.points.leaking import measured
from securevec.reading.judge import judge
from securevec.reading.opening import fetch_only
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import FilterValue, RecordRef
from securevec.writing.batching import Candidate
from securevec.writing.report import Tally
from securevec.writing.sealing import Prepared

LEAST: Final = 64
"""Of fewer values no share is worth anything."""
_SAMPLE: Final = 512

Over = Callable[[Candidate, ManifestRow | None], object]
"""Whether a record may take the place of what is live under its id; raises :class:`FileConflict` when it may not."""


def allowed(
    runtime: Runtime, collection: CollectionScope, candidates: Sequence[Candidate], tally: Tally, over: Over
) -> tuple[list[Candidate], dict[bytes, int]]:
    """The candidates that may be written, and by ref the live generation that this was judged by, 0 for none."""
    current = runtime.control.current(collection.collection, [candidate.ref for candidate in candidates])
    kept: list[Candidate] = []
    judged: dict[bytes, int] = {}
    for candidate in candidates:
        row = current.get(candidate.ref)
        try:
            over(candidate, row)
        except FileConflict as error:
            tally.refuse(candidate.row, error)
        else:
            kept.append(candidate)
            judged[candidate.ref] = 0 if row is None else row.generation
    return kept, judged


def without_erased(
    runtime: Runtime, collection: CollectionScope, prepared: Sequence[Prepared], tally: Tally
) -> list[Prepared]:
    """Refuse the rows about, or mentioning, a subject whose erasure still fences writes, or came since the rows were
    read. The batch judges it again."""
    prepared = _without_shredded(runtime, collection, prepared, tally)
    tokens = {token for record in prepared for token in (*record.about, *record.mentions)}
    if not runtime.control.fence(collection.tenant).tombstoned or not tokens:
        return list(prepared)
    now_ms = runtime.clock.now_ms()
    stones = runtime.control.tombstones_among(collection.tenant, list(tokens))
    kept: list[Prepared] = []
    for record in prepared:
        found = [stones[token] for token in (*record.about, *record.mentions) if token in stones]
        if any(until_ms > now_ms or at_ms >= record.ingested_ms for at_ms, until_ms in found):
            tally.refuse(record.row, SubjectErased("The record is about, or mentions, a subject that was erased."))
        else:
            kept.append(record)
    return kept


def _without_shredded(
    runtime: Runtime, collection: CollectionScope, prepared: Sequence[Prepared], tally: Tally
) -> Sequence[Prepared]:
    """Refuse the rows sealed under the key of somebody whose erasure is about to destroy it."""
    if all(record.shred is None for record in prepared):
        return prepared
    doomed = runtime.control.being_shredded(collection.tenant)
    kept: list[Prepared] = []
    for record in prepared:
        if record.shred in doomed:
            tally.refuse(record.row, SubjectErased("The record is about a subject that is being erased."))
        else:
            kept.append(record)
    return kept


def within_quota(
    runtime: Runtime, collection: CollectionScope, prepared: Sequence[Prepared], tally: Tally
) -> list[Prepared]:
    """Refuse the rows that would take the tenant over its quota, before anything is embedded for them. A row that is
    smaller, or replaces one as large, may still fit after one that does not. The batch counts again."""
    quota = runtime.control.quota(collection.tenant)
    if not prepared or quota == NO_QUOTA:
        return list(prepared)
    points, size = runtime.control.usage(collection.tenant, now_ms=runtime.clock.now_ms())
    current = runtime.control.current(collection.collection, [record.ref for record in prepared])
    kept: list[Prepared] = []
    for record in prepared:
        before = current.get(record.ref)
        more_points = points + len(record.chunks) - (before.n_chunks if before else 0)
        more_size = size + record.size - (before.size if before else 0)
        try:
            require_within(quota, points=more_points, size=more_size)
        except QuotaExceeded as error:
            tally.refuse(record.row, error)
        else:
            kept.append(record)
            points, size = more_points, more_size
    return kept


def without_weak(
    runtime: Runtime, collection: CollectionScope, prepared: Sequence[Prepared], tally: Tally
) -> list[Prepared]:
    """Refuse the rows with a value of a field declared ``low_entropy="refuse"`` while its tokens can be read by their
    frequency: measured on these rows, on those it refused before in this ingest, and on up to 512 stored records. Refs
    are keyed hashes, so the first of them are a fair sample. Of fewer than 64 values nothing can be told, and they go
    through."""
    refused = weak_fields(runtime, collection, prepared, tally.refused_tokens)
    if not refused:
        return list(prepared)
    guarded = [spec for spec in collection.schema.by_kind("filter") if spec.guarded]
    protector = collection.protector(runtime)
    kept: list[Prepared] = []
    for record in prepared:
        carried = (refused[name] for name, value in record.minimized.filters.items() if name in refused and value != [])
        error = next(carried, None)
        if error is None:
            kept.append(record)
        else:
            tally.refuse(record.row, error)
            for spec in guarded:
                tally.refused_tokens[spec.name].update(protector.tokens(spec, record.minimized.filters.get(spec.name)))
    return kept


def weak_fields(
    runtime: Runtime,
    collection: CollectionScope,
    prepared: Sequence[Prepared],
    refused_tokens: Mapping[str, Counter[str]] | None = None,
) -> dict[str, LowEntropy]:
    """The guarded fields whose tokens could be read by their frequency once these records were stored, by name."""
    guarded = [spec for spec in collection.schema.by_kind("filter") if spec.guarded]
    if not guarded or not prepared:
        return {}
    protector = collection.protector(runtime)
    held = [record.minimized.filters for record in prepared]
    held += _sample(runtime, collection, {record.ref for record in prepared})
    refused: dict[str, LowEntropy] = {}
    for spec in guarded:
        counts = Counter(token for row in held for token in protector.tokens(spec, row.get(spec.name)))
        found = measured(spec.name, counts + (refused_tokens or {}).get(spec.name, Counter()))
        if found.values >= LEAST and found.weak:
            refused[spec.name] = LowEntropy(
                f"{found.readable_share:.0%} of {found.values} values of the field could be read by how often their "
                f"tokens occur ({found.distinct} tokens, {found.entropy_bits:.1f} bits).",
                field=spec.name,
                next_step="Declare it Seal, cut its tokens (truncate=...), or accept it: securevec leakage T/C",
            )
    return refused


def _sample(runtime: Runtime, collection: CollectionScope, but: set[RecordRef]) -> list[Mapping[str, FilterValue]]:
    """The filter values of some stored records, as sealed; without those that are about to be replaced."""
    rows = runtime.control.live_after(collection.collection, b"", limit=_SAMPLE, now_ms=runtime.clock.now_ms())
    ids = RecordIds(runtime.keys.tenant_key(collection.tenant, "id"), collection.collection)
    wanted = [ids.point(RecordRef(row.ref), row.generation, 0) for row in rows if row.ref not in but]
    accepted = judge(runtime, collection, fetch_only(runtime, collection, wanted), where=None).accepted
    return [judged.body.filters for judged in accepted]
