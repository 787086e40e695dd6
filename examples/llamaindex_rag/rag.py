"""A LlamaIndex retriever over one tenant's chapters: redacted before embedding, filtered, and answered from.

pip install 'securevec[edge,embed,llamaindex]'
python rag.py ./home acme "Which valve does the boiler need?"
"""

from __future__ import annotations

import sys

from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.schema import BaseNode, TextNode
from llama_index.core.vector_stores.types import FilterOperator, MetadataFilter, MetadataFilters

import securevec as sv
from securevec.integrations.llamaindex import EmbeddedByStore, NodePassage, SecurevecVectorStore


class Chapter(NodePassage):
    """The metadata that is kept. A node with any other is refused."""

    source: sv.Filter[str]
    year: sv.Filter[int | None] = None


NODES: list[BaseNode] = [
    TextNode(
        id_="b1",
        text="The boiler needs a valve of type 7. Ask jane@example.com.",
        metadata={"source": "manual", "year": 2024},
    ),
    TextNode(id_="b2", text="The old boiler needed a valve of type 3.", metadata={"source": "manual", "year": 2011}),
    TextNode(id_="c1", text="The canteen opens at noon.", metadata={"source": "intranet"}),
]


def main(home: str, tenant: str, question: str) -> int:
    with sv.SecureStore.open(home) as store:
        handle = store.tenant(tenant, create=True, actor=sv.Actor(f"svc:{tenant}-rag", purpose="answering questions"))
        vectors = SecurevecVectorStore(handle.collection(Chapter, name="chapters"))
        # Not a model of LlamaIndex's: it would read the nodes before they are anonymized.
        index = VectorStoreIndex(
            NODES,
            storage_context=StorageContext.from_defaults(vector_store=vectors),
            embed_model=EmbeddedByStore(),
        )
        filters = MetadataFilters(
            filters=[
                MetadataFilter(key="source", value="manual"),
                MetadataFilter(key="year", operator=FilterOperator.GTE, value=2020),
            ]
        )
        # Put a chat model here, with the passages in its prompt.
        for found in index.as_retriever(similarity_top_k=2, filters=filters).retrieve(question):
            print(found.node.get_content())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
