"""What the two embedded stores have in common: a locked root, a pool of open shards, the fork guard, and how the files
of a namespace come, are replaced and go. The adapters say what a shard is and what it answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from securevec.backend import RemovalReport
from securevec.errors import BackendError, ConfigError, EngineForked
from securevec.types import Namespace
from securevec_adapters.errors import mapped
from securevec_adapters.layout import EngineRoot, remove_generation
from securevec_adapters.points import check_namespace
from securevec_adapters.pool import Holder, ShardPool

OUTSIDE: Final = "file system remnants, snapshots and backups are outside this store"


class Shard(Protocol):
    """The open files of one namespace."""

    def settle(self) -> None:
        """Put in order what a call has left in the files. Called after every call, also one that failed."""
        ...

    def close(self) -> None: ...


S = TypeVar("S", bound=Shard)


class EmbeddedStore(Generic[S]):
    """The shards under ``root``, a directory of the format ``version``; ``load`` opens one from its directory.

    Raises :class:`EngineLocked` when the root is already open anywhere, :class:`HomeRefused` when it is unsafe or of
    a foreign format, :class:`UnsupportedPlatform` without POSIX locks. Used in a forked child every call raises
    :class:`EngineForked`: the engine's threads do not exist there.
    """

    def __init__(self, root: Path, version: str, *, open_shards: int, load: Callable[[Path], S]) -> None:
        if open_shards < 1:
            raise ConfigError("At least one shard must be allowed to be open.")
        self._pid = os.getpid()
        self._root = EngineRoot(root, version)
        self._load_from = load
        self._pool = ShardPool[S](open_shards, self._load)
        self._closed = False

    @contextmanager
    def hold(self, namespace: Namespace) -> Generator[Holder[S]]:
        """Exclusive use of the namespace's shard, open or not."""
        self._guard()
        with self._pool.hold(check_namespace(namespace).shard) as held:
            try:
                yield held
            finally:
                shard = held.opened
                if shard is not None:
                    with mapped("writing a shard's files"):
                        shard.settle()

    def create(self, namespace: Namespace, build: Callable[[Path], None]) -> None:
        """Let ``build`` fill the files of a namespace that has none."""
        with mapped("creating a shard"):
            self._root.create(namespace.shard, build)

    def replace(self, namespace: Namespace, held: Holder[S], copy: Callable[[S, Path], None]) -> None:
        """Let ``copy`` write what lives of the shard into new files, and remove the old ones. Nothing to do for one
        that does not exist. The shard is closed afterwards.

        An interruption leaves the old or the new generation, whole, and never both in use. Raises what ``copy`` raises;
        the old files then stay.
        """
        with mapped("purging a shard"):
            shard, before = held.get(), self._root.current(namespace.shard)
            if shard is None or before is None:
                return
            self._root.replace(namespace.shard, lambda directory: copy(shard, directory))
            held.close()
            remove_generation(before)

    def drop(self, namespace: Namespace, count: Callable[[S], int]) -> RemovalReport:
        """Remove the files of a namespace. One that cannot be read or closed must still be erasable."""
        with self.hold(namespace) as held:
            points, residual, released = 0, OUTSIDE, True
            try:
                shard = held.get()
                points = 0 if shard is None else count(shard)
            except BackendError:
                residual = f"the shard could not be read, so its points were not counted; {OUTSIDE}"
            try:
                held.close()
            except BackendError:
                residual, released = f"the engine did not close its files, and may still hold them; {residual}", False
            with mapped("removing a shard"):
                self._root.discard(namespace.shard)
        return RemovalReport(points, index_removed=True, bytes_removed=released or None, residual=residual)

    def names(self) -> Iterator[str]:
        """Names of the shards that exist."""
        self._guard()
        with mapped("listing shards"):
            names = list(self._root.shards())
        yield from names

    def close(self) -> None:
        """Close every shard, then give the root back. Idempotent. A forked child only lets go of its own copies."""
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

    def _load(self, name: str) -> S | None:
        with mapped("opening a shard"):
            directory = self._root.current(name)
        return None if directory is None else self._load_from(directory)


def existing(shard: S | None) -> S:
    """The shard. Raises :class:`BackendError` when its namespace was never made."""
    if shard is None:
        raise BackendError("This collection has no place in the store yet.")
    return shard
