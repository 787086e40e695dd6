"""One engine shard: the points of one namespace. Typed calls in, plain values out; no engine object leaves this module.

Measured on qdrant-edge-py 0.9 (its settings: :mod:`securevec_qdrant.edge_engine`):

* A payload index costs 3 to 5 MB of mapped files and as many milliseconds at every opening, whatever it holds. Without
  one a filter costs 2.4 microseconds a point and decides the same. So a shard has none until it is large enough.
* Without a vector index a search is an exact scan: 0.6 ms at 10k points, 4.3 ms at 50k, and what it reads throws
  everything else out of the processor's caches. A large shard gets an index (:mod:`securevec_qdrant.edge_index`), which
  is used as broadly as measured on the shard's own vectors, or not at all (``edge_breadth``).
* The binding keeps the interpreter lock during every call, so no call is given more than a page of points, and the
  files are brought to disk (``sync``) before the engine is asked to flush them: 2 ms under the lock instead of 55.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar, cast
from uuid import UUID

import numpy as np
from qdrant_edge import (
    CountRequest,
    EdgeShard,
    Filter,
    FloatIndexParams,
    Fusion,
    HasVectorCondition,
    KeywordIndexParams,
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
from securevec_adapters.standing import Standing
from securevec_qdrant._points import BOOL_SUFFIX, TERMS, decode_payload, split_vector
from securevec_qdrant.edge_breadth import measured_breadth
from securevec_qdrant.edge_engine import make_engine, require_free
from securevec_qdrant.edge_meta import META, NOTHING, Indexed, read_meta, search_params, write_meta

INDEXED_FROM: Final = 500
"""Points above which a shard has its payload indexes: there a filter without them takes 1.2 ms, with them 0.1."""
_PAGE_VALUES: Final = 100_000
"""Numbers of vectors in one call: 256 points of 384, which the engine takes 2 to 6 ms for."""
_MOST_ROWS: Final = 256
_EXACTLY: Final = SearchParams(exact=True)
_WITH_TERMS: Final = Filter(must=[HasVectorCondition(TERMS)])


T = TypeVar("T")
NamedVectors = list[float] | dict[str, list[float] | SparseVector | list[list[float]]]
Row = tuple[UUID, list[float], dict[str, Scalar], Terms | None]
"""Id, unit vector, encoded payload, terms."""


class Shard:
    """An open engine shard. Not thread-safe: the pool hands it to one caller at a time."""

    def __init__(self, engine: EdgeShard, directory: Path, spec: CollectionSpec, index: Indexed = NOTHING) -> None:
        self._engine = engine
        self.directory = directory
        self.standing = Standing(directory)
        self.spec = spec
        self.dirty = False
        self.asked = 0
        """Searches since it was opened."""
        self._index = index
        self._in_use = False
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
        write_meta(directory / META, spec)

    @classmethod
    def load(cls, directory: Path) -> Shard:
        """Open a shard. Raises :class:`BackendError` for a damaged or foreign one, and as :func:`require_free` does."""
        spec, index = read_meta(directory / META)
        with mapped("opening a shard"):
            require_free(directory)  # the engine opens its segments before it looks
            return cls(EdgeShard.load(str(directory)), directory, spec, index)

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
        if changed or not (self.directory / META).exists():
            self.spec = replace(self.spec, filter_keys={**held, **changed})
            write_meta(self.directory / META, self.spec, self._index, in_use=self._in_use)
        self._index_payloads()

    def upsert(self, rows: Sequence[Row]) -> None:
        with self._changing(len(rows)), mapped("writing points"):
            for some in _pages(rows, self.page):
                self._engine.update(
                    UpdateOperation.upsert_points(
                        [Point(key, _both(vector, terms), body) for key, vector, body, terms in some]
                    )
                )
        self._index_payloads()

    def remove(self, ids: Sequence[UUID]) -> None:
        with self._changing(0), mapped("deleting points"):
            for some in _pages(ids, self.page):
                self._engine.update(UpdateOperation.delete_points(list(some)))

    @contextmanager
    def _changing(self, written: int) -> Generator[None]:
        """Around a change: keep count of what it does to the vector index."""
        self.dirty = True
        if not self._index.points:
            yield
            return
        if not self._in_use:
            write_meta(self.directory / META, self.spec, self._index, in_use=True)
            self._in_use = True
        before = self.about()
        try:
            yield
        finally:
            # Written, and no more points than before: written anew, and gone from where they were.
            gone = max(0, written + before - self.about())
            index = self._index
            self._index = index._replace(since=index.since + written, gone=index.gone + gone)

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
        if terms is None:
            request = QueryRequest(
                limit=limit,
                query=Query.Nearest(vector),
                filter=where,
                with_payload=payload,
                params=search_params(self._index, limit, filtered=where is not None),
            )
        else:
            depth = max(limit, HYBRID_DEPTH)
            params = search_params(self._index, depth, filtered=where is not None)
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

    def payloads_of(self, ids: Sequence[UUID]) -> dict[UUID, object]:
        """The payloads of those of ``ids`` that exist, as they are stored."""
        with mapped("copying a shard"):
            found = (self._engine.retrieve(list(some), True, False) for some in _pages(ids, self.page))
            return {_uuid(point.id): point.payload or {} for page in found for point in page}

    def about(self) -> int:
        """How many points there are, as the engine counts them itself: at once, where :meth:`count` takes a tenth of a
        millisecond for a thousand."""
        with mapped("counting"):
            return self._engine.info().points_count

    @property
    def indexed(self) -> int:
        """Points that there were when the vector index was built; 0 without one."""
        return self._index.points

    @property
    def indexed_whole(self) -> bool:
        """Whether the index is used: too much of what it was built of may be gone."""
        return self._index.whole

    @property
    def breadth(self) -> int:
        """Candidates that a search looks at in the index; 0 where it scans."""
        return self._index.breadth

    def unindexed(self) -> int:
        """Points that were written since the vector index was built, each as often as it was; all of them where there
        is none. These are scanned."""
        points = self.about()
        return points if not self._index.points else max(self._index.since, points - self._index.points)

    def vectors_indexed(self) -> int:
        """Vectors the engine says it has an index of. It counts terms among them."""
        with mapped("counting"):
            return self._engine.info().indexed_vectors_count

    def build_index(self) -> None:
        """Index every point, and measure how broadly the index is to be looked through. Holds the interpreter lock for
        seconds to minutes, so a process of its own calls it. Raises :class:`BackendError` when nothing was indexed."""
        with mapped("building a vector index"):
            self._engine.optimize()
        terms = self._engine.count(CountRequest(exact=True, filter=_WITH_TERMS)) if self.spec.sparse else 0
        beside = self.about() + terms - self.vectors_indexed()
        # A kilobyte of new vectors is left as it is. Less than none: what was deleted is in the index still.
        if beside > 256 // self.spec.dimension + 1 or (beside < 0 and not self.spec.sparse):
            raise BackendError("The engine built no vector index.")
        with mapped("measuring a vector index"):
            breadth = measured_breadth(self._engine)
        self._index = Indexed(self.about(), breadth)
        write_meta(self.directory / META, self.spec, self._index)

    def accept_breadth(self, breadth: int) -> None:
        """Look through the index as broadly as another shard's was measured to need."""
        self._index = self._index._replace(breadth=breadth)
        write_meta(self.directory / META, self.spec, self._index)

    def settle(self) -> None:
        """Nothing to do: the engine writes no bytes but its own."""

    def sync(self) -> None:
        """Wait until the kernel has written the files out. Needs no turn: it asks the engine for nothing."""
        with mapped("flushing a shard"):
            sync_tree(self.directory)

    def flush(self) -> None:
        """The log alone survives a killed process; only a flush survives a power loss."""
        with mapped("flushing a shard"):
            self.standing.require_there()  # the engine makes files by their paths
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
                    self.standing.require_there()
                    if self._in_use:
                        write_meta(self.directory / META, self.spec, self._index)
                    self.sync()
                    self.flush()
            finally:
                del self._engine
                self.standing.close()
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
    body = decode_payload(payload)
    for tag, value in tags.items():
        body.setdefault(tag, value)
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
