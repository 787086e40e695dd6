"""What LangChain's store promises beyond the published suite: tenants apart, nothing undeclared, nothing in clear to a
model, nothing asked that is not answered as asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

pytest.importorskip("langchain_core", reason="needs securevec[langchain]", exc_type=ModuleNotFoundError)

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

import securevec as sv
from securevec import errors
from securevec.aio.bridge import THREADS
from securevec.integrations.documents import DocumentsRefused
from securevec.integrations.langchain import SecurevecVectorStore
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.types import mint_anonymized
from tests.support.frames import Home, Homes


class Article(sv.Passage):
    source: sv.Filter[str]
    author: sv.Subject[str | None] = None
    year: sv.Filter[int | None] = None
    published: sv.Filter[datetime | None] = None


CANARY = "heliotrope-canary-71"
TAP = TapEmbedder(HashEmbedder())
TEXTS = {
    "acme": ["The boiler needs a new valve.", "The boiler needs a new valve again.", "Roses want sun."],
    "globex": ["The boiler of globex is a secret.", "The valve of globex is a secret.", "Globex grows roses."],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with Homes(tmp_path_factory.mktemp("promises"), TAP) as homes:
        yield homes["memory"]


@pytest.fixture(scope="module")
def two(home: Home) -> dict[str, SecurevecVectorStore]:
    """Two tenants in one process, with documents of the same ids."""
    stores: dict[str, SecurevecVectorStore] = {}
    for tenant, texts in TEXTS.items():
        stores[tenant] = SecurevecVectorStore(home.collection(Article, tenant=tenant, name="articles"))
        stores[tenant].add_documents(
            [
                Document(page_content=text, metadata={"source": tenant, "year": 2020 + number})
                for number, text in enumerate(texts)
            ],
            ids=[*("1", "2"), f"only-{tenant}"],
        )
    return stores


@pytest.fixture
def empty(home: Home) -> SecurevecVectorStore:
    return SecurevecVectorStore(home.collection(Article))


def test_two_tenants_of_one_process_never_see_each_other(two: dict[str, SecurevecVectorStore]) -> None:
    for mine, other in (("acme", "globex"), ("globex", "acme")):
        store, theirs = two[mine], set(TEXTS[other])
        for question in TEXTS[other]:
            for found in (
                store.similarity_search(question, k=100),
                store.similarity_search(question, k=100, filter={"source": {"$in": [mine, other]}}),
                store.similarity_search(question, k=100, filter={"$not": {"source": mine}}),
                store.max_marginal_relevance_search(question, k=3, fetch_k=100),
                store.as_retriever(search_kwargs={"k": 100}).invoke(question),
                asyncio.run(store.as_retriever(search_kwargs={"k": 100}).ainvoke(question)),
            ):
                assert not theirs & {document.page_content for document in found}
        assert store.similarity_search("boiler", k=100, filter={"source": other}) == []
        # The other tenant's ids: one that exists here too, one that does not.
        assert {document.page_content for document in store.get_by_ids(["1", f"only-{other}"])} == {TEXTS[mine][0]}
        assert store.delete([f"only-{other}"])
        assert len(two[other].get_by_ids([f"only-{other}"])) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        {"tenant": "globex"},
        {"t": "globex"},
        {"f_source": "globex"},
        {"source.x": "globex"},
        {"author": "globex"},
        {"text": "secret"},
        {"passage": "1"},
        {"$where": "1"},
        {"source": {"$regex": ".*"}},
        {"source": None},
        {"source": {}},
        {"source": {"$in": []}},
        {"source": ["globex"]},
        {"year": "2020"},
        {"year": {"$gt": "2020"}},
        {"published": "yesterday"},
        {"published": {"$gte": "2020-01-01T00:00:00"}},
        {"$and": []},
        {"$or": {}},
        {"$not": {}},
        {},
        [],
        "source = 'globex'",
        {1: 2},
    ],
)
def test_a_filter_that_cannot_be_honoured_is_refused_and_never_left_out(
    hostile: Any, two: dict[str, SecurevecVectorStore]
) -> None:
    with pytest.raises(errors.FilterError) as refused:
        two["acme"].as_retriever(search_kwargs={"filter": hostile}).invoke("boiler")
    assert "globex" not in str(refused.value)


def test_a_bomb_of_levels_or_of_clauses_is_refused(two: dict[str, SecurevecVectorStore]) -> None:
    deep: dict[str, Any] = {"source": "acme"}
    for _ in range(10_000):
        deep = {"$not": deep}
    wide = {"$or": [{"source": "acme"}] * 10_000}
    for bomb in (deep, wide):
        with pytest.raises(errors.FilterError):
            two["acme"].similarity_search("boiler", filter=bomb)


def test_a_search_argument_that_nobody_reads_is_refused(two: dict[str, SecurevecVectorStore]) -> None:
    store = two["acme"]
    with pytest.raises(errors.UsageError, match="`filters`"):
        store.as_retriever(search_kwargs={"filters": {"source": "acme"}}).invoke("boiler")
    calls: list[Callable[[], object]] = [
        lambda: store.similarity_search_by_vector([1.0] * 64, where={"source": "acme"}),
        lambda: store.max_marginal_relevance_search("boiler", where={"source": "acme"}),
        lambda: store.add_texts(["x"], [{"source": "acme"}], namespace="globex"),
        lambda: store.delete(["1"], where={"source": "acme"}),
        lambda: store.delete(),
    ]
    for call in calls:
        with pytest.raises(errors.UsageError):
            call()


def test_a_retriever_s_filter_reaches_the_store_and_metadata_comes_back(two: dict[str, SecurevecVectorStore]) -> None:
    store = two["acme"]
    wanted: list[tuple[Any, set[int]]] = [
        ({"year": 2021}, {2021}),
        ({"year": {"$gte": 2021}}, {2021, 2022}),
        ({"year": {"$gt": 2020, "$lt": 2022}}, {2021}),
        ({"year": {"$ne": 2021}}, {2020, 2022}),
        ({"year": {"$nin": [2020, 2021]}}, {2022}),
        ({"$or": [{"year": 2020}, {"year": {"$in": [2022]}}]}, {2020, 2022}),
        ({"$and": [{"source": "acme"}, {"$not": {"year": 2020}}]}, {2021, 2022}),
        ({"published": {"$exists": False}}, {2020, 2021, 2022}),
        ({"published": {"$ne": "2020-01-01T00:00:00Z"}}, set()),
        (sv.F("year") <= 2021, {2020, 2021}),
    ]
    for given, years in wanted:
        found = store.as_retriever(search_kwargs={"filter": given, "k": 10}).invoke("boiler valve")
        assert {document.metadata["year"] for document in found} == years, given
        assert all(set(document.metadata) == {"source", "year"} for document in found)


def test_what_the_detector_finds_is_gone_before_the_embedder_and_in_what_comes_back(
    empty: SecurevecVectorStore,
) -> None:
    TAP.texts.clear()
    empty.add_documents(
        [
            Document(
                id="1",
                page_content="Please write to jane.roe@example.com about the boiler.",
                metadata={"source": "mail", "author": "jane.roe@example.com"},
            )
        ]
    )
    found = empty.similarity_search("who is jane.roe@example.com?", k=1)
    empty.max_marginal_relevance_search("who is jane.roe@example.com?", k=1)
    assert len(TAP.texts) == 3
    assert not [text for text in TAP.texts if "jane.roe" in text]
    assert "jane.roe" not in repr(found)
    assert "boiler" in found[0].page_content


def test_undeclared_metadata_refuses_its_document_alone_and_is_not_repeated(empty: SecurevecVectorStore) -> None:
    documents = [
        Document(page_content="One.", metadata={"source": "a"}),
        Document(page_content="Two.", metadata={"source": "a", "jane@example.com": "secret-canary"}),
        Document(page_content="Three.", metadata={"source": "a", "passage": "9"}),
        Document(page_content="Four.", metadata={"source": "a", "published": datetime(2026, 1, 1)}),  # noqa: DTZ001  # the point
        Document(page_content="Five.", metadata={"source": "a", "published": datetime(2026, 1, 1, tzinfo=UTC)}),
        Document(page_content=" ", metadata={"source": "a"}),
        Document(page_content="Seven.", metadata={}),
    ]
    with pytest.raises(DocumentsRefused) as refused:
        empty.add_documents(documents, ids=list("1234567"))
    assert refused.value.rows == (2, 3, 4, 6, 7)
    assert refused.value.stored == ("1", "5")
    assert "jane" not in str(refused.value)
    assert "canary" not in str(refused.value)
    assert {document.id for document in empty.get_by_ids(list("1234567"))} == {"1", "5"}
    assert empty.get_by_ids(["5"])[0].metadata == {"source": "a", "published": datetime(2026, 1, 1, tzinfo=UTC)}

    dropping = SecurevecVectorStore(empty._documents.collection, undeclared="drop")
    dropping.add_documents([documents[1], documents[2]], ids=["2", "3"])
    assert [document.metadata for document in dropping.get_by_ids(["2", "3"])] == [{"source": "a"}] * 2
    assert dropping.get_by_ids(["9"]) == []


def test_ids_and_metadatas_are_as_many_as_texts_or_nothing_is_stored(empty: SecurevecVectorStore) -> None:
    calls: list[Callable[[], object]] = [
        lambda: empty.add_texts(["a", "b"], [{"source": "x"}]),
        lambda: empty.add_texts(["a", "b"], [{"source": "x"}] * 2, ids=["1"]),
        lambda: empty.add_documents([Document(page_content="a", metadata={"source": "x"})], ids=["1", "2"]),
    ]
    for call in calls:
        with pytest.raises(errors.UsageError):
            call()
    assert empty._documents.collection.count() == 0
    assert empty.delete([]) is True
    assert empty.add_documents([]) == []


def test_one_id_that_is_no_list_does_not_reach_the_documents_called_by_its_letters(empty: SecurevecVectorStore) -> None:
    texts, metadata = ["The roof leaks.", "The yard floods."], [{"source": "x"}] * 2
    empty.add_texts(texts, metadata, ids=["1", "2"])
    with pytest.raises(errors.UsageError, match="list"):
        empty.delete("12")
    with pytest.raises(errors.UsageError, match="list"):
        empty.get_by_ids("12")
    with pytest.raises(errors.UsageError, match="list"):
        empty.add_texts(texts, metadata, ids="12")
    assert len(empty.get_by_ids(["1", "2"])) == 2


@pytest.mark.parametrize("spoilt", [{"texts": [{"name": CANARY}]}, {"texts": ["x"], "metadatas": [[CANARY]]}])
def test_what_is_no_text_is_not_quoted(empty: SecurevecVectorStore, spoilt: dict[str, Any]) -> None:
    with pytest.raises(errors.UsageError) as caught:
        empty.add_texts(**spoilt)
    assert CANARY not in repr(caught.value)
    assert caught.value.__context__ is None


def test_stores_made_for_each_request_share_the_threads_of_the_open_store(home: Home) -> None:
    collection = home.collection(Article)
    SecurevecVectorStore(collection).add_texts(["The roof leaks."], [{"source": "x"}])
    stores = [SecurevecVectorStore(collection) for _ in range(40)]

    async def requests() -> list[Any]:
        return await asyncio.gather(*(store.asimilarity_search("roof", k=1) for store in stores))

    before = set(threading.enumerate())
    assert [len(found) for found in asyncio.run(requests())] == [1] * len(stores)
    made = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("securevec-aio")]
    assert len(made) <= THREADS


def test_a_model_beside_the_collection_s_is_refused(home: Home) -> None:
    collection = home.collection(Article)
    with pytest.raises(errors.UsageError, match="embeds by itself"):
        SecurevecVectorStore.from_texts(["a"], DeterministicFakeEmbedding(size=6), collection=collection)
    made = asyncio.run(
        SecurevecVectorStore.afrom_texts(["a"], None, [{"source": "x"}], ids=["1"], collection=collection)
    )
    assert made.get_by_ids(["1"])[0].page_content == "a"
    made = SecurevecVectorStore.from_documents(
        [Document(page_content="b", metadata={"source": "x"}, id="2")], cast("Any", None), collection=collection
    )
    assert made.get_by_ids(["2"])[0].page_content == "b"


def test_diverse_hits_are_those_of_the_formula(two: dict[str, SecurevecVectorStore]) -> None:
    store, query = two["acme"], "The boiler needs a new valve."
    plain = [document.page_content for document in store.similarity_search(query, k=2)]
    diverse = [document.page_content for document in store.max_marginal_relevance_search(query, k=2, lambda_mult=0.1)]
    assert plain == TEXTS["acme"][:2]
    assert diverse == [TEXTS["acme"][0], TEXTS["acme"][2]]
    same = store.max_marginal_relevance_search(query, k=2, lambda_mult=1.0)
    assert [document.page_content for document in same] == plain
    for wrong in (-0.1, 1.1, float("nan"), True, "0.5"):
        with pytest.raises(errors.QueryError):
            store.max_marginal_relevance_search(query, lambda_mult=wrong)  # type: ignore[arg-type]  # the point


def test_scores_are_cosine_and_relevance_is_on_langchain_s_scale(two: dict[str, SecurevecVectorStore]) -> None:
    store = two["acme"]
    (best, score), *_ = store.similarity_search_with_score("Roses want sun.", k=3)
    assert best.page_content == "Roses want sun."
    assert score == pytest.approx(1.0, abs=1e-5)
    found = store.similarity_search_with_relevance_scores("Roses want sun.", k=3)
    assert all(0 <= relevance <= 1 for _, relevance in found)
    only = store.as_retriever(search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.99})
    assert [document.page_content for document in only.invoke("Roses want sun.")] == ["Roses want sun."]


def test_a_coroutine_goes_on_while_the_store_works(empty: SecurevecVectorStore, monkeypatch: Any) -> None:
    """The other coroutine is what lets the search go on: a search on the loop itself would never end."""
    import threading

    go = threading.Event()
    real = type(empty._documents.collection).search

    def waiting(*given: Any, **named: Any) -> Any:
        assert go.wait(30)
        return real(*given, **named)

    monkeypatch.setattr(type(empty._documents.collection), "search", waiting)

    async def both() -> list[Document]:
        search = asyncio.create_task(empty.asimilarity_search("boiler"))
        await asyncio.sleep(0)
        go.set()
        return await search

    assert asyncio.run(both()) == []


def test_a_record_class_that_cannot_hold_documents_is_refused(home: Home) -> None:
    class Odd(sv.Record):
        id: sv.Key[int]
        text: sv.Embed[str]

    with pytest.raises(errors.SchemaError, match="Passage"):
        SecurevecVectorStore(home.collection(Odd))
    with pytest.raises(errors.UsageError):
        SecurevecVectorStore("acme")  # type: ignore[arg-type]  # the point


def test_a_vector_that_is_none_is_refused_without_a_word_of_it(two: dict[str, SecurevecVectorStore]) -> None:
    given = cast("Any", ["a secret of acme"])
    for search in (
        two["acme"].similarity_search_by_vector,
        two["acme"].max_marginal_relevance_search_by_vector,
    ):
        with pytest.raises(errors.VectorError) as caught:
            search(given)
        assert "secret" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"


def test_a_vector_of_the_model_finds_what_its_text_does_and_of_ones_own_tenant_only(
    two: dict[str, SecurevecVectorStore],
) -> None:
    text = TEXTS["globex"][0]
    vector = [float(value) for value in TAP.embed([mint_anonymized(text)])[0]]
    for store in two.values():
        by_text = [document.page_content for document in store.similarity_search(text, 2)]
        assert [document.page_content for document in store.similarity_search_by_vector(vector, 2)] == by_text
        diverse = store.max_marginal_relevance_search_by_vector(vector, 2, fetch_k=2)
        assert sorted(document.page_content for document in diverse) == sorted(by_text)
    assert text not in {document.page_content for document in two["acme"].similarity_search_by_vector(vector, 9)}
    for filter_ in ({"year": {"$exists": 1}}, {"year": {"$exists": "false"}}):
        with pytest.raises(errors.FilterError):
            two["acme"].similarity_search_by_vector(vector, filter=filter_)
    with pytest.raises(errors.UsageError, match="collection"):
        SecurevecVectorStore.from_texts(["a"])
