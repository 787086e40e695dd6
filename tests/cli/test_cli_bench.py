"""``bench`` as somebody types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from securevec.bench import measure as measuring
from securevec.bench.given import read_vectors
from securevec.cli.main import main
from securevec.errors import QueryError, SourceError

SMALL = ["bench", "--points", "60", "--queries", "5", "--model-points", "0", "--dim", "32", "--k", "3"]


def test_bench_answers_with_a_table_a_document_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    page = tmp_path / "page.html"
    assert main([*SMALL, "--json", "--work", str(work), "--out", str(page)]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["backend"], document["points"], document["k"]) == ("edge", 60, 3)
    assert [row["same"] for row in document["search"]] == [1.0] * 7
    assert said.err == ""
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    # Nothing stays: no store, no home, no key.
    assert list(work.iterdir()) == []
    assert not (tmp_path / "config").exists()
    # What each side holds in a process of its own was asked by the first run.
    assert set(document["memory"]) == {"vendor", "securevec"}

    def asked_before(*_: object) -> int:
        return 7 << 20

    monkeypatch.setattr(measuring, "resident", asked_before)
    assert main([*SMALL, "--work", str(work)]) == 0
    shown = capsys.readouterr().out
    for word in ("memory, securevec", "vendor", "re-check", "audit, waited", "records/s", "Ratios travel"):
        assert word in shown


@pytest.mark.parametrize(
    ("wrong", "about"),
    [
        (["--backend", "memory"], "chroma and edge"),
        (["--points", "3"], "at least"),
        (["--points", "20000000"], "at most"),
        (["--out", "/nonexistent-folder/page.html"], "--out"),
        (["--questions", "mine.npy"], "--vectors too"),
        (["--vectors", "gone.npy"], "gone.npy cannot be read"),
        (["--vectors", "pyproject.toml"], "neither .npy nor .parquet"),
    ],
)
def test_a_mistake_is_said_before_anything_is_measured(
    wrong: list[str], about: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *wrong]) == 2
    said = capsys.readouterr()
    assert about in said.err
    assert "Traceback" not in said.err
    assert "Writing" not in said.err


def test_vectors_of_ones_own_are_stored_and_the_last_of_them_asked(tmp_path: Path) -> None:
    made = np.random.default_rng(1).normal(size=(90, 24)).astype(np.float32)
    np.save(tmp_path / "mine.npy", made)
    mine = read_vectors(tmp_path / "mine.npy")
    own = measuring.Options(
        questions=5, k=3, every_row=False, memory=False, model_points=0, vectors=mine, asked_for=None
    )
    asked = measuring.with_own(own)
    assert (asked.points, asked.dimension) == (72, 24)
    assert asked.asked_for is not None
    assert np.array_equal(asked.asked_for, mine[72:])
    figures = measuring.measure(own, below=tmp_path)
    assert (figures.points, figures.dimension) == (72, 24)
    assert [row.recall for row in figures.search] == [1.0, 1.0]
    both = replace(own, asked_for=mine[:7])
    assert measuring.with_own(both).points == 90
    with pytest.raises(QueryError, match="one dimension"):
        measuring.with_own(replace(both, asked_for=mine[:, :5]))


def test_vectors_come_from_the_one_column_of_lists_of_a_parquet_file(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [[3.0, 4.0], [0.0, 2.0]]
    parquet.write_table(arrow.table({"id": [1, 2], "vector": rows}), tmp_path / "mine.parquet")
    assert read_vectors(tmp_path / "mine.parquet").tolist() == [[0.6000000238418579, 0.800000011920929], [0.0, 1.0]]
    parquet.write_table(arrow.table({"a": rows, "b": rows}), tmp_path / "two.parquet")
    with pytest.raises(SourceError, match="2 columns of lists"):
        read_vectors(tmp_path / "two.parquet")


@pytest.mark.parametrize(
    ("rows", "about"),
    [
        (np.array([{"a": 1}], dtype=object), "not an array of numbers"),
        (np.zeros((3, 4)), "a vector of zeros"),
        (np.array([[1.0, np.nan]]), "not finite"),
        (np.ones(4), "does not hold vectors"),
        (np.array([["a", "b"]]), "not an array of numbers"),
    ],
)
def test_a_file_that_is_no_vectors_is_refused_and_never_run(tmp_path: Path, rows: Any, about: str) -> None:
    np.save(tmp_path / "mine.npy", rows, allow_pickle=True)
    with pytest.raises(SourceError, match=about):
        read_vectors(tmp_path / "mine.npy")


def test_an_interrupt_says_what_was_measured_by_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def flush(descriptor: int) -> float:
        nonlocal asked
        asked += 1
        if asked == measuring.WARM + 3:
            raise KeyboardInterrupt
        return 0.0

    monkeypatch.setattr(measuring, "flush_ms", flush)
    assert main([*SMALL, "--json", "--work", str(tmp_path)]) == 130
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["complete"], document["questions"], document["ingest"][0]["records"]) == (False, 3, 60)
    assert json.loads(said.err)["error"] == "Interrupted"
    assert list(tmp_path.iterdir()) == []
