"""Score the built-in detector on labelled texts: precision, recall and F1 per entity, exact and overlapping.

    python benchmarks/score_detection.py DATA_FOLDER [--json OUT] [--file NAME.jsonl] [--errors ENTITY]

DATA_FOLDER holds ``presidio_generated_large.jsonl`` (microsoft/presidio-research, MIT), labelled texts as ``securevec
eval`` reads them, and optionally ``secret_cases.jsonl`` (Yelp/detect-secrets, Apache-2.0), lines of ``{"text",
"secret", "kind"}``. No text of the data is written anywhere. Throughput is process time, best of three.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from result import about, write

from securevec.anonymize import Anonymizer, BuiltinDetector, TenantKeys, evaluate
from securevec.anonymize.evaluation.evaluate import read_labelled


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


def show_errors(path: Path, entity: str) -> None:
    detector = BuiltinDetector()
    for case in read_labelled(path):
        text = case.text
        predicted = [(f.start, f.end, f.entity, f.rule) for f in detector.detect(text)]
        for s, e, lab in case.spans:
            if lab == entity and not any(x[2] == lab and x[0] < e and s < x[1] for x in predicted):
                print("MISS", repr(text[max(0, s - 35) : s]), "[[", text[s:e], "]]", repr(text[e : e + 25]))
        for s, e, lab, rule in predicted:
            if lab == entity and not any(x[2] == lab and x[0] < e and s < x[1] for x in case.spans):
                print("FALSE", rule, repr(text[max(0, s - 35) : s]), "[[", text[s:e], "]]", repr(text[e : e + 25]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the built-in detector on labelled texts.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--file", default="presidio_generated_large.jsonl")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--errors")
    options = parser.parse_args()
    path = options.data / options.file
    if options.errors:
        show_errors(path, options.errors)
        return
    detector = BuiltinDetector()
    made = about(f"score_detection.py FOLDER --file {options.file}", "google-re2", "phonenumbers")
    result: dict[str, Any] = made | {
        "data": options.file,
        **evaluate(path, detector).as_json(),
        "kilobytes_per_second": {
            "labelled_texts": throughput([case.text for case in read_labelled(path)]),
            "plain_prose_4kb": throughput(plain_prose()),
        },
        "detector": detector.digest,
    }
    if (options.data / "secret_cases.jsonl").exists():
        result["secret_cases"] = secrets(options.data / "secret_cases.jsonl")
    print(json.dumps(result, indent=1, sort_keys=True))
    if options.json:
        write(options.json, result)


if __name__ == "__main__":
    main()
