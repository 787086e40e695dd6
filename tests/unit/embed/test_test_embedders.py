"""The embedders that tests rely on keep the promises of the real seam."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from securevec.embed import Embedder
from securevec.errors import EmbedderError
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.types import AnonymizedText, mint_anonymized


def minted(*texts: str) -> list[AnonymizedText]:
    return [mint_anonymized(text) for text in texts]


def test_shared_words_make_near_vectors_the_same_in_every_instance() -> None:
    one, two, three = HashEmbedder().embed(minted("refund never arrived", "the REFUND arrived", "teeth hurt badly"))
    assert one @ two > 0.4 > one @ three
    assert np.array_equal(one, HashEmbedder().embed(minted("refund never arrived"))[0])


def test_every_row_is_unit_length_even_without_words() -> None:
    rows = HashEmbedder(dimension=16).embed(minted("", "a", "a b c", "\n"))
    assert rows.shape == (4, 16)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)


def test_offsets_are_the_words_that_are_hashed() -> None:
    text = "Ab, cd"
    assert [text[slice(*span)] for span in HashEmbedder().token_offsets(mint_anonymized(text))] == ["Ab", ",", "cd"]


def test_what_lies_beyond_the_window_does_not_count() -> None:
    one, two = HashEmbedder(max_tokens=2).embed(minted("a b c", "a b d"))
    assert np.array_equal(one, two)


def test_raw_text_is_refused_as_by_the_real_model() -> None:
    raw: Any = "raw"
    with pytest.raises(EmbedderError):
        HashEmbedder().embed([raw])
    with pytest.raises(EmbedderError):
        HashEmbedder().token_offsets(raw)


def test_the_tap_records_what_reaches_the_model_and_nothing_else() -> None:
    tap = TapEmbedder(HashEmbedder())
    tap.token_offsets(mint_anonymized("counted only"))
    assert np.array_equal(tap.embed(minted("a", "b")), HashEmbedder().embed(minted("a", "b")))
    assert tap.texts == ["a", "b"]
    assert tap.identity == HashEmbedder().identity
    assert tap.max_tokens == HashEmbedder().max_tokens
    assert isinstance(tap, Embedder)
