"""The points of one Chroma collection: typed calls in, plain values out. The same for files and for a server.

What Chroma does on its own and how it is closed here (measured on 1.5.9):

* ``upsert`` keeps old metadata keys and the old document, ``add`` ignores an id that exists. So a write deletes what is
  there, sees that it is gone, and adds. Whether everything was kept is seen by whoever reads it back.
* ``delete`` reports ids it never had. So what to delete is looked up, and looked for again.
* ``query`` walks a graph and may miss points that ``get`` finds. Fewer answers than asked for are checked against the
  count, and a short one is answered again from all matching vectors.
* Ten rows of metadata take two thirds of the time that finding them does. Where the files are ours (``sealed``), sealed
  values lie beside Chroma's and a search asks Chroma for ids and distances alone.
* Nothing is ordered by id. A scan lists the matching ids and sorts them; with ``exclusive`` the list of all is
  kept from page to page until somebody writes.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, cast
from uuid import UUID

import numpy as np
from chromadb.api import ServerAPI
from chromadb.api.types import Include
from chromadb.api.types import Where as VendorWhere
from numpy.typing import NDArray

from securevec.backend import CollectionSpec, check_terms
from securevec.errors import BackendError, HybridUnavailable, QueryError
from securevec.filters import Expr, check
from securevec.types import Namespace, ProtectedPoint, StoredPoint
from securevec_adapters.errors import mapped
from securevec_adapters.points import check_id, check_score, tags_of, unit_vector
from securevec_chroma.client import Found
from securevec_chroma.payload import Metadata, apart, decode, encode, moved_apart, stamped
from securevec_chroma.sealed import Kept, SealedFile
from securevec_chroma.where import Lowering, Where


class Row(NamedTuple):
    """A point to write: its id, unit vector, metadata, and what is kept beside Chroma, where something is."""

    id: UUID
    vector: NDArray[np.float32]
    body: Metadata
    kept: Kept | None = None


_IDS: Final = 1000
"""Points of one request."""
_BATCH_BYTES: Final = 8 * 1024 * 1024
"""Payload text of one request; a server takes 40 MiB."""


class Place:
    """An open collection. Not thread-safe where ``exclusive``: the pool hands it to one caller at a time. ``sealed`` is
    the file that holds its sealed values, where there is one."""

    def __init__(
        self,
        api: ServerAPI,
        namespace: Namespace,
        found: Found,
        *,
        exclusive: bool,
        sealed: SealedFile | None = None,
    ) -> None:
        self._api = api
        self._id = found.id
        self.dimension = found.dimension
        self._tags = tags_of(namespace)
        self._lowering = Lowering(self._tags)
        self._exclusive = exclusive
        self._sealed = sealed
        self._listed: list[str] | None = None
        self._stamp = 0

    def insert(self, rows: Sequence[Row], *, new: bool = False) -> None:
        """Store rows of distinct ids, each whole. ``new``, for a copy that nobody else looks at: none of them is here,
        so nothing is looked for first, and all of them are read back."""
        with mapped("writing points"):
            self._listed = None
            most = min(_IDS, self._api.get_max_batch_size())
            for batch in map(self._stamped, _batches(rows, most)):
                ids = [row.id for row in batch]
                # Also where no row is kept: a point whose row was taken away would keep its vector under a new one.
                if not new:
                    self._remove(ids)
                if self._sealed is not None:  # first: no point is found before what it holds is on disk
                    self._sealed.put([(row.id, row.kept) for row in batch if row.kept is not None])
                self._api._add(
                    ids=[point.hex for point in ids],
                    collection_id=self._id,
                    embeddings=[row.vector for row in batch],
                    metadatas=[row.body for row in batch],
                )
                if new:
                    bodies, kept = self._bodies(ids), {} if self._sealed is None else self._sealed.read(ids)
                    if any(bodies.get(row.id.hex) != row.body or kept.get(row.id.bytes) != row.kept for row in batch):
                        raise BackendError("The store did not keep every point as it was written.")

    def prepared(self, points: Sequence[ProtectedPoint], namespace: Namespace) -> list[Row]:
        """Points as rows, checked; the last of equal ids wins. Raises :class:`VectorError` and :class:`RecordError`."""
        rows: dict[UUID, Row] = {}
        for point in points:
            check_terms(point.terms, sparse=False)
            key, vector = check_id(point.id), unit_vector(point.vector, self.dimension)
            if self._sealed is None:
                rows[key] = Row(key, vector, encode(point.payload, namespace))
            else:
                rows[key] = Row(key, vector, *apart(point.payload, namespace))
        return list(rows.values())

    def remove(self, ids: Sequence[UUID]) -> None:
        with mapped("deleting points"):
            self._listed = None
            for some in _chunks(ids):
                self._remove(some)

    def fetch(self, ids: Sequence[UUID], *, with_vectors: bool) -> list[StoredPoint]:
        with mapped("reading points"):
            return [
                StoredPoint(point, payload, vector=vector)
                for some in _chunks(ids)
                for point, vector, payload in self._read(some, with_vectors=with_vectors)
            ]

    def search(
        self, vector: NDArray[np.float32], where: Expr | None, limit: int, *, vaults: bool = True
    ) -> list[StoredPoint]:
        """Up to ``limit`` nearest, best first. Without ``vaults`` these may be left out."""
        clause, among = self._selection(where)
        with mapped("searching"):
            if among == []:
                return []
            answer = self._api._query(
                collection_id=self._id,
                query_embeddings=[vector],
                ids=among,
                n_results=limit,
                where=cast("VendorWhere", clause),
                include=["metadatas", "distances"] if self._sealed is None else ["distances"],
            )
            ids, distances = [_uuid(point) for point in answer["ids"][0]], answer["distances"]
            if distances is None:
                raise BackendError("The store answered a search without distances.")
            payloads = self._found(ids, answer["metadatas"], vaults=vaults)
            hits = [
                StoredPoint(point, payload, 1.0 - check_score(distance))
                for point, payload, distance in zip(ids, payloads, distances[0], strict=True)
            ][:limit]
            if len(hits) < limit and len(hits) < self._count(where, clause, among):
                return self._exact(vector, self._matching(where, clause, among), limit)
            return hits

    def page(self, where: Expr | None, start: UUID | None, limit: int) -> tuple[list[StoredPoint], UUID | None]:
        """One page in the order of ids, and the id the next page starts at."""
        with mapped("scanning"):
            ids = self._sorted(where)
            first = 0 if start is None else bisect.bisect_left(ids, start.hex)
            wanted, following = ids[first : first + limit], ids[first + limit : first + limit + 1]
            if not following:
                self._listed = None
            found = [row for some in _chunks(list(map(_uuid, wanted))) for row in self._read(some, with_vectors=False)]
            points = sorted((StoredPoint(point, payload) for point, _, payload in found), key=lambda point: point.id)
            return points, _uuid(following[0]) if following else None

    def count(self, where: Expr | None = None) -> int:
        clause, among = self._selection(where)
        with mapped("counting"):
            return self._count(where, clause, among)

    def rows(self) -> Iterator[list[Row]]:
        """Every point as it is stored, in pages, for copying into a place that keeps sealed values apart."""
        with mapped("copying a collection"):
            ids = self._sorted(None)
        for some in _chunks(list(map(_uuid, ids))):
            with mapped("copying a collection"):
                kept = None if self._sealed is None else self._sealed.read(some)
                yield [
                    Row(point, cast("NDArray[np.float32]", vector), *moved_apart(body))
                    if kept is None
                    else Row(point, cast("NDArray[np.float32]", vector), cast("Metadata", body), kept.get(point.bytes))
                    for point, vector, body in self._rows(some, with_vectors=True)
                ]

    def _stamped(self, batch: list[Row]) -> list[Row]:
        """The rows with stamps that grow, also while the clock stands still or is set back."""
        if self._sealed is not None:
            return batch  # no sealed value is among the metadata
        made: list[Row] = []
        for row in batch:
            self._stamp = max(self._stamp + 1, time.time_ns() // 1000)
            made.append(row._replace(body=stamped(row.body, self._stamp)))
        return made

    def _selection(self, where: Expr | None) -> tuple[Where | None, list[str] | None]:
        """The clause of a filter; for one that has none, the ids it selects."""
        if where is None:
            return None, None
        clause = self._lowering.where(where)
        if clause is not None:
            return clause, None
        with mapped("filtering"):
            return None, sorted(self._lowering.evaluate(where, self._ids))

    def _matching(self, where: Expr | None, clause: Where | None, among: list[str] | None) -> set[str]:
        return self._ids(clause) if among is None else set(among)

    def _count(self, where: Expr | None, clause: Where | None, among: list[str] | None) -> int:
        return self._api._count(collection_id=self._id) if where is None else len(self._matching(where, clause, among))

    def _exact(self, vector: NDArray[np.float32], ids: set[str], limit: int) -> list[StoredPoint]:
        """The nearest of these points, by comparing with each."""
        best: list[StoredPoint] = []
        for some in _chunks(list(map(_uuid, sorted(ids)))):
            best += [
                StoredPoint(point, payload, check_score(np.dot(held, vector) / np.linalg.norm(held)))
                for point, held, payload in self._read(some, with_vectors=True)
                if held is not None
            ]
            best = sorted(best, key=lambda point: -point.score)[:limit]
        return best

    def _sorted(self, where: Expr | None) -> list[str]:
        if where is not None:
            # Not kept: two filters that Python calls equal, by ``1`` and by ``True``, select other points.
            return sorted(self._matching(where, *self._selection(where)))
        if self._listed is not None:
            return self._listed
        ids = sorted(self._ids(None))
        if self._exclusive:  # elsewhere threads would take it from each other
            self._listed = ids
        return ids

    def _ids(self, clause: Where | None) -> set[str]:
        return set(self._api._get(collection_id=self._id, where=cast("VendorWhere", clause), include=[])["ids"])

    def _remove(self, ids: Sequence[UUID]) -> None:
        names = [point.hex for point in ids]
        held = self._api._get(collection_id=self._id, ids=names, include=[])["ids"]
        if held:
            self._api._delete(collection_id=self._id, ids=held)
            if self._api._get(collection_id=self._id, ids=held, include=[])["ids"]:
                raise BackendError("The store still holds points that were deleted.")
        if self._sealed is not None:  # of every id: a process that ended in between leaves rows without a point
            self._sealed.remove(ids)

    def _bodies(self, ids: Sequence[UUID]) -> dict[str, Mapping[str, object]]:
        answer = self._api._get(collection_id=self._id, ids=[point.hex for point in ids], include=["metadatas"])
        return {
            point: cast("Mapping[str, object]", body)
            for point, body in zip(answer["ids"], answer["metadatas"] or (), strict=True)
        }

    def _found(self, ids: Sequence[UUID], bodies: object, *, vaults: bool) -> list[dict[str, object]]:
        """The payloads of a search: as they are kept apart, or out of the answer's metadata."""
        if self._sealed is not None:
            kept = self._sealed.read(ids, vaults=vaults)
            return [
                {**self._tags} if (row := kept.get(point.bytes)) is None else self._tags | row.payload()
                for point in ids
            ]
        if bodies is None:
            raise BackendError("The store answered a search without payloads.")
        (held,) = cast("Sequence[Sequence[Mapping[str, object] | None]]", bodies)
        return [decode(body, self._tags) for body in held]

    def _read(
        self, ids: Sequence[UUID], *, with_vectors: bool
    ) -> list[tuple[UUID, NDArray[np.float32] | None, dict[str, object]]]:
        """Points with whole payloads. Clear copies are the ones that Chroma filters by, wherever else they stand."""
        kept = {} if self._sealed is None else self._sealed.read(ids)
        rows: list[tuple[UUID, NDArray[np.float32] | None, dict[str, object]]] = []
        for point, vector, body in self._rows(ids, with_vectors=with_vectors):
            payload = decode(body, self._tags)
            if (row := kept.get(point.bytes)) is not None:
                payload.update(row.sealed())
            rows.append((point, vector, payload))
        return rows

    def _rows(
        self, ids: Sequence[UUID], *, with_vectors: bool
    ) -> list[tuple[UUID, NDArray[np.float32] | None, Mapping[str, object]]]:
        include: Include = ["embeddings", "metadatas"] if with_vectors else ["metadatas"]
        if not ids:
            return []
        answer = self._api._get(collection_id=self._id, ids=[point.hex for point in ids], include=include)
        held, bodies = answer["ids"], cast("Sequence[Mapping[str, object] | None]", answer["metadatas"])
        vectors = [np.asarray(vector, dtype=np.float32) for vector in answer["embeddings"]] if with_vectors else None  # type: ignore[union-attr]  # asked for
        return [
            (_uuid(point), None if vectors is None else vectors[at], bodies[at] or {}) for at, point in enumerate(held)
        ]


