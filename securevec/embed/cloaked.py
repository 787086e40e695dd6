"""An embedder whose vectors are cloaked before anybody sees them: what is stored and what is asked, alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from securevec.crypto.cloak import VectorCloak
from securevec.embed.protocol import Embedder
from securevec.embed.wrapped import WrappedEmbedder
from securevec.types import AnonymizedText, Matrix


class CloakedEmbedder(WrappedEmbedder):
    """``inner``, whose vectors are rotated into the space of one collection.

    ``cloak`` is asked at each call, so that nothing is embedded once the key is destroyed.
    """

    __slots__ = ("_cloak",)

    def __init__(self, inner: Embedder, cloak: Callable[[], VectorCloak]) -> None:
        super().__init__(inner)
        self._cloak = cloak

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """Rows as those of the model, rotated. Raises :class:`KeyDestroyed` before the model is asked."""
        cloak = self._cloak()
        return cloak.rotate(self._inner.embed(texts))
