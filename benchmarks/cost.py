"""What the bars of the cost share: one run of ``securevec bench`` on given sizes, its document, and the comparison.

A bar is a figure and the most it may be. A missed one is printed as MISSED with what was measured and makes the script
exit 1; it is neither rounded nor left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from securevec.bench.figures import Figures
from securevec.bench.measure import Options, measure
from securevec.bench.paired import Interval, Paired
from securevec.bench.sides import PRODUCT

RESULTS = Path(__file__).parent / "results"
Bars = Mapping[str, tuple[Callable[[Figures], float | Interval], float]]
"""By name: how the figure is read from a run, with its interval where it has one, and the most it may be."""


def pairs(figures: Figures) -> Paired:
    """The product against the vendor's client, question by question."""
    if figures.paired is None:
        raise ValueError("the run has compared nothing in pairs")
    return figures.paired


def search_added_ms(figures: Figures) -> Interval:
    return pairs(figures).added_ms


def search_ratio(figures: Figures) -> Interval:
    return pairs(figures).ratio


def ingest_ratio(figures: Figures) -> float:
    return figures.ingest[-1].ratio


def model_ingest_ratio(figures: Figures) -> float:
    return figures.model_ingest[-1].ratio


def disk_ratio(figures: Figures) -> float:
    """The whole home, with keys, control store and audit log, against the vendor's files."""
    return figures.disk["home"] / figures.disk["vendor"]


def unlike_answers(figures: Figures) -> float:
    """Share of questions whose top k is not the vendor's."""
    return 1.0 - next(row.same for row in figures.search if row.name == PRODUCT)


def gate(backend: str, bars: Bars, *, points: int) -> int:
    """Measure, write ``results/cost_<backend>.json``, print each bar; 1 when one is missed."""
    parser = argparse.ArgumentParser(description=f"The bars of what {backend} costs.")
    parser.add_argument("--points", type=int, default=points)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--model-points", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=4, help="pairs of each question in either order")
    parser.add_argument("--json", type=Path, default=RESULTS / f"cost_{backend}.json")
    asked = parser.parse_args()
    options = Options(
        backend=backend,
        points=asked.points,
        questions=asked.questions,
        model_points=asked.model_points,
        rounds=asked.rounds,
    )
    figures = measure(options, say=lambda line: print(line, file=sys.stderr))
    measured = {name: (read(figures), most) for name, (read, most) in bars.items()}
    document = figures.document() | {
        "bars": {name: _bar(value, most) for name, (value, most) in measured.items()},
        "command": f"python benchmarks/bar_{backend}.py --points {asked.points} --questions {asked.questions}"
        f" --model-points {asked.model_points} --rounds {asked.rounds}",
        "commit": commit(),
    }
    asked.json.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return report(measured)


def report(measured: Mapping[str, tuple[float | Interval, float]]) -> int:
    """Print each bar. One with an interval is decided by its median; where the bar lies inside, that is said."""
    missed = 0
    for name, (figure, most) in measured.items():
        value = figure.value if isinstance(figure, Interval) else figure
        missed += value > most
        said = "  MISSED" if value > most else ""
        if isinstance(figure, Interval):
            said = f"  [{figure.low:.3f}, {figure.high:.3f}]{said}"
            said += "  (the bar lies inside)" if figure.low <= most <= figure.high else ""
        print(f"{name:44} {value:9.3f}  at most {most:6.3f}{said}")
    return int(missed > 0)


def _bar(figure: float | Interval, most: float) -> dict[str, float]:
    if isinstance(figure, Interval):
        return {"measured": figure.value, "low": figure.low, "high": figure.high, "most": most}
    return {"measured": figure, "most": most}


def report_least(bars: Mapping[str, Mapping[str, float]]) -> int:
    """Prints each bar of ``measured`` and ``least``; 1 when one is missed."""
    for name, bar in bars.items():
        missed = "  MISSED" if bar["measured"] < bar["least"] else ""
        print(f"{name:48} {bar['measured']:9.3f}  at least {bar['least']:8.3f}{missed}")
    return int(any(bar["measured"] < bar["least"] for bar in bars.values()))


def machine() -> dict[str, object]:
    """What a figure was measured on, and what else ran there: the load of the last minute."""
    return {
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 1),
    }


def commit() -> str:
    """What git calls the tree that was measured."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
