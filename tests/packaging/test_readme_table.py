"""The README's figures are the committed results: nobody typed them, and a missed bar is said."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("readme_table", ROOT / "benchmarks" / "readme_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readmes_figures_are_those_of_the_committed_results(writer: ModuleType) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert writer.rewritten(text) == text, "run: python benchmarks/readme_table.py"
    for store in writer.STORES:
        assert (ROOT / "benchmarks" / "results" / f"cost_{store}.json").exists()


def test_another_result_changes_the_table_and_a_missed_bar_is_marked(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = writer.table()
    for path in writer.RESULTS.glob("cost_*.json"):
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for bar in document["bars"].values():
            bar["measured"] = bar["most"] + 1.0
        (tmp_path / path.name).write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr(writer, "RESULTS", tmp_path)
    after = writer.table()
    assert after != before
    bars = [line for line in after.splitlines() if line.startswith(("| Qdrant Edge: ", "| Chroma: "))]
    assert len(bars) == 9
    assert all("**missed**" in line for line in bars)


def test_a_vendor_that_is_asked_without_an_index_too_has_a_row_and_a_store_without_one_an_empty_cell(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in writer.RESULTS.glob("cost_*.json"):
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for row in document["search"] if row["name"] != "vendor, scan"]
        for key in ("breadth", "paired_scan"):
            document.pop(key, None)
        if path.name == "cost_edge.json":
            scan = rows[0] | {
                "name": "vendor, scan",
                "says": "as it comes",
                "p50_ms": 4.25,
                "p95_ms": 5.0,
                "ratio": 9.0,
            }
            rows.insert(1, scan)
            document["breadth"] = 128
            document["paired_scan"] = {"added_ms": {"value": -1.5, "low": -1.75, "high": -1.25}}
        document["search"] = rows
        (tmp_path / path.name).write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr(writer, "RESULTS", tmp_path)
    lines = writer.table().splitlines()
    assert "| **vendor, scan**: as it comes | 4.25, 5.00 (9.00x) |  |" in lines
    assert "| Vector index, of the vendor too: candidates looked at | 128 |  |" in lines
    assert "| Product beyond the vendor's scan and 1.2 appends, ms | -1.50 [-1.75, -1.25] |  |" in lines


def test_a_missed_bar_of_detection_is_marked(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = writer.RESULTS / "detection_speed.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert {"presidio-analyzer", "spacy", "google-re2", "python"} <= document["versions"].keys()
    assert document["versions"]["presidio-analyzer"] == "2.2.366"
    marked: list[int] = []
    for change in (-1.0, 1.0):
        for bar in document["bars"].values():
            bar["measured"] = bar["least"] + change
        (tmp_path / path.name).write_text(json.dumps(document), encoding="utf-8")
        monkeypatch.setattr(writer, "RESULTS", tmp_path)
        marked.append(writer._detection()[0].count("**missed**"))
    assert marked == [len(document["bars"]), 0]


def test_values_in_disguise_are_told_with_their_bar_and_a_missed_one_is_marked(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document: dict[str, Any] = json.loads((writer.RESULTS / "evasions.json").read_text(encoding="utf-8"))
    assert min(row["disguises"] for row in document["entities"].values()) >= 30
    assert all(bar["measured"] >= bar["least"] for bar in document["bars"].values())
    assert document["prose"]["findings"] == 0
    document["bars"]["CARD"]["measured"] = 0.9
    (tmp_path / "evasions.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr(writer, "RESULTS", tmp_path)
    assert [line.count("**missed**") for line in writer._evasions()[0].splitlines() if "CARD" in line] == [1]


def test_a_readme_without_the_markers_is_refused(writer: ModuleType) -> None:
    with pytest.raises(ValueError, match="markers"):
        writer.rewritten("# no table here")


def test_each_result_names_what_made_it(writer: ModuleType) -> None:
    for store in writer.STORES:
        document = json.loads((writer.RESULTS / f"cost_{store}.json").read_text(encoding="utf-8"))
        assert document["backend"] == store
        assert document["command"].startswith("python benchmarks/bar_")
        assert document["commit"]
        assert {"python", "numpy", "cryptography", "securevec"} <= document["versions"].keys()
        assert document["machine"]["cpus"] >= 1
