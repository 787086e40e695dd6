"""The published mixins of Haystack's document stores, all of them, sync and async, on Edge and on Chroma.

Two tests are replaced by what is promised here instead: one field has one type, so values of other types in it are
refused; and without a policy, a document that is there already is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

pytest.importorskip("haystack", reason="needs securevec[haystack]", exc_type=ModuleNotFoundError)

from haystack.dataclasses import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.testing import document_store as sync
from haystack.testing import document_store_async as coroutines
from pydantic import BeforeValidator

import securevec as sv
from securevec.integrations.documents import DocumentsRefused
from securevec.integrations.haystack import SecurevecDocumentStore
from securevec.testing.embedders import HashEmbedder
from tests.support.frames import Homes


def _utc(value: object) -> object:
    """The suite's dates have no zone; whoever means UTC by that says so in the record class."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


class Noted(sv.Passage):
    """The metadata that the mixins put into their documents, and look for."""

    name: sv.Filter[str | None] = None
    page: sv.Filter[str | None] = None
    chapter: sv.Filter[str | None] = None
    number: sv.Filter[int | None] = None
    date: Annotated[datetime | None, BeforeValidator(_utc), sv.marks.Filter()] = None
    no_embedding: sv.Filter[bool | None] = None
    category: sv.Filter[str | None] = None
    status: sv.Filter[str | None] = None
    year: sv.Filter[int | None] = None
    updated: sv.Filter[bool | None] = None
    extra_field: sv.Filter[str | None] = None
    featured: sv.Filter[bool | None] = None
    priority: sv.Filter[int | None] = None
    rating: sv.Filter[float | None] = None
    age: sv.Filter[int | None] = None
    missing_field: sv.Filter[str | None] = None


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    with Homes(tmp_path_factory.mktemp("haystack"), HashEmbedder(dimension=16)) as opened:
        yield opened


def _comparable(documents: list[Document]) -> list[tuple[str, str | None, dict[str, Any]]]:
    """What comes back, in the order of ids, without vectors, and with times as times."""
    told = []
    for each in documents:
        meta = {key: _utc(value) if key == "date" else value for key, value in each.meta.items()}
        told.append((each.id, each.content, meta))
    return sorted(told, key=lambda one: one[0])


class _Mixins(
    sync.DocumentStoreBaseExtendedTests,
    sync.CountDocumentsByFilterTest,
    sync.CountUniqueMetadataByFilterTest,
    sync.GetMetadataFieldsInfoTest,
    sync.GetMetadataFieldMinMaxTest,
    sync.GetMetadataFieldUniqueValuesTest,
    coroutines.CountDocumentsAsyncTest,
    coroutines.WriteDocumentsAsyncTest,
    coroutines.DeleteDocumentsAsyncTest,
    coroutines.FilterDocumentsAsyncTest,
    coroutines.DeleteAllAsyncTest,
    coroutines.DeleteByFilterAsyncTest,
    coroutines.UpdateByFilterAsyncTest,
    coroutines.CountDocumentsByFilterAsyncTest,
    coroutines.CountUniqueMetadataByFilterAsyncTest,
    coroutines.GetMetadataFieldsInfoAsyncTest,
    coroutines.GetMetadataFieldMinMaxAsyncTest,
    coroutines.GetMetadataFieldUniqueValuesAsyncTest,
    sync.FilterableDocsFixtureMixin,
):
    backend: str

    @pytest.fixture
    def document_store(self, homes: Homes) -> Any:
        return SecurevecDocumentStore(homes[self.backend].collection(Noted), embeddings="drop")

    @staticmethod
    def assert_documents_are_equal(received: list[Document], expected: list[Document]) -> None:
        assert _comparable(received) == _comparable(expected)

    def test_write_documents(self, document_store: Any) -> None:
        one = Document(content="test doc")
        assert document_store.write_documents([one]) == 1
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents([one])

    async def test_write_documents_async(self, document_store: Any) -> None:
        self.test_write_documents(document_store)

    @staticmethod
    def test_get_metadata_field_unique_values_distinct_types(document_store: Any) -> None:
        values: list[Any] = ["one", 1.5, True]
        with pytest.raises(DocumentsRefused) as refused:
            document_store.write_documents(
                [Document(content=f"Doc {value}", meta={"priority": value}) for value in [*values, 1]]
            )
        assert refused.value.rows == (1, 2, 3)
        assert document_store.get_metadata_field_unique_values("priority") == ([1], 1)

    @staticmethod
    async def test_get_metadata_field_unique_values_distinct_types_async(document_store: Any) -> None:
        _Mixins.test_get_metadata_field_unique_values_distinct_types(document_store)


class TestMemory(_Mixins):
    """The twin of the two below in the default run."""

    backend = "memory"


@pytest.mark.soak
class TestEdge(_Mixins):
    backend = "edge"


@pytest.mark.soak
class TestChroma(_Mixins):
    backend = "chroma"
