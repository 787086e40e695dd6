"""Purging a shard: its live points are copied into a new generation and the old files are removed.

Nothing less works. The engine's vacuum runs by thresholds, leaves its log alone and reuses payload slots but never
vector slots; removing the log of a shard that holds points makes the engine skip later writes and deletes in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from securevec.errors import BackendError
from securevec_adapters.layout import EngineRoot, remove_generation
from securevec_adapters.pool import Holder
from securevec_qdrant.edge_shard import Shard

_PAGE: Final = 512


def purge_shard(root: EngineRoot, name: str, holder: Holder[Shard]) -> bool:
    """Replace the shard's files by files that hold its live points only. ``False`` when there is no such shard.

    The shard is closed afterwards. An interruption leaves the old or the new generation, whole, and never both in use.
    Raises :class:`BackendError` when the copy does not hold as many points as the original; the original then stays.
    """
    source = holder.get()
    before = root.current(name)
    if source is None or before is None:
        return False

    def build(directory: Path) -> None:
        copy_points(source, directory)

    root.replace(name, build)
    holder.close()
    remove_generation(before)
    return True


def copy_points(source: Shard, directory: Path) -> None:
    """Write every live point of ``source`` into a new shard in ``directory``, and close it."""
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
