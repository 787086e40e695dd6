"""The bar of ten thousand tenants, small: forty tenants, eight open shards. What it measures is right; how fast it is
here is nobody's promise."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3] / "benchmarks")
    return importlib.import_module("bar_tenants")


def test_sixteen_tenants_on_four_open_shards_are_all_answered(bar: ModuleType, tmp_path: Path) -> None:
    figures = bar.tenants(16, 20, 4, tmp_path, say=False)
    assert figures["open_shards_at_most"] <= 4
    assert figures["cold_searches"] > 8
    assert figures["memory_ratio"] < 1.5
    assert figures["open_ratio"] > 0
    assert bar.BARS.keys() <= figures.keys()
