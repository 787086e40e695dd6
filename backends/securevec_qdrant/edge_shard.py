"""One engine shard: the points of one namespace. Typed calls in, plain values out; no engine object leaves this module.

Settings, and why (measured on qdrant-edge-py 0.9):

* The write-ahead log stays on: without it only what was flushed survives a killed process, and deletes come back.
* Its segments are 1 MiB instead of 32: a deleted payload leaves it sooner and a small shard is small. The Python API
  cannot say so; the configuration file can, and it is safe only while the shard has no points, because a removed log
  restarts the operation counter and the engine then skips, silently, every operation numbered below a point's own.
* Vectors and payloads are cold and one thread searches: 0.3 MB a shard instead of 40.
* A payload index costs 3 to 5 MB of mapped files and as many milliseconds at every opening, whatever it holds. Without
  one a filter costs 2.4 microseconds a point and decides the same. So a shard has none until it is large enough.
* Up to ``EXACT`` points without a vector index a search is an exact scan: 1 ms at 10k points, 7 ms at 50k, 14 ms at
  100k. Beyond, the vector index is used where there is one (:mod:`securevec_qdrant.edge_index`).
* The binding keeps the interpreter lock during every call, so no call is given more than a page of points, and the
  files are brought to disk (``sync``) before the engine is asked to flush them: 2 ms under the lock instead of 55.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar, cast, get_args
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
    Record,
    ScrollRequest,
    SearchParams,
    SparseVector,
    UpdateOperation,
)

from securevec.backend import HYBRID_DEPTH, RRF_K, CollectionSpec, FieldKind
from securevec.errors import BackendError
from securevec.types import Scalar, StoredPoint, Terms
from securevec_adapters.errors import mapped
from securevec_adapters.layout import sync_tree, tighten
from securevec_qdrant._points import BOOL_SUFFIX, TERMS, decode_payload, split_vector

INDEXED_FROM: Final = 500
"""Points above which a shard has its payload indexes: there a filter without them takes 1.2 ms, with them 0.1."""
EXACT: Final = 50_000
"""Points without a vector index above which one is built."""
BREADTH: Final = 256
"""``hnsw_ef``: on clustered vectors the ten nearest are those of the exact scan, at 20,000 and at 50,000 points."""
_PAGE_VALUES: Final = 100_000
"""Numbers of vectors in one call: 256 points of 384, which the engine takes 2 to 6 ms for."""
_MOST_ROWS: Final = 256
_EXACTLY: Final = SearchParams(exact=True)
_WIDELY: Final = SearchParams(hnsw_ef=BREADTH)

_META: Final = "shard.json"
_WAL: Final = {"segment_capacity": 1024 * 1024, "segment_queue_len": 0, "retain_closed": 1}

T = TypeVar("T")
NamedVectors = list[float] | dict[str, list[float] | SparseVector | list[list[float]]]
Row = tuple[UUID, list[float], dict[str, Scalar], Terms | None]
"""Id, unit vector, encoded payload, terms."""


class Shard:
    """An open engine shard. Not thread-safe: the pool hands it to one caller at a time."""

    def __init__(self, engine: EdgeShard, directory: Path, spec: CollectionSpec, *, in_vector_index: int = 0) -> None:
        self._engine = engine
        self.directory = directory
        self.spec = spec
        self.dirty = False
        self._in_vector_index = in_vector_index
        schema = engine.info().payload_schema or {}
        self._indexed: dict[str, FieldKind] = {
            key: kind for key, kind in spec.filter_keys.items() if _index_key(key, kind) in schema
        }

    @property
    def page(self) -> int:
        """Points that one call of the engine is given."""
        return max(1, min(_MOST_ROWS, _PAGE_VALUES // self.spec.dimension))

    @classmethod
    def create(cls, directory: Path, spec: CollectionSpec) -> Shard:
        """Make an empty shard in an existing, empty directory."""
        with mapped("creating a shard"):
            engine = make_engine(directory, spec.dimension, sparse=spec.sparse)
            shard = cls(engine, directory, CollectionSpec(spec.dimension, sparse=spec.sparse))
        shard.add_indexes(spec.filter_keys)
        return shard

    @classmethod
    def describe(cls, directory: Path, spec: CollectionSpec) -> None:
        """Say what the empty shard in ``directory``, a copy of one that :func:`make_engine` made, is for."""
        _write_meta(directory / _META, spec)

    @classmethod
    def load(cls, directory: Path) -> Shard:
        """Open a shard. Raises :class:`BackendError` for one that is damaged or of another format."""
        spec, in_vector_index = _read_meta(directory / _META)
        with mapped("opening a shard"):
            return cls(EdgeShard.load(str(directory)), directory, spec, in_vector_index=in_vector_index)

    def made_for(self, spec: CollectionSpec) -> bool:
        """Whether nothing has to change for a collection to use the shard."""
        held = self.spec
        return (held.dimension, held.sparse) == (spec.dimension, spec.sparse) and all(
            held.filter_keys.get(key) == kind for key, kind in spec.filter_keys.items()
        )

    def add_indexes(self, wanted: Mapping[str, FieldKind]) -> None:
        """Remember the keys that filters will use, and index them if the shard is large enough."""
        held = self.spec.filter_keys
        changed: dict[str, FieldKind] = {key: kind for key, kind in wanted.items() if held.get(key) != kind}
        with mapped("indexing a shard"):
            for key in changed.keys() & self._indexed.keys():
                self.dirty = True
                self._engine.update(UpdateOperation.delete_field_index(_index_key(key, self._indexed.pop(key))))
        if changed or not (self.directory / _META).exists():
            self.spec = replace(self.spec, filter_keys={**held, **changed})
            _write_meta(self.directory / _META, self.spec, self._in_vector_index)
        self._index_payloads()

    def upsert(self, rows: Sequence[Row]) -> None:
        self.dirty = True
        with mapped("writing points"):
            for some in _pages(rows, self.page):
                self._engine.update(
                    UpdateOperation.upsert_points(
                        [Point(key, _both(vector, terms), body) for key, vector, body, terms in some]
                    )
                )
        self._index_payloads()

    def remove(self, ids: Sequence[UUID]) -> None:
        self.dirty = True
        with mapped("deleting points"):
            for some in _pages(ids, self.page):
                self._engine.update(UpdateOperation.delete_points(list(some)))

    def fetch(self, ids: Sequence[UUID], tags: Mapping[str, str], *, with_vectors: bool) -> list[StoredPoint]:
        """``tags``, here and below, are the namespace's, which the points are answered with."""
        with mapped("reading points"):
            return [
                _stored(point.id, point.payload, tags, vector=point.vector)
                for some in _pages(ids, self.page)
                for point in self._engine.retrieve(list(some), True, with_vectors)
            ]

    def search(
        self,
        vector: list[float],
        where: Filter | None,
        limit: int,
        exclude: Sequence[str],
        tags: Mapping[str, str],
        terms: Terms | None = None,
    ) -> list[StoredPoint]:
        payload = PayloadSelector.Exclude(list(exclude)) if exclude else True
        params = _WIDELY if self._in_vector_index else _EXACTLY
        if terms is None:
            request = QueryRequest(
                limit=limit, query=Query.Nearest(vector), filter=where, with_payload=payload, params=params
            )
        else:
            depth = max(limit, HYBRID_DEPTH)
            near = Prefetch(limit=depth, query=Query.Nearest(vector), filter=where, params=params)
            lists = [near]
            if len(terms):  # asked for no term at all, the engine answers with an error
                words = Query.Nearest(_sparse(terms), using=TERMS)
                lists.append(Prefetch(limit=depth, query=words, filter=where, params=_EXACTLY))
            request = QueryRequest(
                limit=limit,
                prefetches=lists,
                query=cast("Fusion", Fusion.Rrf(k=RRF_K)),
                filter=where,
                with_payload=payload,
            )
        with mapped("searching"):
            return [_stored(point.id, point.payload, tags, score=point.score) for point in self._engine.query(request)]

    def scroll(
        self, where: Filter | None, start: UUID | None, limit: int, tags: Mapping[str, str]
    ) -> tuple[list[StoredPoint], UUID | None]:
        """One page in the order of ids, and the id the next page starts at."""
        points: list[StoredPoint] = []
        with mapped("scanning"):
            while True:
                found, following = self._engine.scroll(
                    ScrollRequest(
                        offset=start, limit=min(limit - len(points), self.page), filter=where, with_payload=True
                    )
                )
                points += [_stored(point.id, point.payload, tags) for point in found]
                start = None if following is None else _uuid(following)
                if start is None or len(points) >= limit:
                    return points, start

    def rows(self, start: UUID | None) -> tuple[list[Row], UUID | None]:
        """One page as it is stored, for copying: vectors and encoded payloads."""
        with mapped("copying a shard"):
            found, following = self._engine.scroll(
                ScrollRequest(offset=start, limit=self.page, with_payload=True, with_vector=True)
            )
            return [_row(point) for point in found], None if following is None else _uuid(following)

    def count(self, where: Filter | None = None) -> int:
        with mapped("counting"):
            return self._engine.count(CountRequest(exact=True, filter=where))

    def rows_of(self, ids: Sequence[UUID]) -> list[Row]:
        """Those of ``ids`` that exist, as they are stored."""
        with mapped("copying a shard"):
            return [
                _row(point)
                for some in _pages(ids, self.page)
                for point in self._engine.retrieve(list(some), True, True)
            ]

    def unindexed(self) -> int:
        """Points that were written since the vector index was built; all of them where there is none."""
        return max(0, self.count() - self._in_vector_index)

    def vectors_indexed(self) -> int:
        """Vectors the engine says it has an index of. It counts terms among them."""
        with mapped("counting"):
            return self._engine.info().indexed_vectors_count

    def accept_index(self) -> None:
        """Remember that every point is in the vector index that was just built."""
        self._in_vector_index = self.count()
        _write_meta(self.directory / _META, self.spec, self._in_vector_index)

    def settle(self) -> None:
        """Nothing to do: the engine writes no bytes but its own."""

    def sync(self) -> None:
        """Wait until the kernel has written the files out. Needs no turn: it asks the engine for nothing."""
        with mapped("flushing a shard"):
            sync_tree(self.directory)

    def flush(self) -> None:
        """The log alone survives a killed process; only a flush survives a power loss."""
        with mapped("flushing a shard"):
            self._engine.flush()
        self.dirty = False

    def close(self) -> None:
        """Flush what was written, and let go of the engine: its files are unlocked and unmapped with it.

        The engine's own ``close`` flushes again, whether anything was written or not, and holds the interpreter lock
        while it waits for the disk six times: 6 to 40 ms for each shard that makes room for another.
        """
        with mapped("closing a shard"):
            try:
                if self.dirty:
                    self.sync()
                    self.flush()
            finally:
                del self._engine
            tighten(self.directory)

    def _index_payloads(self) -> None:
        missing = self.spec.filter_keys.keys() - self._indexed.keys()
        if not missing or self.count() <= INDEXED_FROM:
            return
        self.dirty = True
        with mapped("indexing a shard"):
            for key in sorted(missing):
                # Numbers share the float index: it compares as the payload scan does. The integer index cuts
                # fractions off.
                kind = self.spec.filter_keys[key]
                params = FloatIndexParams() if kind in ("integer", "float") else KeywordIndexParams()
                self._engine.update(UpdateOperation.create_field_index(_index_key(key, kind), params))
                self._indexed[key] = kind


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


