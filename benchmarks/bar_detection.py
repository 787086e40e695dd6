"""Rules and secrets against presidio-analyzer on a blank spaCy pipeline: the same texts, in turns, in one run.

    python benchmarks/bar_detection.py [--rounds N] [--data DATA.jsonl] [--engine hyperscan] [--json FILE]

Builds ``.venv-peers`` from requirements-peers.txt when it is not there as that file says. Figures are process time of
the best round, one thread. ``ratio`` compares the pattern and secret stage with validators, context words and overlaps
settled, as presidio does it; the whole stage (names and replacement too) stands beside, and the ratio of both sides'
calls for many texts (``together``). Hyperscan, where it is asked for, is compiled first and has bars and a file of
figures of its own. Our own lines hold a value each; ``--data`` measures a set of labelled texts as
well. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import decimal
import inspect
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
import unittest
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

from result import RESULTS, about, report_least, write

from securevec.anonymize import Anonymizer, BuiltinDetector, PatternEngine, TenantKeys
from securevec.anonymize.rules.second import ENGINES

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers"
REQUIREMENTS = ROOT / "benchmarks" / "requirements-peers.txt"
LINES = ROOT / "securevec" / "cli" / "recall" / "lines.jsonl"
LEAST: dict[PatternEngine, dict[str, float]] = {
    "re2": {"dense_4kb": 60.0, "plain_4kb": 200.0, "short_85b": 120.0},
    "hyperscan": {"dense_4kb": 130.0, "plain_4kb": 250.0, "short_85b": 160.0},
}
FILES: dict[PatternEngine, str] = {"re2": "detection_speed.json", "hyperscan": "detection_speed_hyperscan.json"}
"""Times presidio's throughput, at least. Both sides read exactly the same texts."""
LEAST_WHOLE_MB = 1.0
MOST_DENSE = 20
MOST_SHORT = 300


def texts(data: Path | None = None) -> dict[str, list[str]]:
    """4,000-character texts full of labelled values, such texts without any, and lines of about 85 characters."""
    dense, short = _labelled(LINES)
    made = {"dense_4kb": dense, "plain_4kb": plain(), "short_85b": short}
    if data is not None:
        dense, short = _labelled(data)
        made |= {f"dense_4kb {data.stem}": dense[:MOST_DENSE], f"short_85b {data.stem}": short[:MOST_SHORT]}
    return made


def _labelled(path: Path) -> tuple[list[str], list[str]]:
    """The texts of a labelled set joined and cut into pieces, and those of about 85 characters alone."""
    labelled = [str(json.loads(line)["text"]) for line in path.read_text(encoding="utf-8").splitlines()]
    joined = "\n".join(labelled)
    pieces = [joined[at : at + 4000] for at in range(0, len(joined) - 3999, 4000)]
    return pieces, [text for text in labelled if 60 <= len(text.encode()) <= 110]


def plain() -> list[str]:
    """4,000-character texts without personal data: docstrings that come with Python."""
    modules = (argparse, asyncio, decimal, logging, statistics, subprocess, tarfile, unittest)
    names = ((module, name) for module in modules for name in sorted(vars(module)))
    docs = (inspect.getdoc(vars(module)[name]) for module, name in names)
    text = "\n\n".join(dict.fromkeys(doc for doc in docs if doc and len(doc) > 200 and "|" not in doc))
    return [text[at : at + 4000] for at in range(0, min(len(text), 80_000) - 3999, 4000)]


def peer_python() -> Path:
    """The interpreter of the peers' environment, made when it is absent or of other requirements."""
    python, stamp = PEERS / "bin" / "python", PEERS / "requirements"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"Making {PEERS.name}; this takes some minutes.", file=sys.stderr)
        shutil.rmtree(PEERS, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PIP_CONSTRAINT"}}
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True, env=clean)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def seconds(work: Callable[[Any], Sequence[object]], given: Sequence[Any]) -> float:
    began = time.process_time()
    for text in given:
        work(text)
    return time.process_time() - began


def measure(rounds: int, data: Path | None, engine: PatternEngine) -> dict[str, Any]:
    sets = texts(data)
    detector = BuiltinDetector(engine=engine)
    if (second := detector._rules._scanner._second) is not None:
        second.compile()
    anonymizer, keys = Anonymizer(detector=detector), TenantKeys(bytes(32), bytes(range(32)))
    python = peer_python()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        [python, Path(__file__).parent / "peer_presidio.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as peer:
        asked, answers = cast("TextIO", peer.stdin), cast("TextIO", peer.stdout)

        def ask(line: str) -> dict[str, Any]:
            asked.write(line + "\n")
            asked.flush()
            answer: dict[str, Any] = json.loads(answers.readline())
            return answer

        about = ask(json.dumps(sets))
        rows: dict[str, Any] = {}
        for name, given in sets.items():
            size = sum(len(text.encode()) for text in given) / 1e6
            together = [("", text) for text in given]
            ours, batch, whole, theirs = [], [], [], []
            found = sum(len(detector.structured(text)) for text in given)
            for _ in range(rounds):
                theirs.append(ask(name))
                ours += [seconds(detector.structured, given) for _ in range(3)]
                batch.append(min(seconds(detector.structured_each, [together]) for _ in range(3)))
                whole.append(seconds(lambda text: anonymizer.field(text, keys=keys).spans, given))
            slow, slow_together = (min(row[way] for row in theirs) for way in ("seconds", "together"))
            rows[name] = {
                "texts": len(given),
                "megabytes": round(size, 4),
                "found": found,
                "presidio_found": theirs[0]["found"],
                "rules_mb_per_s": round(size / min(ours), 3),
                "rules_together_mb_per_s": round(size / min(batch), 3),
                "whole_stage_mb_per_s": round(size / min(whole), 3),
                "presidio_mb_per_s": round(size / slow, 4),
                "ratio": round(slow / min(ours), 1),
                "ratio_together": round(slow_together / min(batch), 1),
            }
        asked.close()
    listed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True)
    freeze = dict(line.lower().replace("_", "-").split("==") for line in listed.stdout.splitlines() if "==" in line)
    return {
        "sets": rows,
        "rounds": rounds,
        "presidio_recognizers": about["recognizers"],
        "peers": {name: freeze[name] for name in ("presidio-analyzer", "spacy")},
        "detector": detector.digest,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Rules and secrets against presidio-analyzer.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="labelled texts to measure on as well, one JSON object a line")
    parser.add_argument("--engine", choices=ENGINES, default="re2", help="what says which rules occur")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    engine: PatternEngine = asked.engine
    data = f" --data {asked.data.name}" if asked.data else ""
    other = f" --engine {engine}" if engine != "re2" else ""
    made = about(
        f"bar_detection.py --rounds {asked.rounds}{data}{other}",
        "google-re2",
        *(["hyperscan"] if engine == "hyperscan" else []),
    )
    document = made | measure(asked.rounds, asked.data, engine)
    document["versions"] |= document.pop("peers")
    rows = document["sets"]
    document["bars"] = {
        name: {"measured": row["ratio"], "least": LEAST[engine][name.split()[0]]} for name, row in rows.items()
    }
    document["bars"] |= {
        f"whole stage, MB/s, {name}": {"measured": rows[name]["whole_stage_mb_per_s"], "least": LEAST_WHOLE_MB}
        for name in ("dense_4kb", "plain_4kb")
    }
    write(asked.json or RESULTS / FILES[engine], document)
    return report_least(document["bars"])


if __name__ == "__main__":
    sys.exit(main())
