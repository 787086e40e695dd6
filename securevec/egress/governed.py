"""An embedder that asks before it hands over a text. Whatever embeds in a collection has this one in hand: ingest and
update, searches, the redaction of an erasure, and keys exchanged under what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from securevec.egress.gate import require_model
from securevec.embed.checked import CheckedEmbedder
from securevec.embed.protocol import Embedder
from securevec.embed.wrapped import WrappedEmbedder
from securevec.policy.models import Use
from securevec.state.runtime import Runtime
from securevec.types import AnonymizedText, CollectionId, Matrix, TenantId


class GovernedEmbedder(WrappedEmbedder):
    """``inner``, which receives no text unless ``require`` returns. It is called with the model's name each time."""

    __slots__ = ("_require",)

    def __init__(self, inner: Embedder, require: Callable[[str], None]) -> None:
        super().__init__(inner)
        self._require = require

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """As the embedder's own. Raises :class:`ModelNotAllowed`."""
        self._require(self._inner.identity.name)
        return self._inner.embed(texts)

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        """As the embedder's own, which sees the text here too. Raises :class:`ModelNotAllowed`."""
        self._require(self._inner.identity.name)
        return self._inner.token_offsets(text)


def governed(runtime: Runtime, *, tenant: TenantId, collection: CollectionId, classification: str) -> GovernedEmbedder:
    """The runtime's embedder for the texts of one collection."""

    def require(model: str) -> None:
        use = Use(model, "embedder", tenant, classification)
        require_model(runtime, use, collection)

    return GovernedEmbedder(CheckedEmbedder(runtime.embedder()), require)
