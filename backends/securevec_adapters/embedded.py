"""What the two embedded stores have in common: a locked root, a pool of open shards, the fork guard, and how the files
of a namespace come, are replaced and go. The adapters say what a shard is and what it answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from securevec.backend import RemovalReport
from securevec.errors import BackendError, ConfigError, EngineForked
from securevec.types import Namespace
from securevec_adapters.errors import mapped
from securevec_adapters.layout import EngineRoot, remove_generation, require_plain
from securevec_adapters.points import check_namespace
from securevec_adapters.pool import Failed, Holder, ShardPool, Turns
from securevec_adapters.standing import Standing

ROOM: Final = 64 << 20
"""Bytes that stay free on the disk of an engine that maps its files."""
LEAST: Final = 1 << 20
"""Bytes that a change which makes room later may count on: marks of deletion, and their log."""
OUTSIDE: Final = "file system remnants, snapshots and backups are outside this store"


class Shard(Protocol):
    """The open files of one namespace."""

    @property
    def standing(self) -> Standing: ...

    def settle(self) -> None:
        """Put in order what a call has left in the files. Called after every call, also one that failed."""
        ...

    @property
    def dirty(self) -> bool: ...

    def sync(self) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


S = TypeVar("S", bound=Shard)


class Writer(Generic[S]):
    """The right to write a namespace, and its shard for one turn after another; readers come in between."""

    def __init__(self, turns: Turns[S], look: Callable[[S], None]) -> None:
        self._turns = turns
        self._look = look
        self.give_way = turns.give_way

    @contextmanager
    def turn(self) -> Generator[Holder[S]]:
        """Exclusive use of the shard, open or not. Raises :class:`BackendError` when its files were replaced since it
        was opened, unless it is about to be removed."""
        with self._turns.turn() as held:
            if held.opened is not None:
                self._look(held.opened)
            with _settling(held):
                yield held


class EmbeddedStore(Generic[S]):
    """The shards under ``root``, a directory of the format ``version`` or of a ``former`` one; ``load`` opens one
    from its directory.

    Raises :class:`EngineLocked` when the root is already open anywhere, :class:`HomeRefused` when it is unsafe or of
    a foreign format, :class:`UnsupportedPlatform` without POSIX locks. Used in a forked child every call raises
    :class:`EngineForked`: the engine's threads do not exist there.
    """

    def __init__(
        self, root: Path, version: str, *, open_shards: int, load: Callable[[Path], S], former: Collection[str] = ()
    ) -> None:
        if open_shards < 1:
            raise ConfigError("At least one shard must be allowed to be open.")
        self._pid = os.getpid()
        self._root = EngineRoot(root, version, former=former)
        self._load_from = load
        self._pool = ShardPool[S](open_shards, self._load)
        self._closed = False

    @contextmanager
    def hold(self, namespace: Namespace) -> Generator[Holder[S]]:
        """Exclusive use of the namespace's shard, open or not, to read it."""
        self._guard()
        with self._pool.hold(check_namespace(namespace).shard) as held:
            try:
                yield held
            finally:
                _settle(held)

    @contextmanager
    def writing(self, namespace: Namespace, *, failed: Failed = "raise") -> Generator[Writer[S]]:
        """Keep other writers of the namespace out. Raises as :meth:`ShardPool.writing` does."""
        self._guard()
        name = check_namespace(namespace).shard

        def look(shard: S) -> None:
            if failed != "forget":
                with mapped("looking at a shard's files"):
                    self._root.require_current(name, shard.standing)

        with self._pool.writing(name, failed=failed) as turns:
            yield Writer(turns, look)

    @contextmanager
    def write(self, namespace: Namespace) -> Generator[Holder[S]]:
        """Exclusive use of the namespace's shard to write it, in one turn."""
        with self.writing(namespace) as writer, writer.turn() as held:
            yield held

    def require_room(self, needed: int = 0) -> None:
        """Refuse to add anything while the disk is nearly full, or would be with ``needed`` bytes more. Reading and
        deleting go on.

        An engine that maps its files is ended by the kernel (SIGBUS, no exception) when one of them cannot grow, and
        the process of the application with it. Another program may still fill the disk between this look and the write.

        Raises :class:`BackendError`.
        """
        if self._left() < ROOM + needed:
            raise BackendError(
                "The home's disk is nearly full, so nothing is added.",
                next_step=f"Free space on it: at least {ROOM >> 20} MiB.",
            )

    def require_left(self, needed: int = 0) -> None:
        """The same before a change that makes room in the end, which may go on until the disk is all but full: marks of
        deletion, and the copy of what lives that takes the place of the old files.

        Raises :class:`BackendError`.
        """
        left = self._left()
        if left < LEAST + needed:
            raise BackendError(
                "The home's disk is too full to delete from its files, and what was decided stays in force.",
                next_step=f"Free {(LEAST + needed - left >> 20) + 1} MiB or more, then: securevec jobs run --once",
            )

    def _left(self) -> int:
        with mapped("looking at the disk"):
            self._root.require_there()
            disk = os.statvfs(self._root.path)
        return disk.f_bavail * disk.f_frsize

    def create(self, namespace: Namespace, build: Callable[[Path], None]) -> None:
        """Let ``build`` fill the files of a namespace that has none."""
        self.require_room()
        with mapped("creating a shard"):
            self._root.create(namespace.shard, build)

    def replace(self, namespace: Namespace, copy: Callable[[Writer[S], Path], None]) -> None:
        """Let ``copy`` write what lives of the shard into new files, and remove the old ones. Nothing to do for one
        that does not exist. The shard is closed afterwards.

        ``copy`` takes turns, and the old files answer between them; writers wait. An interruption leaves the old or
        the new generation, whole, and never both in use. Raises what ``copy`` raises; the old files then stay.
        """
        with mapped("purging a shard"), self.writing(namespace) as writer:
            self.swap(namespace, writer, lambda directory: copy(writer, directory))

    def swap(self, namespace: Namespace, writer: Writer[S], build: Callable[[Path], None]) -> bool:
        """Let ``build`` fill the next generation of a shard that exists, then use that one and remove the old files.
        Returns whether there was one."""
        with writer.turn() as held:
            # Opened now, so that nobody opens it while a second generation is half made and would be removed.
            if held.get() is None:
                return False
        before, fresh = self._root.prepare(namespace.shard, build)
        with writer.turn() as held:
            # Whatever fails here leaves the shard closed, and its next opening removes the generation not in use.
            held.close()
            self._root.point(fresh)
            remove_generation(before)
        return True

    @contextmanager
    def workplace(self, name: str) -> Generator[Path]:
        """A directory for files that may become a generation; removed at the end, or at the next opening."""
        place = self._root.workplace(name)
        try:
            yield place
        finally:
            # Whoever was interrupted may have removed the whole root before this is closed. And what cannot be removed
            # now, for want of open files or on a disk that failed, keeps nothing else from being closed.
            with suppress(OSError):
                shutil.rmtree(place)

    def copy(self, namespace: Namespace, target: Path) -> bool:
        """Copy the files of a namespace, as they are when they are closed, into the root ``target`` of a copy. Returns
        whether there were any. The shard is opened again at its next use; until then readers and writers wait."""
        with self.writing(namespace) as writer, writer.turn() as held:
            if held.get() is None:
                return False
            held.close()
            with mapped("copying a shard"):
                self._root.copy(namespace.shard, target)
        return True

    def drop(self, namespace: Namespace, count: Callable[[S], int]) -> RemovalReport:
        """Remove the files of a namespace. One that cannot be read or closed must still be erasable."""
        with self.writing(namespace, failed="forget") as writer, writer.turn() as held:
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

    @property
    def forked(self) -> bool:
        """Whether this is a forked child: it has the object, and none of its threads."""
        return os.getpid() != self._pid

    def names(self) -> Iterator[str]:
        """Names of the shards that exist."""
        self._guard()
        with mapped("listing shards"):
            names = list(self._root.shards())
        yield from names

    def open_names(self) -> set[str]:
        """Names of the shards that are open now."""
        return self._pool.open_names()

    def close(self) -> None:
        """Close every shard, then give the root back. Idempotent. A forked child only lets go of its own copies."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self.forked:
                self._pool.close()
        finally:
            self._root.release()

    def _guard(self) -> None:
        if self.forked:
            raise EngineForked(
                "The embedded engine was opened before a fork.", next_step="Open the store in the child instead."
            )
        if self._closed:
            raise BackendError("This store is closed.")

    def _load(self, name: str) -> S | None:
        with mapped("opening a shard"):
            directory = self._root.current(name)
            if directory is not None:
                require_plain(directory)
        return None if directory is None else self._load_from(directory)


@contextmanager
def _settling(held: Holder[S]) -> Generator[None]:
    try:
        yield
    finally:
        _settle(held)


def _settle(held: Holder[S]) -> None:
    shard = held.opened
    if shard is not None:
        with mapped("writing a shard's files"):
            shard.settle()


def existing(shard: S | None) -> S:
    """The shard. Raises :class:`BackendError` when its namespace was never made."""
    if shard is None:
        raise BackendError("This collection has no place in the store yet.")
    return shard
