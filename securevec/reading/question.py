"""What is asked of a collection: the text anonymized and embedded, its words as terms, and the filters of caller and
policy, for the store and for the judgement. Refused here is what cannot be asked, before anything is looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from securevec import limits
from securevec.anonymize import TenantKeys
from securevec.anonymize.known import stand_ins
from securevec.errors import HybridUnavailable, LimitExceeded, QueryError, VectorError
from securevec.filters import Expr, all_of, check
from securevec.guard import Admission
from securevec.keys.filterkeys import FilterKeys
from securevec.points.terms import asked_terms, united
from securevec.reading.narrow import Narrow
from securevec.state.runtime import CollectionScope, Runtime
from securevec.text import utf8_size
from securevec.types import AnonymizedText, Matrix, Terms, Vector
from securevec.vectors import as_vectors, unit


@dataclass(frozen=True, slots=True, repr=False)
class Hint:
    """What the store is to narrow its answer by, and the keys that tokens of it are under: none where it has none."""

    keys: FilterKeys | None
    pushed: Expr | None


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """What is asked: a true vector, what hits are judged by, the hint for the store, what the audit log is to hash, and
    the text whose words are asked for too. ``earlier`` is the same in the surrogates of the version before, while
    stored records may have those: each point counts by the nearer of the two."""

    vector: Vector
    where: Expr | None
    hint: Hint
    audit_key: bytes
    redactions: Mapping[str, int]
    words: AnonymizedText | None = None
    earlier: Wording | None = None

    @property
    def wordings(self) -> list[Wording]:
        """The earlier one first: a record that moves between two looks at the store is met by one of them."""
        asked = Wording(self.vector, self.words)
        return [asked] if self.earlier is None else [self.earlier, asked]


class Wording(NamedTuple):
    """A vector, and the text whose words are asked for too."""

    vector: Vector
    words: AnonymizedText | None


def check_k(given: object) -> int:
    """A number of hits, numpy's too, as Python's own. Raises :class:`QueryError`, :class:`LimitExceeded`."""
    k = int(given) if isinstance(given, np.integer) else given
    if type(k) is not int or k < 1:
        raise QueryError("k is a whole number of at least 1.")
    if k > limits.MAX_K:
        raise LimitExceeded(f"A search returns at most {limits.MAX_K} hits.", field="k")
    return k


def question_of(
    runtime: Runtime,
    collection: CollectionScope,
    admission: Admission,
    text: str | None,
    vector: Matrix | None,
    where: Expr | None,
    *,
    hybrid: bool = False,
) -> Question:
    """What is asked, from a text or from a given vector of one. Raises :class:`QueryError` and :class:`VectorError`."""
    judged_on, hint = conditions(runtime, collection, admission, where, hybrid=hybrid)
    if (text is None) == (vector is None):
        raise QueryError("A search takes a text or a vector.")
    if text is None:
        if hybrid:
            raise QueryError("A hybrid search takes a text: its words are half of it.")
        given = _given_vector(collection, vector)
        return Question(given, judged_on, hint, given.tobytes(), {})
    asked = anonymize_query(runtime, collection, text)
    return questions_of(collection, [asked], judged_on, hint, hybrid=hybrid)[0]


def questions_of(
    collection: CollectionScope, asked: Sequence[Asked], judged_on: Expr | None, hint: Hint, *, hybrid: bool
) -> list[Question]:
    """The questions of anonymized texts, embedded in one call."""
    texts = [text for each in asked for text in (each.text, each.earlier) if text is not None]
    vectors: Iterator[Vector] = iter(collection.embedder.embed(texts) if texts else ())
    made: list[Question] = []
    for text, redactions, earlier in asked:
        vector = next(vectors)
        before = None if earlier is None else Wording(next(vectors), earlier if hybrid else None)
        words = text if hybrid else None
        made.append(Question(vector, judged_on, hint, text.text.encode(), redactions, words, before))
    return made


def check_hybrid(collection: CollectionScope, hybrid: object, narrow: Narrow) -> None:
    """Raises :class:`HybridUnavailable`, and :class:`QueryError` for a least similarity, which ranks do not have."""
    if not isinstance(hybrid, bool):
        raise QueryError("hybrid is true or false.")
    if hybrid and not collection.hybrid:
        raise HybridUnavailable(
            "This collection was made without hybrid search.",
            next_step="Ingest into a new one, made with hybrid=True.",
        )
    if hybrid and narrow.min_score is not None:
        raise QueryError("min_score is a cosine similarity, and the score of a hybrid search is made of two ranks.")


def words_of(collection: CollectionScope, query: AnonymizedText, keys: FilterKeys) -> Terms:
    """The terms of an anonymized query, under each key that stored ones may be of."""
    return united([asked_terms(query.text, index) for index in collection.term_indexes(keys)])


def conditions(
    runtime: Runtime, collection: CollectionScope, admission: Admission, where: Expr | None, *, hybrid: bool = False
) -> tuple[Expr | None, Hint]:
    """What hits are judged by (the caller's filter and the policy's), and the hint for the store made of it.

    The keys of tokens are looked up where the store is asked for any: by a filter, or by the words of ``hybrid``.
    """
    parts = [part for part in (where, admission.decision.row_filter) if part is not None]
    judged_on = check(all_of(parts)) if parts else None
    if judged_on is None and not hybrid:
        return None, Hint(None, None)
    return judged_on, hint_of(runtime, collection, judged_on, collection.filter_keys(runtime))


def hint_of(runtime: Runtime, collection: CollectionScope, judged_on: Expr | None, keys: FilterKeys) -> Hint:
    """The hint under these keys. A search whose keys changed before it was answered needs another one."""
    return Hint(keys, None if judged_on is None else collection.protector(runtime, keys).lower(judged_on))


class Asked(NamedTuple):
    """A query, anonymized; and ``earlier``, where its surrogates were others under the version before, which stored
    records may still have."""

    text: AnonymizedText
    redactions: Counter[str]
    earlier: AnonymizedText | None


def anonymize_query(runtime: Runtime, collection: CollectionScope, text: str) -> Asked:
    """The query as the records were anonymized. Raises :class:`QueryError` and :class:`LimitExceeded`."""
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise QueryError("A query is text.")
    if not text.strip():
        raise QueryError("The query is empty.", next_step="Say what to look for.")
    size = utf8_size(text)
    if size is None:
        raise QueryError("The query is not valid Unicode.")
    if size > limits.MAX_QUERY_BYTES:
        raise LimitExceeded(f"A query is at most {limits.MAX_QUERY_BYTES} bytes.", field="text")
    keys = collection.tenant_keys(runtime)
    asked, redactions = _worded(runtime, collection, text, keys)
    before = keys.earlier()
    earlier = None if before is None else _worded(runtime, collection, text, before)[0]
    return Asked(asked, redactions, earlier if earlier is not None and earlier.text != asked.text else None)


def _worded(
    runtime: Runtime, collection: CollectionScope, text: str, keys: TenantKeys
) -> tuple[AnonymizedText, Counter[str]]:
    def stands(sealed: bytes, part: bytes) -> str:
        return stand_ins.read(runtime.names.open_stand_in(sealed, part=part)).get(keys.naming, "")

    return collection.anonymizer.query(
        text,
        keys=keys,
        known=lambda tokens: runtime.control.known_tokens(collection.tenant, tokens),
        parts=lambda tokens: {
            part: {person: stands(sealed, part) for person, sealed in people.items()}
            for part, people in runtime.control.known_parts(collection.tenant, tokens).items()
        },
    )


def _given_vector(collection: CollectionScope, vector: Matrix | None) -> Vector:
    given = as_vectors(vector, field="vector")
    if given.shape != (collection.embedder.identity.dimension,):
        raise VectorError(f"A query vector has shape ({collection.embedder.identity.dimension},).", field="vector")
    return unit(given, field="vector")
