"""What the bars of the cost share: one run of ``securevec bench`` on given sizes, its document, and the comparison."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from result import RESULTS, commit, report, write

from securevec.bench.figures import Figures
from securevec.bench.measure import Options, measure
from securevec.bench.paired import Interval, Paired
from securevec.bench.sides import PRODUCT

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
    measured_at = commit()
    figures = measure(options, say=lambda line: print(line, file=sys.stderr))
    measured = {name: (read(figures), most) for name, (read, most) in bars.items()}
    document = figures.document() | {
        "bars": {name: _bar(value, most) for name, (value, most) in measured.items()},
        "command": f"python benchmarks/bar_{backend}.py --points {asked.points} --questions {asked.questions}"
        f" --model-points {asked.model_points} --rounds {asked.rounds}",
        "commit": measured_at,
    }
    write(asked.json, document)
    return report(measured)


def _bar(figure: float | Interval, most: float) -> dict[str, float]:
    if isinstance(figure, Interval):
        return {"measured": figure.value, "low": figure.low, "high": figure.high, "most": most}
    return {"measured": figure, "most": most}
