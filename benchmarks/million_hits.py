"""A million returned hits on each embedded engine under eight threads, half of the answers with a lie in them: not one
foreign, wrong or old hit, and every injected point counted and audited.

    python benchmarks/million_hits.py [--hits 1000000] [--backend edge chroma]

The lies: a filter that is ignored, payloads swapped, points of other tenants, edited clear metadata, replaced rows that
come back, answers in double, and answers of which more than half is foreign. What the store left out is looked for with
``verify``. The same code runs on fewer hits in ``tests/attacks/test_million_hits.py``. About five minutes an engine on
two idle cores. Exit 1 when anything is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from result import RESULTS, about, write

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> int:
    from tests.support.million import missed, run

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hits", type=int, default=1_000_000)
    parser.add_argument("--backend", nargs="+", default=["edge", "chroma"])
    parser.add_argument("--json", type=Path, default=RESULTS / "million_hits.json")
    options = parser.parse_args()
    made = about(
        f"million_hits.py --hits {options.hits} --backend {' '.join(options.backend)}",
        "qdrant-edge-py",
        "chromadb",
        "numpy",
    )
    runs: list[dict[str, Any]] = []
    wrong: list[str] = []
    for backend in options.backend:
        with tempfile.TemporaryDirectory() as directory:
            figures = run(Path(directory), backend, hits=options.hits, threads=8, tenants=4, records=1_200, lying=0.5)
        runs.append(figures)
        wrong += [f"{backend}: {words}" for words in missed(figures, options.hits)]
        print(json.dumps(figures), file=sys.stderr, flush=True)
    write(options.json, made | {"missed": wrong, "runs": runs})
    for line in wrong:
        print(f"missed: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
