"""LlamaIndex's vector store over one collection of one tenant. Needs ``pip install 'securevec[llamaindex]'``.

    class Chapter(NodePassage):
        title: sv.Filter[str]

    vectors = SecurevecVectorStore(store.tenant("acme", actor=actor).collection(Chapter))
    index = VectorStoreIndex(nodes, storage_context=StorageContext.from_defaults(vector_store=vectors),
                             embed_model=EmbeddedByStore())

An index embeds nodes before it hands them over, from text that nobody anonymized. So its model here is
:class:`EmbeddedByStore`, which embeds nothing, and nodes that arrive with a vector of another model are refused: their
text has been to that model already. The collection embeds, after it anonymized. Texts come back anonymized, as stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
from pydantic import PrivateAttr

from securevec.errors import FilterError, QueryError, RecordError, UsageError, VectorError
from securevec.filters import Expr, F, all_of, any_of
from securevec.integrations.conditions import check_depth, compare, filter_field, holds, one_of
from securevec.integrations.documents import Document as Plain
from securevec.integrations.documents import Documents, Undeclared, none_left
from securevec.integrations.needed import needed
from securevec.integrations.passage import NodePassage
from securevec.reading.hits import SearchResult
from securevec.schema import Record
from securevec.store import Collection
from securevec.types import Uncopied

with needed("llamaindex"):
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.schema import BaseNode, ImageNode, IndexNode, NodeRelationship, RelatedNodeInfo, TextNode
    from llama_index.core.vector_stores.types import (
        BasePydanticVectorStore,
        FilterCondition,
        FilterOperator,
        MetadataFilter,
        MetadataFilters,
        VectorStoreQuery,
        VectorStoreQueryMode,
        VectorStoreQueryResult,
    )

__all__ = ["EmbeddedByStore", "NodePassage", "SecurevecVectorStore"]

_SOURCE: Final = "ref_doc_id"
_COMPARE: Final = {
    FilterOperator.EQ: "==",
    FilterOperator.GT: ">",
    FilterOperator.GTE: ">=",
    FilterOperator.LT: "<",
    FilterOperator.LTE: "<=",
}


class EmbeddedByStore(BaseEmbedding):
    """The model of an index over securevec: no vector at all. What is embedded is embedded by the collection."""

    def _get_query_embedding(self, query: str) -> list[float]:
        return []

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return []

    def _get_text_embedding(self, text: str) -> list[float]:
        return []


class SecurevecVectorStore(Uncopied, BasePydanticVectorStore):
    """See the module. ``undeclared``: whether metadata that is not declared refuses its node or falls away.

    Kept of a node: id, text, declared metadata, and its source document (``ref_doc_id``). Its other relationships,
    templates and positions are not.
    """

    stores_text: bool = True
    is_embedding_query: bool = False
    flat_metadata: bool = True

    _documents: Documents[Any] = PrivateAttr()

    def __init__(self, collection: Collection[Any], *, undeclared: Undeclared = "refuse") -> None:
        """Raises :class:`SchemaError` when the collection's record class cannot hold nodes."""
        super().__init__(stores_text=True)
        self._documents = Documents(collection, undeclared=undeclared, needs=NodePassage)

    @classmethod
    def class_name(cls) -> str:
        return "SecurevecVectorStore"

    @property
    def client(self) -> Collection[Any]:
        """The collection."""
        return self._documents.collection

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Store nodes, each in place of the one of its id.

        Raises:
            VectorError: a node was embedded already; none is stored.
            RecordError: a node is no text; none is stored.
            DocumentsRefused: some cannot be stored; the others are.
        """
        none_left(kwargs)
        return self._documents.put([_plain(number, node) for number, node in enumerate(nodes, start=1)])

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a source document."""
        none_left(delete_kwargs)
        self.client.delete(where=F(_SOURCE) == ref_doc_id)

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete by ids or by a filter. Raises :class:`UsageError` for neither or both; an empty list deletes
        nothing."""
        none_left(delete_kwargs)
        if node_ids is not None:
            _only(filters is None)
            self._documents.delete(node_ids)
        else:
            self.client.delete(where=self._must(filters))

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Nodes by ids or by a filter, those that there are. Raises :class:`UsageError` for neither or both."""
        if node_ids is not None:
            _only(filters is None)
            return [_node(plain) for plain in self._documents.get(node_ids)]
        return [_node(plain) for plain in self._documents.every(self._must(filters))]

    def clear(self) -> None:
        """Delete every node."""
        self._documents.delete_all()

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The nearest nodes, by text; by a vector of the collection's model where there is no text.

        Modes: ``default`` and ``mmr`` (``mmr_threshold`` is the balance). Raises :class:`QueryError` for another mode
        and for what is not read, :class:`FilterError` for a filter that cannot be honoured.
        """
        none_left({name: value for name, value in kwargs.items() if name != "mmr_threshold"})
        collection, asked, k = self.client, _asked(query), query.similarity_top_k
        where = self._where(query)
        if query.mode is VectorStoreQueryMode.MMR:
            balance = kwargs.get("mmr_threshold", query.mmr_threshold)
            return self._result(
                collection.search_diverse(
                    where=where, k=k, fetch=4 * k, balance=0.5 if balance is None else balance, **asked
                )
            )
        if query.mode is not VectorStoreQueryMode.DEFAULT or "mmr_threshold" in kwargs:
            raise QueryError("This mode is not served.", next_step="Modes: default, mmr.")
        return self._result(collection.search(where=where, k=k, group_by="record", **asked))

    async def async_add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        return await self._documents.off_loop(self.add, nodes, **kwargs)

    async def adelete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        await self._documents.off_loop(self.delete, ref_doc_id, **delete_kwargs)

    async def adelete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        await self._documents.off_loop(self.delete_nodes, node_ids, filters, **delete_kwargs)

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        return await self._documents.off_loop(self.get_nodes, node_ids, filters)

    async def aclear(self) -> None:
        await self._documents.off_loop(self.clear)

    async def aquery(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        return await self._documents.off_loop(self.query, query, **kwargs)

    def _must(self, filters: MetadataFilters | None) -> Expr:
        where = condition(self._documents.record_class, filters)
        if where is None:
            raise UsageError("Name nodes by their ids or by a filter.", next_step="clear() deletes every node.")
        return where

    def _where(self, query: VectorStoreQuery) -> Expr | None:
        parts: list[Expr] = []
        filters = condition(self._documents.record_class, query.filters)
        if filters is not None:
            parts.append(filters)
        if query.doc_ids is not None:
            parts.append(one_of(self._documents.record_class, _SOURCE, query.doc_ids))
        return all_of(parts) if parts else None

    def _result(self, found: SearchResult[Any]) -> VectorStoreQueryResult:
        nodes = [_node(self._documents.document(hit.record)) for hit in found]
        return VectorStoreQueryResult(
            nodes=nodes, similarities=[hit.score for hit in found], ids=[node.node_id for node in nodes]
        )


def condition(record_class: type[Record], filters: MetadataFilters | None) -> Expr | None:
    """Filters of LlamaIndex as one of :mod:`securevec.filters`; no filters, and an empty list at the top, are none.

    ``!=`` and ``nin`` also hold where the field is missing, as in LlamaIndex. Raises :class:`FilterError`.
    """
    if filters is None or not filters.filters:
        return None
    return _group(record_class, filters, 1)


def _group(record_class: type[Record], group: MetadataFilters, depth: int) -> Expr:
    check_depth(depth)
    parts = [
        _group(record_class, each, depth + 1) if isinstance(each, MetadataFilters) else _leaf(record_class, each)
        for each in group.filters
    ]
    if group.condition is FilterCondition.OR:
        return any_of(parts)
    if group.condition is FilterCondition.NOT:
        return ~any_of(parts)
    return all_of(parts)


def _leaf(record_class: type[Record], leaf: MetadataFilter) -> Expr:
    field, value = filter_field(record_class, leaf.key), leaf.value
    if leaf.operator is FilterOperator.IS_EMPTY:
        return ~field.exists()
    if value is None:
        raise FilterError("A filter compares with null.", next_step="Use the operator is_empty.")
    if leaf.operator is FilterOperator.IN:
        return one_of(record_class, leaf.key, value)
    if leaf.operator is FilterOperator.NIN:
        return ~one_of(record_class, leaf.key, value)
    if leaf.operator is FilterOperator.NE:
        return ~compare(record_class, leaf.key, "==", value)
    if leaf.operator in _COMPARE:
        return compare(record_class, leaf.key, _COMPARE[leaf.operator], value)
    if leaf.operator is FilterOperator.CONTAINS:
        return holds(record_class, leaf.key, [value], every=True)
    if leaf.operator in (FilterOperator.ANY, FilterOperator.ALL):
        if not isinstance(value, list):
            raise FilterError("The operators any and all take a list of values.", field=leaf.key)
        return holds(record_class, leaf.key, value, every=leaf.operator is FilterOperator.ALL)
    raise FilterError("A filter has an operator that is not served.", next_step="Texts are not searched by filters.")


def _asked(query: VectorStoreQuery) -> dict[str, Any]:
    unread: Mapping[str, object] = {
        # An index always passes the ids of nodes that it keeps itself, which are none here.
        "node_ids": query.node_ids or None,
        "output_fields": query.output_fields,
        "embedding_field": query.embedding_field,
        "alpha": query.alpha,
        "sparse_top_k": query.sparse_top_k,
        "hybrid_top_k": query.hybrid_top_k,
    }
    given = [name for name, value in unread.items() if value is not None]
    if given:
        raise QueryError(f"A query says `{given[0]}`, which is not served.")
    if query.query_str:
        return {"text": query.query_str}
    if not query.query_embedding:
        raise QueryError("The query is empty.", next_step="Say what to look for.")
    return {"vector": np.asarray(query.query_embedding, dtype=np.float32)}


def _plain(number: int, node: BaseNode) -> Plain:
    if node.embedding:
        raise VectorError(
            "A node was embedded before it was anonymized.",
            field="embedding",
            row=number,
            next_step="Build the index with embed_model=EmbeddedByStore().",
        )
    if not isinstance(node, TextNode) or isinstance(node, ImageNode | IndexNode):
        raise RecordError("A node is no text node.", row=number)
    metadata = node.metadata
    if _SOURCE in metadata:
        raise RecordError("The source document of a node is a relationship, and no metadata.", row=number)
    return Plain(node.node_id, node.text, metadata, {_SOURCE: node.ref_doc_id})


def _node(plain: Plain) -> BaseNode:
    metadata = dict(plain.metadata)
    source = metadata.pop(_SOURCE, None)
    related = {} if source is None else {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=str(source))}
    return TextNode(id_=plain.id, text=plain.text, metadata=metadata, relationships=cast("Any", related))


def _only(alone: bool) -> None:
    if not alone:
        raise UsageError("Name nodes by their ids or by a filter, and not by both.")
