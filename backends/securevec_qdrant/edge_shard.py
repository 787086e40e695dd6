"""One engine shard: the points of one namespace. Typed calls in, plain values out; no engine object leaves this module.

Settings, and why (measured on qdrant-edge-py 0.9):

* The write-ahead log stays on: without it only what was flushed survives a killed process, and deletes come back.
* Its segments are 1 MiB instead of 32: a deleted payload leaves it sooner and a small shard is small. The Python API
  cannot say so; the configuration file can, and it is safe only while the shard has no points, because a removed log
  restarts the operation counter and the engine then skips, silently, every operation numbered below a point's own.
* Vectors and payloads are cold and one thread searches: 0.5 MB a shard instead of 40.
* No vector index is built, so every search is an exact scan: 1 to 4 ms at 10k points, 14 ms at 100k. Building one
  (``optimize``) holds the interpreter lock for seconds and has no place in a serving process.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast, get_args
from uuid import UUID

import numpy as np
from qdrant_edge import (
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    Filter,
    FloatIndexParams,
    Fusion,
    KeywordIndexParams,
    Memory,
    PayloadSelector,
    Point,
    Prefetch,
    Query,
    QueryRequest,
    ScrollRequest,
    SearchParams,
    SparseVector,
    UpdateOperation,
)

from securevec.backend import HYBRID_DEPTH, RRF_K, CollectionSpec, FieldKind
from securevec.errors import BackendError
from securevec.types import Scalar, StoredPoint, Terms
from securevec_adapters.errors import mapped
from securevec_adapters.layout import tighten
from securevec_qdrant._points import BOOL_SUFFIX, TERMS, decode_payload, split_vector

_META: Final = "shard.json"
_WAL: Final = {"segment_capacity": 1024 * 1024, "segment_queue_len": 0, "retain_closed": 1}

NamedVectors = list[float] | dict[str, list[float] | SparseVector | list[list[float]]]
Row = tuple[UUID, list[float], dict[str, Scalar], Terms | None]
"""Id, unit vector, encoded payload, terms."""


class Shard:
    """An open engine shard. Not thread-safe: the pool hands it to one caller at a time."""

    def __init__(self, engine: EdgeShard, directory: Path, spec: CollectionSpec) -> None:
        self._engine = engine
        self._directory = directory
        self.spec = spec

    @classmethod
    def create(cls, directory: Path, spec: CollectionSpec) -> Shard:
        """Make an empty shard in an existing, empty directory."""
        with mapped("creating a shard"):
            engine = make_engine(directory, spec.dimension, sparse=spec.sparse)
            shard = cls(engine, directory, CollectionSpec(spec.dimension, sparse=spec.sparse))
        shard.add_indexes(spec.filter_keys)
        return shard

    @classmethod
    def load(cls, directory: Path) -> Shard:
        """Open a shard. Raises :class:`BackendError` for one that is damaged or of another format."""
        spec = _read_meta(directory / _META)
        with mapped("opening a shard"):
            return cls(EdgeShard.load(str(directory)), directory, spec)

    def add_indexes(self, wanted: Mapping[str, FieldKind]) -> None:
        """Index the keys that are not yet indexed as ``wanted``, and remember them."""
        held = self.spec.filter_keys
        changed: dict[str, FieldKind] = {key: kind for key, kind in wanted.items() if held.get(key) != kind}
        with mapped("indexing a shard"):
            for key, kind in changed.items():
                if key in held:
                    self._engine.update(UpdateOperation.delete_field_index(_index_key(key, held[key])))
                # Numbers share the float index: it compares as the payload scan does. The integer index cuts
                # fractions off.
                params = FloatIndexParams() if kind in ("integer", "float") else KeywordIndexParams()
                self._engine.update(UpdateOperation.create_field_index(_index_key(key, kind), params))
        if changed or not (self._directory / _META).exists():
            self.spec = replace(self.spec, filter_keys={**held, **changed})
            _write_meta(self._directory / _META, self.spec)

    def upsert(self, rows: Sequence[Row]) -> None:
        with mapped("writing points"):
            points = [Point(key, _both(vector, terms), body) for key, vector, body, terms in rows]
            self._engine.update(UpdateOperation.upsert_points(points))

    def remove(self, ids: Sequence[UUID]) -> None:
        with mapped("deleting points"):
            self._engine.update(UpdateOperation.delete_points(list(ids)))

    def fetch(self, ids: Sequence[UUID], *, with_vectors: bool) -> list[StoredPoint]:
        with mapped("reading points"):
            found = self._engine.retrieve(list(ids), True, with_vectors)
            return [_stored(point.id, point.payload, vector=point.vector) for point in found]

    def search(
        self,
        vector: list[float],
        where: Filter | None,
        limit: int,
        exclude: Sequence[str],
        terms: Terms | None = None,
    ) -> list[StoredPoint]:
        payload = PayloadSelector.Exclude(list(exclude)) if exclude else True
        exact = SearchParams(exact=True)
        if terms is None:
            request = QueryRequest(
                limit=limit, query=Query.Nearest(vector), filter=where, with_payload=payload, params=exact
            )
        else:
            depth = max(limit, HYBRID_DEPTH)
            near = Prefetch(limit=depth, query=Query.Nearest(vector), filter=where, params=exact)
            lists = [near]
            if len(terms):  # asked for no term at all, the engine answers with an error
                words = Query.Nearest(_sparse(terms), using=TERMS)
                lists.append(Prefetch(limit=depth, query=words, filter=where, params=exact))
            request = QueryRequest(
                limit=limit,
                prefetches=lists,
                query=cast("Fusion", Fusion.Rrf(k=RRF_K)),
                filter=where,
                with_payload=payload,
            )
        with mapped("searching"):
            return [_stored(point.id, point.payload, score=point.score) for point in self._engine.query(request)]

    def scroll(self, where: Filter | None, start: UUID | None, limit: int) -> tuple[list[StoredPoint], UUID | None]:
        """One page in the order of ids, and the id the next page starts at."""
        with mapped("scanning"):
            found, following = self._engine.scroll(
                ScrollRequest(offset=start, limit=limit, filter=where, with_payload=True)
            )
            points = [_stored(point.id, point.payload) for point in found]
            return points, None if following is None else _uuid(following)

    def rows(self, start: UUID | None, limit: int) -> tuple[list[Row], UUID | None]:
        """One page as it is stored, for copying: vectors and encoded payloads."""
        with mapped("copying a shard"):
            found, following = self._engine.scroll(
                ScrollRequest(offset=start, limit=limit, with_payload=True, with_vector=True)
            )
            rows: list[Row] = []
            for point in found:
                vector, terms = split_vector(point.vector)
                rows.append((_uuid(point.id), vector, cast("dict[str, Scalar]", point.payload or {}), terms))
            return rows, None if following is None else _uuid(following)

    def count(self, where: Filter | None = None) -> int:
        with mapped("counting"):
            return self._engine.count(CountRequest(exact=True, filter=where))

    def settle(self) -> None:
        """Nothing to do: the engine writes no bytes but its own."""

    def close(self) -> None:
        """Flush and close. The log alone survives a killed process; only a flush survives a power loss."""
        with mapped("closing a shard"):
            try:
                self._engine.flush()
            finally:
                self._engine.close()
            tighten(self._directory)


def make_engine(directory: Path, dimension: int, *, sparse: bool = False) -> EdgeShard:
    """An engine with an empty shard in an existing, empty directory, with this module's settings."""
    config = EdgeConfig(
        vectors=EdgeVectorParams(size=dimension, distance=Distance.Cosine, memory=Memory.Cold),
        # No modifier: weights come with the points, and no statistics are taken here either.
        sparse_vectors={TERMS: EdgeSparseVectorParams(memory=Memory.Cold)} if sparse else None,
        payload_memory=Memory.Cold,
        max_search_threads=1,
        wal_enabled=True,
    )
    engine = EdgeShard.create(str(directory), config)
    empty = engine.count(CountRequest(exact=True)) == 0 and not engine.info().payload_schema
    engine.close()
    if not empty:
        raise BackendError("A new shard is not empty; its log is left alone.")
    settings = directory / "edge_config.json"
    settings.write_bytes(json.dumps(json.loads(settings.read_bytes()) | {"wal_options": _WAL}).encode())
    shutil.rmtree(directory / "wal")
    return EdgeShard.load(str(directory))


