"""Score the built-in detector on labelled texts: precision, recall and F1 per entity, exact and overlapping.

    python benchmarks/score_detection.py DATA_FOLDER [--json OUT] [--file NAME.jsonl] [--errors ENTITY]

DATA_FOLDER holds ``presidio_generated_large.jsonl`` (microsoft/presidio-research, MIT), lines of
``{"text": str, "spans": [[start, end, LABEL], ...]}``, and optionally ``secret_cases.jsonl`` (Yelp/detect-secrets,
Apache-2.0), lines of ``{"text", "secret", "kind"}``. An overlap counts when label and at least one character agree;
exact needs both ends. No text of the data is written anywhere. Throughput is process time, best of three.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from securevec.anonymize import Anonymizer, BuiltinDetector, Finding, TenantKeys

LABELS = {"DATE_OF_BIRTH": "DATE", "URL_CREDENTIALS": "URL"}
SCORED = ("EMAIL", "CARD", "IBAN", "IP", "SSN", "PHONE", "URL", "PERSON", "DATE", "DRIVER_LICENSE")
Gold = list[tuple[int, int, str]]


def read(path: Path) -> list[tuple[str, Gold]]:
    rows: list[tuple[str, Gold]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows.append((row["text"], [(start, end, label) for start, end, label in row["spans"]]))
    return rows


def ratios(matched: int, predicted: int, recalled: int, gold: int) -> dict[str, float]:
    precision = matched / predicted if predicted else 0.0
    recall = recalled / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def score(rows: Sequence[tuple[str, Gold]], found: Sequence[Sequence[Finding]]) -> dict[str, Any]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, gold), findings in zip(rows, found, strict=True):
        predicted = [(f.start, f.end, LABELS.get(f.entity, f.entity)) for f in findings]
        for start, end, label in predicted:
            counts[label]["predicted"] += 1
            counts[label]["exact"] += (start, end, label) in gold
            counts[label]["touching"] += any(lab == label and s < end and start < e for s, e, lab in gold)
        for start, end, label in gold:
            counts[label]["gold"] += 1
            counts[label]["recalled"] += any(lab == label and s < end and start < e for s, e, lab in predicted)
            counts[label]["masked"] += any(s < end and start < e for s, e, _ in predicted)
    result: dict[str, Any] = {}
    for label in SCORED:
        c = counts[label]
        if c["gold"]:
            result[label] = {
                "gold": c["gold"],
                "predicted": c["predicted"],
                "exact": ratios(c["exact"], c["predicted"], c["exact"], c["gold"]),
                "overlap": ratios(c["touching"], c["predicted"], c["recalled"], c["gold"]),
                "touched_by_any": round(c["masked"] / c["gold"], 4),
            }
    return result


def throughput(texts: Sequence[str]) -> dict[str, float]:
    """KB of UTF-8 per second of process time, detection alone and the whole stage."""
    anonymizer = Anonymizer()
    detector = BuiltinDetector()
    keys = TenantKeys(bytes(32), bytes(range(32)))
    size = sum(len(text.encode()) for text in texts) / 1000
    best = {"detect": float("inf"), "whole_stage": float("inf")}
    for _ in range(3):
        begin = time.process_time()
        for text in texts:
            detector.detect(text)
        middle = time.process_time()
        for text in texts:
            anonymizer.field(text, keys=keys)
        best["detect"] = min(best["detect"], middle - begin)
        best["whole_stage"] = min(best["whole_stage"], time.process_time() - middle)
    return {name: round(size / seconds, 1) for name, seconds in best.items()}


def plain_prose() -> list[str]:
    """4 KB texts without personal data: documentation that comes with Python."""
    import argparse as a
    import asyncio as b
    import decimal as c
    import pydoc
    import statistics as d

    text = "\n".join(pydoc.plain(pydoc.render_doc(module)) for module in (a, b.Task, c.Decimal, d))
    return [text[i : i + 4000] for i in range(0, 200_000, 4000) if text[i : i + 4000]]


def secrets(path: Path) -> dict[str, int]:
    detector = BuiltinDetector()
    result: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        hit = any(f.entity not in {"PERSON", "URL", "PHONE"} for f in detector.detect(row["text"]))
        result[("true" if hit == row["secret"] else "false") + ("_positive" if hit else "_negative")] += 1
    return dict(sorted(result.items()))


def show_errors(rows: Sequence[tuple[str, Gold]], found: Sequence[Sequence[Finding]], entity: str) -> None:
    for (text, gold), findings in zip(rows, found, strict=True):
        predicted = [(f.start, f.end, LABELS.get(f.entity, f.entity), f.rule) for f in findings]
        for s, e, lab in gold:
            if lab == entity and not any(x[2] == lab and x[0] < e and s < x[1] for x in predicted):
                print("MISS", repr(text[max(0, s - 35) : s]), "[[", text[s:e], "]]", repr(text[e : e + 25]))
        for s, e, lab, rule in predicted:
            if lab == entity and not any(x[2] == lab and x[0] < e and s < x[1] for x in gold):
                print("FALSE", rule, repr(text[max(0, s - 35) : s]), "[[", text[s:e], "]]", repr(text[e : e + 25]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the built-in detector on labelled texts.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--file", default="presidio_generated_large.jsonl")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--errors")
    options = parser.parse_args()
    rows = read(options.data / options.file)
    detector = BuiltinDetector()
    found = [detector.detect(text) for text, _ in rows]
    if options.errors:
        show_errors(rows, found, options.errors)
        return
    result: dict[str, Any] = {
        "data": options.file,
        "texts": len(rows),
        "entities": score(rows, found),
        "kilobytes_per_second": {
            "labelled_texts": throughput([text for text, _ in rows]),
            "plain_prose_4kb": throughput(plain_prose()),
        },
        "detector": detector.digest,
        "versions": {
            "python": platform.python_version(),
            "google-re2": version("google-re2"),
            "phonenumbers": version("phonenumbers"),
        },
    }
    if (options.data / "secret_cases.jsonl").exists():
        result["secret_cases"] = secrets(options.data / "secret_cases.jsonl")
    text = json.dumps(result, indent=2, sort_keys=True)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
