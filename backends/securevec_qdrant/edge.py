"""Qdrant Edge, embedded: the default store. One engine shard for every collection of every tenant, in a directory of
its own.

So a namespace is a set of files: no filter stands between two tenants, and erasing one is removing a directory.
One process at a time (see ``securevec_adapters.layout``). The vendor labels the engine beta; its version is pinned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Self
from uuid import UUID

from securevec.backend import (
    OTHERWISE,
    BuildsIndexes,
    Capabilities,
    CollectionSpec,
    CopiesFiles,
    Page,
    RemovalReport,
    VectorBackend,
    check_terms,
)
from securevec.errors import ConfigError, HybridUnavailable, QueryError, VectorError
from securevec.filters import Expr
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Terms, Vector
from securevec_adapters import sieve
from securevec_adapters.embedded import OUTSIDE, EmbeddedStore, existing
from securevec_adapters.points import check_cursor, check_id, tags_of, unit_vector
from securevec_qdrant._filters import widened
from securevec_qdrant._points import encode_payload
from securevec_qdrant.edge_filters import edge_filter
from securevec_qdrant.edge_index import SCANNED, IndexBuilder
from securevec_qdrant.edge_purge import copy_points
from securevec_qdrant.edge_shard import Row, Shard
from securevec_qdrant.edge_template import Templates
from securevec_qdrant.edge_warm import ASKED, Warming

VERSION: Final = "securevec-edge 1\n"
OPEN_SHARDS: Final = 128


class EdgeBackend:
    """``VectorBackend`` over an engine in this process. ``open_shards`` bounds the shards kept open: each costs 0.3 MB
    while it holds up to 500 points, then 3 to 5 MB for each indexed field, which the kernel may take back.

    Raises and refuses a fork as :class:`EmbeddedStore` does.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"open_shards"})

    def __init__(self, root: Path, *, open_shards: int = OPEN_SHARDS, index_above: int = SCANNED) -> None:
        self._store = EmbeddedStore[Shard](root, VERSION, open_shards=open_shards, load=Shard.load)
        self._index = IndexBuilder(self._store, threshold=index_above)
        self._templates = Templates(self._store)
        self._warming = Warming()

    @classmethod
    def from_location(
        cls, location: str, *, root: Path, plain_http_hosts: Collection[str] = (), open_shards: int = OPEN_SHARDS
    ) -> Self:
        """For discovery: the engine lives in ``root``; it has no location."""
        if location:
            raise ConfigError("The embedded engine takes no location; it lives in the home.")
        return cls(root, open_shards=open_shards)

    @property
    def name(self) -> str:
        return "edge"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            embedded=True,
            volatile=False,
            physical_isolation=True,
            cheap_range_filter=True,
            can_purge_vectors=True,
            sparse=True,
        )

    @property
    def open_shards(self) -> int:
        """Shards that are open now."""
        return len(self._store.open_names())

    def is_open(self, namespace: Namespace) -> bool:
        """Whether the namespace's shard is open now. Opens nothing."""
        return namespace.shard in self._store.open_names()

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        with self._store.hold(namespace) as held:
            shard = held.get()
            if shard is not None and shard.made_for(spec):
                return  # whoever opens a collection does not wait for its writers
        with self._store.write(namespace) as held:
            shard = held.get()
            if shard is None:
                self._store.create(namespace, lambda directory: self._templates.fill(directory, spec))
                return
            if shard.spec.dimension != spec.dimension:
                raise VectorError("This collection exists with another vector dimension.")
            if shard.spec.sparse != spec.sparse:
                raise HybridUnavailable(OTHERWISE)
            shard.add_indexes(spec.filter_keys)

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        with self._store.write(namespace) as held:
            shard = existing(held.get())
            rows: list[Row] = [
                (
                    check_id(point.id),
                    unit_vector(point.vector, shard.spec.dimension).tolist(),
                    encode_payload(point.payload, namespace, tagged=False),
                    check_terms(point.terms, sparse=shard.spec.sparse),
                )
                for point in points
            ]
            if rows:
                self._store.require_room()
                try:
                    shard.upsert(rows)
                finally:
                    self._index.written(namespace, [row[0] for row in rows], shard)

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        with self._store.hold(namespace) as held:
            shard = held.get()
            wanted = list(dict.fromkeys(check_id(each) for each in ids))
            if shard is None or not wanted:
                return []
            return shard.fetch(wanted, tags_of(namespace), with_vectors=with_vectors)

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
        if where is not None and (wider := widened(where)) != where:
            return sieve.query(
                self,
                namespace=namespace,
                vector=vector,
                where=where,
                wider=wider,
                limit=limit,
                exclude=exclude,
                terms=terms,
            )
        condition = edge_filter(where, tags_of(namespace))
        with self._store.hold(namespace) as held:
            shard = held.get()
            if shard is None:
                return []
            self._index.look(namespace, shard)
            asked = unit_vector(vector, shard.spec.dimension).tolist()
            words = check_terms(terms, sparse=shard.spec.sparse)
            found = shard.search(asked, condition, limit, exclude, tags_of(namespace), words)
            shard.asked += 1
            if shard.asked == ASKED and shard.indexed:
                self._warming.ask(shard.directory)
            return found

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        if limit < 1:
            raise QueryError("A page holds at least one point.")
        if where is not None and (wider := widened(where)) != where:
            return sieve.scan(self, namespace=namespace, where=where, wider=wider, cursor=cursor, limit=limit)
        condition = edge_filter(where, tags_of(namespace))
        start = None if cursor is None else check_cursor(cursor)
        with self._store.hold(namespace) as held:
            shard = held.get()
            if shard is None:
                return Page((), None)
            points, following = shard.scroll(condition, start, limit, tags_of(namespace))
            return Page(points, None if following is None else str(following))

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        if where is not None and (wider := widened(where)) != where:
            return sieve.count(self, namespace=namespace, where=where, wider=wider)
        condition = edge_filter(where, tags_of(namespace))
        with self._store.hold(namespace) as held:
            shard = held.get()
            return 0 if shard is None else shard.count(condition)

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        with self._store.write(namespace) as held:
            shard = held.get()
            unwanted = [check_id(each) for each in ids]
            if shard is not None and unwanted:
                self._store.require_left()
                try:
                    shard.remove(unwanted)
                finally:
                    self._index.written(namespace, unwanted, shard)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        """Copy the live points into new files and remove the old ones. ``points`` is 0: purging answers for bytes, not
        for points, which were gone before. Takes 0.5 s at 10,000 points; readers come in between the pages, writers
        wait."""
        with self._index.without(namespace):
            self._store.replace(namespace, partial(copy_points, self._store.require_left))
        return RemovalReport(0, index_removed=True, bytes_removed=True, residual=OUTSIDE)

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        with self._index.without(namespace):
            return self._store.drop(namespace, lambda shard: shard.count())

    def copy_files(self, *, namespace: Namespace, target: Path) -> bool:
        return self._store.copy(namespace, target)

    def finish_indexes(self) -> None:
        """Builds wait for a quiet moment otherwise (:mod:`securevec_qdrant.edge_index`)."""
        self._index.finish()

    def index_breadth(self, *, namespace: Namespace) -> int | None:
        with self._store.hold(namespace) as held:
            shard = held.get()
            return None if shard is None or not shard.indexed else shard.breadth

    def namespaces(self) -> Iterator[str]:
        return self._store.names()

    def close(self) -> None:
        """Flush and close every shard, then give the root back."""
        if not self._store.forked:
            self._index.close()
            self._warming.close()
            self._templates.close()
        self._store.close()


if TYPE_CHECKING:
    _: type[VectorBackend] = EdgeBackend
    _files: type[CopiesFiles] = EdgeBackend
    _indexes: type[BuildsIndexes] = EdgeBackend
