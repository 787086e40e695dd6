"""An embedder whose vectors are cloaked before anybody sees them: what is stored and what is asked, alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from securevec.crypto.cloak import VectorCloak
from securevec.embed.protocol import Embedder, ModelIdentity
from securevec.types import AnonymizedText, Matrix


class CloakedEmbedder:
    """``inner``, whose vectors are rotated into the space of one collection.

    ``cloak`` is asked at each call, so that nothing is embedded once the key is destroyed.
    """

    __slots__ = ("_cloak", "_inner")

    def __init__(self, inner: Embedder, cloak: Callable[[], VectorCloak]) -> None:
        self._inner = inner
        self._cloak = cloak

    @property
    def identity(self) -> ModelIdentity:
        return self._inner.identity

    @property
    def max_tokens(self) -> int:
        return self._inner.max_tokens

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """Rows as those of the model, rotated. Raises :class:`KeyDestroyed` before the model is asked."""
        cloak = self._cloak()
        return cloak.rotate(self._inner.embed(texts))

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        return self._inner.token_offsets(text)
