"""all-MiniLM-L6-v2 in whole numbers: the same text gives the same numbers on every machine (docs/adr/0101).

The forward pass of :mod:`securevec.embed.forward` differs in its last bits with the processor and the library that
multiplies, which distances bear and decisions do not. Here every sum is one of whole numbers that single (or double)
precision holds exactly, so it may be made in any order: weights are bytes, and what they are multiplied with is rounded
to as many steps as keep the largest possible sum below 2^24. What is left are single additions, multiplications,
divisions and roots, which IEEE 754 rounds in one way only, and two tables instead of the exponential function.

A model that learned further is the shipped one and what that changed: small arrays, and two narrow ones a matrix.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from securevec.embed.forward import DIMENSION, HEADS, LAYERS, read_tensors
from securevec.errors import EmbedderError
from securevec.types import Matrix

Whole = npt.NDArray[np.float64]

_EXACT: Final = 1 << 24
"""Single precision holds all whole numbers up to it."""
_BYTE: Final = np.float32(127)
_FINEST: Final = 1023
"""Steps on each side of zero of what is multiplied with weights, where the sum has room for so many."""
_WIDTH: Final = DIMENSION // HEADS
_SEEN: Final = math.isqrt(_EXACT // _WIDTH)
"""The same of queries and keys, which are multiplied with each other."""
_VALUES: Final = 2047
_HIDDEN: Final = 1 << 14
"""Parts that one is divided into where rows are summed, in double precision."""
_LARGEST: Final = 256 * _HIDDEN
_EPSILON: Final = 1e-12 * _HIDDEN * _HIDDEN

_FINE: Final = 64
_SHARES: Final = np.array([round(4095 * math.exp(-at / _FINE)) for at in range(10 * _FINE + 1)], np.float64)
"""What a neighbour counts whose score is so many parts below the best."""
_SLOPE: Final = 256
_TAIL: Final = np.array(
    [round(at / _SLOPE * math.erfc(at / _SLOPE / math.sqrt(2)) / 2 * 65536) / 65536 for at in range(6 * _SLOPE + 1)],
    np.float32,
)
"""Of x, what max(x, 0) is more than x times the normal distribution function there."""

TABLES: Final = hashlib.sha256(_SHARES.tobytes() + _TAIL.tobytes()).hexdigest()
"""Of both: part of the identity of whatever is decided with them."""


class _Linear(NamedTuple):
    weight: Matrix
    """Whole numbers, inputs down."""
    scale: Matrix
    bias: Matrix
    levels: np.float32

    @classmethod
    def of(cls, weight: Matrix, bias: Matrix) -> _Linear:
        peak = np.maximum(np.abs(weight).max(axis=1), np.float32(1e-9))
        whole = np.rint(weight * (_BYTE / peak)[:, None])
        most = int(np.abs(whole).sum(axis=1, dtype=np.float64).max())
        levels = min(_FINEST, _EXACT // max(1, most))
        return cls(np.ascontiguousarray(whole.T), peak / _BYTE, bias, np.float32(levels))

    def __call__(self, x: Matrix) -> Matrix:
        whole, step = _rounded(x, self.levels)
        made: Matrix = whole @ self.weight
        made *= step
        made *= self.scale
        made += self.bias
        return made


class _Layer(NamedTuple):
    asked: _Linear
    """Query, key and value."""
    attended: _Linear
    attended_norm: tuple[Matrix, Matrix]
    widened: _Linear
    narrowed: _Linear
    narrowed_norm: tuple[Matrix, Matrix]


class WholeForward:
    """Weights in memory, and texts through them. Not changed by any call, so safe in any thread."""

    def __init__(self, safetensors: bytes, changes: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """``safetensors``: the whole weights file. ``changes``: see :func:`changed`; ``casing`` and ``last`` besides.

        Raises :class:`EmbedderError` for what is neither.
        """
        try:
            weights = changed(read_tensors(safetensors), changes)
            self._words = weights["embeddings.word_embeddings.weight"].copy()  # the rest of the file is not kept
            kind = weights["embeddings.token_type_embeddings.weight"][0]
            self._places = weights["embeddings.position_embeddings.weight"] + kind
            self._casing = changes["casing"].astype(np.float32)
            self._norm = _norm(weights, "embeddings.LayerNorm")
            self._layers = [_layer(weights, f"encoder.layer.{number}.") for number in range(LAYERS)]
            self._last = _Linear.of(changes["last.weight"].astype(np.float32), changes["last.bias"].astype(np.float32))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise EmbedderError("The weights of the model could not be loaded.") from error

    def scores(self, texts: Sequence[tuple[list[int], list[int]]]) -> list[Matrix]:
        """What the last layer says of each place of each text: its pieces, and the casing of each. A text's scores do
        not depend on which others are there; those of one length are better given behind each other."""
        lengths = [len(pieces) for pieces, _ in texts]
        with np.errstate(all="ignore"):  # an application may have asked numpy to raise
            hidden = self._words[[piece for pieces, _ in texts for piece in pieces]]
            hidden += self._casing[[kind for _, kinds in texts for kind in kinds]]
            hidden += self._places[[place for length in lengths for place in range(length)]]
            hidden = _normed(hidden, self._norm)
            for layer in self._layers:
                seen = layer.attended(_attention(layer.asked(hidden), lengths))
                seen += hidden
                seen = _normed(seen, layer.attended_norm)
                hidden = layer.narrowed(_gelu(layer.widened(seen)))
                hidden += seen
                hidden = _normed(hidden, layer.narrowed_norm)
            made = self._last(hidden)
        if not np.isfinite(made).all():
            raise EmbedderError("The model answered with values that are not finite.")
        ends = np.cumsum(lengths).tolist()
        return [made[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def changed(weights: Mapping[str, Matrix], changes: Mapping[str, npt.NDArray[np.generic]]) -> dict[str, Matrix]:
    """Weights with ``changes``: ``NAME`` is added to an array; ``NAME.left``, ``.right`` and ``.scale`` to a matrix, as
    the product of two of whole numbers, each row times its scale."""
    made = dict(weights)
    for name, weight in weights.items():
        if name in changes:
            made[name] = weight + changes[name].astype(np.float32)
        elif f"{name}.left" in changes:
            left, right, scale = (changes[f"{name}.{part}"].astype(np.float32) for part in ("left", "right", "scale"))
            made[name] = np.add(weight, (left @ right) * scale[:, None], dtype=np.float32)
    return made


def _norm(weights: Mapping[str, Matrix], name: str) -> tuple[Matrix, Matrix]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _layer(weights: Mapping[str, Matrix], at: str) -> _Layer:
    def linear(*names: str) -> _Linear:
        parts = [[weights[f"{at}{name}.{part}"] for name in names] for part in ("weight", "bias")]
        return _Linear.of(*map(np.concatenate, parts))

    return _Layer(
        linear("attention.self.query", "attention.self.key", "attention.self.value"),
        linear("attention.output.dense"),
        _norm(weights, f"{at}attention.output.LayerNorm"),
        linear("intermediate.dense"),
        linear("output.dense"),
        _norm(weights, f"{at}output.LayerNorm"),
    )


def _rounded(x: Matrix, levels: np.float32) -> tuple[Matrix, Matrix]:
    """Each row in whole numbers of at most ``levels``, and what one of them is."""
    peak = np.maximum(np.maximum(x.max(axis=-1, keepdims=True), -x.min(axis=-1, keepdims=True)), np.float32(1e-9))
    whole = x * (levels / peak)
    return np.rint(whole, out=whole), peak / levels


def _normed(x: Matrix, norm: tuple[Matrix, Matrix]) -> Matrix:
    whole: Whole = np.rint(x * np.float32(_HIDDEN)).astype(np.float64)
    whole.clip(-_LARGEST, _LARGEST, out=whole)
    mean = whole.sum(axis=1, keepdims=True)
    mean /= DIMENSION
    spread = np.einsum("ij,ij->i", whole, whole)[:, None]
    spread /= DIMENSION
    spread -= mean * mean
    spread += _EPSILON
    whole -= mean
    whole /= np.sqrt(spread)
    made = whole.astype(np.float32)
    made *= norm[0]
    made += norm[1]
    return made


def _attention(asked: Matrix, lengths: list[int]) -> Matrix:
    """Every piece sees those of its own text. Texts of one length, which follow each other, go together."""
    seen = np.empty((len(asked), DIMENSION), np.float32)
    start = 0
    for length, same in groupby(lengths):
        texts = len(list(same))
        rows = slice(start, start := start + texts * length)
        shape = (texts, length, 3, HEADS, _WIDTH)
        query, key, value = np.ascontiguousarray(asked[rows].reshape(shape).transpose(2, 0, 3, 1, 4))
        query, query_step = _rounded(query, np.float32(_SEEN))
        key, key_step = _rounded(key, np.float32(_SEEN))
        score = query @ key.transpose(0, 1, 3, 2)
        score *= query_step * np.float32(1 / math.sqrt(_WIDTH))
        score *= key_step.transpose(0, 1, 3, 2)
        score -= score.max(axis=-1, keepdims=True)
        score *= np.float32(-_FINE)
        np.minimum(score, np.float32(len(_SHARES) - 1), out=score)
        share = _SHARES.take(np.rint(score, out=score).astype(np.intp))
        flat, step = _rounded(value.reshape(texts, HEADS, -1), np.float32(_VALUES))
        mixed = share @ flat.reshape(value.shape).astype(np.float64)
        mixed *= step[..., None]
        mixed /= share.sum(axis=-1, keepdims=True)
        seen[rows] = mixed.astype(np.float32).transpose(0, 2, 1, 3).reshape(-1, DIMENSION)
    return seen


def _gelu(x: Matrix) -> Matrix:
    """In place."""
    far = np.abs(x)
    far *= np.float32(_SLOPE)
    np.minimum(far, np.float32(len(_TAIL) - 1), out=far)
    tail = _TAIL.take(np.rint(far, out=far).astype(np.intp))
    np.maximum(x, np.float32(0), out=x)
    x -= tail
    return x
