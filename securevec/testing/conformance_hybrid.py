"""Rule 7: terms are kept, returned, removed with their point, and ranked by; or refused where a store has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from securevec.backend import HYBRID_DEPTH, RRF_K, VectorBackend
from securevec.errors import HybridUnavailable, SecurevecError, VectorError
from securevec.filters import Expr, F
from securevec.testing.conformance_case import (
    SPEC,
    ConformanceCase,
    a_namespace,
    a_point,
    a_vector,
    an_id,
    numbers,
)
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Terms

_SPARSE: Final = replace(SPEC, sparse=True)
_LARGEST: Final = 2**32 - 1
_COUNT: Final = 40


def some_terms(numbers: Sequence[int], weights: Sequence[float] | None = None) -> Terms:
    return Terms(np.array(numbers, dtype=np.uint32), np.array(weights or [1.0] * len(numbers), dtype=np.float32))


def a_worded_point(namespace: Namespace, number: int) -> ProtectedPoint:
    """Point ``number`` with a term of its own, one shared by every fifth, and one that all have, each time heavier."""
    terms = some_terms([0, 100 + number % 5, _LARGEST - number], [0.25 + number / 64, 1.0 + number / 64, 1.5])
    return replace(a_point(namespace, number, {"f_a": "odd" if number % 2 else "even"}), terms=terms)


def fused(asked: int, terms: Terms, where: Expr | None = None) -> dict[int, float]:
    """What rule 7 says of the points 0 to 39: number to score."""
    among = [number for number in range(_COUNT) if where is None or number % 2]
    place = a_namespace("mine")
    rows = {number: a_worded_point(place, number) for number in among}
    vector = a_vector(asked)
    near = {number: float(row.vector @ vector / np.linalg.norm(row.vector)) for number, row in rows.items()}
    wanted = dict(zip(terms.indices.tolist(), terms.weights.tolist(), strict=True))
    words: dict[int, float] = {}
    for number, row in rows.items():
        assert row.terms is not None
        pairs = zip(row.terms.indices.tolist(), row.terms.weights.tolist(), strict=True)
        if shared := [weight * wanted[index] for index, weight in pairs if index in wanted]:
            words[number] = sum(shared)
    scores: dict[int, float] = {}
    for ranked in (near, words):
        for at, number in enumerate(sorted(ranked, key=ranked.__getitem__, reverse=True)[:HYBRID_DEPTH]):
            scores[number] = scores.get(number, 0.0) + 1.0 / (RRF_K + at)
    return scores


class TermsWithoutAPlace(ConformanceCase):
    """For every store: what it keeps no room for is refused."""

    def test_a_store_that_keeps_terms_answers_for_them(self, backend: VectorBackend) -> None:
        """Derive from ``HybridBackendConformance`` when ``capabilities.sparse`` is true, and only then."""
        assert isinstance(self, HybridConformance) == backend.capabilities.sparse

    def test_terms_without_a_place_are_refused_and_not_dropped(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at ``ensure``, at ``insert`` and at ``query``: terms that are quietly left out make a search worse."""
        if backend.capabilities.sparse:
            if not backend.capabilities.physical_isolation:
                return  # one collection of all tenants has room for everybody's
            with pytest.raises(HybridUnavailable):
                backend.ensure(namespace=mine, spec=_SPARSE)
        else:
            with pytest.raises(HybridUnavailable):
                backend.ensure(namespace=a_namespace("worded"), spec=_SPARSE)
        with pytest.raises(HybridUnavailable):
            backend.insert(namespace=mine, points=[a_worded_point(mine, 1)])
        with pytest.raises(SecurevecError):
            backend.query(namespace=mine, vector=a_vector(99), where=None, limit=1, terms=some_terms([1]))
        assert backend.count(namespace=mine) == 0


