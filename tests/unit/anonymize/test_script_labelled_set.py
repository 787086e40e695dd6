"""The labelled texts in scripts without capitals: made by their script, held out as told, and scored by language."""

from __future__ import annotations

import json
import runpy
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from securevec.anonymize import Finding
from securevec.anonymize.detectors import default_detector
from securevec.anonymize.findings import Detector
from securevec.anonymize.names.scripts.lists import spaced

FOLDER = Path(__file__).resolve().parents[3] / "benchmarks" / "labelled"
SET = FOLDER / "scripts.jsonl"
FLOORS: dict[str, dict[str, list[int]]] = json.loads((FOLDER / "floors_scripts.json").read_text(encoding="utf-8"))
SCRIPT = {"ar": "arab", "fa": "arab", "he": "hebr", "hi": "deva", "th": "thai", "ka": "geor", "hy": "armn"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield runpy.run_path(str(FOLDER / "scripts_make.py"))
    for name in {"scripts_plain", "scripts_texts"} - before:
        sys.modules.pop(name, None)


def scores(rows: list[dict[str, Any]], detector: Detector) -> dict[str, dict[str, list[int]]]:
    """By part and language: values, those wholly replaced, plain sentences, false findings in them."""
    made: dict[str, Counter[str]] = {}
    for row in rows:
        text = row["text"]
        found = [f for f in detector.detect(text) if f.entity not in {"LOCATION", "ORG", "DATE", "AGE"}]
        counted = made.setdefault(f"{row['language']} {row['part']}", Counter())
        covered = {at for f in found for at in range(f.start, f.end)}
        for start, end, entity in row["spans"]:
            kind = "people" if entity == "PERSON" else "others"
            counted[kind] += 1
            counted[f"{kind} found"] += all(at in covered or not text[at].isalnum() for at in range(start, end))
        if not row["spans"]:
            counted["plain"] += 1
            counted["false"] += len(found)
    return {
        name: {
            "people": [counted["people found"], counted["people"]],
            "others": [counted["others found"], counted["others"]],
            "plain": [counted["false"], counted["plain"]],
        }
        for name, counted in sorted(made.items())
    }


def test_the_set_is_what_its_script_makes(modules: dict[str, Any]) -> None:
    assert SET.read_text(encoding="utf-8") == "\n".join(modules["script_lines"]()) + "\n"


def test_every_family_of_languages_has_sixty_plain_sentences_and_more(rows: list[dict[str, Any]]) -> None:
    plain = Counter(row["language"] for row in rows if not row["spans"])
    assert all(plain[language] >= 60 for language in ("zh", "ja", "ko"))
    assert plain["ar"] + plain["fa"] + plain["he"] >= 60
    assert plain["hi"] + plain["th"] >= 60


def test_the_held_out_part_has_people_of_its_own_of_whom_lists_know_as_many_as_told(modules: dict[str, Any]) -> None:
    read, kept, known = modules["PEOPLE_READ"], modules["PEOPLE_KEPT"], 0
    for language, names in kept.items():
        assert not set(names.split("|")) & set(read[language].split("|"))
        if language in SCRIPT:
            given, _ = spaced(SCRIPT[language])
            known += sum(name.split()[0] in given for name in names.split("|"))
    assert known == 16


def test_no_language_falls_below_its_floors(rows: list[dict[str, Any]]) -> None:
    measured = scores(rows, default_detector())
    assert measured.keys() == FLOORS.keys()
    for name, floor in FLOORS.items():
        now = measured[name]
        assert now["people"][0] >= floor["people"][0], (name, now)
        assert now["others"][0] >= floor["others"][0], (name, now)
        assert now["plain"][0] <= floor["plain"][0], (name, now)


def test_a_detector_that_knows_no_such_script_is_below_every_floor(
    rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blind:
        def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
            return []

    measured = scores(rows, Blind())
    assert all(measured[name]["people"][0] < floor["people"][0] for name, floor in FLOORS.items())
