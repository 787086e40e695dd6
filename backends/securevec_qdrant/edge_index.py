"""Vector indexes of large shards: built beside the shard by a process of its own, then put in its place.

    under the writer's right   copy the files; from now on note the ids that are written
    meanwhile                  the copy is indexed in a child process; the shard is read and written as ever
    under the writer's right   bring the noted ids into the copy, compare the counts, swap

When: once more points were written since than ``threshold``, and than half of what the index holds, so that the builds
of a collection that grows to a million cost less than twice the last one; or once too many points of the index are gone
for it to be used. A shard's builds take a tenth of the time at most (:data:`RESTS`). Not in the midst of an ingest: the
shard has to be left alone for a while, or written slowly, unless that takes too long (:data:`STILL_S`,
:data:`AT_LATEST_S`). A program that only reads has it built too.

Killed, failed or cancelled at any step, the shard is what it was. The copy holds what the shard's files hold, deleted
points too, so a purge and a drop end the build and remove the copy first (:meth:`IndexBuilder.without`).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from securevec.errors import BackendError
from securevec.types import Namespace
from securevec_adapters.embedded import EmbeddedStore, existing
from securevec_adapters.layout import copy_tree
from securevec_qdrant.edge_copied import require_copied
from securevec_qdrant.edge_shard import Shard

SCANNED: Final = 10_000
"""Points without a vector index above which one is built: the scan of so many takes as long as the index does."""
GROWTH: Final = 0.5
"""Share of the points in an index that may be added to it before it is built anew."""
STILL_S: Final = 5.0
"""Seconds in which a shard takes less than :data:`SLOW` points before its index is built."""
SLOW: Final = 1_000
AT_LATEST_S: Final = 600.0
"""Seconds after which it is built though it is written fast."""
RESTS: Final = 9
"""How many times as long as a build took its shard is left alone afterwards."""
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL")
_START: Final = (
    "import sys, runpy; sys.path[:] = {path}; sys.argv[0] = 'edge_optimize'; "
    "runpy.run_module('securevec_qdrant.edge_optimize', run_name='__main__')"
)

Command = Callable[[Path], Sequence[str]]


def child_command(directory: Path) -> list[str]:
    """This interpreter on ``edge_optimize``, isolated from the environment, with our own path of modules."""
    path = json.dumps([entry or os.getcwd() for entry in sys.path])
    return [sys.executable, "-I", "-c", _START.format(path=path), str(directory), str(os.getpid())]


class _Build:
    """One shard's build. ``changed`` are the ids written since its files were copied."""

    def __init__(self, namespace: Namespace, not_before: float = 0.0) -> None:
        self.namespace = namespace
        self.changed: set[UUID] = set()
        self.taken = False
        """Whether the thread is at it. Another one may be built for minutes before."""
        self.begun = False
        self.cancelled = False
        self.asked = self.looked = time.monotonic()
        self.not_before = not_before
        self.lately = 0
        """Points written since ``looked``."""
        self.child: subprocess.Popen[bytes] | None = None


