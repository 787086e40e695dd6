"""A vector store in memory: the same contract as the real ones, for tests and first steps. Nothing outlives the
process.

It decides filters by ``securevec.filters.matches`` itself, so it is the oracle the conformance suite compares others
with. ``written`` keeps every byte it was ever handed, also what was deleted since: tests search it for what must
never have left the core.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from securevec.backend import (
    HYBRID_DEPTH,
    OTHERWISE,
    RRF_K,
    Capabilities,
    CollectionSpec,
    Page,
    RemovalReport,
    VectorBackend,
    check_terms,
)
from securevec.errors import (
    BackendError,
    ConfigError,
    FilterError,
    HybridUnavailable,
    QueryError,
    RecordError,
    VectorError,
)
from securevec.filters import Expr, check, check_key, matches
from securevec.types import Namespace, ProtectedPoint, Scalar, StoredPoint, Terms, Vector

_HEX32 = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(slots=True)
class _Row:
    payload: dict[str, Scalar]
    unit: NDArray[np.float32]
    terms: Terms | None = None


@dataclass(slots=True)
class _Place:
    dimension: int
    sparse: bool = False
    rows: dict[UUID, _Row] = field(default_factory=dict[UUID, _Row])


class InMemoryBackend:
    """``VectorBackend`` over a dictionary of dictionaries. Cosine similarity in float32, exact."""

    def __init__(self) -> None:
        self._places: dict[Namespace, _Place] = {}
        self._written: list[bytes] = []
        self._lock = threading.RLock()
        self._closed = False

    @classmethod
    def from_location(cls, location: str, *, root: Path, plain_http_hosts: Collection[str] = ()) -> Self:
        """For discovery. Memory has no location and uses no directory."""
        if location:
            raise ConfigError("The in-memory store takes no location.")
        return cls()

    @property
    def name(self) -> str:
        return "memory"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            embedded=False,
            volatile=True,
            physical_isolation=True,
            cheap_range_filter=True,
            can_purge_vectors=False,
            sparse=True,
        )

    @property
    def written(self) -> tuple[bytes, ...]:
        """Every point ever handed to ``insert``: 16 id bytes, bytes of vector and terms, payload as UTF-8 JSON."""
        with self._lock:
            return tuple(self._written)

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        with self._lock:
            place = self._place(namespace)
            if place is None:
                self._places[namespace] = _Place(spec.dimension, spec.sparse)
            elif place.dimension != spec.dimension:
                raise VectorError("This collection exists with another vector dimension.")
            elif place.sparse != spec.sparse:
                raise HybridUnavailable(OTHERWISE)

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        with self._lock:
            place = self._place(namespace)
            if place is None:
                raise BackendError("This collection has no place in the store yet.")
            rows = {
                _point_id(point.id): _Row(
                    _payload(point.payload, namespace),
                    _unit(point.vector, place.dimension),
                    check_terms(point.terms, sparse=place.sparse),
                )
                for point in points
            }
            for key, row in rows.items():
                body = json.dumps(row.payload, ensure_ascii=False, sort_keys=True).encode()
                terms = b"" if row.terms is None else row.terms.indices.tobytes()
                self._written.append(key.bytes + row.unit.tobytes() + terms + body)
            place.rows.update(rows)

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        with self._lock:
            rows = self._rows(namespace)
            wanted = dict.fromkeys(_point_id(each) for each in ids)
            return [_stored(key, rows[key], with_vector=with_vectors) for key in wanted if key in rows]

    def query(
        self,
        *,
        namespace: Namespace,
        vector: Vector,
        where: Expr | None,
        limit: int,
        exclude: Sequence[str] = (),
        terms: Terms | None = None,
    ) -> list[StoredPoint]:
        if limit < 1:
            raise QueryError("A search asks for at least one point.")
        with self._lock:
            place = self._place(namespace)
            if place is None:
                return []
            check_terms(terms, sparse=place.sparse or terms is None)
            unit = _unit(vector, place.dimension)
            found = _matching(place.rows, where)
            if not found:
                return []
            scores = np.stack([row.unit for _, row in found]) @ unit
            if terms is not None:
                scores = _fused(scores, [_overlap(row.terms, terms) for _, row in found], max(limit, HYBRID_DEPTH))
                found, scores = [found[at] for at in np.flatnonzero(scores)], scores[scores > 0]
            best = np.argsort(-scores, kind="stable")[:limit]
            return [
                _stored(found[at][0], found[at][1], score=float(scores[at]), exclude=exclude) for at in best.tolist()
            ]

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        if limit < 1:
            raise QueryError("A page holds at least one point.")
        start = UUID(int=0) if cursor is None else _start(cursor)
        with self._lock:
            found = [pair for pair in _matching(self._rows(namespace), where) if pair[0] >= start]
            following = str(found[limit][0]) if len(found) > limit else None
            return Page([_stored(key, row) for key, row in found[:limit]], following)

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        with self._lock:
            return len(_matching(self._rows(namespace), where))

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        with self._lock:
            rows = self._rows(namespace)
            for each in [_point_id(each) for each in ids]:
                rows.pop(each, None)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        with self._lock:
            self._rows(namespace)
        return RemovalReport(0, index_removed=True, bytes_removed=None, residual="process memory is not overwritten")

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        with self._lock:
            points = len(self._rows(namespace))
            self._places.pop(namespace, None)
        return RemovalReport(
            points, index_removed=True, bytes_removed=None, residual="process memory is not overwritten"
        )

    def namespaces(self) -> Iterator[str]:
        with self._lock:
            self._check_open()
            names = sorted(namespace.shard for namespace in self._places)
        yield from names

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._places.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendError("This store is closed.")

    def _place(self, namespace: Namespace) -> _Place | None:
        self._check_open()
        for part in (namespace.shard, namespace.tenant_tag, namespace.collection_tag):
            if not _HEX32.match(part):
                raise BackendError("A namespace is three names of 32 lower-case hex digits.")
        return self._places.get(namespace)

    def _rows(self, namespace: Namespace) -> dict[UUID, _Row]:
        place = self._place(namespace)
        return {} if place is None else place.rows


def _matching(rows: Mapping[UUID, _Row], where: Expr | None) -> list[tuple[UUID, _Row]]:
    condition = None if where is None else check(where, lowered=True)
    return [(key, row) for key, row in sorted(rows.items()) if condition is None or matches(condition, row.payload)]


def _stored(
    key: UUID, row: _Row, *, score: float = 0.0, with_vector: bool = False, exclude: Sequence[str] = ()
) -> StoredPoint:
    payload: dict[str, object] = {name: value for name, value in row.payload.items() if name not in exclude}
    return StoredPoint(
        key, payload, score, row.unit.copy() if with_vector else None, row.terms if with_vector else None
    )


def _overlap(held: Terms | None, asked: Terms) -> float:
    """The dot product of two sets of terms; 0 where they share none."""
    if held is None:
        return 0.0
    _, mine, theirs = np.intersect1d(held.indices, asked.indices, assume_unique=True, return_indices=True)
    return float(held.weights[mine] @ asked.weights[theirs])


def _fused(near: NDArray[np.float32], alike: Sequence[float], depth: int) -> NDArray[np.float64]:
    """Reciprocal ranks added up, 0 for what is in neither list."""
    scores = np.zeros(len(near), dtype=np.float64)
    words = np.array(alike, dtype=np.float64)
    for ranked, listed in ((near, np.ones(len(near), dtype=bool)), (words, words > 0)):
        order = [at for at in np.argsort(-ranked, kind="stable").tolist() if listed[at]][:depth]
        scores[order] += 1.0 / (RRF_K + np.arange(len(order)))
    return scores


def _point_id(value: object) -> UUID:
    if not isinstance(value, UUID):
        raise RecordError("A point id is a UUID.")
    return value


def _unit(vector: object, dimension: int) -> NDArray[np.float32]:
    if not isinstance(vector, np.ndarray) or vector.dtype != np.float32 or vector.ndim != 1:
        raise VectorError("A vector is a one-dimensional float32 array.")
    if vector.shape[0] != dimension:
        raise VectorError(f"A vector here has {dimension} components, this one has {vector.shape[0]}.")
    wide = vector.astype(np.float64)
    if not bool(np.isfinite(wide).all()):
        raise VectorError("A vector holds NaN or infinity.")
    length = float(np.linalg.norm(wide))
    if length == 0.0:
        raise VectorError("A zero vector has no direction.")
    return (wide / length).astype(np.float32)


def _payload(payload: Mapping[str, object], namespace: Namespace) -> dict[str, Scalar]:
    kept: dict[str, Scalar] = {}
    for key, value in payload.items():
        try:
            kept[check_key(key)] = _scalar(value)
        except FilterError as error:
            raise RecordError("A payload key is outside the key grammar.") from error
    for key, tag in (("t", namespace.tenant_tag), ("c", namespace.collection_tag)):
        if key in kept and kept[key] != tag:
            raise RecordError("A point is stamped for another tenant or collection than the one it is written to.")
    return kept


def _scalar(value: object) -> Scalar:
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise RecordError("A payload string is not valid Unicode.") from error
        return value
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise RecordError("A payload integer does not fit in 64 bits.")
    if type(value) is float and not math.isfinite(value):
        raise RecordError("A payload number is not finite.")
    if type(value) is int or type(value) is float or type(value) is bool:
        return value
    raise RecordError("A payload value is a string, number or boolean.")


def _start(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError as error:
        raise QueryError("This cursor was not given by this store.") from error


if TYPE_CHECKING:
    _: type[VectorBackend] = InMemoryBackend
