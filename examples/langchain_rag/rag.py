"""A LangChain chain over one tenant's articles: redacted before embedding, filtered, and answered from.

pip install 'securevec[edge,embed,langchain]'
python rag.py ./home acme "Which valve does the boiler need?"
"""

from __future__ import annotations

import sys

from langchain_core.documents import Document
from langchain_core.runnables import Runnable, RunnableLambda, RunnablePassthrough

import securevec as sv
from securevec.integrations.langchain import SecurevecVectorStore


class Article(sv.Passage):
    """The metadata that is kept. A document with any other is refused by name of its number."""

    source: sv.Filter[str]
    year: sv.Filter[int | None] = None


ARTICLES = [
    Document(
        id="b1",
        page_content="The boiler needs a valve of type 7. Ask jane@example.com.",
        metadata={"source": "manual", "year": 2024},
    ),
    Document(
        id="b2", page_content="The old boiler needed a valve of type 3.", metadata={"source": "manual", "year": 2011}
    ),
    Document(id="c1", page_content="The canteen opens at noon.", metadata={"source": "intranet"}),
]


def open_store(store: sv.SecureStore, tenant: str) -> SecurevecVectorStore:
    """The vector store of one tenant. Whoever holds it reaches no other."""
    handle = store.tenant(tenant, create=True, actor=sv.Actor(f"svc:{tenant}-rag", purpose="answering questions"))
    return SecurevecVectorStore(handle.collection(Article, name="articles"))


def stand_in_model(prompt: str) -> str:
    """NOT A MODEL. It quotes the first passage, so that this example runs anywhere. Put your chat model here."""
    return prompt.split("\n")[1]


def make_chain(vectors: SecurevecVectorStore) -> Runnable[str, str]:
    """Question to answer, from the manual of the last years only."""
    retriever = vectors.as_retriever(search_kwargs={"k": 2, "filter": {"source": "manual", "year": {"$gte": 2020}}})

    def prompt(given: dict[str, object]) -> str:
        passages = given["passages"]
        assert isinstance(passages, list)
        return "Answer from these passages:\n" + "\n".join(each.page_content for each in passages)

    return (
        {"passages": retriever, "question": RunnablePassthrough()}
        | RunnableLambda(prompt)
        | RunnableLambda(stand_in_model)
    )


def main(home: str, tenant: str, question: str) -> int:
    with sv.SecureStore.open(home) as store:
        vectors = open_store(store, tenant)
        vectors.add_documents(ARTICLES)
        print(make_chain(vectors).invoke(question))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
