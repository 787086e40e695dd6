"""Measure the erasure of people from a tenant of 10,000 records, on both embedded engines, and write the figures.

    python benchmarks/bar_erasure.py [--records 10000] [--json benchmarks/results/erasure.json]

The same code as ``tests/attacks/test_p5_people_leave_the_files.py``, which fails when anything is found in files or
anybody else is touched. Ratios are of one run: many people in one job against one, and on Chroma one person against the
vendor's client copying the points that remain. Seconds of the processor stand beside those of the wall, for machines
that others use at the same time (``load``).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

BARS = {"edge_one_seconds": 2.0, "chroma_one_over_raw_copy": 2.5, "many_over_one": 2.0, "found": 0}


def main() -> None:
    from tests.support.erasure_bar import measure

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--backend", action="append", choices=("edge", "chroma"))
    arguments = parser.parse_args()
    runs: list[dict[str, Any]] = []
    for backend in arguments.backend or ("edge", "chroma"):
        with tempfile.TemporaryDirectory() as directory:
            root, people = Path(directory), arguments.records // 10
            runs.append(measure(root, backend, records=arguments.records, people=people, many=50, purges=10))
        print(json.dumps(runs[-1], indent=1), flush=True)
    document = {
        "bars": BARS,
        "machine": {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("qdrant-edge-py", "chromadb", "numpy")},
        "runs": runs,
    }
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
