"""Another program's Edge shards. ``edge:DIRECTORY`` is one, or a directory of several; the directory's name is the
collection's.

The engine rewrites files of every shard it opens, and opening one that a program holds breaks each later flush of that
program (measured on qdrant-edge-py 0.9). So a shard in use is refused, and any other is copied: the copy is opened in a
private directory outside the home, and its names are removed at once, so that its bytes go with this process, however
it ends. What a process killed while copying leaves is removed by the next one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from qdrant_edge import CountRequest, EdgeShard, ScrollRequest

from securevec.errors import BackendError, ConfigError, SourceError
from securevec.foreign import PAGE, ForeignCollection, ForeignPoint, ForeignStore, path_of
from securevec_adapters.errors import mapped
from securevec_adapters.layout import copy_tree, tighten
from securevec_qdrant.edge_engine import require_free
from securevec_qdrant.source_local import vectors_of

_CONFIG: Final = "edge_config.json"
_OURS: Final = "shard.json"
_COPY: Final = re.compile(r"securevec-copy-([0-9]+)-.*")


class EdgeSource:
    """What the entry point names. Never instantiated."""

    @staticmethod
    def open(location: str, *, plain_http_hosts: Collection[str] = ()) -> ForeignStore:
        """Raises what :class:`EdgeShards` raises; :class:`ConfigError` for an address."""
        path = path_of(location)
        if path is None:
            raise ConfigError("An Edge shard is a directory.", next_step="Write edge:DIRECTORY.")
        return EdgeShards(path)


def shards_below(path: Path) -> list[Path]:
    """The shards that a directory is, or holds."""
    try:
        root = path.resolve(strict=True)
        places = [root, *sorted(root.iterdir())] if root.is_dir() else []
        return [each for each in places if (each / _CONFIG).is_file()]
    except OSError:
        return []


class EdgeShards:
    """``ForeignStore`` over shards. Raises :class:`SourceError` when there is none."""

    def __init__(self, path: Path) -> None:
        self._shards = {each.name: each for each in shards_below(path)}
        if not self._shards:
            raise SourceError(
                "There is no Edge shard at this path.",
                next_step=f"Name the directory of {_CONFIG}, or the one above; a home has them below engine/edge.",
            )
        self._root = path.resolve()
        self._open: dict[str, EdgeShard] = {}

    @property
    def kind(self) -> str:
        return "Qdrant Edge shards"

    @property
    def identity(self) -> str:
        return f"edge:{self._root}"

    def collections(self) -> Sequence[ForeignCollection]:
        with mapped("listing the shards"):
            return [self._collection(name, place) for name, place in sorted(self._shards.items())]

    def pages(self, name: str, *, size: int = PAGE) -> Iterator[Sequence[ForeignPoint]]:
        following: Any = None
        with mapped("reading a shard"):
            engine = self._engine(name)
            while True:
                found, following = engine.scroll(ScrollRequest(offset=following, limit=size, with_payload=True))
                if found:
                    yield [
                        ForeignPoint(each.id if isinstance(each.id, int) else str(each.id), dict(each.payload or {}))
                        for each in found
                    ]
                if following is None:
                    return

    def close(self) -> None:
        while self._open:
            with contextlib.suppress(BaseException):  # its files have no names any more, so it cannot put them in order
                self._open.popitem()[1].close()

    def _collection(self, name: str, place: Path) -> ForeignCollection:
        engine = self._engine(name)
        config = json.loads((place / _CONFIG).read_bytes())
        return ForeignCollection(
            name=name,
            count=engine.count(CountRequest(exact=True)),
            vectors=vectors_of(config["vectors"].get("", config["vectors"]), config.get("sparse_vectors")),
            # A shard is one place: nothing in it is laid out by tenant.
            tenant_indexes=None,
            functions=(),
            ours=(place / _OURS).exists(),
            drop=f"rm -r {shlex.quote(str(place))}",
            residual="backups and copies of the directory are not reached",
        )

    def _engine(self, name: str) -> EdgeShard:
        place = self._shards.get(name)
        if place is None:
            raise BackendError("The source has no collection of this name.")
        if name not in self._open:
            _sweep()
            with tempfile.TemporaryDirectory(prefix=f"securevec-copy-{os.getpid()}-") as copy:
                _copy(place, Path(copy))
                self._open[name] = EdgeShard.load(copy)
        return self._open[name]


def _copy(place: Path, target: Path) -> None:
    """Copy a shard that nobody has open. Raises :class:`EngineLocked`, and :class:`BackendError` when it changed."""
    require_free(place)
    before = _stamps(place)
    copy_tree(place, target)
    tighten(target)  # also where the original may only be read
    require_free(place)
    if _stamps(place) != before:
        raise BackendError("The shard changed while it was copied.", next_step="Run this again.")


def _stamps(place: Path) -> dict[Path, tuple[int, int]]:
    files = [each for each in sorted(place.rglob("*")) if each.is_file()]
    return {each: (each.stat().st_size, each.stat().st_mtime_ns) for each in files}


def _sweep() -> None:
    """Remove the copies of processes of this user that are gone."""
    for entry in Path(tempfile.gettempdir()).iterdir():
        match = _COPY.fullmatch(entry.name)
        if match is None:
            continue
        with contextlib.suppress(OSError):  # another one removes them too
            held = entry.lstat()
            if stat.S_ISDIR(held.st_mode) and held.st_uid == os.getuid():
                try:
                    os.kill(int(match[1]), 0)
                except ProcessLookupError:
                    shutil.rmtree(entry, ignore_errors=True)
