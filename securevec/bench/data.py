"""Records, vectors and questions: the same for every side, and the same at every run.

Vectors are clustered as embeddings are: centres and spread live in a space of fewer dimensions, which a fixed random
map lifts to the full one. In vectors that are random in every dimension all neighbours are equally far, so an index
has nothing to find and a top ten means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from securevec.anonymize.lexicon import names as name_lists
from securevec.clock import from_ms
from securevec.schema.record import Embed, Filter, Key, Record, Seal
from securevec.types import Matrix, Vector

CLUSTERS: Final = 200
LATENT: Final = 64
"""Dimensions the vectors really have."""
_SPREAD: Final = 0.6
"""Distance of a point from its centre, in units of the distance between centres."""
_PEOPLE: Final = ("Ms Amelia Whitfield", "Mr Jonas Brandt", "Dr Priya Raman", "Mrs Carla Esposito")
_WITH_PEOPLE: Final = 5
"""One record in five speaks of a person, by name and e-mail address."""
_SENTENCES: Final = 9
_SENTENCE: Final = 13
_DAY_MS: Final = 86_400_000
_FIRST_MS: Final = 1_700_000_000_000


class Case(Record):
    """Five fields, about 1 KB: what every side stores."""

    id: Key[str]
    body: Embed[str]
    summary: Seal[str]
    status: Filter[str]
    opened: Filter[datetime]


FILTER_KEYS: Final = ("status",)
"""What a program without securevec would index too."""

Row = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The data of one run. ``vectors`` (n, dim) and ``questions`` (m, dim) are float32 of length one."""

    rows: Sequence[Row]
    vectors: Matrix
    questions: Matrix
    texts: Sequence[str]
    """A short question in words, one for each vector of ``questions``."""

    def records(self, start: int, end: int) -> list[dict[str, object]]:
        """Some rows as ingest takes them."""
        return [{**row, "opened": from_ms(int(row["opened"]))} for row in self.rows[start:end]]


def corpus(
    points: int, questions: int, dimension: int, *, vectors: Matrix | None = None, asked_for: Matrix | None = None
) -> Corpus:
    """The data of a run: texts are made up, and so are vectors and questions where none are given. Of questions that
    are fewer than ``questions`` each is asked again."""
    space = np.random.default_rng(1)
    centres = space.normal(size=(CLUSTERS, LATENT))
    lift = space.normal(size=(LATENT, dimension)) / np.sqrt(LATENT)
    chance = np.random.default_rng(2)
    # Common words, a few of them very common: texts that compress about as well as people's do.
    words = np.array(sorted(name_lists().stops))
    chance.shuffle(words)
    weights = 1.0 / np.arange(8, len(words) + 8)
    drawn = chance.choice(words, size=(points, (_SENTENCES + 1) * _SENTENCE), p=weights / weights.sum())
    asked = chance.choice(words, size=(questions, 9), p=weights / weights.sum())
    return Corpus(
        rows=[_row(number, drawn[number]) for number in range(points)],
        vectors=_vectors(chance, centres, lift, points) if vectors is None else vectors[:points],
        questions=_vectors(chance, centres, lift, questions)
        if asked_for is None
        else asked_for[np.arange(questions) % len(asked_for)],
        texts=[" ".join(row) for row in asked],
    )


def nearest(vectors: Matrix, question: Vector, k: int) -> list[int]:
    """Positions of the ``k`` nearest by exact comparison, best first."""
    scores = vectors @ question
    best = np.argpartition(-scores, k)[:k] if k < len(scores) else np.arange(len(scores))
    return [int(position) for position in best[np.argsort(-scores[best])]]


def _row(number: int, words: Sequence[str]) -> Row:
    sentences = [
        " ".join(words[start : start + _SENTENCE]).capitalize() + "."
        for start in range(0, (_SENTENCES + 1) * _SENTENCE, _SENTENCE)
    ]
    if number % _WITH_PEOPLE == 0:
        person = _PEOPLE[number // _WITH_PEOPLE % len(_PEOPLE)]
        sentences.insert(3, f"Please call {person} back or write to case{number}@example.com.")
    return {
        "id": f"case-{number}",
        "body": " ".join(sentences[:-1]),
        "summary": sentences[-1],
        "status": ("open", "closed", "waiting")[number % 3],
        "opened": _FIRST_MS + number % 700 * _DAY_MS,
    }


def _vectors(
    chance: np.random.Generator, centres: NDArray[np.float64], lift: NDArray[np.float64], count: int
) -> Matrix:
    latent = centres[chance.integers(0, CLUSTERS, count)] + _SPREAD * chance.normal(size=(count, LATENT))
    made = latent @ lift
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)
