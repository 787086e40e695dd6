"""Qdrant Edge, embedded: the default store. One engine shard for every collection of every tenant, in a directory of
its own.

So a namespace is a set of files: no filter stands between two tenants, and erasing one is removing a directory.
One process at a time (see ``securevec_adapters.layout``). The vendor labels the engine beta; its version is pinned.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

from securevec import limits
from securevec.backend import Capabilities, CollectionSpec, Page, RemovalReport, VectorBackend
from securevec.errors import BackendError, ConfigError, EngineForked, QueryError, VectorError
from securevec.filters import Expr
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Vector
from securevec_adapters.errors import mapped
from securevec_adapters.layout import EngineRoot
from securevec_adapters.points import check_cursor, check_id, check_namespace, unit_vector
from securevec_adapters.pool import Holder, ShardPool
from securevec_qdrant._points import encode_payload
from securevec_qdrant.edge_filters import edge_filter
from securevec_qdrant.edge_purge import purge_shard
from securevec_qdrant.edge_shard import Row, Shard

VERSION: Final = "securevec-edge 1\n"
_OUTSIDE: Final = "file system remnants, snapshots and backups are outside this store"


class EdgeBackend:
    """``VectorBackend`` over an engine in this process. ``open_shards`` bounds the shards kept open.

    Raises :class:`EngineLocked` when the root is already open anywhere, :class:`HomeRefused` when it is unsafe or of
    a foreign format, :class:`UnsupportedPlatform` without POSIX locks. Used in a forked child every call raises
    :class:`EngineForked`: the engine's threads do not exist there and a query would hang.
    """

    def __init__(self, root: Path, *, open_shards: int = 128) -> None:
        if open_shards < 1:
            raise ConfigError("At least one shard must be allowed to be open.")
        self._pid = os.getpid()
        self._root = EngineRoot(root, VERSION)
        self._pool = ShardPool[Shard](open_shards, self._load)
        self._closed = False

    @classmethod
    def from_location(cls, location: str, *, root: Path) -> Self:
        """For discovery: the engine lives in ``root``; it has no location."""
        if location:
            raise ConfigError("The embedded engine takes no location; it lives in the home.")
        return cls(root)

    @property
    def name(self) -> str:
        return "edge"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            embedded=True, volatile=False, physical_isolation=True, cheap_range_filter=True, can_purge_vectors=True
        )

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        if not 1 <= spec.dimension <= limits.MAX_DIMENSION:
            raise VectorError(f"A vector has 1 to {limits.MAX_DIMENSION} components.")
        with self._hold(namespace) as held:
            shard = held.get()
            if shard is None:
                with mapped("creating a shard"):
                    self._root.create(namespace.shard, lambda directory: Shard.create(directory, spec).close())
                return
            if shard.spec.dimension != spec.dimension:
                raise VectorError("This collection exists with another vector dimension.")
            shard.add_indexes(spec.filter_keys)

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        with self._hold(namespace) as held:
            shard = _existing(held.get())
            rows: list[Row] = [
                (
                    check_id(point.id),
                    unit_vector(point.vector, shard.spec.dimension).tolist(),
                    encode_payload(point.payload, namespace),
                )
                for point in points
            ]
            if rows:
                shard.upsert(rows)

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        with self._hold(namespace) as held:
            shard = held.get()
            wanted = list(dict.fromkeys(check_id(each) for each in ids))
            if shard is None or not wanted:
                return []
            return shard.fetch(wanted, with_vectors=with_vectors)

    def query(
        self,
        *,
        namespace: Namespace,
        vector: Vector,
        where: Expr | None,
        limit: int,
        exclude: Sequence[str] = (),
    ) -> list[StoredPoint]:
        if limit < 1:
            raise QueryError("A search asks for at least one point.")
        condition = edge_filter(where)
        with self._hold(namespace) as held:
            shard = held.get()
            if shard is None:
                return []
            return shard.search(unit_vector(vector, shard.spec.dimension).tolist(), condition, limit, exclude)

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        if limit < 1:
            raise QueryError("A page holds at least one point.")
        condition = edge_filter(where)
        start = None if cursor is None else check_cursor(cursor)
        with self._hold(namespace) as held:
            shard = held.get()
            if shard is None:
                return Page((), None)
            points, following = shard.scroll(condition, start, limit)
            return Page(points, None if following is None else str(following))

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        condition = edge_filter(where)
        with self._hold(namespace) as held:
            shard = held.get()
            return 0 if shard is None else shard.count(condition)

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        with self._hold(namespace) as held:
            shard = held.get()
            unwanted = [check_id(each) for each in ids]
            if shard is not None and unwanted:
                shard.remove(unwanted)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        """Copy the live points into new files and remove the old ones. ``points`` is 0: purging answers for bytes, not
        for points, which were gone before. Takes 0.5 s at 10,000 points, with the shard's callers waiting."""
        with self._hold(namespace) as held, mapped("purging a shard"):
            purge_shard(self._root, namespace.shard, held)
        return RemovalReport(0, index_removed=True, bytes_removed=True, residual=_OUTSIDE)

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        with self._hold(namespace) as held:
            points, residual = 0, _OUTSIDE
            try:
                shard = held.get()
                points = 0 if shard is None else shard.count()
                held.close()
            except BackendError:
                # A shard that cannot be opened must still be erasable.
                residual = f"the shard could not be read, so its points were not counted; {_OUTSIDE}"
            with mapped("removing a shard"):
                self._root.discard(namespace.shard)
        return RemovalReport(points, index_removed=True, bytes_removed=True, residual=residual)

    def namespaces(self) -> Iterator[str]:
        self._guard()
        with mapped("listing shards"):
            names = list(self._root.shards())
        yield from names

    def close(self) -> None:
        """Flush and close every shard, then give the root back. A forked child only lets go of its own copies."""
        if self._closed:
            return
        self._closed = True
        try:
            if os.getpid() == self._pid:
                self._pool.close()
        finally:
            self._root.release()

    def _guard(self) -> None:
        if os.getpid() != self._pid:
            raise EngineForked(
                "The embedded engine was opened before a fork.", next_step="Open the store in the child instead."
            )
        if self._closed:
            raise BackendError("This store is closed.")

    @contextmanager
    def _hold(self, namespace: Namespace) -> Generator[Holder[Shard]]:
        self._guard()
        with self._pool.hold(check_namespace(namespace).shard) as held:
            yield held

    def _load(self, name: str) -> Shard | None:
        with mapped("opening a shard"):
            directory = self._root.current(name)
        return None if directory is None else Shard.load(directory)


def _existing(shard: Shard | None) -> Shard:
    if shard is None:
        raise BackendError("This collection has no place in the store yet.")
    return shard


if TYPE_CHECKING:
    _: type[VectorBackend] = EdgeBackend