def _pages(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _row(point: Record) -> Row:
    vector, terms = split_vector(point.vector)
    return _uuid(point.id), vector, cast("dict[str, Scalar]", point.payload or {}), terms


def _index_key(key: str, kind: FieldKind) -> str:
    return key + BOOL_SUFFIX if kind == "bool" else key


def _stored(
    point: object,
    payload: Mapping[str, object] | None,
    tags: Mapping[str, str],
    *,
    score: float = 0.0,
    vector: object = None,
) -> StoredPoint:
    body = {**tags, **decode_payload(payload)}
    if vector is None:
        return StoredPoint(_uuid(point), body, score)
    dense, terms = split_vector(vector)
    return StoredPoint(_uuid(point), body, score, np.asarray(dense, dtype=np.float32), terms)


def _both(vector: list[float], terms: Terms | None) -> NamedVectors:
    return vector if terms is None else {"": vector, TERMS: _sparse(terms)}


def _sparse(terms: Terms) -> SparseVector:
    return SparseVector(terms.indices.tolist(), terms.weights.tolist())


def _uuid(point: object) -> UUID:
    if not isinstance(point, UUID):
        raise BackendError("The store holds a point whose id is not a UUID.")
    return point


def _write_meta(path: Path, spec: CollectionSpec, in_vector_index: int = 0) -> None:
    meta: dict[str, object] = {
        "dimension": spec.dimension,
        "distance": spec.distance,
        "filter_keys": dict(sorted(spec.filter_keys.items())),
        "format": 1,
    }
    if spec.sparse:
        meta["sparse"] = True
    if in_vector_index:
        meta["vector_index"] = in_vector_index
    fresh = path.with_suffix(".new")
    fresh.write_bytes(json.dumps(meta, separators=(",", ":")).encode())
    fresh.chmod(0o600)
    fresh.replace(path)


def _read_meta(path: Path) -> tuple[CollectionSpec, int]:
    try:
        meta = json.loads(path.read_bytes())
        if meta["format"] != 1 or meta["distance"] != "cosine" or type(meta["dimension"]) is not int:
            raise ValueError("format")
        keys = {str(key): kind for key, kind in meta["filter_keys"].items()}
        if any(kind not in get_args(FieldKind) for kind in keys.values()):
            raise ValueError("kind")
        in_vector_index = meta.get("vector_index", 0)
        if type(in_vector_index) is not int or in_vector_index < 0:
            raise ValueError("vector_index")
        return CollectionSpec(meta["dimension"], "cosine", keys, sparse=meta.get("sparse") is True), in_vector_index
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError("A shard's description is missing or of another format.") from error
