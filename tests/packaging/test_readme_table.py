"""The figures of the README and docs/figures.md are the committed results: nobody typed them, a missed bar is said."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    # As when it runs as a script: what lies beside it is imported by its name alone.
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("readme_table", ROOT / "benchmarks" / "readme_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_figures_of_the_pages_are_those_of_the_committed_results(writer: ModuleType) -> None:
    assert set(writer.PARTS) == {"README.md", "docs/figures.md"}
    for page in writer.PARTS:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert writer.rewritten(page, text) == text, "run: python benchmarks/readme_table.py"
    for store in writer.STORES:
        assert (ROOT / "benchmarks" / "results" / f"cost_{store}.json").exists()


def require_one_line(before: str, after: str, said: str) -> None:
    """One line of a table is another, and says this."""
    assert said not in before
    assert said in after
    assert len(set(after.splitlines()) - set(before.splitlines())) == 1


def _changed(results: Path, into: Path, result: str, path: str, value: float) -> Path:
    """The committed results with one figure changed: ``path`` names it by steps, ``name,jsonl`` a key with a point."""
    for each in results.glob("*.json"):
        (into / each.name).write_bytes(each.read_bytes())
    document: Any = json.loads((into / f"{result}.json").read_text(encoding="utf-8"))
    *steps, last = path.split(".")
    at = document
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step.replace(",jsonl", ".jsonl")]
    at[last] = value
    (into / f"{result}.json").write_text(json.dumps(document), encoding="utf-8")
    return into


@pytest.mark.parametrize(
    ("result", "path", "value", "said"),
    [
        ("leak_check", "runs.2.parts.heldout.embedder.labels.IBAN.leaked", 71, "structured 83 of 1,003 (8.3%)"),
        ("leak_check", "runs.3.at_rest.closed_home.JSON", 3, "| 3, open and after close |"),
        ("leak_check", "failing_runs.chroma.command_line.hits.EMAIL", 2, "failing runs say | 2 |"),
        ("detection", "entities.ADDRESS.f1", 0.4242, ", .42 |"),
        ("labelled", "public.sets.wnut17_train,jsonl.entities.PERSON.f1", 0.1234, ".12, "),
        ("crypto", "crypto.seal_1kb", 9.0, "9.0x (**missed**)"),
        ("deletion", "deletion.1000.keys_gone_ms", 201.0, "201 ms (**missed**)"),
        ("tenants", "figures.cold_p50_ms", 26.0, "p50 26 ms (**missed**)"),
        ("erasure", "runs.0.one_seconds", 2.5, "2.5 s (**missed**)"),
        ("erasure", "runs.1.found_after_one", 5, "; 5 found in files after"),
        ("million_hits", "runs.1.foreign", 4, "| 4 foreign, "),
        ("million_hits", "runs.0.miscounted", 6, "**6 not counted**"),
    ],
)
def test_the_table_of_figures_says_what_a_result_says_and_marks_what_missed_its_bar(
    writer: ModuleType, tmp_path: Path, result: str, path: str, value: float, said: str
) -> None:
    changed = _changed(writer.RESULTS, tmp_path, result, path, value)
    require_one_line(writer.rows(writer.RESULTS), writer.rows(changed), said)


def test_no_committed_run_found_what_must_not_be_there(writer: ModuleType) -> None:
    """Whatever the tables say of times: these are zero, and the probe finds what lies there when a purge is skipped."""
    leaks, erasure, hits = (
        json.loads((writer.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("leak_check", "erasure", "million_hits")
    )
    for run in leaks["runs"]:
        assert not run["at_rest"]["open_home"] | run["at_rest"]["closed_home"] | run["at_rest"]["payloads"]
    for run in erasure["runs"]:
        found = (run["found_after_one"], run["found_after_many"], *run["found_after_each"], run["bystanders_changed"])
        assert set(found) == {0}
        assert run["found_when_purge_is_skipped"] > 0
        assert run["many_over_one"] <= erasure["bars"]["many_over_one"]
    for run in hits["runs"]:
        assert (run["foreign"], run["wrong"], run["repeated"], run["miscounted"]) == (0, 0, 0, 0)
        assert run["hits"] >= 1_000_000


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


def test_a_page_without_the_markers_is_refused(writer: ModuleType) -> None:
    for page in writer.PARTS:
        with pytest.raises(ValueError, match="markers"):
            writer.rewritten(page, "# no table here")


@pytest.mark.parametrize(
    ("result", "path", "value", "said"),
    [
        ("leak_check", "runs.2.parts.heldout.embedder.labels.IBAN.leaked", 71, "structured 83 of 1,003 (8.3%)"),
        ("leak_check", "runs.3.at_rest.closed_home.JSON", 3, "| 3 found (**missed**) |"),
        ("labelled", "public.sets.wnut17_train,jsonl.entities.PERSON.f1", 0.1234, ".12, "),
        ("retrieval", "bars.R@1 lost, full name.measured", 0.03, "(**missed**) | at most 0.02 lost |"),
        ("million_hits", "runs.1.foreign", 4, "| 4 (**missed**) |"),
        ("erasure", "runs.0.one_seconds", 2.5, "2.5 s (**missed**)"),
        ("deletion", "deletion.100000.keys_gone_ms", 201.0, "201 ms (**missed**)"),
        ("cost_edge", "bars.disk, whole home.measured", 1.31, "1.31x (**missed**)"),
        ("cost_chroma", "bars.ingest with the model, time.measured", 1.09, "1.09x (**missed**)"),
        ("detection_speed", "bars.whole stage, MB/s, plain_4kb.measured", 0.5, "0.50 MB/s (**missed**)"),
    ],
)
def test_the_first_table_of_the_readme_says_what_a_result_says_and_marks_what_missed_its_bar(
    writer: ModuleType, tmp_path: Path, result: str, path: str, value: float, said: str
) -> None:
    changed = _changed(writer.RESULTS, tmp_path, result, path, value)
    require_one_line(writer.glance(writer.RESULTS), writer.glance(changed), said)


def test_a_bar_that_was_missed_is_not_left_out_of_the_readme(writer: ModuleType) -> None:
    """Every bar that a committed run missed has its mark in the first table, under the store or the texts it is of."""
    lines = writer.glance(writer.RESULTS).splitlines()
    missed = sum(line.count("**missed**") for line in lines)
    costs = [json.loads((writer.RESULTS / f"cost_{store}.json").read_text("utf-8"))["bars"] for store in writer.STORES]
    over = [name for bars in costs for name, bar in bars.items() if bar["measured"] > bar["most"]]
    speeds = json.loads((writer.RESULTS / "detection_speed.json").read_text("utf-8"))["bars"]
    # What others generated is in docs/figures.md beside our own texts of the same kind.
    slow = [name for name, bar in speeds.items() if bar["measured"] < bar["least"] and "presidio_" not in name]
    assert missed == len(over) + len(slow)


def test_each_result_names_what_made_it(writer: ModuleType) -> None:
    for path in sorted(writer.RESULTS.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        assert re.match(r"python benchmarks/\w+\.py\b", document["command"]), path.name
        assert re.fullmatch(r"[0-9a-f]{7,40}", document["commit"]), f"{path.name}: not of a tree that is kept"
        assert "load" in document["machine"], path.name
        assert document["versions"], path.name
    for store in writer.STORES:
        assert json.loads((writer.RESULTS / f"cost_{store}.json").read_text(encoding="utf-8"))["backend"] == store


def test_the_page_of_benchmarks_names_every_script_and_result_there_is() -> None:
    place = ROOT / "benchmarks"
    named = set(re.findall(r"`([\w-]+\.(?:py|json))`", (place / "README.md").read_text(encoding="utf-8")))
    scripts = {path.name for path in place.glob("*.py")}
    assert named == scripts | {path.name for path in (place / "results").glob("*.json")}


def test_the_json_of_a_run_is_described_key_by_key(writer: ModuleType) -> None:
    section = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8").partition("## The JSON")[2]
    rows = re.findall(r"^\| (`[^|]*) \| (.*) \|$", section, re.MULTILINE)
    keys = {key for first, _ in rows for key in re.findall(r"`(\w+)`", first)}
    words = set(re.findall(r"`(\w+)`", section))
    documents = [json.loads((ROOT / f"benchmarks/results/cost_{store}.json").read_text()) for store in writer.STORES]
    assert keys == set().union(*documents)
    for document in documents:
        inner = [*document["search"], *document["ingest"], document["disk"], document["memory"], document["paired"]]
        assert set().union(*inner) <= words
