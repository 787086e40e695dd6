"""What ``QdrantClient(path=...)`` keeps, read without the client.

    meta.json                        the collections and how their vectors are configured
    collection/<name>/storage.sqlite one table points(id, point): base64 of a pickled id, a pickled PointStruct

The client would take the directory's lock, and load pickles, which run whatever they name. Here they are read as plain
values (``foreign_files.unpickled``), while the program that owns the files may be running.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from securevec.errors import BackendError
from securevec.foreign import PAGE, ForeignCollection, ForeignPoint, ForeignVector, PointKey
from securevec_adapters.errors import mapped
from securevec_adapters.foreign_files import Inert, ReadOnly, directory_of, unpickled

_META: Final = "meta.json"
_STORAGE: Final = "storage.sqlite"
_NAME: Final = re.compile(r"[^/\\\0]{1,255}")
_OURS: Final = re.compile(r"securevec-(places|([0-9a-f]{32}-|shards-)?[0-9]+)")


class QdrantFiles:
    """``ForeignStore`` over a directory of local mode. Raises :class:`SourceError` when it is none."""

    def __init__(self, path: Path) -> None:
        self._path = directory_of(path, holding=_META, kind="Qdrant files")
        self._databases: dict[str, ReadOnly] = {}

    @property
    def kind(self) -> str:
        return "Qdrant files (local mode)"

    @property
    def identity(self) -> str:
        return f"qdrant:{self._path}"

    def collections(self) -> Sequence[ForeignCollection]:
        with mapped("listing the collections"):
            known = cast("dict[str, dict[str, Any]]", json.loads((self._path / _META).read_bytes())["collections"])
            return [self._collection(name, config) for name, config in sorted(known.items())]

    def pages(self, name: str, *, size: int = PAGE) -> Iterator[Sequence[ForeignPoint]]:
        with mapped("reading the files"):
            database, latest = self._database(name), self._latest(name)
            after = 0
            while rows := database.rows(
                "SELECT rowid, id, point FROM points WHERE rowid > ? ORDER BY rowid LIMIT ?", (after, size)
            ):
                # A row beyond those that were counted was added since; the next run reads it.
                kept = [(key, data) for number, key, data in rows if latest.get(_key(key)) == number]
                if kept:
                    yield [_point(_key(key), data) for key, data in kept]
                after = rows[-1][0]

    def close(self) -> None:
        while self._databases:
            self._databases.popitem()[1].close()

    def _collection(self, name: str, config: Mapping[str, Any]) -> ForeignCollection:
        script = (
            "from qdrant_client import QdrantClient; "
            f"QdrantClient(path={json.dumps(str(self._path))}).delete_collection({json.dumps(name)})"
        )
        return ForeignCollection(
            name=name,
            count=len(self._latest(name)),
            vectors=vectors_of(config.get("vectors"), config.get("sparse_vectors")),
            tenant_indexes=None,
            functions=(),
            ours=is_ours(name),
            drop=f"python -c {shlex.quote(script)}",
            residual="backups and copies of the directory are not reached",
        )

    def _database(self, name: str) -> ReadOnly:
        if not _NAME.fullmatch(name) or name in (".", ".."):
            raise BackendError("A collection's name is no name of a directory.")
        if name not in self._databases:
            file = self._path / "collection" / name / _STORAGE
            if not file.is_file():
                raise BackendError("The source has no collection of this name, or keeps it in a form of before 2023.")
            self._databases[name] = ReadOnly(file)
        return self._databases[name]

    def _latest(self, name: str) -> dict[PointKey, int]:
        """The row of each point. Older clients kept a point under several spellings of its id; the last one counts."""
        rows = self._database(name).rows("SELECT id, rowid FROM points ORDER BY rowid")
        return {_key(key): number for key, number in rows}


def is_ours(name: str) -> bool:
    """Whether securevec's own adapter makes collections of this name."""
    return _OURS.fullmatch(name) is not None


def vectors_of(dense: object, sparse: object) -> tuple[ForeignVector, ...]:
    """The kinds of vectors of a collection, from its configuration as JSON."""
    named = cast("dict[str, Any]", dense) if isinstance(dense, dict) else {}
    held = {"": named} if "size" in named else named
    found = [ForeignVector(name, int(each["size"]), str(each["distance"]).lower()) for name, each in held.items()]
    others = cast("dict[str, Any]", sparse) if isinstance(sparse, dict) else {}
    return (*found, *(ForeignVector(name, 0, "sparse") for name in others))


def _key(stored: str) -> PointKey:
    """The id a row is stored under; a UUID in one spelling."""
    key = unpickled(base64.b64decode(stored))
    if isinstance(key, UUID):
        return str(key)
    if isinstance(key, str):
        try:
            return str(UUID(key))
        except ValueError:
            return key
    if isinstance(key, int) and not isinstance(key, bool):
        return key
    raise BackendError("A stored point has an id of an unknown kind.")


def _point(key: PointKey, data: bytes) -> ForeignPoint:
    point = unpickled(data)
    if not isinstance(point, Inert):
        raise BackendError("A stored point is of an unknown kind.")
    payload = point.state.get("payload")
    return ForeignPoint(key, cast("dict[str, object]", payload) if isinstance(payload, dict) else {})
