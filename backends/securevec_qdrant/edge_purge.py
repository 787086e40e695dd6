"""Purging a shard: its live points are copied into a new generation and the old files are removed.

Nothing less works. The engine's vacuum runs by thresholds, leaves its log alone and reuses payload slots but never
vector slots; removing the log of a shard that holds points makes the engine skip later writes and deletes in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from securevec.errors import BackendError
from securevec_qdrant.edge_shard import Shard

_PAGE: Final = 512


def copy_points(source: Shard, directory: Path) -> None:
    """Write every live point of ``source`` into a new shard in ``directory``, and close it.

    Raises :class:`BackendError` when the copy does not hold as many points as the original.
    """
    target = Shard.create(directory, source.spec)
    try:
        start = None
        while True:
            rows, start = source.rows(start, _PAGE)
            if rows:
                target.upsert(rows)
            if start is None:
                break
        if target.count() != source.count():
            raise BackendError("The purged copy does not hold every point; the original was kept.")
    finally:
        target.close()
