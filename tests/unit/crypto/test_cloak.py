"""The vector cloak keeps angles, is undone by its key alone, and cannot be averaged away."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.crypto.cloak import MAX_NOISE, Cloak, VectorCloak
from securevec.errors import ConfigError, VectorError
from securevec.types import Matrix

KEY, COLLECTION = bytes(range(32)), b"c" * 16


def cloak(dimension: int = 96, noise: float = 0.0, *, key: bytes = KEY, collection: bytes = COLLECTION) -> VectorCloak:
    return VectorCloak(key, collection=collection, dimension=dimension, noise=noise)


def units(rows: int, dimension: int, seed: int = 0) -> Matrix:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def seeds(rows: int) -> list[bytes]:
    return [b"chunk %d" % row for row in range(rows)]


@settings(max_examples=25, deadline=None)
@given(dimension=st.integers(1, 80), noise=st.floats(0, MAX_NOISE, width=32), seed=st.integers(0, 2**32 - 1))
def test_a_cloak_keeps_every_angle_and_its_key_takes_the_noise_away(dimension: int, noise: float, seed: int) -> None:
    made, vectors = cloak(dimension, noise), units(7, dimension, seed)
    rotated = made.rotate(vectors)
    assert np.allclose(rotated @ rotated.T, vectors @ vectors.T, atol=1e-5)
    assert np.allclose(made.rotate_back(rotated), vectors, atol=1e-5)
    assert np.allclose(made.rotate(vectors[3]), rotated[3], atol=1e-6)
    shown = made.displace(rotated, seeds(7))
    assert np.linalg.norm(shown - rotated, axis=1).max() <= noise / 4 + 1e-6
    # A store that keeps cosines keeps unit lengths.
    kept = np.asarray(shown / np.linalg.norm(shown, axis=1, keepdims=True), dtype=np.float32)
    assert np.allclose(made.restore(kept, seeds(7)), rotated, atol=2e-5)


def test_the_noise_fills_its_ball_and_has_no_direction() -> None:
    made = cloak(96, 2.0)
    zero = np.zeros((2000, 96), dtype=np.float32)
    noise = made.displace(zero, seeds(2000))
    lengths = np.linalg.norm(noise, axis=1)
    assert lengths.max() <= 0.5 + 1e-6
    # Uniform in a ball: the share within radius r is (r / R) ** dimension.
    assert abs((lengths / 0.5).__pow__(96).mean() - 0.5) < 0.05
    directions = noise / lengths[:, None]
    assert np.abs(directions.mean(axis=0)).max() < 5 / np.sqrt(2000 * 96)


def test_what_is_stored_again_is_not_averaged_out_of_its_noise() -> None:
    made, vector = cloak(96, 2.0), units(1, 96)
    rotated = made.rotate(vector)
    again = [made.displace(rotated, [b"the same text"]) for _ in range(20)]
    assert all(np.array_equal(each, again[0]) for each in again)
    assert not np.allclose(made.displace(rotated, [b"another text"]), again[0], atol=1e-2)


@pytest.mark.parametrize("different", [cloak(key=bytes(32)), cloak(collection=b"d" * 16)])
def test_another_key_or_collection_sees_chance(different: VectorCloak) -> None:
    made, vectors = cloak(), units(200, 96)
    assert made.digest != different.digest
    likeness = (made.rotate(vectors) * different.rotate(vectors)).sum(axis=1)
    assert abs(likeness.mean()) < 0.05
    nearest = (different.rotate(vectors) @ made.rotate(vectors).T).argmax(axis=1)
    assert (nearest == np.arange(200)).mean() < 0.05


def test_the_digest_names_dimension_and_noise_too() -> None:
    made = {cloak(dimension, noise).digest for dimension in (3, 4) for noise in (0.0, 1.0, 2.0)}
    assert len(made) == 6


def test_the_highest_true_score_is_never_above_what_is_said_of_it() -> None:
    made, vectors, question = cloak(96, 2.0), units(3000, 96), units(1, 96, 1)[0]
    rotated = made.rotate(vectors)
    shown = made.displace(rotated, seeds(3000))
    shown = shown / np.linalg.norm(shown, axis=1, keepdims=True)
    asked = made.rotate(question)
    # The question itself among them, so that high scores occur as well.
    near = made.displace(asked[None, :], [b"near"])
    assert float(asked @ asked) <= made.score_at_most(float(asked @ near[0] / np.linalg.norm(near)))
    for true, seen in zip(rotated @ asked, shown @ asked, strict=True):
        assert true <= made.score_at_most(float(seen))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_or_of_another_dimension_is_refused(bad: float) -> None:
    made = cloak(3, 1.0)
    for vectors in (np.array([1, bad, 0], dtype=np.float32), np.ones(4, dtype=np.float32), np.ones((1, 1, 3))):
        with pytest.raises(VectorError):
            made.rotate(np.asarray(vectors, dtype=np.float32))
    for stored in ([0.0, 0.0, 0.0], [1.0, bad, 0.0]):
        with pytest.raises(VectorError):
            made.restore(np.array([stored], dtype=np.float32), [b"seed"])


@pytest.mark.parametrize("noise", [-0.1, 3.1, float("nan"), float("inf"), "2", True, None])
def test_a_strength_that_could_not_be_undone_is_refused(noise: Any) -> None:
    with pytest.raises(ConfigError):
        Cloak(noise=noise)


def test_a_cloak_shows_and_gives_away_nothing() -> None:
    made = cloak(3)
    assert repr(made) == "VectorCloak(<hidden>)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(made)
