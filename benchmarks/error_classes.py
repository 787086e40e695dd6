"""How the built-in detector is wrong: each labelled value and each finding falls into one class, a table per set.

    python benchmarks/error_classes.py DATA_FOLDER

*exact*; *ends*: right entity, other ends; *other*: found as something else, so it is masked, not counted; *missed*; and
findings that share nothing with a labelled value of their entity: *false in* one of another entity, or in *plain* text.
Counts only: no text is shown, so that held-out parts stay unread. Sets and parts are those of ``bar_labelled.py``.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from bar_labelled import OWN, PUBLIC, STYLES

from securevec.anonymize import BuiltinDetector
from securevec.anonymize.evaluation.labels import canonical, counted_as

SHOWN: Final = ("PERSON", "LOCATION", "ORG", "ADDRESS", "DATE", "PHONE")
CLASSES: Final = ("exact", "ends", "other", "missed", "false in", "false plain")
NOT_LOOKED_FOR: Final = frozenset({"TITLE", "NRP", "NATIONALITY", "MISC", "PRODUCT", "GROUP"})

Span = tuple[int, int, str]


def classes(gold: Sequence[Span], found: Sequence[Span]) -> Iterable[tuple[str, str]]:
    """``(entity, class)`` of every labelled value and of every finding that meets none of its entity."""
    for start, end, entity in gold:
        met = [span for span in found if span[0] < end and start < span[1]]
        same = [span for span in met if span[2] == entity]
        if same:
            yield entity, "exact" if (start, end, entity) in same else "ends"
        else:
            yield entity, "other" if met else "missed"
    for start, end, entity in found:
        met = [span for span in gold if span[0] < end and start < span[1]]
        if all(span[2] != entity for span in met):
            yield entity, "false in" if met else "false plain"


def counted(rows: Iterable[dict[str, Any]], detector: BuiltinDetector) -> dict[str, Counter[str]]:
    rows = list(rows)
    names = {canonical(label) for row in rows for _, _, label in row["spans"]} - NOT_LOOKED_FOR
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        gold = [(start, end, name) for start, end, label in row["spans"] if (name := canonical(label)) in names]
        found = [(f.start, f.end, counted_as(f.entity, names)[0]) for f in detector.detect(row["text"])]
        for entity, kind in classes(gold, [span for span in found if span[2] in names]):
            table[entity if entity in SHOWN else "structured"][kind] += 1
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Count the detector's errors by class.")
    parser.add_argument("data", type=Path)
    folder = parser.parse_args().data
    detector = BuiltinDetector()
    sets: dict[str, list[dict[str, Any]]] = {}
    for name, (begins, _) in PUBLIC.items():
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        sets[name.removesuffix(".jsonl")] = [json.loads(line) for line in lines[round(len(lines) * begins) :]]
    for name, path in (("own", OWN), ("styles", STYLES)):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for part in ("read", "kept"):
            sets[f"{name}, {part}"] = [row for row in rows if row["part"] == part]
    print(f"| Set | Entity | {' | '.join(CLASSES)} |\n|---|---|{'---|' * len(CLASSES)}")
    for name, rows in sets.items():
        table = counted(rows, detector)
        for entity in (*SHOWN, "structured"):
            if row := table.get(entity):
                print(f"| {name} | {entity} | {' | '.join(str(row[kind]) for kind in CLASSES)} |")


if __name__ == "__main__":
    main()
