"""LangChain's ``VectorStore`` over one collection of one tenant. Needs ``pip install 'securevec[langchain]'``.

    articles = store.tenant("acme", actor=actor).collection(Article)
    vectors = SecurevecVectorStore(articles)
    retriever = vectors.as_retriever(search_kwargs={"k": 4, "filter": {"source": "handbook"}})

There is no embedding model here: the collection embeds, after it anonymized. Texts come back anonymized, as stored.

Filters are those of :mod:`securevec.integrations.langchain_filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from securevec.errors import UsageError
from securevec.filters import Expr
from securevec.integrations.documents import Document as Plain
from securevec.integrations.documents import Documents, Undeclared, ids_for, none_left
from securevec.integrations.langchain_filters import Filter, condition
from securevec.integrations.needed import needed
from securevec.reading.hits import SearchResult
from securevec.store import Collection
from securevec.vectors import as_vectors

with needed("langchain"):
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import VectorStore


class SecurevecVectorStore(VectorStore):
    """See the module. ``undeclared``: whether metadata that is not declared refuses its document or falls away."""

    def __init__(self, collection: Collection[Any], *, undeclared: Undeclared = "refuse") -> None:
        """Raises :class:`SchemaError` when the collection's record class cannot hold documents."""
        self._documents = Documents(collection, undeclared=undeclared)

    def __repr__(self) -> str:
        return f"SecurevecVectorStore({self._documents.collection!r})"

    def add_documents(
        self,
        documents: Sequence[Document],
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Store documents, each in place of the one of its id. Returns their ids; new ones for those that bring none.

        ``batch_size`` is what :func:`langchain_core.indexing.index` passes; an ingest has its own batches.

        Raises:
            DocumentsRefused: some cannot be stored; the others are.
            UsageError: another number of ids, or an argument that nobody reads.
        """
        none_left(kwargs)
        whole = list(documents)
        names = ids_for(ids, [document.id for document in whole])
        return self._documents.put(
            [
                Plain(name, document.page_content, cast("Mapping[str, Any]", document.metadata))
                for name, document in zip(names, whole, strict=True)
            ]
        )

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """As :meth:`add_documents`. Raises :class:`UsageError` when there are more or fewer metadatas than texts."""
        return self.add_documents(_paired(texts, metadatas), ids=ids, **kwargs)

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents of these ids that there are, in their order."""
        return [_document(plain) for plain in self._documents.get(ids)]

    def delete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Delete by id; ids that name nothing are passed over. Raises :class:`UsageError` without ids: that would be
        all."""
        none_left(kwargs)
        if ids is None:
            raise UsageError("A deletion names ids.", next_step="To delete by a filter: collection.delete(where=...).")
        self._documents.delete(ids)
        return True

    def similarity_search(
        self, query: str, k: int = 4, *, filter: Filter | None = None, min_score: float | None = None, **kwargs: Any
    ) -> list[Document]:
        """The ``k`` documents nearest to a text. ``min_score``: the least cosine similarity, from -1 to 1."""
        found = self.similarity_search_with_score(query, k, filter=filter, min_score=min_score, **kwargs)
        return [document for document, _ in found]

    def similarity_search_with_score(
        self, query: str, k: int = 4, *, filter: Filter | None = None, min_score: float | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """As :meth:`similarity_search`, each with its cosine similarity: more is nearer."""
        none_left(kwargs)
        collection, where = self._documents.collection, self.where(filter)
        return self._scored(collection.search(query, where=where, k=k, min_score=min_score, group_by="record"))

    def similarity_search_by_vector(
        self, embedding: Sequence[float], k: int = 4, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """The ``k`` documents nearest to a vector of the collection's model, made of anonymized text."""
        none_left(kwargs)
        vector = as_vectors(embedding, field="embedding")
        found = self._documents.collection.search(vector=vector, where=self.where(filter), k=k, group_by="record")
        return [document for document, _ in self._scored(found)]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """``k`` documents that answer the query and not each other, among the ``fetch_k`` nearest; see
        :meth:`securevec.Collection.search_diverse`. They are compared by the vectors they are stored with."""
        none_left(kwargs)
        found = self._documents.collection.search_diverse(
            query, where=self.where(filter), k=k, fetch=max(k, fetch_k), balance=lambda_mult
        )
        return [document for document, _ in self._scored(found)]

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: Sequence[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """As :meth:`max_marginal_relevance_search`, from a vector."""
        none_left(kwargs)
        vector = as_vectors(embedding, field="embedding")
        found = self._documents.collection.search_diverse(
            vector=vector, where=self.where(filter), k=k, fetch=max(k, fetch_k), balance=lambda_mult
        )
        return [document for document, _ in self._scored(found)]

    async def aadd_documents(self, documents: Sequence[Document], **kwargs: Any) -> list[str]:
        return await self._documents.off_loop(self.add_documents, documents, **kwargs)

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        return await self._documents.off_loop(self.add_texts, texts, metadatas, ids=ids, **kwargs)

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        return await self._documents.off_loop(self.get_by_ids, ids)

    async def adelete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        return await self._documents.off_loop(self.delete, ids, **kwargs)

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        return await self._documents.off_loop(self.similarity_search, query, k, **kwargs)

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        return await self._documents.off_loop(self.similarity_search_with_score, query, k, **kwargs)

    async def asimilarity_search_by_vector(
        self, embedding: Sequence[float], k: int = 4, **kwargs: Any
    ) -> list[Document]:
        return await self._documents.off_loop(self.similarity_search_by_vector, embedding, k, **kwargs)

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        return await self._documents.off_loop(
            self.max_marginal_relevance_search, query, k, fetch_k, lambda_mult, **kwargs
        )

    async def amax_marginal_relevance_search_by_vector(
        self, embedding: Sequence[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        return await self._documents.off_loop(
            self.max_marginal_relevance_search_by_vector, embedding, k, fetch_k, lambda_mult, **kwargs
        )

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        collection: Collection[Any] | None = None,
        undeclared: Undeclared = "refuse",
        **kwargs: Any,
    ) -> SecurevecVectorStore:
        """A store over ``collection`` with these texts in it. Raises :class:`UsageError` when a model is passed."""
        none_left(kwargs)
        if embedding is not None:
            raise UsageError(
                "The collection embeds by itself, after it anonymized.",
                next_step="Pass embedding=None, and the model to SecureStore.open(embedder=FunctionEmbedder(...)).",
            )
        if collection is None:
            raise UsageError("Pass the collection to store in: from_texts(..., collection=...).")
        made = cls(collection, undeclared=undeclared)
        made.add_texts(texts, metadatas, ids=ids)
        return made

    @classmethod
    async def afrom_texts(
        cls, texts: Iterable[str], embedding: Embeddings | None = None, metadatas: Any = None, **kwargs: Any
    ) -> SecurevecVectorStore:
        ids = kwargs.pop("ids", None)
        made = cls.from_texts([], embedding, **kwargs)
        await made.aadd_texts(texts, metadatas, ids=ids)
        return made

    def where(self, given: object) -> Expr | None:
        """A filter of LangChain's as one of :mod:`securevec.filters`. Raises :class:`FilterError`."""
        return condition(self._documents.record_class, given)

    def _scored(self, found: SearchResult[Any]) -> list[tuple[Document, float]]:
        return [(_document(self._documents.document(hit.record)), hit.score) for hit in found]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return _relevance


def _relevance(score: float) -> float:
    """Cosine similarity from -1 to 1 on LangChain's scale from 0 to 1."""
    return min(1.0, max(0.0, (score + 1) / 2))


def _paired(texts: Iterable[str], metadatas: Sequence[Mapping[str, Any]] | None) -> list[Document]:
    whole = [texts] if isinstance(texts, str) else list(texts)
    given: list[Any] = [{}] * len(whole) if metadatas is None else [each or {} for each in metadatas]
    if len(given) != len(whole):
        raise UsageError("There are as many metadatas as texts.")
    untyped: list[Any] = whole
    if not all(isinstance(text, str) for text in untyped) or not all(isinstance(each, Mapping) for each in given):
        # Before LangChain's Document sees them: its own exception quotes what is no text.
        raise UsageError("A text is a string, and its metadata a dictionary.")
    return [Document(page_content=text, metadata=dict(metadata)) for text, metadata in zip(whole, given, strict=True)]


def _document(plain: Plain) -> Document:
    return Document(id=plain.id, page_content=plain.text, metadata=dict(plain.metadata))
