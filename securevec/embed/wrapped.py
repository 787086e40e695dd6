"""An embedder around another one: identity, limit and word pieces are its own, the vectors are the wrapper's matter."""

from __future__ import annotations

from collections.abc import Sequence

from securevec.embed.protocol import Embedder, ModelIdentity
from securevec.types import AnonymizedText, Matrix


class WrappedEmbedder:
    """``inner``, unchanged. Wrappers derive from it and change what they are there for."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner

    @property
    def identity(self) -> ModelIdentity:
        return self._inner.identity

    @property
    def dimension(self) -> int:
        """The length of the vectors that are expected of it."""
        return self.identity.dimension

    @property
    def max_tokens(self) -> int:
        return self._inner.max_tokens

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        return self._inner.embed(texts)

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        return self._inner.token_offsets(text)
