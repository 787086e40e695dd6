"""What the bars of the cost share: one run of ``securevec bench`` on given sizes, its document, and the comparison.

A bar is a figure and the most it may be. A missed one is printed as MISSED with what was measured and makes the script
exit 1; it is neither rounded nor left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from securevec.bench.figures import Figures
from securevec.bench.measure import Options, measure

RESULTS = Path(__file__).parent / "results"
Bars = Mapping[str, tuple[Callable[[Figures], float], float]]
"""By name: how the figure is read from a run, and the most it may be."""


def p50(figures: Figures, name: str) -> float:
    return next(row.p50_ms for row in figures.search if row.name == name)


def ingest_ratio(figures: Figures) -> float:
    return figures.ingest[-1].ratio


def model_ingest_ratio(figures: Figures) -> float:
    return figures.model_ingest[-1].ratio


def disk_ratio(figures: Figures) -> float:
    """The whole home, with keys, control store and audit log, against the vendor's files."""
    return figures.disk["home"] / figures.disk["vendor"]


def unlike_answers(figures: Figures) -> float:
    """Share of questions whose top k is not the vendor's."""
    return 1.0 - next(row.same for row in figures.search if row.name == "audit, waited")


def gate(backend: str, bars: Bars) -> int:
    """Measure, write ``results/cost_<backend>.json``, print each bar; 1 when one is missed."""
    parser = argparse.ArgumentParser(description=f"The bars of what {backend} costs.")
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--model-points", type=int, default=256)
    parser.add_argument("--json", type=Path, default=RESULTS / f"cost_{backend}.json")
    asked = parser.parse_args()
    options = Options(backend=backend, points=asked.points, questions=asked.questions, model_points=asked.model_points)
    figures = measure(options, say=lambda line: print(line, file=sys.stderr))
    measured = {name: (read(figures), most) for name, (read, most) in bars.items()}
    document = figures.document() | {
        "bars": {name: {"measured": value, "most": most} for name, (value, most) in measured.items()},
        "command": f"python benchmarks/bar_{backend}.py --points {asked.points} --questions {asked.questions}"
        f" --model-points {asked.model_points}",
        "commit": commit(),
    }
    asked.json.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return report(measured)


def report(measured: Mapping[str, tuple[float, float]]) -> int:
    for name, (value, most) in measured.items():
        print(f"{name:44} {value:9.3f}  at most {most:6.3f}{'' if value <= most else '  MISSED'}")
    return int(any(value > most for value, most in measured.values()))


def commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
