"""Builds the vector index of a shard in a process of its own: ``main(directory)``, started by
:mod:`securevec_qdrant.edge_index`.

The engine holds the interpreter lock while it builds: 2 s for 10,000 points, a minute for 100,000. Here that is
nobody's lock but its own. The process has no key, and of the environment only what it needs to start.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_NICE: Final = 10
_GRAPH: Final = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000}
"""The engine's own defaults, which it wants whole where one of them is said."""


def main(directory: Path) -> None:
    """Index every point of the shard in ``directory``, which nobody else has open, and put the result on disk.

    Raises :class:`BackendError`."""
    from securevec_adapters.layout import sync_tree
    from securevec_qdrant.edge_shard import Shard

    settings = directory / "edge_config.json"
    config = json.loads(settings.read_bytes())
    # The engine's own thresholds are kilobytes of vectors, and a fifth of the points deleted; ours decided already.
    config["optimizers"] = (config.get("optimizers") or {}) | {
        "indexing_threshold": 1,
        "deleted_threshold": 0.0,
        "vacuum_min_vector_number": 1,
    }
    # Without links of its own for each filter key: a search with a filter is a scan, or goes through all links
    # (``edge_shard``), and three keys made the graph of 50,000 points 7.7 MB instead of 1.8.
    config["hnsw_config"] = _GRAPH | (config.get("hnsw_config") or {}) | {"payload_m": 0}
    settings.write_bytes(json.dumps(config).encode())
    shard = Shard.load(directory)
    shard.build_index()
    shard.flush()
    shard.close()
    sync_tree(directory)


def _end_with_the_parent(parent: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # Linux; elsewhere it goes on in files that are removed
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    _end_with_the_parent(int(sys.argv[2]))
    os.nice(_NICE)
    main(Path(sys.argv[1]))
