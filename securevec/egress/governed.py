"""An embedder that asks before it hands over a text. Whatever embeds in a collection has this one in hand: ingest and
update, searches, the redaction of an erasure, and keys exchanged under what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from securevec.egress.gate import require_model
from securevec.embed.checked import CheckedEmbedder
from securevec.embed.protocol import Embedder, ModelIdentity, model_of
from securevec.embed.wrapped import WrappedEmbedder
from securevec.errors import EmbedderError
from securevec.policy.models import Use
from securevec.state.runtime import Runtime
from securevec.types import AnonymizedText, CollectionId, Matrix, TenantId


class GovernedEmbedder(WrappedEmbedder):
    """``inner``, which receives no text unless ``require`` returns. It is called with the model's name each time.

    ``bound`` is the model that the collection is bound to: name, digest and dimension. One that says something else by
    now is another model. It receives nothing, and what it answered while it changed is not used.
    """

    __slots__ = ("_bound", "_require")

    def __init__(self, inner: Embedder, require: Callable[[str], None], bound: Mapping[str, object]) -> None:
        super().__init__(inner)
        self._require = require
        self._bound = dict(bound)

    @property
    def dimension(self) -> int:
        """Of the model that the collection is bound to, whatever the embedder says by now."""
        said = self._bound.get("dimension")
        return said if isinstance(said, int) else self.identity.dimension

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """As the embedder's own. Raises :class:`ModelNotAllowed`, :class:`EmbedderError`."""
        self._require(self._same().name)
        vectors = self._inner.embed(texts)
        self._same()
        return vectors

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        """As the embedder's own, which sees the text here too. Raises as above."""
        self._require(self._same().name)
        return self._inner.token_offsets(text)

    def _same(self) -> ModelIdentity:
        said = self._inner.identity
        if model_of(said) != self._bound:
            raise EmbedderError(
                "The embedder says that it is another model than the collection is bound to.",
                next_step="Open the store with one embedder for each model; it must not change while it is in use.",
            )
        return said


def governed(
    runtime: Runtime, *, tenant: TenantId, collection: CollectionId, classification: str, bound: Mapping[str, object]
) -> GovernedEmbedder:
    """The runtime's embedder for the texts of one collection, which is ``bound`` to a model."""

    def require(model: str) -> None:
        use = Use(model, "embedder", tenant, classification)
        require_model(runtime, use, collection)

    return GovernedEmbedder(CheckedEmbedder(runtime.embedder()), require, bound)
