"""The labelled set of this repository: made by its script, apart from what the detector learned from, and scored."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from securevec.anonymize import Finding, evaluate
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.cli.main import main

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "benchmarks" / "labelled"
OWN = FOLDER / "own.jsonl"
STYLES = FOLDER / "styles.jsonl"
NAMES = {"PERSON", "LOCATION", "ORG", "ADDRESS"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for path in (OWN, STYLES) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("make_labelled", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec.loader.exec_module(module)
    yield module
    for name in {
        "europe_make",
        "europe_texts",
        "prose_texts",
        "formats",
        "people",
        "people_kept",
        "styles",
        "templates",
        "scripts_make",
        "scripts_plain",
        "scripts_texts",
    } - before:
        sys.modules.pop(name, None)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", re.sub(r"\{\w[\w.]*\}", " ", text.replace("\\n", " ").casefold()))
    return {tuple(words[i : i + 6]) for i in range(len(words) - 5)}


def test_the_set_is_what_its_script_makes(make: ModuleType) -> None:
    assert OWN.read_text(encoding="utf-8") == "\n".join(make.lines()) + "\n"
    assert STYLES.read_text(encoding="utf-8") == "\n".join(make.style_lines()) + "\n"
    assert OWN.stat().st_size + STYLES.stat().st_size < 500_000


def test_every_entity_names_the_specification_of_its_format(make: ModuleType, rows: list[dict[str, Any]]) -> None:
    sources = {entity: source for entity, _, source in make.FORMATS.values()}
    assert all(len(source) >= 8 for source in sources.values())
    labelled = {label for row in rows for _, _, label in row["spans"]}
    assert labelled - NAMES - {"POSTCODE"} <= sources.keys()


def test_there_are_five_hundred_texts_and_some_hold_nothing(rows: list[dict[str, Any]]) -> None:
    assert len(rows) >= 500
    assert len({row["text"] for row in rows}) == len(rows)
    assert sum(not row["spans"] for row in rows) >= 60
    assert len({row["language"] for row in rows}) >= 9
    for row in rows:
        ends = [0, *(end for _, end, _ in row["spans"])]
        assert all(row["text"][s:e].strip() and s >= last for (s, e, _), last in zip(row["spans"], ends, strict=False))


def test_no_text_was_written_after_the_training_templates(make: ModuleType) -> None:
    folder = ROOT / "training" / "names"
    taught = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    seen = set[tuple[str, ...]]().union(*map(_runs, taught.splitlines()))
    ours = (*make.TEMPLATES, *make.KEPT, *make.styles.READ, *make.styles.KEPT)
    assert not [one for one in ours if _runs(one) & seen]


def test_the_held_out_styles_have_people_and_places_of_their_own(make: ModuleType) -> None:
    held, people = make.people_kept, sys.modules["people"]
    for table, theirs in (
        (people.TOWNS, held.TOWNS),
        (people.FIRMS, held.FIRMS),
        (people.STREETS, held.STREETS),
    ):
        assert not {v for row in table.values() for v in row.split("|")} & {
            v for row in theirs.values() for v in row.split("|")
        }
    read = {word for pair in people.PEOPLE.values() for group in pair for word in group.split()}
    kept = {word for pair in held.PEOPLE.values() for group in pair for word in group.split()}
    assert not read & kept
    assert not {_bare(one) for one in make.styles.READ} & {_bare(one) for one in make.styles.KEPT}


def test_no_value_is_an_example_of_a_rule(rows: list[dict[str, Any]]) -> None:
    shown = "\n".join(text for rule in builtin_rules().rules for text in (*rule.examples, *rule.counter_examples))
    bare = re.sub(r"\W", "", shown).casefold()
    values = {row["text"][s:e] for row in rows for s, e, label in row["spans"] if label not in NAMES}
    assert not {value for value in values if len(value) > 6 and re.sub(r"\W", "", value).casefold() in bare}


def _bare(template: str) -> str:
    return re.sub(r"\{\w[\w.]*\}", "", template)


@pytest.mark.parametrize(("path", "name"), [(OWN, "floors.json"), (STYLES, "floors_styles.json")])
def test_eval_of_the_own_set_stays_above_its_floors(path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["refused"] == []
    floors: dict[str, dict[str, float]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert floors.keys() == document["entities"].keys()
    low = {
        f"{entity} {figure}": document["entities"][entity][figure]
        for entity, wanted in floors.items()
        for figure, least in wanted.items()
        if document["entities"][entity][figure] < least
    }
    assert low == {}


def test_a_detector_that_finds_nothing_is_below_every_floor() -> None:
    class Blind:
        def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
            return []

    entities = evaluate(OWN, Blind()).as_json()["entities"]
    floors: dict[str, dict[str, float]] = json.loads((FOLDER / "floors.json").read_text(encoding="utf-8"))
    assert all(
        entities[entity][figure] < least for entity, wanted in floors.items() for figure, least in wanted.items()
    )
