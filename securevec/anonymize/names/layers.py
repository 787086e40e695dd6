"""Layers of the names model (:mod:`securevec.anonymize.names.model`): products, windows and activations.

Sums are exact in single precision in whatever order they are made, so a layer may be applied in the way that takes
the least time for the tokens at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

WEIGHT_STEP: Final = 64
"""Weights count in parts of ``1 / WEIGHT_STEP``; scores in parts of ``1 / (STEP * WEIGHT_STEP)``."""
_TILE: Final = 12

Array = npt.NDArray[np.float32]


class Layer:
    """One layer, its window ``(tokens, inputs, outputs)`` side by side in one matrix: a row is read once for all.

    Weights and bias are divided by ``WEIGHT_STEP``, a power of two, which keeps them exact; what a layer adds to its
    input (``residual``) is a whole weight on the diagonal.
    """

    def __init__(self, weights: npt.NDArray[np.int8], bias: npt.NDArray[np.int32], *, residual: bool = False) -> None:
        whole = weights.astype(np.float32)
        self._side = len(whole) // 2
        if residual:
            whole[self._side] += np.eye(whole.shape[1], dtype=np.float32) * WEIGHT_STEP
        joined = whole.transpose(1, 0, 2).reshape(whole.shape[1], -1)
        self._weights: Array = np.multiply(joined, np.float32(1 / WEIGHT_STEP), dtype=np.float32)
        # Half a step, so that rounding down rounds to the nearest.
        self._bias: Array = (bias.astype(np.float32) + np.float32(WEIGHT_STEP // 2)) * np.float32(1 / WEIGHT_STEP)

    def apply(self, rows: Array, count: int) -> Array:
        wide = product(rows, self._weights)
        side, size = self._side, len(self._bias)
        total: Array = wide[:, side * size : (side + 1) * size] + self._bias
        for offset in range(1, side + 1):
            # Each token gets from its neighbours what they are to it.
            before, behind = (side - offset) * size, (side + offset) * size
            total[offset:] += wide[:-offset, before : before + size]
            total[:-offset] += wide[offset:, behind : behind + size]
        return _rounded(total, count)

    def apply_at(self, rows: Array, at: npt.NDArray[np.intp], zero: int) -> Array:
        """:meth:`apply` to the rows ``at``, without multiplying one twice that stands there twice.

        ``zero``: a row of zeros, which stands in front and behind.
        """
        side, size, count = self._side, len(self._bias), len(at)
        # What each row is to each of its neighbours, a row for each of both.
        shares = product(rows, self._weights).reshape(-1, size)
        first = np.full(count + 2 * side, zero, np.intp)
        first[side : side + count] = at
        first *= 2 * side + 1
        total: Array = np.zeros((-(-count // _TILE) * _TILE, size), np.float32)
        total[:count] = self._bias
        for neighbour in range(2 * side + 1):
            total[:count] += shares.take(first[neighbour : neighbour + count] + neighbour, axis=0, mode="clip")
        return _rounded(total, count)


def spread(known: npt.NDArray[np.int8], places: Sequence[int] | npt.NDArray[np.intp], count: int) -> Array:
    """``count`` rows, those at ``places`` and then zeros, and as many more as make a whole number of ``_TILE``."""
    made: Array = np.zeros((-(-count // _TILE) * _TILE, known.shape[1]), np.float32)
    made[: len(places)] = known.take(places, axis=0, mode="clip")
    return made


def _rounded(total: Array, count: int) -> Array:
    """Activations: whole, none below zero, and nothing behind the last token."""
    np.floor(total, out=total)
    # One pass; a maximum with a single number and a minimum take five times as long.
    total.clip(0, 127, out=total)
    total[count:] = 0
    return total


def product(rows: Array, weights: Array) -> Array:
    """``rows @ weights``, tile by tile: so small a product is never worth a second thread to the library beneath."""
    if len(rows) == _TILE:
        return rows @ weights
    tiles = np.matmul(rows.reshape(-1, _TILE, rows.shape[1]), weights)
    made: Array = tiles.reshape(len(rows), weights.shape[1])
    return made
