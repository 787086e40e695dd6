"""Haystack's document store over one collection of one tenant. Needs ``pip install 'securevec[haystack]'``.

    documents = SecurevecDocumentStore(store.tenant("acme", actor=actor).collection(Article))
    pipeline.add_component("writer", DocumentWriter(documents, policy=DuplicatePolicy.OVERWRITE))
    pipeline.add_component("retriever", SecurevecRetriever(documents, filters=...))

There is no embedder in the pipeline: the collection embeds, after it anonymized. A document that an embedder of the
pipeline has read is refused (``embeddings="refuse"``), or its vector falls away (``"drop"``); none is ever stored.
Texts come back anonymized, as stored, and without vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NoReturn, cast

from securevec.errors import ConfigError, RecordNotFound, UsageError, VectorError
from securevec.filters import Expr
from securevec.integrations.documents import Document as Plain
from securevec.integrations.documents import Documents, Undeclared
from securevec.integrations.haystack_filters import condition, field_name, refusing
from securevec.integrations.needed import needed
from securevec.store import Collection

with needed("haystack"):
    from haystack import component
    from haystack.dataclasses import Document
    from haystack.document_stores.errors import DuplicateDocumentError
    from haystack.document_stores.types import DuplicatePolicy


Filters = dict[str, Any]
Embeddings = Literal["refuse", "drop"]


class DocumentsInvalid(UsageError, ValueError):
    """What was to be written is no list of documents."""


class DuplicateDocuments(UsageError, DuplicateDocumentError):
    """A document of this id is there already; none was written."""


class SecurevecDocumentStore:
    """See the module. ``undeclared``: whether metadata that is not declared refuses its document or falls away."""

    def __init__(
        self, collection: Collection[Any], *, undeclared: Undeclared = "refuse", embeddings: Embeddings = "refuse"
    ) -> None:
        """Raises :class:`SchemaError` when the collection's record class cannot hold documents."""
        if embeddings not in ("refuse", "drop"):
            raise ConfigError('embeddings is "refuse" or "drop".')
        self._documents = Documents(collection, undeclared=undeclared)
        self._embeddings = embeddings

    @property
    def collection(self) -> Collection[Any]:
        return self._documents.collection

    def to_dict(self) -> dict[str, Any]:
        """Raises :class:`UsageError`: a file must not decide which tenant's documents a pipeline reads."""
        self._no_file()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SecurevecDocumentStore:
        """Raises :class:`UsageError`, as :meth:`to_dict`."""
        cls._no_file()

    def count_documents(self) -> int:
        """The number of documents."""
        return self.collection.count()

    def filter_documents(self, filters: Filters | None = None) -> list[Document]:
        """The documents that match, or all without a filter. Raises :class:`StoreFilterError`."""
        where = self.where(filters)
        with refusing():
            return [_document(plain) for plain in self._documents.every(where)]

    def write_documents(self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """Write documents. Without a policy one that is there already is an error, as with ``FAIL``.

        Returns how many were written.

        Raises:
            DocumentsInvalid: not a list of documents; nothing is written.
            VectorError: a document was embedded already; nothing is written.
            DuplicateDocuments: one is there already, or twice in the list; nothing is written.
            DocumentsRefused: some cannot be stored; the others are.
        """
        plain = [self._plain(number, each) for number, each in enumerate(_listed(documents), start=1)]
        if policy is not DuplicatePolicy.OVERWRITE:
            plain = self._new(plain, skip=policy is DuplicatePolicy.SKIP)
        return len(self._documents.put(plain))

    def delete_documents(self, document_ids: list[str]) -> None:
        """Delete by id; ids that name nothing are passed over, and an empty list deletes nothing."""
        self._documents.delete(document_ids)

    def delete_all_documents(self) -> None:
        """Delete every document of the collection."""
        self._documents.delete_all()

    def delete_by_filter(self, filters: Filters) -> int:
        """Delete what matches; returns how many. Raises :class:`StoreFilterError`, also for an empty filter."""
        where = self._must(filters)
        with refusing():
            return self.collection.delete(where=where).deleted

    def update_by_filter(self, filters: Filters, meta: dict[str, Any]) -> int:
        """Set these metadata on what matches, one document after the other; returns how many. One that somebody deletes
        meanwhile is passed over."""
        where, fields = self._must(filters), self._documents.fields(meta)
        with refusing():
            ids = [plain.id for plain in self._documents.every(where)]
        updated = len(ids)
        for each in ids if fields else ():
            try:
                self.collection.update(each, **fields)
            except RecordNotFound:
                updated -= 1
        return updated

    def count_documents_by_filter(self, filters: Filters) -> int:
        """How many documents match; all for an empty filter."""
        where = self.where(filters)
        with refusing():
            return self.collection.count(where)

    def count_unique_metadata_by_filter(self, filters: Filters, metadata_fields: list[str]) -> dict[str, int]:
        """How many values each of these fields has among the documents that match; of a list, each member is one."""
        return {name: len(self._values(name, filters)) for name in map(field_name, metadata_fields)}

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The declared metadata and their types; none while there are no documents."""
        if not self.collection.count():
            return {}
        return {name: {"type": self.collection.schema.field(name).type} for name in self._documents.kept}

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The least and the greatest value of a declared field; ``None`` while there is none."""
        values = self._values(field_name(metadata_field), None)
        return {"min": min(values), "max": max(values)} if values else {"min": None, "max": None}

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: Filters | None = None,
    ) -> tuple[list[Any], int]:
        """Some of the values of a declared field, in order, and how many there are.

        ``search_term``: only values that contain it, whatever the case.
        """
        values = sorted(self._values(field_name(metadata_field), filters))
        if search_term is not None:
            values = [value for value in values if search_term.casefold() in str(value).casefold()]
        return values[from_ : from_ + size], len(values)

    def search(self, query: str, filters: Filters | None = None, top_k: int = 10) -> list[Document]:
        """The documents nearest to a text, with their cosine similarity as ``score``."""
        where = self.where(filters)
        with refusing():
            found = self.collection.search(query, where=where, k=top_k, group_by="record")
        return [_document(self._documents.document(hit.record), score=hit.score) for hit in found]

    async def count_documents_async(self) -> int:
        return await self._documents.off_loop(self.count_documents)

    async def filter_documents_async(self, filters: Filters | None = None) -> list[Document]:
        return await self._documents.off_loop(self.filter_documents, filters)

    async def write_documents_async(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        return await self._documents.off_loop(self.write_documents, documents, policy)

    async def delete_documents_async(self, document_ids: list[str]) -> None:
        await self._documents.off_loop(self.delete_documents, document_ids)

    async def delete_all_documents_async(self) -> None:
        await self._documents.off_loop(self.delete_all_documents)

    async def delete_by_filter_async(self, filters: Filters) -> int:
        return await self._documents.off_loop(self.delete_by_filter, filters)

    async def update_by_filter_async(self, filters: Filters, meta: dict[str, Any]) -> int:
        return await self._documents.off_loop(self.update_by_filter, filters, meta)

    async def count_documents_by_filter_async(self, filters: Filters) -> int:
        return await self._documents.off_loop(self.count_documents_by_filter, filters)

    async def count_unique_metadata_by_filter_async(
        self, filters: Filters, metadata_fields: list[str]
    ) -> dict[str, int]:
        return await self._documents.off_loop(self.count_unique_metadata_by_filter, filters, metadata_fields)

    async def get_metadata_fields_info_async(self) -> dict[str, dict[str, str]]:
        return await self._documents.off_loop(self.get_metadata_fields_info)

    async def get_metadata_field_min_max_async(self, metadata_field: str) -> dict[str, Any]:
        return await self._documents.off_loop(self.get_metadata_field_min_max, metadata_field)

    async def get_metadata_field_unique_values_async(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: Filters | None = None,
    ) -> tuple[list[Any], int]:
        return await self._documents.off_loop(
            self.get_metadata_field_unique_values, metadata_field, search_term, from_, size, filters
        )

    async def search_async(self, query: str, filters: Filters | None = None, top_k: int = 10) -> list[Document]:
        return await self._documents.off_loop(self.search, query, filters, top_k)

    def where(self, filters: object) -> Expr | None:
        """A filter of Haystack's as one of :mod:`securevec.filters`. Raises :class:`StoreFilterError`."""
        return condition(self._documents.record_class, filters)

    def _must(self, filters: object) -> Expr:
        where = self.where(filters)
        if where is None:
            raise UsageError("A filter is needed.", next_step="delete_all_documents() deletes every document.")
        return where

    def _values(self, name: str, filters: object) -> set[Any]:
        if name not in self._documents.kept:
            raise UsageError("This metadata field is not declared.")
        where = self.where(filters)
        values: set[Any] = set()
        with refusing():
            for plain in self._documents.every(where):
                held = plain.metadata.get(name)
                many: list[Any] = held if isinstance(held, list) else [] if held is None else [held]
                values.update(many)
        return values

    def _new(self, documents: list[Plain], *, skip: bool) -> list[Plain]:
        there = {plain.id for plain in self._documents.get([document.id for document in documents])}
        fresh: list[Plain] = []
        for document in documents:
            if document.id not in there:
                there.add(document.id)
                fresh.append(document)
            elif not skip:
                raise DuplicateDocuments(
                    "A document of this id is there already; none was written.",
                    next_step="Pass policy=DuplicatePolicy.OVERWRITE or SKIP.",
                )
        return fresh

    def _plain(self, number: int, document: Document) -> Plain:
        if (document.embedding is not None or document.sparse_embedding is not None) and self._embeddings == "refuse":
            raise VectorError(
                "A document was embedded before it was anonymized.",
                field="embedding",
                row=number,
                next_step='Leave the embedder out of the pipeline, or pass embeddings="drop".',
            )
        if document.blob is not None:
            raise DocumentsInvalid(f"Document {number} holds bytes; a text is needed.")
        return Plain(document.id, document.content or "", cast("Mapping[str, Any]", document.meta))

    @staticmethod
    def _no_file() -> NoReturn:
        raise UsageError(
            "A document store of securevec is one tenant's, and is not kept in a file.",
            next_step="Make it in code, from the collection.",
        )


@component
class SecurevecRetriever:
    """The documents nearest to a text. ``filters`` of the retriever hold beside those of a call."""

    def __init__(
        self, document_store: SecurevecDocumentStore, *, filters: Filters | None = None, top_k: int = 10
    ) -> None:
        self._store = document_store
        self._filters = filters
        self._top_k = top_k

    def to_dict(self) -> dict[str, Any]:
        """Raises :class:`UsageError`, as that of the store: Haystack's own error would advise to write one."""
        return self._store.to_dict()

    @component.output_types(documents=list[Document])
    def run(self, query: str, filters: Filters | None = None, top_k: int | None = None) -> dict[str, list[Document]]:
        return {"documents": self._store.search(query, self._both(filters), self._limit(top_k))}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, filters: Filters | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        return {"documents": await self._store.search_async(query, self._both(filters), self._limit(top_k))}

    def _both(self, filters: Filters | None) -> Filters | None:
        """A call narrows what the retriever was made for, and never widens it."""
        if not self._filters or not filters:
            return self._filters or filters
        return {"operator": "AND", "conditions": [self._filters, filters]}

    def _limit(self, top_k: int | None) -> int:
        return self._top_k if top_k is None else top_k


def _listed(documents: object) -> list[Document]:
    if not isinstance(documents, list) or not all(
        isinstance(each, Document) for each in cast("list[object]", documents)
    ):
        raise DocumentsInvalid("A list of documents is needed.")
    return cast("list[Document]", documents)


def _document(plain: Plain, *, score: float | None = None) -> Document:
    return Document(id=plain.id, content=plain.text, meta=dict(plain.metadata), score=score)
