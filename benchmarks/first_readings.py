"""RE2 and Hyperscan on texts that a process reads for the first time, and on the same texts again.

    python benchmarks/first_readings.py [--runs N] [--data DATA.jsonl ...] [--json FILE]

Texts of labelled sets (ours, or those given), each once, shuffled and joined by line breaks in pieces of 4,000
characters; and 400 of 60 to 110 characters alone. Each run of an engine is a process of its own, in turns with the
other; figures are microseconds of its thread a text: median of the runs, least, most. Hyperscan is compiled before it
reads; ``compile_s`` is what that takes of a processor.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from result import RESULTS, about, write

from securevec.anonymize import Anonymizer, BuiltinDetector, PatternEngine, TenantKeys
from securevec.anonymize.rules.second import ENGINES

LABELLED = sorted((Path(__file__).parent / "labelled").glob("*.jsonl"))
STAGES = ("patterns", "whole")
_FIRST = 25
_BEHIND = 75
_LINES = 400


def stream(paths: Sequence[Path], seed: int) -> tuple[list[str], list[str]]:
    """Pieces of 4,000 characters, and lines of about 85 bytes that are in none of them."""
    texts = {str(json.loads(line)["text"]) for path in paths for line in path.read_text(encoding="utf-8").splitlines()}
    lines = [text for text in sorted(texts) if 60 <= len(text) <= 110]
    random.Random(seed).shuffle(lines)
    lines = lines[:_LINES]
    rest = sorted(texts - set(lines))
    random.Random(seed).shuffle(rest)
    joined = "\n".join(rest)
    return [joined[at : at + 4000] for at in range(0, len(joined) - 3999, 4000)], lines


def each(work: Callable[[str], object], texts: Sequence[str]) -> float:
    began = time.thread_time()
    for text in texts:
        work(text)
    return (time.thread_time() - began) / len(texts) * 1e6


def read(engine: PatternEngine, stage: str, paths: Sequence[Path], seed: int) -> dict[str, float]:
    """One run, in this process."""
    pieces, lines = stream(paths, seed)
    detector = BuiltinDetector(engine=engine)
    found: dict[str, float] = {}
    second = detector._rules._scanner._second
    if second is not None:
        began = time.process_time()
        second.compile()
        found["compile_s"] = time.process_time() - began
    anonymizer, keys = Anonymizer(detector=detector), TenantKeys(bytes(32), bytes(range(32)))
    work: Callable[[str], object] = detector.structured
    if stage == "whole":
        work = lambda text: anonymizer.field(text, keys=keys)  # noqa: E731  # one of two
    found["lines, first"] = each(work, lines)
    found["lines, again"] = min(each(work, lines) for _ in range(3))
    found["4 KB, first 100 KB"] = each(work, pieces[:_FIRST])
    found["4 KB, to 300 KB"] = each(work, pieces[_FIRST:_BEHIND])
    if pieces[_BEHIND:]:
        found["4 KB, behind 300 KB"] = each(work, pieces[_BEHIND:])
    found["4 KB, again"] = min(each(work, pieces[_FIRST:_BEHIND]) for _ in range(3))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Both pattern engines on texts read once, and again.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, nargs="+", default=LABELLED)
    parser.add_argument("--json", type=Path, default=RESULTS / "first_readings.json")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        engine, stage, seed = asked.one
        print(json.dumps(read(engine, stage, asked.data, int(seed))))
        return 0
    made = about(f"first_readings.py --runs {asked.runs}", "google-re2", "hyperscan")
    rows: dict[str, dict[str, dict[str, list[float]]]] = {stage: {engine: {} for engine in ENGINES} for stage in STAGES}
    for run in range(asked.runs):
        for stage in STAGES:
            for engine in ENGINES if run % 2 == 0 else ENGINES[::-1]:
                command = [sys.executable, __file__, "--one", engine, stage, str(run), "--data", *map(str, asked.data)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                for name, value in json.loads(done.stdout).items():
                    rows[stage][engine].setdefault(name, []).append(value)
    document = made | {
        "microseconds": {
            stage: {
                engine: {name: _of(values) for name, values in measured.items()} for engine, measured in engines.items()
            }
            for stage, engines in rows.items()
        },
        "runs": asked.runs,
        "data": [path.name for path in asked.data],
    }
    write(asked.json, document)
    print(json.dumps(document["microseconds"], indent=1))
    return 0


def _of(values: Sequence[float]) -> list[float]:
    """Median, least and most."""
    return [round(value, 1) for value in (statistics.median(values), min(values), max(values))]


if __name__ == "__main__":
    sys.exit(main())