def refuse_terms(spec: CollectionSpec) -> None:
    """Neither Chroma in a process nor its single server has sparse vectors (measured on 1.5.9)."""
    if spec.sparse:
        raise HybridUnavailable(
            "Chroma keeps no terms, so it has no hybrid search.",
            next_step='Leave hybrid out, or keep such collections on backend="edge" or a Qdrant server.',
        )


def checked(where: Expr | None, limit: int) -> Expr | None:
    """The filter, when it is whole. Raises :class:`FilterError`, and :class:`QueryError` for a limit below one."""
    if limit < 1:
        raise QueryError("A search or a page asks for at least one point.")
    return None if where is None else check(where, lowered=True)


def _batches(rows: Sequence[Row], most: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        weight = sum(len(value) if isinstance(value, str) else 8 for value in row.body.values()) + row.vector.nbytes
        if batch and (len(batch) == most or size + weight > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += weight
    if batch:
        yield batch


def _chunks(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), _IDS):
        yield list(ids[start : start + _IDS])


def _uuid(point: str) -> UUID:
    """In the one spelling that is written and deleted: under another one, a point put back would be found by a search
    and by nothing that looks for its id."""
    try:
        found = UUID(point)
    except ValueError as error:
        raise BackendError("The store holds a point whose id is not a UUID.") from error
    if found.hex != point:
        raise BackendError("The store holds a point under an id that is spelled otherwise than any is written.")
    return found