def _index_key(key: str, kind: FieldKind) -> str:
    return key + BOOL_SUFFIX if kind == "bool" else key


def _stored(
    point: object, payload: Mapping[str, object] | None, *, score: float = 0.0, vector: object = None
) -> StoredPoint:
    if vector is None:
        return StoredPoint(_uuid(point), decode_payload(payload), score)
    dense, terms = split_vector(vector)
    return StoredPoint(_uuid(point), decode_payload(payload), score, np.asarray(dense, dtype=np.float32), terms)


def _both(vector: list[float], terms: Terms | None) -> NamedVectors:
    return vector if terms is None else {"": vector, TERMS: _sparse(terms)}


def _sparse(terms: Terms) -> SparseVector:
    return SparseVector(terms.indices.tolist(), terms.weights.tolist())


def _uuid(point: object) -> UUID:
    if not isinstance(point, UUID):
        raise BackendError("The store holds a point whose id is not a UUID.")
    return point


def _write_meta(path: Path, spec: CollectionSpec) -> None:
    meta: dict[str, object] = {
        "dimension": spec.dimension,
        "distance": spec.distance,
        "filter_keys": dict(sorted(spec.filter_keys.items())),
        "format": 1,
    }
    if spec.sparse:
        meta["sparse"] = True
    fresh = path.with_suffix(".new")
    fresh.write_bytes(json.dumps(meta, separators=(",", ":")).encode())
    fresh.chmod(0o600)
    fresh.replace(path)


def _read_meta(path: Path) -> CollectionSpec:
    try:
        meta = json.loads(path.read_bytes())
        if meta["format"] != 1 or meta["distance"] != "cosine" or type(meta["dimension"]) is not int:
            raise ValueError("format")
        keys = {str(key): kind for key, kind in meta["filter_keys"].items()}
        if any(kind not in get_args(FieldKind) for kind in keys.values()):
            raise ValueError("kind")
        return CollectionSpec(meta["dimension"], "cosine", keys, sparse=meta.get("sparse") is True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError("A shard's description is missing or of another format.") from error
