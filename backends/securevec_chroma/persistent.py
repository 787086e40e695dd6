"""Chroma in this process. Every collection of every tenant is a Chroma database of its own, in a directory of its own.

Chroma keeps all collections of a directory in one SQLite file, never removes the vectors of a dropped one, and loses
index entries when two processes open it. With a directory for each namespace no filter stands between two tenants,
erasing one is removing a directory, purging one rewrites nobody else, and ``securevec_adapters.layout`` gives the lock
and the swap. An open database costs some 7 MB, a dozen file descriptors and a few threads, so few are kept open
(docs/adr/0008).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

from securevec.backend import Capabilities, CollectionSpec, CopiesFiles, Page, RemovalReport, VectorBackend, check_terms
from securevec.errors import ConfigError, VectorError
from securevec.filters import Expr
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Terms, Vector
from securevec_adapters.embedded import OUTSIDE, EmbeddedStore, Writer, existing
from securevec_adapters.points import check_cursor, check_id, unit_vector
from securevec_chroma.place import checked, refuse_terms
from securevec_chroma.shard import ChromaShard, copy_points

VERSION: Final = "securevec-chroma 2\n"
FORMER: Final = ("securevec-chroma 1\n",)
"""Sealed values in Chroma's metadata. Such shards are read and written as they are, until a purge rewrites them."""
OPEN_SHARDS: Final = 32
_OF_DELETION: Final = 8 << 10
"""Bytes that deleting a point takes at most, in the logs of both files: 3 KB were measured."""


class ChromaPersistentBackend:
    """``VectorBackend`` over Chroma in this process. ``open_shards`` bounds the databases kept open.

    Raises and refuses a fork as :class:`EmbeddedStore` does.
    """

    def __init__(self, root: Path, *, open_shards: int = OPEN_SHARDS) -> None:
        self._store = EmbeddedStore[ChromaShard](
            root, VERSION, former=FORMER, open_shards=open_shards, load=ChromaShard.load
        )

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
        return "chroma"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            embedded=True, volatile=False, physical_isolation=True, cheap_range_filter=False, can_purge_vectors=True
        )

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        refuse_terms(spec)
        with self._store.hold(namespace) as held:
            shard = held.get()
            if shard is not None and shard.place(namespace).dimension == spec.dimension:
                return  # whoever opens a collection does not wait for its writers
        with self._store.write(namespace) as held:
            shard = held.get()
            if shard is None:

                def build(directory: Path) -> None:
                    ChromaShard.create(directory, namespace, spec.dimension).close()

                self._store.create(namespace, build)
            elif shard.place(namespace).dimension != spec.dimension:
                raise VectorError("This collection exists with another vector dimension.")

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        with self._store.write(namespace) as held:
            place = existing(held.get()).place(namespace)
            rows = place.prepared(points, namespace)
            if rows:
                place.insert(rows)

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        wanted = list(dict.fromkeys(check_id(each) for each in ids))
        with self._store.hold(namespace) as held:
            shard = held.get()
            if shard is None or not wanted:
                return []
            return shard.place(namespace).fetch(wanted, with_vectors=with_vectors)

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
        """Of ``exclude`` only vaults are left out."""
        check_terms(terms, sparse=False)
        condition = checked(where, limit)
        with self._store.hold(namespace) as held:
            shard = held.get()
            if shard is None:
                return []
            place = shard.place(namespace)
            return place.search(unit_vector(vector, place.dimension), condition, limit, vaults="v" not in exclude)

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        condition = checked(where, limit)
        start = None if cursor is None else check_cursor(cursor)
        with self._store.hold(namespace) as held:
            shard = held.get()
            if shard is None:
                return Page((), None)
            points, following = shard.place(namespace).page(condition, start, limit)
            return Page(points, None if following is None else str(following))

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        condition = checked(where, 1)
        with self._store.hold(namespace) as held:
            shard = held.get()
            return 0 if shard is None else shard.place(namespace).count(condition)

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        unwanted = [check_id(each) for each in ids]
        with self._store.write(namespace) as held:
            shard = held.get()
            if shard is not None and unwanted:
                self._store.require_left(_OF_DELETION * len(unwanted))
                shard.place(namespace).remove(unwanted)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        """Copy the live points into a new database and remove the old files. ``points`` is 0: purging answers for
        bytes, not for points, which were gone before. Takes as long as writing the points; readers come in between the
        pages, writers wait.

        Nothing less works: vectors of deleted points stay in the index for good, payloads in SQLite's free pages and in
        the log until it is cut.
        """

        def copy(writer: Writer[ChromaShard], directory: Path) -> None:
            copy_points(self._store.require_left, writer, directory, namespace)

        self._store.replace(namespace, copy)
        return RemovalReport(0, index_removed=True, bytes_removed=True, residual=OUTSIDE)

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        return self._store.drop(namespace, lambda shard: shard.place(namespace).count())

    def copy_files(self, *, namespace: Namespace, target: Path) -> bool:
        return self._store.copy(namespace, target)

    def namespaces(self) -> Iterator[str]:
        return self._store.names()

    def close(self) -> None:
        self._store.close()


if TYPE_CHECKING:
    _: type[VectorBackend] = ChromaPersistentBackend
    _files: type[CopiesFiles] = ChromaPersistentBackend
