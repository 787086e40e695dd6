"""Sentences written out one by one, in eight languages of Europe and in the manner of public English sets: made by
their script, apart from the training templates, scored by part.
"""

from __future__ import annotations

import json
import re
import runpy
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from securevec.anonymize import Finding, evaluate
from securevec.anonymize.detectors import default_detector

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "benchmarks" / "labelled"
Floors = dict[str, dict[str, dict[str, float]]]


@pytest.fixture(scope="module", params=["europe", "prose"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def floors(name: str) -> Floors:
    loaded: Floors = json.loads((FOLDER / f"floors_{name}.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield runpy.run_path(str(FOLDER / "europe_make.py"))
    for name in {"europe_texts", "prose_texts"} - before:
        sys.modules.pop(name, None)


def part_of(rows: list[dict[str, Any]], part: str, folder: Path) -> Path:
    path = folder / f"{part}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows if row["part"] == part), encoding="utf-8")
    return path


def runs(text: str, size: int) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", re.sub(r"\{\w[\w.]*\}", " ", text.replace("\\n", " ").casefold()))
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def test_the_set_is_what_its_script_makes(name: str, modules: dict[str, Any]) -> None:
    made = "\n".join(modules[f"{name}_lines"]()) + "\n"
    assert (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8") == made


def test_both_parts_have_as_many_texts_a_group_and_people_of_their_own(rows: list[dict[str, Any]]) -> None:
    people: dict[str, set[str]] = {"read": set(), "kept": set()}
    groups = {part: Counter((row["kind"], row["language"]) for row in rows if row["part"] == part) for part in people}
    assert groups["read"] == groups["kept"]
    for part, found in people.items():
        ours = [row for row in rows if row["part"] == part]
        found.update(row["text"][s:e] for row in ours for s, e, label in row["spans"] if label == "PERSON")
    assert not people["read"] & people["kept"]


def test_no_text_shares_five_words_in_a_row_with_what_the_model_learned_from(rows: list[dict[str, Any]]) -> None:
    folder = ROOT / "training" / "names"
    taught = set[tuple[str, ...]]()
    for path in sorted(folder.glob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            taught |= runs(line, 5)
    assert not [row["text"] for row in rows if runs(row["text"], 5) & taught]


@pytest.mark.parametrize("part", ["read", "kept"])
def test_a_part_stays_above_its_floors(rows: list[dict[str, Any]], floors: Floors, part: str, tmp_path: Path) -> None:
    entities = evaluate(part_of(rows, part, tmp_path), default_detector()).as_json()["entities"]
    assert floors[part].keys() == entities.keys()
    low = {
        f"{entity} {figure}": entities[entity][figure]
        for entity, wanted in floors[part].items()
        for figure, least in wanted.items()
        if entities[entity][figure] < least
    }
    assert low == {}


def test_a_detector_that_finds_nothing_is_below_every_floor(
    rows: list[dict[str, Any]], floors: Floors, tmp_path: Path
) -> None:
    class Blind:
        def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
            return []

    for part, wanted_of in floors.items():
        entities = evaluate(part_of(rows, part, tmp_path), Blind()).as_json()["entities"]
        assert all(
            entities[entity][figure] < least for entity, wanted in wanted_of.items() for figure, least in wanted.items()
        )
