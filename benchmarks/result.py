"""What every result has in common: where it lies, what it says of itself, and how its bars are printed.

A bar is a figure and the most, or the least, it may be. A missed one is printed as MISSED with what was measured and
makes the script exit 1; it is neither rounded nor left out.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from securevec.bench.paired import Interval

RESULTS = Path(__file__).parent / "results"


def about(command: str, *packages: str) -> dict[str, Any]:
    """What repeats a run and what it ran on. Asked before anything is measured: the load is that of others, and the
    commit that of the code which then runs."""
    return {
        "command": f"python benchmarks/{command}",
        "commit": commit(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), "securevec": version("securevec")}
        | {package: version(package) for package in packages},
    }


def write(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


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
