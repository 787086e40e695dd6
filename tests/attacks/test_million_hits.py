"""The reduced twin of ``benchmarks/million_hits.py``, and the committed figures of the long run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

from securevec.reading import judge
from tests.support import million
from tests.support.attacks import without_counting_each_point_once

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("backend", ["edge", "chroma"])
def test_of_many_hits_of_a_lying_store_none_is_foreign_and_every_lie_is_counted(tmp_path: Path, backend: str) -> None:
    figures = million.run(tmp_path, backend, hits=3_000, threads=8, tenants=3, records=100, lying=0.5)
    assert million.missed(figures, 3_000) == []


def test_without_the_judgement_of_filters_the_run_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(where: object, row: object) -> bool:
        return True

    monkeypatch.setattr(judge, "matches", always)
    figures = million.run(tmp_path, "memory", hits=1_500, threads=8, tenants=2, records=60, lying=1.0)
    assert "a wrong or old hit" in million.missed(figures, 1_500)


def test_without_counting_each_point_once_the_run_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_counting_each_point_once(monkeypatch)
    figures = million.run(tmp_path, "memory", hits=1_500, threads=8, tenants=2, records=60, lying=1.0)
    assert "a record answered twice" in million.missed(figures, 1_500)


def test_the_committed_run_returned_a_million_hits_on_each_engine_and_missed_nothing() -> None:
    document: dict[str, Any] = json.loads((ROOT / "benchmarks/results/million_hits.json").read_text(encoding="utf-8"))
    assert [run["backend"] for run in document["runs"]] == ["edge", "chroma"]
    for run in document["runs"]:
        assert million.missed(run, 1_000_000) == []
        assert run["threads"] == 8
