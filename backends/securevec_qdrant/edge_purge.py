"""Purging a shard: its live points are copied into a new generation and the old files are removed.

Nothing less works. The engine's vacuum runs by thresholds, leaves its log alone and reuses payload slots but never
vector slots; removing the log of a shard that holds points makes the engine skip later writes and deletes in silence.
"""

from __future__ import annotations

from pathlib import Path

from securevec.errors import BackendError
from securevec_adapters.embedded import Writer, existing
from securevec_qdrant.edge_shard import Shard


def copy_points(source: Writer[Shard], directory: Path) -> None:
    """Write every live point into a new shard in ``directory``, and close it. Reads go on between the pages.

    Raises :class:`BackendError` when the copy does not hold as many points as the original.
    """
    with source.turn() as held:
        spec = existing(held.get()).spec
    target = Shard.create(directory, spec)
    try:
        start = None
        while True:
            with source.turn() as held:
                rows, start = existing(held.get()).rows(start)
            if rows:
                target.upsert(rows)
            if start is None:
                break
            source.give_way()
        with source.turn() as held:
            expected = existing(held.get()).count()
        if target.count() != expected:
            raise BackendError("The purged copy does not hold every point; the original was kept.")
    finally:
        target.close()
