"""A new engine shard with the settings that the adapter and the comparison share.

Why these (measured on qdrant-edge-py 0.9):

* The write-ahead log stays on: without it only what was flushed survives a killed process, and deletes come back.
* Its segments are 1 MiB instead of 32: a deleted payload leaves it sooner and a small shard is small. The Python API
  cannot say so; the configuration file can, and it is safe only while the shard has no points, because a removed log
  restarts the operation counter and the engine then skips, silently, every operation numbered below a point's own.
* Vectors and payloads are cold and one thread searches: 0.3 MB a shard instead of 40.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Final

from qdrant_edge import (
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    Memory,
)

from securevec.errors import BackendError, EngineLocked
from securevec_qdrant._points import TERMS

_WAL: Final = {"segment_capacity": 1024 * 1024, "segment_queue_len": 0, "retain_closed": 1}


def make_engine(directory: Path, dimension: int, *, sparse: bool = False) -> EdgeShard:
    """An engine with an empty shard in an existing, empty directory, with this module's settings."""
    config = EdgeConfig(
        vectors=EdgeVectorParams(size=dimension, distance=Distance.Cosine, memory=Memory.Cold),
        # No modifier: weights come with the points, and no statistics are taken here either.
        sparse_vectors={TERMS: EdgeSparseVectorParams(memory=Memory.Cold)} if sparse else None,
        payload_memory=Memory.Cold,
        max_search_threads=1,
        wal_enabled=True,
    )
    engine = EdgeShard.create(str(directory), config)
    empty = engine.count(CountRequest(exact=True)) == 0 and not engine.info().payload_schema
    engine.close()
    if not empty:
        raise BackendError("A new shard is not empty; its log is left alone.")
    settings = directory / "edge_config.json"
    settings.write_bytes(json.dumps(json.loads(settings.read_bytes()) | {"wal_options": _WAL}).encode())
    shutil.rmtree(directory / "wal")
    return EdgeShard.load(str(directory))


def require_free(place: Path) -> None:
    """Raises :class:`EngineLocked` when some process has the shard open: the engine holds ``flock`` on the directory of
    its log, and so does each process that was forked since, for as long as that one lives."""
    with contextlib.suppress(FileNotFoundError):
        log = os.open(place / "wal", os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EngineLocked(
                "A program, or a process forked from it, has this shard open.", next_step="End it, then try again."
            ) from error
        finally:
            os.close(log)
