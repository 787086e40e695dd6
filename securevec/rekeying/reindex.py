"""A new filter key for a collection, and every token and term made anew under it: a resumable state machine.

    accepted    the job row is written; nothing is different yet
    dual        from this commit on, in every process, what is written carries tokens of the new key, and what is asked
                for is asked under both keys
    reindexed   every live row was opened and carries the tokens and terms of its sealed copy under the new key, after
                every write that began before the new key had ended. Then the bytes of the old generations are purged
    retired     all of it was read back once more, and the old key is deleted: its tokens are nobody's
    done        receipt signed and kept

Nothing is detected or embedded again: tokens and terms are made of what the sealed body says, so clear copies that
somebody edited are put right on the way, and counted. Readers and writers go on all the while. Each step may be
repeated: what carries the new tokens already is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from securevec.control.jobs import KEY_REINDEX
from securevec.control.rows import JobRow, ManifestRow
from securevec.errors import DeletionIncomplete
from securevec.guard import Admission
from securevec.jobs import JobResult, move_on
from securevec.points.body import Body, chunk_view
from securevec.points.protect import FilterProtector
from securevec.points.terms import stored_terms
from securevec.proof.purging import ProbeOutcome
from securevec.proof.receipt import Artefact
from securevec.reading.opening import clear_copies
from securevec.reading.sheets import Chunk, Sealed, opened_chunks, sheets
from securevec.rekeying.rewriting import (
    Advance,
    done_data,
    finish,
    place_of,
    read_back,
    request,
    rewrite,
    seen_of,
    sought,
)
from securevec.reopen import description_of, schema_of, spec_of
from securevec.state.runtime import Runtime, term_numbers
from securevec.types import NO_TERMS, CollectionId, Scalar, StoredPoint, Terms


@dataclass(frozen=True, slots=True)
class Reindex(JobResult):
    """Where a re-indexing stands. ``version`` is the number of the new key; ``records`` and ``chunks`` were read back
    under it; ``edited`` points had clear copies or terms that were of neither key. All 0 until it is done."""

    version: int = 0
    records: int = 0
    chunks: int = 0
    edited: int = 0


def result_of(runtime: Runtime, result: JobResult) -> Reindex:
    """The result with its counts."""
    data = done_data(runtime, result)
    return Reindex.of(result, version=data.get("version", 0), **seen_of(data, "records", "chunks", "edited"))


def request_reindex(runtime: Runtime, admission: Admission, collection: CollectionId) -> JobRow:
    """Accept a job. One that is open for the collection is found again."""
    return request(runtime, admission, KEY_REINDEX, collection)


def step(runtime: Runtime, job: JobRow, *, progress: Advance | None = None) -> JobRow:
    """Take a job one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    place = place_of(runtime, job, data)
    if job.state == "accepted":
        runtime.backend()  # a process that may not open the engine leaves the key as it is
        version = runtime.keys.begin_filter_rotation(place.tenant, place.collection)
        parts = sought(runtime, place, _Index(runtime, place).stale)
        return move_on(runtime, job, to="dual", data=data | {"version": version, "sought": parts})
    if job.state == "dual":
        index = _Index(runtime, place)
        outcome = rewrite(
            runtime,
            job,
            place,
            action="key.reindex",
            stale=index.stale,
            looked_for=data["sought"],
            anew=index.anew,
            progress=progress,
        )
        found = {
            "purge": outcome.to_json(),
            "edited": len(index.edited),
            "bare": not data.pop("sought") and not index.made,
        }
        return move_on(runtime, job, to="reindexed", data=data | found)
    if job.state == "reindexed":
        seen = read_back(runtime, job, place, _Index(runtime, place).stale) | {"edited": data["edited"]}
        evidence = runtime.keys.end_filter_rotation(place.tenant, place.collection, data["version"])
        return move_on(runtime, job, to="retired", data=data | {"manifest": seen, "evidence": evidence})
    if job.state == "retired":
        return _done(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


class _Index:
    """What the store may read of the points of one collection, under the keys as they are now."""

    def __init__(self, runtime: Runtime, place: Sealed) -> None:
        self._runtime, self._place = runtime, place
        self.edited: set[UUID] = set()
        """Points that were seen to carry what they should under neither key."""
        self.made = 0
        """Points that were made anew."""
        row = runtime.control.collection(place.collection)
        assert row is not None  # place_of found it
        description = description_of(runtime, row)
        schema, keys = schema_of(description), runtime.keys.filter_keys(place.tenant, place.collection)
        self._embedded = schema.embedded
        self._protector = FilterProtector(schema, collection=place.collection, key=keys.key, before=keys.before)
        wanted = (keys.key, keys.before) if spec_of(row, description).sparse else ()
        self._numbers = [term_numbers(key, place.collection) for key in wanted if key is not None]

    def anew(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """The chunks with payload and terms under the new key. The keys were looked up after the batch was announced or
        before: it is the same, since only this job makes another one."""
        made: list[Chunk] = []
        for chunk in chunks:
            payload, terms = self._clear(chunk.point, chunk.body)
            made.append(replace(chunk, point=replace(chunk.point, payload=payload, terms=terms)))
        self.made += len(made)
        return made

    def _clear(self, point: StoredPoint, body: Body) -> tuple[dict[str, Scalar], Terms | None]:
        held = clear_copies(point)
        payload: dict[str, Any] = {name: value for name, value in point.payload.items() if name not in held}
        terms = self._terms(body)
        return payload | self._protector.payload(body.filters), terms[0] if terms else point.terms

    def stale(self, rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        """Those of the rows that carry anything else than tokens and terms of the new key. Raises :class:`CheckFailed`
        as :func:`opened_chunks`."""
        opened = opened_chunks(self._runtime, self._place, rows)
        stale = [row for row in rows if not all(self._is_new(chunk) for chunk in opened.get(row.ref, ()))]
        self.edited |= {chunk.point.id for row in stale for chunk in opened[row.ref] if self._is_edited(chunk)}
        return stale

    def _is_new(self, chunk: Chunk) -> bool:
        payload, terms = self._clear(chunk.point, chunk.body)
        return dict(chunk.point.payload) == payload and (chunk.point.terms or NO_TERMS) == (terms or NO_TERMS)

    def _is_edited(self, chunk: Chunk) -> bool:
        """Whether the point carries what it should under neither key."""
        held, terms = clear_copies(chunk.point), self._terms(chunk.body)
        worded = not terms or (chunk.point.terms or NO_TERMS) in terms
        return not worded or held not in list(self._protector.payloads(chunk.body.filters))

    def _terms(self, body: Body) -> list[Terms]:
        if not self._numbers:
            return []
        text, placed = chunk_view(body, self._embedded)
        return [stored_terms(text, [each.span for each in placed], numbers) for numbers in self._numbers]


def carries_other_tokens(runtime: Runtime, place: Sealed) -> bool:
    """Whether a live row carries anything else than tokens and terms of the newest key. Raises :class:`CheckFailed`
    for a row that the store does not show as it was written."""
    index = _Index(runtime, place)
    return any(index.stale(sheet) for sheet in sheets(runtime, place.collection))


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    counts: dict[str, int] = data["manifest"]
    logged = {"records": counts["records"], "chunks": counts["chunks"], "violations": counts["edited"], "keys": 1}
    purged = ProbeOutcome.from_json(data["purge"]).artefact(
        f"old points of collection {data['collection']}, with their tokens",
        method="written anew, deleted by id, purge by copy",
    )
    # A job that an earlier build brought this far dropped the key without a search.
    evidence = data.get("evidence", "")
    retired = Artefact(
        artefact=f"filter keys of collection {data['collection']} before version {data['version']}",
        method="row deleted, VACUUM, search of the key store's directory for the wrapped bytes"
        if evidence
        else "row deleted from the key store, which overwrites what it deletes",
        verdict="removed from live files" if evidence else "unverified",
        evidence=f"{evidence}; {counts['records']} records read back under version {data['version']} first".lstrip(
            "; "
        ),
        residual="backups of the key store hold the key, and backups of the store its tokens; a filter key opens "
        "nothing",
    )
    # Where no point carried a token of the old key there is no old point to speak of.
    shown = [retired] if data.get("bare") else [purged, retired]
    return finish(runtime, job, data, action="key.reindex", logged=logged, manifest=counts, artefacts=shown)
