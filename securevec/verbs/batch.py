"""Several searches at once: one admission, one call of the embedder, and each answer judged and audited by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from securevec import limits
from securevec.errors import LimitExceeded, QueryError
from securevec.filters import Expr
from securevec.guard import admit
from securevec.reading.hits import SearchResult
from securevec.reading.narrow import Narrow
from securevec.reading.question import Asked, anonymize_query, check_hybrid, check_k, conditions, questions_of
from securevec.schema import Record
from securevec.search import Answer, answer, deliver, looked_at_again
from securevec.state.runtime import CollectionScope, Runtime

R = TypeVar("R", bound=Record)


def search_batch(
    runtime: Runtime,
    collection: CollectionScope,
    texts: Sequence[str],
    *,
    record_class: type[R],
    where: Expr | None,
    k: int,
    narrow: Narrow,
    hybrid: bool = False,
) -> list[SearchResult[R]]:
    """One result for each text, in order. See :meth:`Collection.search_batch`."""
    k = check_k(k)
    check_hybrid(collection, hybrid, narrow)
    if isinstance(texts, str | bytes) or not isinstance(texts, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise QueryError("A batch search takes a list of texts.")
    if len(texts) > limits.MAX_QUERIES:
        raise LimitExceeded(f"A batch search takes at most {limits.MAX_QUERIES} texts.", field="texts")
    admission = admit(runtime, collection.scope, permission="search", action="search", collection=collection.collection)
    with admission.reading():
        judged_on, hint = conditions(runtime, collection, admission, where, hybrid=hybrid)
        asked = [_anonymized(runtime, collection, number, text) for number, text in enumerate(texts, start=1)]
        questions = questions_of(collection, asked, judged_on, hint, hybrid=hybrid)

        def ask(number: int) -> Answer[R]:
            return answer(runtime, collection, questions[number], k, narrow, record_class)

        answers = looked_at_again(runtime, collection, [ask(number) for number in range(len(questions))], ask)
        admission.recheck()
    # A request id of its own for each, as for a search alone. When the log fails in between, none is returned.
    return [
        deliver(runtime, collection, admission.fresh(), question, found)
        for question, found in zip(questions, answers, strict=True)
    ]


def _anonymized(runtime: Runtime, collection: CollectionScope, number: int, text: str) -> Asked:
    refusal: QueryError
    try:
        return anonymize_query(runtime, collection, text)
    except QueryError as error:
        refusal = QueryError(f"Text {number} of the batch: {error.message}", next_step=error.next_step)
    raise refusal
