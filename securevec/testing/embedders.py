"""Embedders for tests: one that is fast and deterministic, one that records what reaches a model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from securevec.embed.protocol import Embedder, ModelIdentity
from securevec.embed.wrapped import WrappedEmbedder
from securevec.errors import EmbedderError
from securevec.types import AnonymizedText, Matrix, Vector

_WORDS: Final = re.compile(r"\w+|[^\w\s]")


class HashEmbedder:
    """A bag of words by hashing: texts that share words have near vectors, with no model and no dependency.

    Each word is a direction of ``dimension`` signs taken from a hash of its case-folded text; a text is the sum of
    its words, at unit length. Input beyond ``max_tokens`` words is cut, as a model would cut it.
    """

    def __init__(self, *, dimension: int = 64, max_tokens: int = 254) -> None:
        self._dimension = dimension
        self._max_tokens = max_tokens
        self._identity = ModelIdentity("hash", "1", hashlib.sha256(b"securevec hash embedder 1").hexdigest(), dimension)
        self._words: dict[str, Vector] = {}

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """Unit-length float32 rows, shape (len(texts), dimension). Raises :class:`EmbedderError` on other input."""
        out = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, item in enumerate(texts):
            for word in _WORDS.findall(_text(item))[: self._max_tokens]:
                out[row] += self._direction(word.casefold())
            norm = float(np.linalg.norm(out[row]))
            if norm == 0.0:
                # No words, or words that cancel out: still a valid unit vector, the same every time.
                out[row, 0] = norm = 1.0
            out[row] /= norm
        return out

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        return [match.span() for match in _WORDS.finditer(_text(text))]

    def _direction(self, word: str) -> Vector:
        known = self._words.get(word)
        if known is None:
            digest = hashlib.shake_256(word.encode("utf-8", "surrogatepass")).digest(-(-self._dimension // 8))
            bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))[: self._dimension]
            known = self._words[word] = bits.astype(np.float32) * 2 - 1
        return known


class TapEmbedder(WrappedEmbedder):
    """Hands everything to ``inner`` and remembers, in order, each text it was given to embed (``texts``)."""

    def __init__(self, inner: Embedder) -> None:
        super().__init__(inner)
        self.texts: list[str] = []

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        self.texts.extend(item.text for item in texts)
        return self._inner.embed(texts)


def _text(item: object) -> str:
    if not isinstance(item, AnonymizedText):
        raise EmbedderError("An embedder takes anonymized text only.")
    return item.text
