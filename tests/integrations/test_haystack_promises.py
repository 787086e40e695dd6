"""What Haystack's store promises beyond the mixins: tenants apart, nothing in clear to a model, no telemetry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

pytest.importorskip("haystack", reason="needs securevec[haystack]", exc_type=ModuleNotFoundError)

from haystack import Pipeline
from haystack.components.writers import DocumentWriter
from haystack.dataclasses import ByteStream, Document
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError as HaystackFilterError
from haystack.telemetry import _telemetry

import securevec as sv
from securevec import errors
from securevec.integrations.haystack import SecurevecDocumentStore, SecurevecRetriever
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from tests.support.frames import Home, Homes


class Article(sv.Passage):
    source: sv.Filter[str]


TAP = TapEmbedder(HashEmbedder())
TEXTS = {"acme": ["The boiler needs a valve.", "Roses want sun."], "globex": ["A secret boiler.", "A secret rose."]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with Homes(tmp_path_factory.mktemp("haystack"), TAP) as homes:
        yield homes["memory"]


@pytest.fixture(scope="module")
def two(home: Home) -> dict[str, SecurevecDocumentStore]:
    stores: dict[str, SecurevecDocumentStore] = {}
    for tenant, texts in TEXTS.items():
        stores[tenant] = SecurevecDocumentStore(home.collection(Article, tenant=tenant, name="articles"))
        stores[tenant].write_documents(
            [Document(id=f"{number}", content=text, meta={"source": tenant}) for number, text in enumerate(texts)]
        )
    return stores


def _is(field: str, value: object, operator: str = "==") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def test_telemetry_is_off_in_the_tests() -> None:
    assert _telemetry.telemetry is None


def test_a_pipeline_writes_and_retrieves_and_no_model_sees_a_person(home: Home) -> None:
    store = SecurevecDocumentStore(home.collection(Article))
    TAP.texts.clear()
    pipeline = Pipeline()
    pipeline.add_component("writer", DocumentWriter(store, policy=DuplicatePolicy.OVERWRITE))
    document = Document(id="1", content="Ask jane.roe@example.com about the boiler.", meta={"source": "mail"})
    assert pipeline.run({"writer": {"documents": [document]}})["writer"]["documents_written"] == 1
    asking = Pipeline()
    asking.add_component("retriever", SecurevecRetriever(store, filters=_is("meta.source", "mail")))
    (found,) = asking.run({"retriever": {"query": "boiler of jane.roe@example.com"}})["retriever"]["documents"]
    assert "boiler" in found.content
    assert "jane.roe" not in found.content
    assert found.score is not None
    assert len(TAP.texts) == 2
    assert not [text for text in TAP.texts if "jane.roe" in text]


def test_two_tenants_of_one_process_never_see_each_other(two: dict[str, SecurevecDocumentStore]) -> None:
    for mine, other in (("acme", "globex"), ("globex", "acme")):
        for filters in (
            None,
            _is("meta.source", mine, "!="),
            {"operator": "NOT", "conditions": [_is("meta.source", mine)]},
        ):
            shown = (
                two[mine].filter_documents(filters)
                + SecurevecRetriever(two[mine]).run(TEXTS[other][0], filters)["documents"]
            )
            shown += asyncio.run(two[mine].search_async(TEXTS[other][1], filters, 50))
            assert not set(TEXTS[other]) & {document.content for document in shown}
        assert two[mine].count_documents() == 2
    # A call narrows what its retriever was made for, and never widens it.
    bound = SecurevecRetriever(two["acme"], filters=_is("meta.source", "nobody"))
    assert bound.run("boiler", _is("meta.source", "acme"))["documents"] == []


@pytest.mark.parametrize(
    "hostile",
    [
        _is("meta.tenant", "globex"),
        _is("source", "globex"),
        _is("meta.source.x", "globex"),
        _is("meta.f_source", "globex"),
        _is("content", "globex"),
        _is("id", "0"),
        _is("meta.source", [], "in"),
        _is("meta.source", "a", "like"),
        _is("meta.source", "a", ">"),
        {"operator": "OR", "conditions": []},
        {"operator": "XOR", "conditions": [_is("meta.source", "a")]},
        {"conditions": []},
        {**_is("meta.source", "a"), "conditions": [_is("meta.source", "b")]},
        {"operator": "AND", "conditions": [_is("meta.source", "a")], "value": "b"},
        "source",
    ],
)
def test_a_filter_that_cannot_be_honoured_is_refused(hostile: Any, two: dict[str, SecurevecDocumentStore]) -> None:
    store = two["acme"]
    calls: list[Any] = [
        store.filter_documents,
        store.delete_by_filter,
        store.count_documents_by_filter,
        SecurevecRetriever(store, filters=hostile).run,
    ]
    for call in calls:
        with pytest.raises(errors.FilterError) as refused:
            call(**({"query": "boiler"} if call.__name__ == "run" else {"filters": hostile}))
        assert isinstance(refused.value, HaystackFilterError)
    assert store.count_documents() == 2


def test_what_is_not_served_is_refused_and_nothing_is_written(home: Home) -> None:
    store = SecurevecDocumentStore(home.collection(Article))
    meta = {"source": "a"}
    for wrong in (
        [Document(content="a", meta=meta, embedding=[0.1, 0.2])],
        [Document(content="a", id="1", meta=meta), Document(content="b", id="1", meta=meta)],
    ):
        with pytest.raises(errors.UsageError):
            store.write_documents(wrong)
    for call in (
        store.to_dict,
        SecurevecRetriever(store).to_dict,
        lambda: SecurevecDocumentStore.from_dict({}),
        lambda: store.delete_by_filter({}),
        lambda: store.delete_documents(cast("Any", "12")),  # its letters are ids of others
    ):
        with pytest.raises(errors.UsageError):
            call()
    store.delete_documents([])
    assert store.count_documents() == 0


def test_the_values_of_a_list_are_its_members(home: Home) -> None:
    class Tagged(sv.Passage):
        tags: sv.Filter[list[str]]

    store = SecurevecDocumentStore(home.collection(Tagged))
    store.write_documents(
        [
            Document(id=f"{number}", content="boiler", meta={"tags": tags})
            for number, tags in enumerate((["a", "b"], ["b"]))
        ]
    )
    assert store.get_metadata_field_unique_values("tags") == (["a", "b"], 2)
    assert store.get_metadata_field_min_max("meta.tags") == {"min": "a", "max": "b"}
    assert store.count_unique_metadata_by_filter({}, ["tags"]) == {"tags": 2}


def test_a_document_that_is_deleted_during_an_update_by_filter_does_not_end_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SecurevecDocumentStore(home.collection(Article))
    store.write_documents([Document(id=f"{number}", content="boiler", meta={"source": "a"}) for number in range(3)])
    collection, honest = store.collection, store.collection.update

    def update(key: str, **fields: Any) -> Any:
        if key == "1":
            collection.delete(["1"])
        return honest(key, **fields)

    monkeypatch.setattr(collection, "update", update)
    assert store.update_by_filter(_is("meta.source", "a"), {"source": "b"}) == 2
    assert {document.meta["source"] for document in store.filter_documents()} == {"b"}


def test_options_and_fields_that_are_none_are_refused(home: Home, two: dict[str, SecurevecDocumentStore]) -> None:
    collection = home.collection(Article)
    for option in ({"embeddings": "keep"}, {"undeclared": "keep"}):
        with pytest.raises(errors.ConfigError):
            SecurevecDocumentStore(collection, **cast("Any", option))
    for call in (
        lambda: two["acme"].get_metadata_field_min_max("meta.text"),
        lambda: two["acme"].get_metadata_field_unique_values("passage"),
        lambda: two["acme"].count_unique_metadata_by_filter({}, ["tenant"]),
    ):
        with pytest.raises(errors.UsageError, match="not declared"):
            call()
    with pytest.raises(errors.UsageError, match="holds bytes"):
        two["acme"].write_documents([Document(id="9", blob=ByteStream(b"jane"))])
    assert two["acme"].count_documents() == 2
    found = asyncio.run(SecurevecRetriever(two["acme"], top_k=1).run_async("boiler"))["documents"]
    assert [document.content for document in found] == TEXTS["acme"][:1]
