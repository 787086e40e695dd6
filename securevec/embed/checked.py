"""An embedder that is not believed: what it answers is looked at before anything is stored or asked with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from securevec.embed.wrapped import WrappedEmbedder
from securevec.errors import EmbedderError, SecurevecError
from securevec.types import AnonymizedText, Matrix

T = TypeVar("T")


class CheckedEmbedder(WrappedEmbedder):
    """``inner``, whose failures and unusable answers are :class:`EmbedderError`."""

    __slots__ = ()

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """float32 rows, shape (len(texts), dimension), finite and none of them zero. Raises :class:`EmbedderError`."""
        matrix = _called(lambda: np.asarray(self._inner.embed(texts), dtype=np.float32))
        if matrix.shape != (len(texts), self.identity.dimension):
            raise EmbedderError("The embedder answered with another shape.")
        if not np.isfinite(matrix).all():
            raise EmbedderError("The embedder answered with values that are not finite.")
        if not matrix.any(axis=1).all():
            raise EmbedderError("The embedder answered with a zero vector.")
        return matrix

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        """As the protocol says. Raises :class:`EmbedderError`."""
        return _called(lambda: self._inner.token_offsets(text))


def _called(call: Callable[[], T]) -> T:
    try:
        return call()
    except SecurevecError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a model raises, it has failed
        # Raised below, without the cause: a model's message may quote the text.
        failure = EmbedderError(f"The embedder failed with {type(error).__name__}.")
    raise failure
