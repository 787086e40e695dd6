"""Rules 5 and 6, and what search, scan and count promise. Filters are compared with ``filters.matches`` on random
rows.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from securevec.backend import VectorBackend
from securevec.errors import FilterError, QueryError
from securevec.filters import And, Compare, Exists, Expr, F, In, Not, Or, Value, matches
from securevec.testing.conformance_case import (
    DIMENSION,
    ConformanceCase,
    a_point,
    a_vector,
    an_id,
    everything,
    fill,
    numbers,
)
from securevec.types import Namespace, Scalar

_KEYS: Final = ("f_a", "f_b", "f_c", "f_d")
_LARGE: Final = 2**53
_INTEGERS: Final = (0, 1, 2, -1, _LARGE - 1, _LARGE, _LARGE + 1, -_LARGE - 1, 2**62 + 1, 2**63 - 1, -(2**63))
_FLOATS: Final = (0.0, -0.0, 1.0, 0.5, 1.5, -1.0, 5e-324, 2.0**53, 2.0**62, -(2.0**63), 2.0**63, 1e300, -1e300)
_WORDS: Final = ("", "a", "A", "1", "true", "é", "e\u0301", "a\u0000b", "x" * 300)

values: st.SearchStrategy[Scalar] = st.sampled_from([*_INTEGERS, *_FLOATS, *_WORDS, True, False])
comparable: st.SearchStrategy[Value] = st.sampled_from([*_INTEGERS, *_FLOATS])
rows = st.lists(st.dictionaries(st.sampled_from(_KEYS), values, max_size=4), min_size=1, max_size=8)
leaves: st.SearchStrategy[Expr] = st.one_of(
    st.builds(Compare, st.sampled_from(_KEYS), st.sampled_from(["eq", "ne"]), values),
    st.builds(Compare, st.sampled_from(_KEYS), st.sampled_from(["lt", "lte", "gt", "gte"]), comparable),
    st.builds(In, st.sampled_from(_KEYS), st.lists(values, min_size=1, max_size=4).map(tuple)),
    st.builds(Exists, st.sampled_from(_KEYS)),
)
conditions: st.SearchStrategy[Expr] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


class _Unknown(Expr):
    """A node no adapter knows."""


class ReadConformance(ConformanceCase):
    # A number of its own: a profile made for long searches in memory would ask a server thousands of times, too. And no
    # deadline: an example asks a store five times, and Hypothesis allows it 200 ms where a profile says nothing.
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
            HealthCheck.too_slow,
        ],
    )
    @given(held=rows, where=conditions)
    @example(held=[{"f_a": 1}, {"f_a": True}, {"f_a": 1.0}, {"f_a": "1"}, {}], where=F("f_a") == True)  # noqa: E712  # a filter
    @example(held=[{"f_a": 1}, {"f_a": True}, {"f_a": 1.0}, {"f_a": "1"}, {}], where=F("f_a") == 1)
    @example(held=[{"f_b": 0.5}, {"f_b": 1}, {}], where=~(F("f_b") > 0))
    @example(held=[{"f_c": False}, {"f_c": 0}, {}], where=F("f_c") != False)  # noqa: E712  # a filter
    @example(held=[{"f_d": _LARGE}, {"f_d": _LARGE + 1}, {"f_d": 2.0**53}], where=F("f_d") == _LARGE)
    @example(held=[{"f_b": _LARGE}, {"f_b": _LARGE + 1}], where=F("f_b") > _LARGE)
    def test_a_filter_decides_as_the_oracle_does(
        self, backend: VectorBackend, mine: Namespace, held: list[dict[str, Scalar]], where: Expr
    ) -> None:
        """Look at how the node in the shrunken example is compiled: absent keys under negation, 1 / 1.0 / True, and
        numbers beyond 2^53 are where engines differ.
        """
        backend.delete(namespace=mine, ids=[point.id for point in everything(backend, mine)])
        backend.insert(namespace=mine, points=[a_point(mine, number, row) for number, row in enumerate(held)])
        expected = {number for number, row in enumerate(held) if matches(where, row)}
        found = backend.query(namespace=mine, vector=a_vector(1), where=where, limit=len(held))
        assert set(numbers(found)) == expected
        assert set(numbers(backend.scan(namespace=mine, where=where, cursor=None, limit=100).points)) == expected
        assert backend.count(namespace=mine, where=where) == len(expected)

    def test_a_node_nobody_knows_is_refused_and_not_dropped(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at the last case of the compiler: a clause left out widens the answer."""
        fill(backend, mine, [1])
        for where in (_Unknown(), And(()), Or(()), In("f_a", ()), Compare("f.a", "eq", 1), Not(_Unknown())):
            for call in (
                lambda where=where: backend.query(namespace=mine, vector=a_vector(1), where=where, limit=1),
                lambda where=where: backend.scan(namespace=mine, where=where, cursor=None, limit=1),
                lambda where=where: backend.count(namespace=mine, where=where),
            ):
                with pytest.raises(FilterError):
                    call()

    def test_a_search_is_exact_and_best_first(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at the engine's search parameters: below 20,000 points there is no reason to approximate."""
        fill(backend, mine, range(200))
        vectors = np.stack([a_vector(number) for number in range(200)])
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for asked in (a_vector(1000), a_vector(1001)):
            scores = units @ (asked / np.linalg.norm(asked))
            found = backend.query(namespace=mine, vector=asked, where=None, limit=10)
            assert numbers(found) == np.argsort(-scores)[:10].tolist()
            assert [point.score for point in found] == pytest.approx(sorted(scores, reverse=True)[:10], abs=1e-5)
            assert all(point.vector is None for point in found)

    def test_a_very_long_or_short_vector_keeps_its_direction(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at where vectors are scaled: squared in float32 these overflow, and the point has no direction left."""
        for number, scale in ((1, 1e37), (2, 1e-30), (3, 1.0)):
            vector = (a_vector(number) / np.abs(a_vector(number)).max() * scale).astype(np.float32)
            backend.insert(namespace=mine, points=[a_point(mine, number, vector=vector)])
            best = backend.query(namespace=mine, vector=vector, where=None, limit=1)[0]
            assert (best.payload["n"], round(best.score, 3)) == (number, 1.0)

    def test_what_is_excluded_is_a_hint_and_the_rest_is_whole(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at the payload selector: it may leave out what is excluded and nothing else."""
        backend.insert(namespace=mine, points=[a_point(mine, 1, {"b": "body", "v": "vault", "f_c": True})])
        found = backend.query(namespace=mine, vector=a_vector(1), where=None, limit=1, exclude=["v"])[0]
        assert {"sv", "t", "c", "n", "b", "f_c"} <= set(found.payload) <= {"sv", "t", "c", "n", "b", "f_c", "v"}

    def test_pages_show_every_point_once_in_the_order_of_ids(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at the cursor: a page starts where the last one ended, also when its size divides the count."""
        fill(backend, mine, range(21))
        for page in (1, 3, 7, 20, 21, 22, 1000):
            found = everything(backend, mine, page=page)
            assert [point.id for point in found] == sorted(an_id(number) for number in range(21)), page

    def test_a_scan_survives_deletes_between_its_pages(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at what the cursor names: a position counted from the start shifts when points go."""
        fill(backend, mine, range(30))
        seen: list[UUID] = []
        cursor: str | None = None
        while True:
            page = backend.scan(namespace=mine, where=None, cursor=cursor, limit=4)
            seen += [point.id for point in page.points]
            backend.delete(namespace=mine, ids=[point.id for point in page.points])
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == sorted(an_id(number) for number in range(30))
        assert backend.count(namespace=mine) == 0

    def test_a_cursor_nobody_gave_is_refused(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at how a cursor is read: taken as *start*, a broken one repeats the scan for ever."""
        for cursor in ("", "0", "next", "zz" * 16):
            with pytest.raises(QueryError):
                backend.scan(namespace=mine, where=None, cursor=cursor, limit=1)

    def test_asking_for_nothing_is_refused(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at limits of zero: to some engines they mean *no limit*."""
        for limit in (0, -1):
            with pytest.raises(QueryError):
                backend.query(namespace=mine, vector=a_vector(1), where=None, limit=limit)
            with pytest.raises(QueryError):
                backend.scan(namespace=mine, where=None, cursor=None, limit=limit)

    def test_no_vendor_object_is_a_public_attribute(self, backend: VectorBackend) -> None:
        """Look at the attributes: one raw client in reach undoes every rule above."""
        for name in dir(backend):
            if not name.startswith("_"):
                owner = type(getattr(backend, name)).__module__.partition(".")[0]
                assert owner in ("builtins", "securevec") or owner.startswith("securevec_"), name

    def test_a_vector_comes_back_when_asked_for(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at the scale: stored vectors have length one, only their direction is promised."""
        fill(backend, mine, [1])
        stored = backend.fetch(namespace=mine, ids=[an_id(1)], with_vectors=True)[0].vector
        assert stored is not None
        assert stored.shape == (DIMENSION,)
        assert stored.dtype == np.float32
        assert float(stored @ a_vector(1) / np.linalg.norm(a_vector(1))) == pytest.approx(1.0, abs=1e-5)
