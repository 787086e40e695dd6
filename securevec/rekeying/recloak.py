"""A new cloak key for a collection, and every stored vector brought under it: a resumable state machine.

    accepted        the job row is written; nothing is different yet
    dual            from this commit on, in every process, what is written lies under the new key, and what is asked is
                    asked under both
    recloaked       every live row was opened and stored as a new generation of itself, its vector taken from under the
                    old key and put under the new one, after every write that began before the new key had ended. Then
                    the bytes of the old generations are purged
    doomed          the collection is bound to the new key, and which keys are to go is written down
    keys_destroyed  all of it was read back; then the old keys were destroyed, and nothing but them
    verified        read back once more: no live row is under them, and nobody can put a vector under them
    done            receipt signed and kept

Nothing is detected or embedded again: a cloak is undone by its key and the sealed text alone, up to the rounding of
float32. Readers and writers go on all the while. Each step may be repeated: what says that it is under the new key is
passed over. A record that the store does not show as it was written stops the job before any key dies.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson

from securevec.binding import cloak_of
from securevec.control.jobs import KEY_RECLOAK
from securevec.control.rows import JobRow, ManifestRow
from securevec.errors import (
    BackendError,
    CheckFailed,
    CollectionMismatch,
    ControlUnavailable,
    DeletionIncomplete,
    UsageError,
    WriteNotAcknowledged,
)
from securevec.guard import Admission
from securevec.jobs import JobResult, move_on
from securevec.keys.cloaks import Cloaks
from securevec.points.body import chunk_view
from securevec.points.protect import CLOAK_KEY
from securevec.proof.purging import ProbeOutcome
from securevec.proof.shredding import key_artefact, root_of, shred
from securevec.reading.cloaking import put_on, uncloaked
from securevec.reading.sheets import Chunk, Sealed, opened_chunks
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
from securevec.reopen import description_of, schema_of
from securevec.state.runtime import Runtime
from securevec.types import CollectionId

_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Recloak(JobResult):
    """Where the exchange of a cloak key stands. ``version`` is the number of the new key, ``records`` and ``chunks``
    were read back under it, ``keys`` old ones were destroyed; all 0 until it is done."""

    version: int = 0
    records: int = 0
    chunks: int = 0
    keys: int = 0


def result_of(runtime: Runtime, result: JobResult) -> Recloak:
    """The result with its counts."""
    data = done_data(runtime, result)
    keys = len(data.get("shredded", {}).get("destroyed", ()))
    return Recloak.of(result, version=data.get("version", 0), keys=keys, **seen_of(data, "records", "chunks"))


def request_recloak(runtime: Runtime, admission: Admission, collection: CollectionId) -> JobRow:
    """Accept a job. One that is open for the collection is found again. Raises :class:`UsageError` for a collection
    without a cloak."""
    row = runtime.control.collection(collection)
    if row is None or cloak_of(description_of(runtime, row)) is None:
        raise UsageError(
            "The collection was made without a cloak, so there is no key of one.",
            next_step='A cloak is chosen when a collection is made: cloak="rotate".',
        )
    return request(runtime, admission, KEY_RECLOAK, collection)


def step(runtime: Runtime, job: JobRow, *, progress: Advance | None = None) -> JobRow:
    """Take a job one step further."""
    data: dict[str, Any] = orjson.loads(job.data)
    place = place_of(runtime, job, data)
    turn = _Turn(runtime, place)
    if job.state == "accepted":
        runtime.backend()  # a process that may not open the engine leaves the key as it is
        version = runtime.keys.begin_cloak_rotation(place.tenant, place.collection)
        return move_on(
            runtime, job, to="dual", data=data | {"version": version, "sought": sought(runtime, place, turn.stale)}
        )
    if job.state == "dual":
        outcome = rewrite(
            runtime,
            job,
            place,
            action="key.recloak",
            stale=turn.stale,
            looked_for=data.pop("sought"),
            anew=turn.anew,
            vectors=True,
            progress=progress,
        )
        return move_on(runtime, job, to="recloaked", data=data | {"purge": outcome.to_json()})
    version = data["version"]
    if job.state == "recloaked":
        turn.bind()
        rows = runtime.keys.cloak_keys_before(place.tenant, place.collection, version)
        doomed = {
            "collection": place.collection,
            "epoch": "",
            "key_ids": sorted(row.key_id.hex() for row in rows),
            "probe": None,
        }
        return move_on(runtime, job, to="doomed", data=data | {"doomed": doomed})
    if job.state == "doomed":
        # Here, not where this was written down: the process may have ended since, and the store been put back.
        read_back(runtime, job, place, turn.stale)
        # Not beside a backup: bound to the old key in its control copy, the collection would find none in its key copy.
        with runtime.write_lock(place.collection):
            done = shred(
                runtime,
                job,
                data["doomed"],
                lambda: runtime.keys.end_cloak_rotation(place.tenant, place.collection, version),
            )
        return move_on(runtime, job, to="keys_destroyed", data=data | {"shredded": done})
    if job.state == "keys_destroyed":
        if turn.cloaks().numbers != (version,):
            raise WriteNotAcknowledged("A cloak key that was destroyed is still in use.")
        return move_on(
            runtime, job, to="verified", data=data | {"manifest": read_back(runtime, job, place, turn.stale)}
        )
    if job.state == "verified":
        return _done(runtime, job, data)
    raise DeletionIncomplete(f"The job is in the unknown state `{job.state}`.", job_id=job.job_id)


class _Turn:
    """The vectors of one collection, under the keys as they are now."""

    def __init__(self, runtime: Runtime, place: Sealed) -> None:
        self._runtime, self._place = runtime, place
        row = runtime.control.collection(place.collection)
        assert row is not None  # place_of found it
        description = description_of(runtime, row)
        cloak = cloak_of(description)
        assert cloak is not None  # request_recloak found it
        self._cloak, self._dimension = cloak, row.dimension
        self._embedded = schema_of(description).embedded

    def cloaks(self) -> Cloaks:
        place = self._place
        return self._runtime.keys.cloaks(place.tenant, place.collection, self._cloak, dimension=self._dimension)

    def stale(self, rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        """Those of the rows of which a sealed body says another version than the newest, or the point another than its
        body. Raises :class:`CheckFailed` as :func:`opened_chunks`."""
        opened, version = opened_chunks(self._runtime, self._place, rows), self.cloaks().version
        return [row for row in rows if not all(_is_under(version, chunk) for chunk in opened.get(row.ref, ()))]

    def anew(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """The chunks with their vectors under the newest key, and saying so."""
        cloaks = self.cloaks()
        texts = [chunk_view(chunk.body, self._embedded)[0] for chunk in chunks]
        vectors = [chunk.point.vector for chunk in chunks if chunk.point.vector is not None]
        try:
            true = uncloaked(cloaks, self._dimension, vectors, texts, [chunk.body.cloak for chunk in chunks])
        except BackendError as error:
            raise CheckFailed(
                "The store does not show a vector of this collection as it was written.",
                next_step="Find it with securevec verify T/C, and ingest it again or delete it; then: "
                "securevec jobs run",
            ) from error
        turned = put_on(cloaks.newest, np.vstack(true), texts)
        return [
            replace(
                chunk,
                point=replace(chunk.point, vector=vector, payload={**chunk.point.payload, CLOAK_KEY: cloaks.version}),
                body=chunk.body._replace(cloak=cloaks.version),
            )
            for chunk, vector in zip(chunks, turned, strict=True)
        ]

    def bind(self) -> None:
        """Bind the collection to the newest key: whoever opens it compares. Raises :class:`ControlUnavailable` when
        others keep changing what it is bound to."""
        control, place = self._runtime.control, self._place
        digest = self.cloaks().newest.digest
        for _ in range(_ATTEMPTS):
            row = control.collection(place.collection)
            assert row is not None  # place_of found it
            identity = orjson.dumps(orjson.loads(row.identity) | {"cloak": digest}, option=orjson.OPT_SORT_KEYS)
            if identity.decode() == row.identity:
                return
            with contextlib.suppress(CollectionMismatch):
                control.update_identity(
                    row.collection, expect=row.identity, identity=identity.decode(), schema_sealed=row.schema_sealed
                )
        raise ControlUnavailable("What the collection is bound to keeps changing.", next_step="securevec jobs run")


def _is_under(version: int, chunk: Chunk) -> bool:
    return chunk.body.cloak == version == chunk.point.payload.get(CLOAK_KEY)


def _done(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    counts = {**data["manifest"], "keys": len(data["shredded"]["destroyed"])}
    purged = ProbeOutcome.from_json(data["purge"]).artefact(
        f"old points of collection {data['collection']}, with their vectors",
        method="cloaked anew, deleted by id, purge by copy",
    )
    dead = key_artefact(
        data["shredded"],
        f"cloak keys of collection {data['collection']} before version {data['version']}",
        residual="who copied the key before takes the cloak off older copies of vectors",
    )
    return finish(
        runtime,
        job,
        data,
        action="key.recloak",
        logged=counts,
        manifest=counts,
        artefacts=[purged, dead],
        more={"root": root_of(runtime)},
    )
