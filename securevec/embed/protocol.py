"""The seam to an embedding model. An embedder is handed :class:`AnonymizedText` and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from securevec.types import AnonymizedText, Matrix


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model made a vector. Two vectors are comparable only when these are equal.

    ``digest`` is the SHA-256 (hex) of the weights file, or of the code for models without weights.
    """

    name: str
    revision: str
    digest: str
    dimension: int


def model_of(identity: ModelIdentity) -> dict[str, object]:
    """What a collection is bound to, of a model."""
    return {"name": identity.name, "digest": identity.digest, "dimension": identity.dimension}


@runtime_checkable
class Embedder(Protocol):
    """Text to vectors. Deterministic for equal input; raises :class:`EmbedderError` on any failure."""

    @property
    def identity(self) -> ModelIdentity: ...

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """Unit-length float32 rows, shape (len(texts), identity.dimension)."""
        ...

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        """Character ranges of the model's tokens, without special tokens, in order. Used to cut chunks."""
        ...

    @property
    def max_tokens(self) -> int:
        """Content tokens that fit in one input; longer input would be cut silently by the model."""
        ...
