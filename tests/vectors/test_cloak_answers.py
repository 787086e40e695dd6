"""Cloaks of fixed keys are the committed ones, up to rounding, and a reader written from docs/formats.md agrees.

The numbers go through a QR factorization, so they are compared with a tolerance, in a file of their own. It is written
anew by ``python -m tests.vectors.test_cloak_answers``; a change of it is a change of the format.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from securevec.crypto.cloak import VectorCloak
from tests.vectors import independent
from tests.vectors.generate import COLLECTION, fixed

ANSWERS: Final = Path(__file__).with_name("cloak_answers.json")
KNOWN: Final[list[dict[str, Any]]] = json.loads(ANSWERS.read_text(encoding="utf-8")) if ANSWERS.exists() else []
KEY: Final = fixed("cloak")
TEXT: Final = "Zoë's order"


def made(dimension: int, noise: float) -> dict[str, Any]:
    cloak = VectorCloak(KEY, collection=bytes.fromhex(COLLECTION), dimension=dimension, noise=noise)
    rotated = cloak.rotate(given(dimension))
    shown = cloak.displace(rotated[None, :], [TEXT.encode()])[0]
    at = slice(0, 8)
    return {
        "dimension": dimension,
        "noise": noise,
        "digest": cloak.digest,
        "rotated": [round(float(each), 6) for each in rotated[at]],
        "displaced": [round(float(each), 6) for each in shown[at]],
    }


def given(dimension: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A vector of length one that is written down easily: 1, 2, 3, ... over its length."""
    counted = np.arange(1, dimension + 1, dtype=np.float64)
    return np.asarray(counted / np.linalg.norm(counted), dtype=np.float32)


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: f"{entry['dimension']}-{entry['noise']}")
def test_this_release_makes_the_committed_cloaks(entry: dict[str, Any]) -> None:
    again = made(entry["dimension"], entry["noise"])
    assert again["digest"] == entry["digest"]
    for name in ("rotated", "displaced"):
        assert np.allclose(again[name], entry[name], atol=1e-5, rtol=0)


@pytest.mark.parametrize("entry", [each for each in KNOWN if each["dimension"] < 64], ids=lambda e: str(e["noise"]))
def test_a_reader_without_numpy_agrees(entry: dict[str, Any]) -> None:
    dimension, collection = entry["dimension"], bytes.fromhex(COLLECTION)
    digest = independent.cloak_digest(KEY, collection, dimension, repr(entry["noise"]))
    assert digest.hex() == entry["digest"]
    columns = independent.cloak_rotation(KEY, collection, dimension)
    rotated = independent.rotate(columns, [float(each) for each in given(dimension)])
    assert np.allclose(rotated[:8], entry["rotated"], atol=1e-5, rtol=0)
    noise = independent.cloak_noise(KEY, collection, dimension, entry["noise"], TEXT)
    assert np.allclose(np.add(rotated, noise)[:8], entry["displaced"], atol=1e-5, rtol=0)


def test_there_are_answers_for_every_mode() -> None:
    assert {(each["dimension"], each["noise"]) for each in KNOWN} == {
        (size, noise) for size in (7, 32, 384) for noise in (0.0, 2.0)
    }


if __name__ == "__main__":
    entries = [made(size, noise) for size in (7, 32, 384) for noise in (0.0, 2.0)]
    ANSWERS.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
