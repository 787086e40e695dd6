"""The forward pass of all-MiniLM-L6-v2 in numpy: the same vectors as sentence-transformers to the last bits of a
float32, in less time than torch takes and without importing it (docs/adr/0092).

What is read here is the file whose digest was checked, from the same bytes; its shapes are those of that file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from securevec.errors import EmbedderError
from securevec.types import Matrix

LAYERS: Final = 6
HEADS: Final = 12
DIMENSION: Final = 384
PACK: Final = 512
"""Tokens whose matrices are multiplied together, of as many texts as that is: large enough for BLAS to be at its best,
small enough for the caches."""
LEAST: Final = 128
"""Tokens that are worth a thread."""

_EPSILON: Final = np.float32(1e-12)
_TYPES: Final = {"F32": np.dtype("<f4")}

_BLOCK: Final = 64
"""Rows of the widest matrix that are worked on at a time, so that they stay near the processor."""
_SLOPE: Final = np.float32(0.3275911 / math.sqrt(2))
_SERIES: Final = tuple(map(np.float32, (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)))
"""Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: the error function to 1.5e-7."""


class _Linear(NamedTuple):
    weight: Matrix
    bias: Matrix

    def __call__(self, x: Matrix) -> Matrix:
        made: Matrix = x @ self.weight.T
        made += self.bias
        return made


class _Norm(NamedTuple):
    weight: Matrix
    bias: Matrix

    def __call__(self, x: Matrix) -> None:
        """In place, each row."""
        x -= x.mean(axis=-1, keepdims=True)
        spread = np.einsum("ij,ij->i", x, x)[:, None]
        spread /= np.float32(DIMENSION)
        spread += _EPSILON
        x /= np.sqrt(spread, out=spread)
        x *= self.weight
        x += self.bias


class _Layer(NamedTuple):
    query: _Linear
    key: _Linear
    value: _Linear
    attended: _Linear
    attended_norm: _Norm
    widened: _Linear
    narrowed: _Linear
    narrowed_norm: _Norm


class Forward:
    """Weights in memory, and texts as token ids through them. Not changed by any call, so safe in any thread."""

    def __init__(self, safetensors: bytes) -> None:
        """``safetensors``: the whole weights file, which is kept. Raises :class:`EmbedderError` when it is none."""
        try:
            weights = read_tensors(safetensors)
            self._words = weights["embeddings.word_embeddings.weight"]
            self._places = weights["embeddings.position_embeddings.weight"]
            self._kind = weights["embeddings.token_type_embeddings.weight"][0]
            self._norm = _Norm(weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
            self._layers = [_layer(weights, f"encoder.layer.{number}.") for number in range(LAYERS)]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise EmbedderError("The embedding model could not be loaded.") from error

    def vectors(self, ids: Sequence[Sequence[int]], *, threads: int = 1) -> Matrix:
        """Unit vectors of texts, shape (len(ids), 384), from their token ids with the two special ones each.

        ``threads``: of Python, for as many packs of texts; BLAS should have one of its own for each.
        """
        made = np.empty((len(ids), DIMENSION), dtype=np.float32)

        def through(pack: list[int]) -> None:
            # Small numbers become zero, as they should. An application may have asked numpy to raise there.
            with np.errstate(all="ignore"):
                made[pack] = self._through([ids[at] for at in pack])

        packs = list(_packs([len(each) for each in ids], threads))
        if threads == 1 or len(packs) == 1:
            for pack in packs:
                through(pack)
        else:
            with ThreadPoolExecutor(min(threads, len(packs)), thread_name_prefix="securevec-embed") as pool:
                for _ in pool.map(through, packs):
                    pass  # a failure of any is raised here
        return made

    def _through(self, texts: list[Sequence[int]]) -> Matrix:
        """Vectors of texts whose tokens lie under each other in one matrix. Nothing is padded."""
        lengths = [len(text) for text in texts]
        hidden = self._words[[token for text in texts for token in text]]
        hidden += self._places[[place for length in lengths for place in range(length)]]
        hidden += self._kind
        self._norm(hidden)
        for layer in self._layers:
            seen = layer.attended(_attention(layer, hidden, lengths))
            seen += hidden
            layer.attended_norm(seen)
            wide = layer.widened(seen)
            _gelu(wide)
            hidden = layer.narrowed(wide)
            hidden += seen
            layer.narrowed_norm(hidden)
        ends = np.cumsum(lengths)
        mean = np.add.reduceat(hidden, [0, *ends[:-1].tolist()], axis=0)
        mean /= np.array(lengths, dtype=np.float32)[:, None]
        mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), _EPSILON)
        return mean


def _packs(lengths: Sequence[int], threads: int) -> Iterator[list[int]]:
    """The numbers of texts, in packs of about as many tokens; longest first, so that equally long ones are together."""
    most = max(LEAST, min(PACK, -(-sum(lengths) // threads)))
    pack: list[int] = []
    tokens = 0
    for at in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if pack and tokens + lengths[at] > most:
            yield pack
            pack, tokens = [], 0
        pack.append(at)
        tokens += lengths[at]
    if pack:
        yield pack


def _attention(layer: _Layer, hidden: Matrix, lengths: list[int]) -> Matrix:
    """Every token sees those of its own text. Texts of one length, which follow each other, go together."""
    query, key, value = (each(hidden) for each in (layer.query, layer.key, layer.value))
    query *= np.float32(1 / math.sqrt(DIMENSION // HEADS))
    seen = np.empty_like(query)
    start = 0
    for length, same in groupby(lengths):
        texts = len(list(same))
        rows = slice(start, start := start + texts * length)
        shape = (texts, length, HEADS, DIMENSION // HEADS)
        q, k, v = (
            np.ascontiguousarray(each[rows].reshape(shape).transpose(axes))
            for each, axes in ((query, (0, 2, 1, 3)), (key, (0, 2, 3, 1)), (value, (0, 2, 1, 3)))
        )
        weight = q @ k
        weight -= weight.max(axis=-1, keepdims=True)
        np.exp(weight, out=weight)
        mixed = weight @ v
        mixed /= weight.sum(axis=-1, keepdims=True)
        seen[rows] = mixed.transpose(0, 2, 1, 3).reshape(-1, DIMENSION)
    return seen


def _gelu(wide: Matrix) -> None:
    """In place: x times the normal distribution function there: max(x, 0) less abs(x) times the tail beyond."""
    for first in range(0, len(wide), _BLOCK):
        x = wide[first : first + _BLOCK]
        far = np.abs(x)
        near = far * _SLOPE
        near += np.float32(1)
        np.reciprocal(near, out=near)
        tail = near * _SERIES[0]
        for term in _SERIES[1:]:
            tail += term
            tail *= near
        bell = np.square(x, out=near)
        bell *= np.float32(-0.5)
        tail *= np.exp(bell, out=bell)
        tail *= far
        tail *= np.float32(0.5)
        np.maximum(x, np.float32(0), out=x)
        x -= tail


def _layer(weights: Mapping[str, Matrix], at: str) -> _Layer:
    def linear(name: str) -> _Linear:
        return _Linear(weights[f"{at}{name}.weight"], weights[f"{at}{name}.bias"])

    def norm(name: str) -> _Norm:
        return _Norm(weights[f"{at}{name}.weight"], weights[f"{at}{name}.bias"])

    query, key, value = (linear(f"attention.self.{name}") for name in ("query", "key", "value"))
    return _Layer(
        query,
        key,
        value,
        linear("attention.output.dense"),
        norm("attention.output.LayerNorm"),
        linear("intermediate.dense"),
        linear("output.dense"),
        norm("output.LayerNorm"),
    )


def read_tensors(data: bytes) -> dict[str, Matrix]:
    """The tensors of a safetensors file: eight bytes of length, a header in JSON, raw numbers. Views, not copies."""
    size = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = orjson.loads(data[8 : 8 + size])
    tensors: dict[str, Matrix] = {}
    for name, entry in header.items():
        kind = _TYPES.get(entry.get("dtype"))
        if kind is None:
            continue  # the file's own notes, and position ids, which count from 0
        start, end = entry["data_offsets"]
        flat = np.frombuffer(data, kind, count=(end - start) // kind.itemsize, offset=8 + size + start)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors
