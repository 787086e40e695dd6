"""Purging a shard: its live points are copied into a new generation and the old files are removed.

Nothing less works. The engine's vacuum runs by thresholds, leaves its log alone and reuses payload slots but never
vector slots; removing the log of a shard that holds points makes the engine skip later writes and deletes in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from securevec.errors import BackendError
from securevec_adapters.embedded import Writer, existing
from securevec_qdrant.edge_copied import require_payloads
from securevec_qdrant.edge_shard import Row, Shard

_TIMES: Final = 4
"""How much of the disk a row takes in the engine's log and its mapped files, at most, of what is handed over."""


def copy_points(require_left: Callable[[int], None], source: Writer[Shard], directory: Path) -> None:
    """Write every live point into a new shard in ``directory``, and close it. Reads go on between the pages.

    ``require_left`` is asked before each page for the bytes that it may take: a mapped file that cannot grow ends the
    process. Raises :class:`BackendError` when the copy does not hold every point as the original does, and what
    ``require_left`` does.
    """
    require_left(0)
    with source.turn() as held:
        spec = existing(held.get()).spec
    target = Shard.create(directory, spec)
    try:
        start = None
        while True:
            with source.turn() as held:
                rows, start = existing(held.get()).rows(start)
            if rows:
                require_left(_TIMES * sum(map(_bytes, rows)))
                target.upsert(rows)
                require_payloads(target, rows)
            if start is None:
                break
            source.give_way()
        with source.turn() as held:
            expected = existing(held.get()).count()
        if target.count() != expected:
            raise BackendError("The purged copy does not hold every point; the original was kept.")
    finally:
        target.close()


def _bytes(row: Row) -> int:
    """What is handed over of one row: vector, payload and terms."""
    _, vector, payload, terms = row
    return 4 * len(vector) + len(orjson.dumps(payload)) + (8 * len(terms.indices) if terms is not None else 0)
