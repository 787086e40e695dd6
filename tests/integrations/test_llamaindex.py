"""LlamaIndex's vector store, alone and under an index: what reaches a model, what a filter means, tenants apart."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

pytest.importorskip("llama_index.core", reason="needs securevec[llamaindex]", exc_type=ModuleNotFoundError)

from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.schema import ImageNode, NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

import securevec as sv
from securevec import errors
from securevec.integrations.documents import DocumentsRefused
from securevec.integrations.llamaindex import EmbeddedByStore, NodePassage, SecurevecVectorStore
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.types import mint_anonymized
from tests.support.frames import Homes


class Chapter(NodePassage):
    title: sv.Filter[str]
    year: sv.Filter[int | None] = None
    published: sv.Filter[datetime | None] = None
    tags: sv.Filter[list[str] | None] = None


TAP = TapEmbedder(HashEmbedder())
TEXTS = {"acme": ["The boiler needs a valve.", "Roses want sun."], "globex": ["A secret boiler.", "A secret rose."]}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    with Homes(tmp_path_factory.mktemp("llama"), TAP) as opened:
        yield opened


@pytest.fixture(params=["edge", "chroma"])
def empty(homes: Homes, request: pytest.FixtureRequest) -> SecurevecVectorStore:
    return SecurevecVectorStore(homes[request.param].collection(Chapter))


@pytest.fixture(scope="module")
def two(homes: Homes) -> dict[str, SecurevecVectorStore]:
    stores: dict[str, SecurevecVectorStore] = {}
    for tenant, texts in TEXTS.items():
        stores[tenant] = SecurevecVectorStore(homes["memory"].collection(Chapter, tenant=tenant, name="chapters"))
        stores[tenant].add(
            [
                _node(text, f"{number}", tenant, "book", year=2020 + number, tags=["wet", ("hot", "dry")[number]])
                for number, text in enumerate(texts)
            ]
        )
    return stores


def _node(text: str, id_: str, title: str, source: str | None = None, **metadata: Any) -> TextNode:
    related: Any = {} if source is None else {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=source)}
    return TextNode(id_=id_, text=text, metadata={"title": title, **metadata}, relationships=related)


def _filters(*leaves: tuple[str, FilterOperator, Any], condition: FilterCondition = FilterCondition.AND) -> Any:
    return MetadataFilters(
        filters=[MetadataFilter(key=key, operator=operator, value=value) for key, operator, value in leaves],
        condition=condition,
    )


def test_an_index_stores_searches_replaces_and_deletes(empty: SecurevecVectorStore) -> None:
    TAP.texts.clear()
    index = VectorStoreIndex(
        [
            _node("Ask jane.roe@example.com about the boiler.", "1", "manual", "book-1"),
            _node("The boiler needs a valve.", "2", "manual", "book-2", published=datetime(2026, 1, 1, tzinfo=UTC)),
        ],
        storage_context=StorageContext.from_defaults(vector_store=empty),
        embed_model=EmbeddedByStore(),
    )
    retriever = index.as_retriever(similarity_top_k=5, filters=_filters(("title", FilterOperator.EQ, "manual")))
    for found in (
        retriever.retrieve("boiler of jane.roe@example.com"),
        asyncio.run(retriever.aretrieve("boiler of jane.roe@example.com")),
    ):
        assert {each.node.node_id for each in found} == {"1", "2"}
        assert {each.node.ref_doc_id for each in found} == {"book-1", "book-2"}
        assert "jane.roe" not in repr([each.node.get_content() for each in found])
        (dated,) = [each.node.metadata for each in found if each.node.node_id == "2"]
        assert dated == {"title": "manual", "published": datetime(2026, 1, 1, tzinfo=UTC)}
    assert len(TAP.texts) == 4
    assert not [text for text in TAP.texts if "jane.roe" in text]

    index.insert_nodes([_node("The boiler needs two valves.", "2", "manual", "book-2")])
    assert [node.get_content() for node in empty.get_nodes(["2"])] == ["The boiler needs two valves."]
    index.delete_ref_doc("book-2")
    assert empty.get_nodes(["2"]) == []
    asyncio.run(empty.adelete_nodes([]))
    assert len(empty.get_nodes(["1"])) == 1
    empty.delete_nodes(filters=_filters(("title", FilterOperator.EQ, "manual")))
    assert empty.client.count() == 0
    asyncio.run(empty.async_add([_node("x", "3", "y")]))
    asyncio.run(empty.aclear())
    assert empty.client.count() == 0


def test_nodes_that_another_model_has_read_are_refused_and_nothing_is_stored(empty: SecurevecVectorStore) -> None:
    with pytest.raises(errors.VectorError, match="EmbeddedByStore"):
        VectorStoreIndex(
            [_node("The boiler.", "1", "manual")],
            storage_context=StorageContext.from_defaults(vector_store=empty),
            embed_model=MockEmbedding(embed_dim=64),
        )
    assert empty.client.count() == 0


def test_two_tenants_of_one_process_never_see_each_other(two: dict[str, SecurevecVectorStore]) -> None:
    for mine, other in (("acme", "globex"), ("globex", "acme")):
        index = VectorStoreIndex.from_vector_store(two[mine], embed_model=EmbeddedByStore())
        for filters in (
            None,
            _filters(("title", FilterOperator.NE, mine)),
            _filters(
                ("title", FilterOperator.EQ, other), ("year", FilterOperator.GTE, 0), condition=FilterCondition.OR
            ),
        ):
            for text in TEXTS[other]:
                found = index.as_retriever(similarity_top_k=50, filters=filters).retrieve(text)
                assert not set(TEXTS[other]) & {each.node.get_content() for each in found}
        assert [node.get_content() for node in two[mine].get_nodes(["0"])] == [TEXTS[mine][0]]
        two[mine].delete("no-such-book")
    for hostile in ("tenant", "f_title", "passage", "text", "title.x", "ref_doc_id'"):
        with pytest.raises(errors.FilterError):
            two["acme"].get_nodes(filters=_filters((hostile, FilterOperator.EQ, "globex")))


def test_filters_mean_what_llamaindex_says(two: dict[str, SecurevecVectorStore]) -> None:
    operator = FilterOperator
    wanted: list[tuple[Any, set[str]]] = [
        (_filters(("year", operator.EQ, 2020)), {"0"}),
        (_filters(("year", operator.NE, 2020)), {"1"}),
        (_filters(("year", operator.GT, 2020)), {"1"}),
        (_filters(("year", operator.LTE, 2021)), {"0", "1"}),
        (_filters(("year", operator.IN, [2020, 7])), {"0"}),
        (_filters(("year", operator.NIN, [2020, 7])), {"1"}),
        (_filters(("published", operator.IS_EMPTY, None)), {"0", "1"}),
        (_filters(("published", operator.NE, "2026-01-01T00:00:00Z")), {"0", "1"}),
        (_filters(("published", operator.GT, "2026-01-01T00:00:00Z")), set()),
        (_filters(("ref_doc_id", operator.EQ, "book")), {"0", "1"}),
        (_filters(("year", operator.EQ, 2020), ("year", operator.EQ, 2021), condition=FilterCondition.NOT), set()),
        (_filters(("tags", operator.CONTAINS, "hot")), {"0"}),
        (_filters(("tags", operator.ANY, ["dry", "cold"])), {"1"}),
        (_filters(("tags", operator.ALL, ["wet", "dry"])), {"1"}),
        (MetadataFilters(filters=[_filters(("year", operator.EQ, 2020), condition=FilterCondition.OR)]), {"0"}),
    ]
    for filters, ids in wanted:
        assert {node.node_id for node in two["acme"].get_nodes(filters=filters)} == ids, filters


def test_what_is_not_served_is_refused(two: dict[str, SecurevecVectorStore]) -> None:
    store = two["acme"]
    asked: list[tuple[type[errors.SecurevecError], dict[str, Any]]] = [
        (errors.QueryError, {"query_str": ""}),
        (errors.QueryError, {"query_str": "x", "mode": VectorStoreQueryMode.HYBRID}),
        (errors.QueryError, {"query_str": "x", "node_ids": ["1"]}),
        (errors.QueryError, {"query_str": "x", "alpha": 0.5}),
        (errors.FilterError, {"query_str": "x", "doc_ids": []}),
        (errors.FilterError, {"query_str": "x", "filters": _filters(("title", FilterOperator.CONTAINS, "a"))}),
        (errors.FilterError, {"query_str": "x", "filters": _filters(("tags", FilterOperator.ALL, []))}),
        (errors.FilterError, {"query_str": "x", "filters": _filters(("tags", FilterOperator.ANY, "wet"))}),
        (errors.FilterError, {"query_str": "x", "filters": _filters(("title", FilterOperator.EQ, None))}),
        (errors.FilterError, {"query_str": "x", "filters": _filters(("year", FilterOperator.EQ, "2020"))}),
    ]
    for error, said in asked:
        with pytest.raises(error):
            store.query(VectorStoreQuery(**said))
    calls: list[Callable[[], object]] = [
        lambda: store.get_nodes(),
        lambda: store.delete_nodes(),
        lambda: store.delete_nodes(["1"], _filters(("year", FilterOperator.EQ, 2020))),
        lambda: store.query(VectorStoreQuery(query_str="x"), where="y"),
        lambda: store.add([ImageNode(text="x")]),
        lambda: store.add([_node("x", "9", "t", "d", ref_doc_id="other")]),
    ]
    for call in calls:
        with pytest.raises(errors.UsageError):
            call()
    with pytest.raises(DocumentsRefused):
        store.add([_node("x", "9", "t", page_label="4")])
    assert store.get_nodes(["9"]) == []
    found = store.query(VectorStoreQuery(query_str="boiler", doc_ids=["book"], similarity_top_k=5))
    assert {node.node_id for node in found.nodes or ()} == {"0", "1"}
    diverse = store.query(VectorStoreQuery(query_str="boiler", mode=VectorStoreQueryMode.MMR, similarity_top_k=2))
    assert len(diverse.ids or ()) == 2


def test_a_class_without_the_source_document_is_refused(homes: Homes) -> None:
    class Plain(sv.Passage):
        title: sv.Filter[str]

    with pytest.raises(errors.SchemaError, match="NodePassage"):
        SecurevecVectorStore(homes["memory"].collection(Plain))


def test_by_a_vector_and_in_coroutines_a_tenant_has_its_own_nodes_alone(
    two: dict[str, SecurevecVectorStore], homes: Homes
) -> None:
    vector = [float(value) for value in TAP.embed([mint_anonymized(TEXTS["globex"][0])])[0]]
    found = two["acme"].query(VectorStoreQuery(query_embedding=vector, similarity_top_k=9)).nodes
    assert found is not None
    assert sorted(node.get_content() for node in found) == sorted(TEXTS["acme"])
    for operator in (FilterOperator.TEXT_MATCH, FilterOperator.TEXT_MATCH_INSENSITIVE):
        with pytest.raises(errors.FilterError):
            two["acme"].get_nodes(filters=_filters(("title", operator, "acme")))
    empty = SecurevecVectorStore(homes["memory"].collection(Chapter))
    empty.add([_node("One.", "1", "a", "book"), _node("Two.", "2", "a", "letter")])

    async def one_source_goes() -> list[str]:
        await empty.adelete("book")
        return [node.node_id for node in await empty.aget_nodes(["1", "2"])]

    assert asyncio.run(one_source_goes()) == ["2"]


def test_one_id_that_is_no_list_is_refused_and_no_store_is_taken_out_of_its_process(
    two: dict[str, SecurevecVectorStore],
) -> None:
    before = two["acme"].client.count()
    for call in (two["acme"].delete_nodes, two["acme"].get_nodes):
        with pytest.raises(errors.UsageError, match="list"):
            call(cast("Any", "01"))
    assert two["acme"].client.count() == before
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(errors.UsageError, match="not copied or pickled"):
            copied(two["acme"])
