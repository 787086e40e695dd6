"""Any embedding function as the model of a store. It sees anonymized text and nothing else, as every model here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from securevec.embed import ModelIdentity
from securevec.errors import ConfigError, EmbedderError
from securevec.types import AnonymizedText, Matrix

EmbedFunction = Callable[[list[str]], Sequence[Sequence[float]]]

_PIECES: Final = re.compile(r"[A-Za-z]{1,4}|[0-9]{1,3}|\S", re.ASCII)
"""Pieces no longer than the tokens of common vocabularies, so that a chunk is rather too short than cut."""


class FunctionEmbedder:
    """``FunctionEmbedder(model.embed_documents, name="...", dimension=384)``, for :meth:`SecureStore.open`.

    LangChain: ``embeddings.embed_documents``. LlamaIndex: ``embed_model.get_text_embedding_batch``. Haystack:
    ``lambda texts: [embedder.run(text=text)["embedding"] for text in texts]``.

    Args:
        embed: texts to vectors, one each, in order. Called for the texts of records and of queries.
        name, revision: which model it is. A collection is bound to both and to ``dimension``: say something else when
            the model changes, since two models never mix.
        dimension: numbers in a vector.
        max_tokens: how much of a text the model reads. Longer texts are cut into chunks.
        token_offsets: the model's own tokens as character ranges, to cut by. Without it pieces of at most four
            letters count as tokens.
    """

    def __init__(
        self,
        embed: EmbedFunction,
        *,
        name: str,
        dimension: int,
        revision: str = "1",
        max_tokens: int = 254,
        token_offsets: Callable[[str], list[tuple[int, int]]] | None = None,
    ) -> None:
        if not name or dimension < 1 or max_tokens < 1:
            raise ConfigError("An embedder has a name, and at least one dimension and one token.")
        # No weights to take a digest of: the identity is what the caller says it is.
        said = json.dumps([name, revision, dimension]).encode()
        self._identity = ModelIdentity(name, revision, hashlib.sha256(said).hexdigest(), dimension)
        self._embed = embed
        self._max_tokens = max_tokens
        self._token_offsets = token_offsets

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """Unit-length float32 rows, shape (len(texts), dimension). Raises :class:`EmbedderError`."""
        plain = [_text(item) for item in texts]
        if not plain:
            return np.zeros((0, self._identity.dimension), dtype=np.float32)
        rows = _numbers(self._embed(plain))
        if rows.shape != (len(plain), self._identity.dimension):
            raise EmbedderError("The embedding function answered with another shape.")
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EmbedderError("The embedding function answered with a vector that is zero or not finite.")
        return np.asarray(rows / lengths, dtype=np.float32)

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        plain = _text(text)
        if self._token_offsets is not None:
            return self._token_offsets(plain)
        return [match.span() for match in _PIECES.finditer(plain)]


def _numbers(answer: object) -> NDArray[np.float64]:
    try:
        rows = np.asarray(answer)
    except ValueError as error:  # rows of several lengths
        raise EmbedderError("The embedding function answered with another shape.") from error
    if rows.dtype.kind not in "fiu":
        raise EmbedderError("The embedding function answered with something else than real numbers.")
    return rows.astype(np.float64)


def _text(item: object) -> str:
    if not isinstance(item, AnonymizedText):
        raise EmbedderError("An embedder takes anonymized text only.")
    return item.text
