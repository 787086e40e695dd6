"""Measure the erasure of people from a tenant of 10,000 records, on both embedded engines, and write the figures.

    python benchmarks/bar_erasure.py [--records 10000]

The same code as ``tests/attacks/test_p5_people_leave_the_files.py``, which fails when anything is found in files or
anybody else is touched. Ratios are of one run: many people in one job against one, and on Chroma one person against the
vendor's client copying the points that remain. Seconds of the processor stand beside those of the wall, for machines
that others use at the same time (``load``).
Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from result import RESULTS, about, report, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

BARS = {"edge_one_seconds": 2.0, "chroma_one_over_raw_copy": 2.5, "many_over_one": 2.0}


def main() -> int:
    from tests.support.erasure_bar import measure

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--json", type=Path, default=RESULTS / "erasure.json")
    options = parser.parse_args()
    made = about(f"bar_erasure.py --records {options.records}", "qdrant-edge-py", "chromadb", "numpy")
    runs: list[dict[str, Any]] = []
    for backend in ("edge", "chroma"):
        with tempfile.TemporaryDirectory() as directory:
            root, people = Path(directory), options.records // 10
            runs.append(measure(root, backend, records=options.records, people=people, many=50, purges=10))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    write(options.json, made | {"bars": BARS, "runs": runs})
    return report(bars(runs))


def bars(runs: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Each bar by its name: what was measured, and the most it may be."""
    edge, chroma = runs
    measured: dict[str, tuple[float, float]] = {
        "edge, one person, seconds": (edge["one_seconds"], BARS["edge_one_seconds"]),
        "chroma, one person over a raw copy": (chroma["one_over_raw_copy"], BARS["chroma_one_over_raw_copy"]),
    }
    for run in runs:
        left = run["found_after_one"] + run["found_after_many"] + sum(run["found_after_each"])
        blind = int(run["found_when_purge_is_skipped"] == 0 or run["verdicts_when_skipped"] != ["unverified"])
        measured[f"{run['backend']}, many in one job over one"] = (run["many_over_one"], BARS["many_over_one"])
        measured[f"{run['backend']}, found in files after"] = (left, 0)
        measured[f"{run['backend']}, a skipped purge not seen"] = (blind, 0)
        measured[f"{run['backend']}, files of others rewritten"] = (run["bystanders_changed"], 0)
    return measured


if __name__ == "__main__":
    sys.exit(main())
