"""A Haystack pipeline over one tenant's articles: redacted before embedding, filtered, and answered from.

pip install 'securevec[edge,embed,haystack]'
HAYSTACK_TELEMETRY_ENABLED=False python rag.py ./home acme "Which valve does the boiler need?"
"""

from __future__ import annotations

import sys

from haystack import Pipeline
from haystack.components.writers import DocumentWriter
from haystack.dataclasses import Document
from haystack.document_stores.types import DuplicatePolicy

import securevec as sv
from securevec.integrations.haystack import SecurevecDocumentStore, SecurevecRetriever


class Article(sv.Passage):
    """The metadata that is kept. A document with any other is refused."""

    source: sv.Filter[str]
    year: sv.Filter[int | None] = None


ARTICLES = [
    Document(
        id="b1",
        content="The boiler needs a valve of type 7. Ask jane@example.com.",
        meta={"source": "manual", "year": 2024},
    ),
    Document(id="b2", content="The old boiler needed a valve of type 3.", meta={"source": "manual", "year": 2011}),
    Document(id="c1", content="The canteen opens at noon.", meta={"source": "intranet"}),
]
RECENT = {
    "operator": "AND",
    "conditions": [
        {"field": "meta.source", "operator": "==", "value": "manual"},
        {"field": "meta.year", "operator": ">=", "value": 2020},
    ],
}


def main(home: str, tenant: str, question: str) -> int:
    with sv.SecureStore.open(home) as store:
        handle = store.tenant(tenant, create=True, actor=sv.Actor(f"svc:{tenant}-rag", purpose="answering questions"))
        documents = SecurevecDocumentStore(handle.collection(Article, name="articles"))
        writing = Pipeline()
        # No embedder before it: it would read the documents before they are anonymized.
        writing.add_component("writer", DocumentWriter(documents, policy=DuplicatePolicy.OVERWRITE))
        writing.run({"writer": {"documents": ARTICLES}})
        asking = Pipeline()
        asking.add_component("retriever", SecurevecRetriever(documents, filters=RECENT, top_k=2))
        # Put a prompt builder and a generator behind it.
        for found in asking.run({"retriever": {"query": question}})["retriever"]["documents"]:
            print(found.content)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
