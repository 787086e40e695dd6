"""The forward pass of all-MiniLM-L6-v2 in numpy: the same vectors as sentence-transformers to the last bits of a
float32, without importing torch (docs/adr/0047).

Loading torch and its companions takes some seconds of processor time, which a command line that embeds one question
pays at every call. What is read here is the same file whose digest was checked; its shapes are those of that file.
"""

from __future__ import annotations

import math
from typing import Any, Final, cast

import numpy as np
import orjson

from securevec.errors import EmbedderError
from securevec.types import Matrix

LAYERS: Final = 6
HEADS: Final = 12
DIMENSION: Final = 384
_EPSILON: Final = 1e-12
_TYPES: Final = {"F32": np.dtype("<f4")}

_REACH: Final = 6.0
"""Beyond it the normal distribution function is 0 or 1 in float32."""
_STEPS: Final = 1 << 14
"""Of its table. Linear between two of them it is off by 4e-8 at most, less than float32 can tell near 1."""


class Forward:
    """Weights in memory, and texts as token ids through them. Not changed by any call, so safe in any thread."""

    def __init__(self, safetensors: bytes) -> None:
        """``safetensors``: the whole weights file, which is kept. Raises :class:`EmbedderError` when it is none."""
        try:
            self._weights = _read(safetensors)
        except (ValueError, KeyError, TypeError) as error:
            raise EmbedderError("The embedding model could not be loaded.") from error
        grid = np.linspace(-_REACH, _REACH, _STEPS + 1)
        self._normal = np.array([0.5 + 0.5 * math.erf(x / math.sqrt(2)) for x in grid.tolist()], dtype=np.float32)

    def vector(self, ids: list[int]) -> Matrix:
        """The unit vector of one text, shape (384,), from its token ids with the two special ones."""
        w = self._weights
        row = np.array(ids)
        hidden = (
            w["embeddings.word_embeddings.weight"][row]
            + w["embeddings.position_embeddings.weight"][: len(row)]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._normed(hidden, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}.")
        mean = hidden.mean(axis=0)
        return cast("Matrix", mean / max(float(np.linalg.norm(mean)), _EPSILON))

    def _layer(self, hidden: Matrix, at: str) -> Matrix:
        query, key, value = (
            self._linear(hidden, f"{at}attention.self.{name}").reshape(len(hidden), HEADS, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        weight = query @ key.transpose(0, 2, 1) / np.float32(math.sqrt(DIMENSION // HEADS))
        weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
        weight /= weight.sum(axis=-1, keepdims=True)
        seen = (weight @ value).transpose(1, 0, 2).reshape(len(hidden), DIMENSION)
        hidden = self._normed(
            hidden + self._linear(seen, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm"
        )
        inner = self._gelu(self._linear(hidden, f"{at}intermediate.dense"))
        return self._normed(hidden + self._linear(inner, f"{at}output.dense"), f"{at}output.LayerNorm")

    def _linear(self, x: Matrix, at: str) -> Matrix:
        return cast("Matrix", x @ self._weights[f"{at}.weight"].T + self._weights[f"{at}.bias"])

    def _normed(self, x: Matrix, at: str) -> Matrix:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(_EPSILON))
        return cast("Matrix", centred / spread * self._weights[f"{at}.weight"] + self._weights[f"{at}.bias"])

    def _gelu(self, x: Matrix) -> Matrix:
        """``x`` times the normal distribution function at ``x``, out of a table."""
        place = (np.clip(x, -_REACH, _REACH) + np.float32(_REACH)) * np.float32(_STEPS / (2 * _REACH))
        below = np.minimum(place.astype(np.int32), _STEPS - 1)
        left = self._normal[below]
        # float32 throughout: one float64 would make copies of the weights of every layer after it.
        return cast("Matrix", x * (left + (self._normal[below + 1] - left) * (place - below.astype(np.float32))))


def _read(data: bytes) -> dict[str, Matrix]:
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