class IndexBuilder:
    """Builds one index at a time, in a thread that waits for a process. A build that fails is not tried again until
    the store is opened anew: the exact scan goes on, and is right."""

    def __init__(
        self,
        store: EmbeddedStore[Shard],
        *,
        threshold: int = SCANNED,
        still_s: float = STILL_S,
        command: Command = child_command,
    ) -> None:
        self.threshold = threshold
        self._still_s = still_s
        self._store = store
        self._command = command
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)
        self._builds: dict[str, _Build] = {}
        self._barred: dict[str, int] = {}
        self._failed: dict[str, BaseException] = {}
        self._rested: dict[str, float] = {}
        """When a shard that was built may be built again."""
        self._thread: threading.Thread | None = None
        self._closed = False

    def written(self, namespace: Namespace, ids: Sequence[UUID], shard: Shard) -> None:
        """Note what was written, and ask for a build where the shard has become large. Called in the writer's turn."""
        with self._lock:
            build = self._builds.get(namespace.shard)
            if build is not None:
                build.lately += len(ids)
                if build.begun:
                    build.changed.update(ids)
                return
        self.look(namespace, shard)

    def look(self, namespace: Namespace, shard: Shard) -> None:
        """Ask for a build where the shard has become large. Called in somebody's turn; takes a microsecond."""
        if shard.unindexed() > max(self.threshold, GROWTH * shard.indexed) or not shard.indexed_whole:
            self._ask(namespace)

    def finish(self) -> None:
        """Build now what waits to be built, and return when nothing is built or waits."""
        with self._lock:
            for build in self._builds.values():
                build.not_before, build.looked, build.asked = 0.0, 0.0, -AT_LATEST_S
            self._moved.notify_all()
            self._moved.wait_for(lambda: not self._builds or self._closed)

    def idle(self) -> bool:
        """Whether nothing is being built or waits to be."""
        with self._lock:
            return not self._builds

    @contextmanager
    def without(self, namespace: Namespace) -> Generator[None]:
        """End the shard's build, remove its copy, and start none inside."""
        name = namespace.shard
        with self._lock:
            self._barred[name] = self._barred.get(name, 0) + 1
            build = self._builds.get(name)
            if build is not None and not build.taken:
                del self._builds[name]
            else:
                self._cancel(build)
            self._moved.notify_all()
            self._moved.wait_for(lambda: name not in self._builds)
        try:
            yield
        finally:
            with self._lock:
                self._barred[name] -= 1
                if not self._barred[name]:
                    del self._barred[name]
                self._failed.pop(name, None)

    def close(self) -> None:
        """End what is being built. Idempotent."""
        with self._lock:
            self._closed = True
            for build in self._builds.values():
                self._cancel(build)
            self._moved.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _ask(self, namespace: Namespace) -> None:
        with self._lock:
            name = namespace.shard
            if self._closed or name in self._builds or name in self._barred or name in self._failed:
                return
            self._builds[name] = _Build(namespace, self._rested.get(name, 0.0))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="securevec-index", daemon=True)
                self._thread.start()
            self._moved.notify_all()

    def _work(self) -> None:
        while True:
            with self._lock:
                chosen = self._chosen()
                while chosen is None and not self._closed:
                    self._moved.wait(self._still_s if self._builds else None)
                    chosen = self._chosen()
                if chosen is None or self._closed:
                    self._builds.clear()
                    self._moved.notify_all()
                    return
                name, build = chosen
                build.taken = True
            failure: BaseException | None = None
            began = time.monotonic()
            try:
                self._build(build)
            except Exception as error:  # noqa: BLE001  # kept; the exact scan goes on
                failure = error
            with self._lock:
                if failure is not None and not build.cancelled:
                    self._failed[name] = failure
                ended = time.monotonic()
                self._rested = {each: until for each, until in self._rested.items() if until > ended}
                self._rested[name] = ended + RESTS * (ended - began)
                del self._builds[name]
                self._moved.notify_all()

    def _chosen(self) -> tuple[str, _Build] | None:
        """A build that may begin: cancelled (to be given up), or of a shard that is still, or that waited long."""
        now = time.monotonic()
        for name, build in self._builds.items():
            if build.cancelled:
                return name, build
            if now < build.not_before:
                continue
            if now - build.asked >= AT_LATEST_S:
                return name, build
            if now - build.looked >= self._still_s:
                if build.lately < SLOW:
                    return name, build
                build.looked, build.lately = now, 0
        return None

    def _build(self, build: _Build) -> None:
        namespace = build.namespace
        with self._store.workplace(f"index-{namespace.shard}") as place:  # the name tells the byte probe whose it is
            copy = place / "copy"
            with self._store.writing(namespace, failed="keep") as writer:
                self._go_on(build)
                with writer.turn() as held:
                    source = existing(held.get()).directory
                # Readers change nothing, writers wait. What the engine has not written out yet is in its log.
                build.begun = True
                # The copy, and what is written anew in it beside the old.
                self._store.require_room(2 * allocated(source))
                copy_tree(source, copy)
            self._index(build, copy)
            with self._store.writing(namespace, failed="keep") as writer:
                self._go_on(build)
                with writer.turn() as held:
                    shard = existing(held.get())
                    if shard.directory != source:
                        raise BackendError("The shard was replaced while its index was built.")
                    _catch_up(shard, copy, sorted(build.changed))
                self._store.swap(namespace, writer, lambda fresh: _move(copy, fresh))

    def _index(self, build: _Build, directory: Path) -> None:
        with self._lock:
            self._go_on(build)
            build.child = subprocess.Popen(  # noqa: S603  # this interpreter, and a module of this package
                self._command(directory),
                env={name: value for name, value in os.environ.items() if name in _KEPT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        if build.child.wait() != 0:
            raise BackendError("The process that builds a vector index failed.")

    def _go_on(self, build: _Build) -> None:
        if build.cancelled or self._closed:
            raise BackendError("The build of a vector index was given up.")

    @staticmethod
    def _cancel(build: _Build | None) -> None:
        if build is not None:
            build.cancelled = True
            if build.child is not None:
                with contextlib.suppress(OSError):
                    build.child.kill()


def _catch_up(shard: Shard, directory: Path, changed: Sequence[UUID]) -> None:
    """Make the copy hold what the shard holds now. Raises :class:`BackendError` when it does not."""
    copy = Shard.load(directory)
    try:
        if not copy.indexed or copy.unindexed():
            raise BackendError("The copy says nothing of a vector index; the original was kept.")
        for start in range(0, len(changed), copy.page):
            some = changed[start : start + copy.page]
            rows = shard.rows_of(some)
            if rows:
                copy.upsert(rows)
            require_copied(copy, rows)
            gone = sorted(set(some) - {row[0] for row in rows})
            if gone:
                copy.remove(gone)
        if copy.count() != shard.count():
            raise BackendError("The indexed copy does not hold every point; the original was kept.")
    finally:
        copy.close()


def _move(source: Path, target: Path) -> None:
    for entry in source.iterdir():
        entry.rename(target / entry.name)


def allocated(directory: Path) -> int:
    """Bytes that the disk gives to the files below a directory: what a copy of it takes."""
    return sum(path.lstat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())
