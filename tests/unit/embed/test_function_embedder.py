"""An embedding function of somebody else: it is given anonymized text, and its answer is vectors or it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from securevec.errors import ConfigError, EmbedderError
from securevec.integrations.embedding import FunctionEmbedder
from securevec.types import mint_anonymized

TEXTS = [mint_anonymized("the refund never arrived"), mint_anonymized("roses want sun")]


def embedder(answer: Any, **options: Any) -> FunctionEmbedder:
    given: dict[str, Any] = {"name": "m", "dimension": 2, **options}
    return FunctionEmbedder(lambda texts: answer, **given)


@pytest.mark.parametrize("options", [{"name": ""}, {"dimension": 0}, {"max_tokens": 0}])
def test_a_model_that_is_none_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        embedder([], **options)


@pytest.mark.parametrize(
    "answer",
    [
        [[1.0, 0.0]],
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        [[1.0, 0.0], [1.0]],
        [1.0, 0.0],
        None,
        "no",
        [["1.0", "0.0"], ["0.0", "1.0"]],
        [[True, False], [False, True]],
        np.array([[1.0 + 1j, 0.0], [0.0, 1.0]]),
        [[float("nan"), 1.0], [0.0, 1.0]],
        [[float("inf"), 1.0], [0.0, 1.0]],
        [[0.0, 0.0], [0.0, 1.0]],
    ],
)
def test_an_answer_that_is_no_vector_a_text_is_refused(answer: Any) -> None:
    with pytest.raises(EmbedderError) as refused:
        embedder(answer).embed(TEXTS)
    assert "refund" not in str(refused.value)


@pytest.mark.parametrize("answer", [[[3, 4], [0, 2]], np.array([[3, 4], [0, 2]], dtype=np.float16)])
def test_numbers_of_any_real_kind_come_back_at_length_one(answer: Any) -> None:
    rows = embedder(answer).embed(TEXTS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, 1.0]], rtol=1e-6)


def test_text_that_nobody_anonymized_reaches_no_function() -> None:
    seen: list[str] = []

    def watch(texts: list[str]) -> list[list[float]]:
        seen.extend(texts)
        return [[1.0, 0.0]] * len(texts)

    model = FunctionEmbedder(watch, name="m", dimension=2, token_offsets=lambda text: [(0, len(text))])
    plain: Any = "jane.roe@example.com"
    with pytest.raises(EmbedderError):
        model.embed([TEXTS[0], plain])
    with pytest.raises(EmbedderError):
        model.token_offsets(plain)
    assert seen == []
    assert model.embed([]).shape == (0, 2)
    assert seen == [], "nothing was asked for nothing"
    assert model.token_offsets(TEXTS[1]) == [(0, 14)]
    assert model.identity != FunctionEmbedder(watch, name="m", dimension=2, revision="2").identity
