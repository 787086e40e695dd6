"""Two sides compared question by question: one asked right behind the other, the order turning, several rounds.

Medians of two rows swing apart by more than what is measured: a search of 50,000 points takes 9 ms here, and what else
the machine does adds or takes away a tenth of it from one second to the next. The difference between two searches of
the same question, one right behind the other, does not. Whoever asks second finds warm caches, so a difference is the
mean of both orders. Its interval is a bootstrap over questions (Efron 1979): they are what another run would change.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

APPENDS: Final = 1.2
"""Durable appends an answer may wait for."""
RECORD_BYTES: Final = 1_900
"""Of an audit record that names ten hits."""
_DRAWS: Final = 2000
_INSIDE: Final = 0.95

Times = npt.NDArray[np.float64]
"""Milliseconds by question, pair of rounds and order."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A median, and where that of another run would lie with a certainty of 95 percent."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """What the second side takes beyond the first, the wait for the disk (``APPENDS`` durable appends) taken off."""

    rounds: int
    questions: int
    flush_p50_ms: float
    added_ms: Interval
    ratio: Interval


def flush_ms(descriptor: int) -> float:
    """How long a durable append as long as an audit record takes."""
    os.write(descriptor, b"x" * RECORD_BYTES)
    began = time.perf_counter()
    os.fdatasync(descriptor)
    return (time.perf_counter() - began) * 1000


def compare(
    first: Callable[[int], object], second: Callable[[int], object], questions: range, rounds: int, directory: Path
) -> Paired:
    """Ask both sides each question ``2 * rounds`` times, and flush behind each pair."""
    times = np.empty((2, len(questions), rounds, 2))
    flushes: list[float] = []
    descriptor = os.open(directory / "flush", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for turn in range(2 * rounds):
            for at, question in enumerate(questions):
                # Neighbouring questions take turns too, so that neither order has a time of its own.
                order = (turn + at) % 2
                for side in (order, 1 - order):
                    began = time.perf_counter()
                    (first, second)[side](question)
                    times[side, at, turn // 2, order] = (time.perf_counter() - began) * 1000
                flushes.append(flush_ms(descriptor))
    finally:
        os.close(descriptor)
    return judged(times[0], times[1], flushes)


def judged(first: Times, second: Times, flushes: Sequence[float]) -> Paired:
    flush = float(np.median(flushes))
    alone = second - APPENDS * flush
    return Paired(
        rounds=first.shape[1],
        questions=first.shape[0],
        flush_p50_ms=flush,
        added_ms=_interval((alone - first).mean(axis=2)),
        ratio=_interval(alone.mean(axis=2) / first.mean(axis=2)),
    )


def _interval(values: Times) -> Interval:
    """Of values by question and round."""
    chance = np.random.default_rng(1)
    drawn = values[chance.integers(0, len(values), (_DRAWS, len(values)))]
    medians = np.median(drawn.reshape(_DRAWS, -1), axis=1)
    low, high = np.quantile(medians, [(1 - _INSIDE) / 2, (1 + _INSIDE) / 2])
    return Interval(float(np.median(values)), float(low), float(high))
