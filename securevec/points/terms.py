"""The words of a text as keyed terms, for hybrid search. Pure.

A text becomes a set of 32-bit numbers and weights; what the numbers stand for only the tenant's key says
(``crypto.derive.term_index``). The rules, which are version 1 of the analyzer:

1. The text is anonymized text. What stands in place of a detected value is left out, so no term comes from a person.
2. NFKC, case-folded; words are runs of letters and digits. Words joined by ``- . / _`` without a space are one more
   term as a whole (``zx-4410-q``). Runs in scripts written without spaces are cut into overlapping pairs.
3. Single letters and the commonest English words are left out.
4. Weight of a term in a stored text: ``tf * 2.2 / (tf + 1.2)``, to the nearest quarter; ``tf`` is how often it stands
   there. In a query: 1, and 2 for a term with a digit, which is seldom there by accident. No statistics over records go
   into it: on a server that tenants share, the store would take them over all tenants.
5. The ``limits.MAX_TERMS`` most frequent terms of a text are kept, of equally frequent ones the earlier.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from securevec import limits
from securevec.types import Span, Terms

ANALYZER: Final = "terms-1"
"""Bound to a collection; changes with the rules."""

_SATURATION: Final = 1.2
_QUARTERS: Final = 4
_CODE: Final = 2.0
_JOINED: Final = re.compile(r"[^\W_]+(?:[-./_][^\W_]+)*")
_WORD: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_COMMON_WORDS: Final = (
    "about after all also am an and any are as at be because been before being but by can could did do does "
    "doing down during each few for from further had has have having he her here hers him his how if in into "
    "is it its just me more most my no nor not now of off on once only or other our out over own same she "
    "should so some such than that the their them then there these they this those through to too under until "
    "up very was we were what when where which while who whom why will with would you your "
)
_COMMON: Final = frozenset(_COMMON_WORDS.split())


Index = Callable[[str], int]
"""The keyed number of a term."""


def stored_terms(text: str, spans: Iterable[Span], index: Index) -> Terms:
    """The terms of anonymized text, without what stands at ``spans``."""
    cut: list[str] = []
    end = 0
    for span in sorted(spans, key=lambda span: span.start):
        cut.append(text[end : span.start])
        end = max(end, span.end)
    cut.append(text[end:])
    counts: dict[str, int] = {}
    for part in cut:
        for term in terms_in(part):
            counts[term] = counts.get(term, 0) + 1
    # Sorting is stable: of equally frequent terms the earlier ones stay.
    kept = sorted(counts, key=counts.__getitem__, reverse=True)[: limits.MAX_TERMS]
    return _merged((index(term), _weight(counts[term])) for term in kept)


def asked_terms(text: str, index: Index) -> Terms:
    """The terms of an anonymized query."""
    kept = list(dict.fromkeys(terms_in(text)))[: limits.MAX_TERMS]
    return _merged((index(term), _CODE if any(character.isdigit() for character in term) else 1.0) for term in kept)


def united(several: Sequence[Terms]) -> Terms:
    """All terms of these sets, as one set."""
    if len(several) == 1:
        return several[0]
    return _merged(
        (number, weight)
        for terms in several
        for number, weight in zip(terms.indices.tolist(), terms.weights.tolist(), strict=True)
    )


def terms_in(text: str) -> Iterator[str]:
    """Every term of a text, as often as it stands there."""
    for joined in _JOINED.findall(unicodedata.normalize("NFKC", text).casefold()):
        words = _WORD.findall(joined)
        if len(words) > 1:
            yield joined
        for word in words:
            yield from _pairs(word) if _UNSPACED.search(word) else [word] if _counts(word) else []


def _counts(word: str) -> bool:
    return (len(word) > 1 or word.isdigit()) and word not in _COMMON


def _pairs(word: str) -> Iterator[str]:
    for run in _UNSPACED.findall(word):
        yield from (run[at : at + 2] for at in range(max(len(run) - 1, 1)))
    yield from (rest for rest in _UNSPACED.split(word) if _counts(rest))


def _weight(count: int) -> float:
    return round(_QUARTERS * count * (1 + _SATURATION) / (count + _SATURATION)) / _QUARTERS


def _merged(pairs: Iterable[tuple[int, float]]) -> Terms:
    """Sorted by index. Terms that share one (a pair in two milliards) count as the heavier."""
    weights: dict[int, float] = {}
    for number, weight in pairs:
        weights[number] = max(weight, weights.get(number, 0.0))
    indices = sorted(weights)
    return Terms(np.array(indices, dtype=np.uint32), np.array([weights[each] for each in indices], dtype=np.float32))