class HybridConformance(ConformanceCase):
    """For stores whose ``capabilities.sparse`` is true."""

    @pytest.fixture
    def worded(self, backend: VectorBackend) -> Namespace:
        namespace = a_namespace("mine")
        backend.ensure(namespace=namespace, spec=_SPARSE)
        backend.insert(namespace=namespace, points=[a_worded_point(namespace, number) for number in range(_COUNT)])
        return namespace

    def test_terms_come_back_as_they_went_and_only_with_vectors(
        self, backend: VectorBackend, worded: Namespace
    ) -> None:
        """Look at the largest index: 2^32 - 1 is one, and engines order indices as they like."""
        for stored in backend.fetch(namespace=worded, ids=[an_id(0), an_id(7)], with_vectors=True):
            number = stored.payload["n"]
            assert isinstance(number, int)
            assert stored.terms == a_worded_point(worded, number).terms
            assert stored.vector is not None
        assert all(each.terms is None for each in backend.fetch(namespace=worded, ids=[an_id(7)]))

    @pytest.mark.parametrize("limit", [1, 5, _COUNT])
    def test_two_lists_are_fused_by_reciprocal_rank(
        self, backend: VectorBackend, worded: Namespace, limit: int
    ) -> None:
        """Look at the constant, at where places begin, and at what a point gets that shares no term: nothing."""
        for wanted in (some_terms([103, _LARGEST - 31], [1.0, 2.0]), some_terms([0, 101]), some_terms([77, 78])):
            for where in (None, F("f_a") == "odd"):
                expected = fused(99, wanted, where)
                found = self._ask(backend, worded, wanted, where, limit)
                # Equal sums of two places may come in either order.
                best = sorted(expected.values(), reverse=True)[:limit]
                assert [point.score for point in found] == pytest.approx(best, abs=1e-6)
                assert [expected[int(str(point.payload["n"]))] for point in found] == pytest.approx(best, abs=1e-6)

    def test_a_rare_term_brings_up_what_the_vector_does_not(self, backend: VectorBackend, worded: Namespace) -> None:
        far = numbers(backend.query(namespace=worded, vector=a_vector(99), where=None, limit=_COUNT))[-1]
        assert isinstance(far, int)
        found = numbers(self._ask(backend, worded, some_terms([_LARGEST - far]), None, 2))
        assert far in found

    def test_a_filter_and_the_namespace_hold_in_both_lists(self, backend: VectorBackend, worded: Namespace) -> None:
        """Look at each prefetch: a list that lacks the condition ranks what does not satisfy it, in others' places."""
        other = a_namespace("theirs")
        backend.ensure(namespace=other, spec=_SPARSE)
        backend.insert(namespace=other, points=[a_worded_point(other, number) for number in range(500, 520)])
        wanted = some_terms([0], [3.0])
        for limit in (5, 100):
            found = self._ask(backend, worded, wanted, F("f_a") == "odd", limit)
            assert all(int(str(point.payload["n"])) % 2 for point in found)
            assert len(found) == min(limit, _COUNT // 2)
            assert all(point.payload["t"] == worded.tenant_tag for point in found)

    def test_what_other_tenants_store_changes_no_score(self, backend: VectorBackend, worded: Namespace) -> None:
        """Look for statistics that an engine takes over a collection (an idf modifier), and for lists cut before the
        tenant's condition is applied."""
        wanted = some_terms([0, 101, _LARGEST - 6], [1.0, 1.0, 2.0])
        before = {point.id: point.score for point in self._ask(backend, worded, wanted, None, _COUNT)}
        other = a_namespace("noisy")
        backend.ensure(namespace=other, spec=_SPARSE)
        noise = [
            replace(a_point(other, 1000 + number, vector=a_vector(99)), terms=some_terms([0, 101, _LARGEST - 6]))
            for number in range(3 * HYBRID_DEPTH)
        ]
        backend.insert(namespace=other, points=noise)
        assert {point.id: point.score for point in self._ask(backend, worded, wanted, None, _COUNT)} == before

    def test_terms_go_and_change_with_their_point(self, backend: VectorBackend, worded: Namespace) -> None:
        """Look at what is left of the old terms: a point replaced as a whole has only its new ones."""
        own = some_terms([_LARGEST - 3])
        assert len(self._ranked_by_words(backend, worded, own)) == 1
        backend.insert(namespace=worded, points=[replace(a_point(worded, 3), terms=some_terms([5]))])
        assert self._ranked_by_words(backend, worded, own) == []
        assert len(self._ranked_by_words(backend, worded, some_terms([5]))) == 1
        backend.purge(namespace=worded)
        assert len(self._ranked_by_words(backend, worded, some_terms([5]))) == 1, "purge lost the terms"
        backend.delete(namespace=worded, ids=[an_id(3)])
        assert self._ranked_by_words(backend, worded, some_terms([5])) == []
        backend.insert(namespace=worded, points=[a_point(worded, 3)])
        assert self._ranked_by_words(backend, worded, some_terms([5])) == []

    @pytest.mark.parametrize("wrong", ["equal", "unsorted", "nan", "negative", "zero"])
    def test_what_is_no_set_of_terms_is_refused(self, backend: VectorBackend, worded: Namespace, wrong: str) -> None:
        bad = {
            "equal": some_terms([3, 3]),
            "unsorted": some_terms([4, 3]),
            "nan": some_terms([3], [float("nan")]),
            "negative": some_terms([3], [-1.0]),
            "zero": some_terms([3], [0.0]),
        }[wrong]
        with pytest.raises(VectorError):
            backend.insert(namespace=worded, points=[replace(a_point(worded, 900), terms=bad)])
        with pytest.raises(VectorError):
            self._ask(backend, worded, bad, None, 1)
        assert backend.fetch(namespace=worded, ids=[an_id(900)]) == []

    def _ask(
        self, backend: VectorBackend, namespace: Namespace, terms: Terms, where: Expr | None, limit: int
    ) -> list[StoredPoint]:
        return backend.query(namespace=namespace, vector=a_vector(99), where=where, limit=limit, terms=terms)

    def _ranked_by_words(self, backend: VectorBackend, namespace: Namespace, terms: Terms) -> list[object]:
        """The points that the list of terms names: their score is above that of the list of vectors alone."""
        plain = {
            point.id: 1.0 / (RRF_K + at)
            for at, point in enumerate(
                backend.query(namespace=namespace, vector=a_vector(99), where=None, limit=HYBRID_DEPTH)
            )
        }
        found = self._ask(backend, namespace, terms, None, HYBRID_DEPTH)
        return [point.payload["n"] for point in found if point.score > plain[point.id] + 1e-6]
