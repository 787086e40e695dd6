"""Vector indexes of large shards: built beside the shard by a process of its own, then put in its place.

    under the writer's right   copy the files; from now on note the ids that are written
    meanwhile                  the copy is indexed in a child process; the shard is read and written as ever
    under the writer's right   bring the noted ids into the copy, compare the counts, swap

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
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from securevec.errors import BackendError
from securevec.types import Namespace
from securevec_adapters.embedded import EmbeddedStore, existing
from securevec_adapters.layout import copy_tree
from securevec_qdrant.edge_shard import EXACT, Shard

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

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.changed: set[UUID] = set()
        self.cancelled = False
        self.child: subprocess.Popen[bytes] | None = None


class IndexBuilder:
    """Builds one index at a time, in a thread that waits for a process. A build that fails is not tried again until
    the store is opened anew: the exact scan goes on, and is right."""

    def __init__(
        self, store: EmbeddedStore[Shard], *, threshold: int = EXACT, command: Command = child_command
    ) -> None:
        self.threshold = threshold
        self._store = store
        self._command = command
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)
        self._builds: dict[str, _Build] = {}
        self._barred: dict[str, int] = {}
        self._failed: dict[str, BaseException] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def written(self, namespace: Namespace, ids: Sequence[UUID], shard: Shard) -> None:
        """Note what was written, and ask for a build where the shard has become large. Called in the writer's turn."""
        with self._lock:
            build = self._builds.get(namespace.shard)
            if build is not None:
                build.changed.update(ids)
                return
            if self._closed or namespace.shard in self._failed or namespace.shard in self._barred:
                return
        if shard.unindexed() > self.threshold:
            self._ask(namespace)

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
            self._cancel(self._builds.get(name))
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
            if self._closed or namespace.shard in self._builds or namespace.shard in self._barred:
                return
            self._builds[namespace.shard] = _Build(namespace)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="securevec-index", daemon=True)
                self._thread.start()
            self._moved.notify_all()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._moved.wait_for(lambda: self._builds or self._closed)
                if self._closed:
                    self._builds.clear()
                    self._moved.notify_all()
                    return
                name, build = next(iter(self._builds.items()))
            failure: BaseException | None = None
            try:
                self._build(build)
            except Exception as error:  # noqa: BLE001  # kept; the exact scan goes on
                failure = error
            with self._lock:
                if failure is not None and not build.cancelled:
                    self._failed[name] = failure
                del self._builds[name]
                self._moved.notify_all()

    def _build(self, build: _Build) -> None:
        namespace = build.namespace
        with self._store.workplace(f"index-{namespace.shard}") as place:  # the name tells the byte probe whose it is
            copy = place / "copy"
            with self._store.writing(namespace, failed="keep") as writer:
                self._go_on(build)
                with writer.turn() as held:
                    source = existing(held.get()).directory
                # Readers change nothing, writers wait. What the engine has not written out yet is in its log.
                build.changed.clear()
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
        if copy.vectors_indexed() <= max(0, shard.vectors_indexed() - len(changed)):
            raise BackendError("The engine built no vector index; the original was kept.")
        copy.accept_index()
        for start in range(0, len(changed), copy.page):
            some = changed[start : start + copy.page]
            rows = shard.rows_of(some)
            if rows:
                copy.upsert(rows)
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
