"""What a cloak costs and hides, measured on given vectors under a key made for the measurement. Pure but for that key.

The attacker has the cloaked vectors and a list of candidate texts, which hold the true ones, embedded by the public
model. Known pairs say which cloaked vector is which text. A rotation keeps every similarity, so the similarities to
the known ones are the same on both sides, but for noise: each cloaked vector is matched with the candidate whose
similarities are nearest. Without pairs the distribution of a vector's similarities to all others takes their place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from securevec.crypto.cloak import Cloak, VectorCloak
from securevec.reading.cloaking import FETCH
from securevec.types import Matrix

K: Final = 10
PAIRS: Final = (1, 4, 16, 64)
QUESTIONS: Final = 200
_QUANTILES: Final = 64


@dataclass(frozen=True, slots=True)
class CloakFigures:
    """One cloak on one set of vectors.

    ``recall``: share of the true ten nearest among the ten that are answered, and ``recall_of_store`` as the store
    itself ranks. ``microseconds``: to cloak one vector, in a batch; ``setup_ms``: once a process. ``identified``: by
    the number of known pairs, the share of other vectors whose text is found first among all candidates.
    ``identified_without``: no pair and the whole list of texts; ``identified_by_kind``: no pair, and other texts of the
    same kind to compare with. ``chance`` is what guessing finds.
    """

    noise: float
    recall: float
    recall_of_store: float
    microseconds: float
    setup_ms: float
    identified: dict[int, float]
    identified_without: float
    identified_by_kind: float
    chance: float

    @property
    def mode(self) -> str:
        return Cloak(self.noise).mode


def measure(vectors: Matrix, texts: Sequence[str], noise: float) -> CloakFigures:
    """The figures of one strength. ``vectors``: rows of length one, at least 20; ``texts``: theirs, one each."""
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    cloak = VectorCloak(os.urandom(32), collection=os.urandom(16), dimension=vectors.shape[1], noise=noise)
    setup = time.perf_counter() - began
    seeds = [text.encode() for text in texts]
    began = time.perf_counter()
    rotated = cloak.rotate(vectors)
    displaced = cloak.displace(rotated, seeds)
    spent = time.perf_counter() - began
    shown = np.asarray(displaced / np.linalg.norm(displaced, axis=1, keepdims=True), dtype=np.float32)
    questions = rng.permutation(len(vectors))[:QUESTIONS]
    true = _nearest(vectors[questions] @ vectors.T, questions, K)
    fetched = _nearest(rotated[questions] @ shown.T, questions, K * FETCH)
    restored = cloak.restore(shown, seeds)
    answered = np.vstack(
        [
            row[np.argsort(-(restored[row] @ rotated[question]), kind="stable")[:K]]
            for row, question in zip(fetched, questions, strict=True)
        ]
    )
    half = rng.permutation(len(vectors))
    here, other = half[: len(half) // 2], half[len(half) // 2 :]
    return CloakFigures(
        noise=noise,
        recall=_shared(true, answered),
        recall_of_store=_shared(true, fetched[:, :K]),
        microseconds=spent / len(vectors) * 1e6,
        setup_ms=setup * 1e3,
        identified={
            pairs: with_pairs(vectors, shown, pairs, rng) for pairs in PAIRS if pairs + QUESTIONS // 10 <= len(vectors)
        },
        identified_without=_matched(_profiles(vectors, vectors), _profiles(shown, shown)),
        # The store holds one half; the attacker compares its texts with the other half.
        identified_by_kind=_matched(_profiles(vectors[here], vectors[other]), _profiles(shown[here], shown[here])),
        chance=1.0 / len(vectors),
    )


def with_pairs(vectors: Matrix, shown: Matrix, pairs: int, rng: np.random.Generator) -> float:
    """The share of vectors outside ``pairs`` known ones that are matched with their own text."""
    order = rng.permutation(len(vectors))
    known, others = order[:pairs], order[pairs:]
    return _matched(vectors[others] @ vectors[known].T, shown[others] @ shown[known].T)


def _matched(true: Matrix, seen: Matrix) -> float:
    """How often row ``i`` of what is seen is nearest to row ``i`` of what is true; questions are a sample."""
    step = max(1, len(seen) // QUESTIONS)
    asked = np.arange(0, len(seen), step)
    wide, narrow = true.astype(np.float64), seen[asked].astype(np.float64)
    distances = (wide**2).sum(axis=1)[None, :] - 2.0 * narrow @ wide.T
    return float((distances.argmin(axis=1) == asked).mean())


def _profiles(rows: Matrix, others: Matrix) -> Matrix:
    """Quantiles of each row's similarities to all others: what a rotation keeps of a vector without any pair."""
    likeness = rows @ others.T
    if rows is others:
        np.fill_diagonal(likeness, np.median(likeness))
    return np.asarray(np.quantile(likeness, np.linspace(0.0, 1.0, _QUANTILES), axis=1).T, dtype=np.float32)


def _nearest(scores: Matrix, own: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    scores[np.arange(len(own)), own] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def _shared(one: NDArray[Any], two: NDArray[Any]) -> float:
    pairs = zip(one.tolist(), two.tolist(), strict=True)
    return float(np.mean([len(set(left) & set(right)) / max(1, len(left)) for left, right in pairs]))
