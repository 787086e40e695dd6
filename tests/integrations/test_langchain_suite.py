"""The published suite of LangChain's vector stores, whole, with its own embeddings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("langchain_tests", reason="needs securevec[langchain] and langchain-tests")

from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests.vectorstores import EMBEDDING_SIZE, VectorStoreIntegrationTests

import securevec as sv
from securevec.integrations.embedding import FunctionEmbedder
from securevec.integrations.langchain import SecurevecVectorStore
from tests.support.frames import Homes


class Noted(sv.Passage):
    """The metadata that the suite puts into its documents."""

    id: sv.Filter[int]
    some_other_field: sv.Filter[str | None] = None


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    model = VectorStoreIntegrationTests.get_embeddings()
    embedder = FunctionEmbedder(model.embed_documents, name="deterministic", dimension=EMBEDDING_SIZE)
    with Homes(tmp_path_factory.mktemp("langchain"), embedder) as opened:
        yield opened


class TestEdge(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, homes: Homes) -> VectorStore:
        return SecurevecVectorStore(homes["edge"].collection(Noted))


class TestChroma(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, homes: Homes) -> VectorStore:
        return SecurevecVectorStore(homes["chroma"].collection(Noted))
