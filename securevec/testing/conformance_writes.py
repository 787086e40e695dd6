"""Rule 2: whole replacement, refused values, and writes that take effect every time, also after purges."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from securevec.backend import CollectionSpec, VectorBackend
from securevec.errors import BackendError, RecordError, VectorError
from securevec.testing.conformance_case import (
    DIMENSION,
    SPEC,
    ConformanceCase,
    a_namespace,
    a_point,
    a_vector,
    an_id,
    every_call,
    everything,
    fill,
    held,
    numbers,
)
from securevec.types import Namespace, ProtectedPoint, Scalar, Vector

_BAD_VECTORS = {
    "nan": np.array([math.nan] * DIMENSION, np.float32),
    "one_nan": np.array([1.0] * (DIMENSION - 1) + [math.nan], np.float32),
    "infinite": np.array([math.inf] + [0.0] * (DIMENSION - 1), np.float32),
    "zero": np.zeros(DIMENSION, np.float32),
    "short": np.ones(DIMENSION - 1, np.float32),
    "long": np.ones(DIMENSION + 1, np.float32),
    "empty": np.ones(0, np.float32),
    "two_dimensional": np.ones((1, DIMENSION), np.float32),
    "double": np.ones(DIMENSION, np.float64),
    "list": [1.0] * DIMENSION,
}
_BAD_VALUES: dict[str, object] = {
    "none": None,
    "bytes": b"secret",
    "list": [1],
    "tuple": ("a",),
    "dict": {"a": 1},
    "nan": math.nan,
    "infinite": -math.inf,
    "integer_of_65_bits": 2**63,
    "negative_integer_of_65_bits": -(2**63) - 1,
    "numpy_scalar": np.float64(1.0),
    "datetime": datetime(2026, 1, 1, tzinfo=UTC),
    "lone_surrogate": "\ud800",
}


class WriteConformance(ConformanceCase):
    def test_what_is_stored_comes_back_whole(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at how a payload is encoded: types must survive, above all booleans."""
        payload: dict[str, Scalar] = {
            "f_a": "Zürich \u0000 \U0001f512",
            "f_b": -(2**63),
            "f_c": True,
            "f_d": False,
            "f_e": 0.1,
            "f_f": "",
            "f_g": "true",
            "b": "QUJD" * 2000,
        }
        point = a_point(mine, 1, payload)
        backend.insert(namespace=mine, points=[point])
        stored = backend.fetch(namespace=mine, ids=[point.id])[0]
        assert stored.id == point.id
        assert stored.payload == point.payload
        assert {key: type(value) for key, value in stored.payload.items()} == {
            key: type(value) for key, value in point.payload.items()
        }
        assert stored.vector is None

    def test_a_replaced_point_keeps_nothing_of_the_old_one(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look for a merge: an upsert that keeps unmentioned keys keeps what was removed on purpose."""
        backend.insert(namespace=mine, points=[a_point(mine, 1, {"f_a": "old", "v": "vault", "f_c": True})])
        backend.insert(namespace=mine, points=[a_point(mine, 1, {"f_b": 2}, a_vector(2))])
        stored = backend.fetch(namespace=mine, ids=[an_id(1)], with_vectors=True)[0]
        assert set(stored.payload) == {"sv", "t", "c", "n", "f_b"}
        assert stored.vector is not None
        assert _cosine(stored.vector, a_vector(2)) == pytest.approx(1.0, abs=1e-6)
        assert backend.count(namespace=mine) == 1

    def test_the_last_of_equal_ids_in_one_batch_wins(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at the order in which a batch is applied."""
        backend.insert(namespace=mine, points=[a_point(mine, 1, {"f_a": word}) for word in ("first", "last")])
        assert [point.payload["f_a"] for point in everything(backend, mine)] == ["last"]

    def test_a_vector_that_is_none_is_refused(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look for the check before the engine: engines take NaN and never find the point again. No point of a refused
        batch may be stored."""
        for kind, bad in _BAD_VECTORS.items():
            vector = cast("Vector", bad)
            with pytest.raises(VectorError):
                backend.insert(namespace=mine, points=[a_point(mine, 1), ProtectedPoint(an_id(2), vector, {"sv": 1})])
            with pytest.raises(VectorError):
                backend.query(namespace=mine, vector=vector, where=None, limit=1)
            assert held(backend, mine) == set(), kind

    def test_a_payload_value_that_is_no_scalar_is_refused(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look for the check before the engine: engines turn bytes into lists of numbers and large integers into
        floats. No point of a refused batch may be stored.
        """
        for kind, bad in _BAD_VALUES.items():
            points = [a_point(mine, 1), a_point(mine, 2, {"f_a": cast("Scalar", bad)})]
            with pytest.raises(RecordError):
                backend.insert(namespace=mine, points=points)
            assert held(backend, mine) == set(), kind

    def test_a_payload_key_outside_the_grammar_is_refused(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look for the key check: engines read dots, brackets and quotes as paths."""
        for key in ("", "a.b", "a[]", '"a"', "1a", "a-bool", "a b", "é", "a" * 65):
            with pytest.raises(RecordError):
                backend.insert(namespace=mine, points=[a_point(mine, 1, {key: "value"})])
            assert held(backend, mine) == set(), key

    def test_a_refusal_does_not_repeat_what_it_refused(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at the message: it goes to logs, so it holds no key, value or id."""
        with pytest.raises(RecordError) as refused:
            backend.insert(namespace=mine, points=[a_point(mine, 1, {"canary.key": "canary value"})])
        assert "canary" not in str(refused.value)

    def test_ensure_again_changes_nothing_and_another_dimension_is_refused(
        self, backend: VectorBackend, mine: Namespace
    ) -> None:
        """Look at ``ensure``: it is called at every start, and must neither empty nor reshape a collection."""
        fill(backend, mine, range(5))
        backend.ensure(namespace=mine, spec=CollectionSpec(DIMENSION, "cosine", {"f_a": "bool", "f_z": "float"}))
        assert held(backend, mine) == set(range(5))
        with pytest.raises(VectorError):
            backend.ensure(namespace=mine, spec=CollectionSpec(DIMENSION + 1))
        for dimension in (0, -1, 4097):
            with pytest.raises(VectorError):
                backend.ensure(namespace=a_namespace("new"), spec=CollectionSpec(dimension))
        assert held(backend, mine) == set(range(5))

    def test_a_place_that_was_never_made_takes_nothing_and_holds_nothing(self, backend: VectorBackend) -> None:
        """Look for an implicit creation: it would have no indexes and an unchecked dimension."""
        absent = a_namespace("nobody")
        with pytest.raises(BackendError):
            backend.insert(namespace=absent, points=[a_point(absent, 1)])
        assert backend.fetch(namespace=absent, ids=[an_id(1)]) == []
        assert backend.query(namespace=absent, vector=a_vector(1), where=None, limit=5) == []
        assert held(backend, absent) == set()
        backend.delete(namespace=absent, ids=[an_id(1)])
        assert backend.drop(namespace=absent).points == 0

    @pytest.mark.parametrize("purging", [False, True])
    def test_every_write_takes_effect_through_ten_rounds(
        self, backend: VectorBackend, mine: Namespace, purging: bool
    ) -> None:
        """Look at operation counters: an engine whose log was reset skips writes numbered below a point's version,
        without an error. Each round overwrites, deletes and adds; every answer is checked.
        """
        expected: dict[int, str] = {}
        for turn in range(10):
            wanted = range(turn, turn + (12, 20, 5)[turn % 3])
            backend.insert(
                namespace=mine,
                points=[a_point(mine, number, {"f_a": f"{turn}"}, a_vector(number + turn)) for number in wanted],
            )
            expected |= dict.fromkeys(wanted, f"{turn}")
            gone = [number for number in expected if number % 4 == turn % 4]
            backend.delete(namespace=mine, ids=[an_id(number) for number in gone])
            for number in gone:
                del expected[number]
            if purging:
                assert backend.purge(namespace=mine).index_removed
            found = {cast("int", point.payload["n"]): point.payload["f_a"] for point in everything(backend, mine)}
            assert found == expected
            assert backend.count(namespace=mine) == len(expected)
            assert backend.fetch(namespace=mine, ids=[an_id(number) for number in gone]) == []

    def test_a_dropped_place_starts_empty_and_dropping_again_is_no_error(
        self, backend: VectorBackend, mine: Namespace
    ) -> None:
        """Look at what ``drop`` leaves: a place made again must not show old points, and may have another dimension."""
        fill(backend, mine, range(7))
        assert backend.drop(namespace=mine).points == 7
        for _ in range(2):
            again = backend.drop(namespace=mine)
            assert (again.points, again.index_removed) == (0, True)
        backend.ensure(namespace=mine, spec=CollectionSpec(DIMENSION * 2))
        assert held(backend, mine) == set()
        backend.drop(namespace=mine)
        backend.ensure(namespace=mine, spec=SPEC)
        fill(backend, mine, [3])
        assert held(backend, mine) == {3}

    def test_points_outlive_the_backend(self, backend: VectorBackend, mine: Namespace, tmp_path: Path) -> None:
        """Look at ``close``: it must leave everything on disk, deletes included."""
        fill(backend, mine, range(20))
        backend.delete(namespace=mine, ids=[an_id(number) for number in range(5)])
        backend.close()
        again = self.open(tmp_path)
        try:
            if again.capabilities.volatile:
                assert held(again, mine) == set()
                return
            assert held(again, mine) == set(range(5, 20))
            assert numbers(again.query(namespace=mine, vector=a_vector(9), where=None, limit=1)) == [9]
            fill(again, mine, [1])
            assert held(again, mine) == {1, *range(5, 20)}
        finally:
            again.close()

    def test_a_closed_backend_refuses_every_call(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look for calls that skip the check: they would open files that are no longer guarded."""
        fill(backend, mine, [1])
        backend.close()
        backend.close()
        calls = every_call(backend, mine)
        calls.append(lambda: list(backend.namespaces()))
        for call in calls:
            with pytest.raises(BackendError):
                call()

    def test_threads_lose_no_point(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look at locking: writers of other places and readers work at the same time."""
        places = {a_namespace(f"thread {start}"): range(start, start + 10) for start in (0, 10, 20, 30)}

        def work(place: Namespace, wanted: range) -> None:
            backend.ensure(namespace=place, spec=SPEC)
            for number in wanted:
                fill(backend, place, [number])
                backend.query(namespace=mine, vector=a_vector(number), where=None, limit=3)

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(work, place, wanted) for place, wanted in places.items()]:
                done.result()
        assert all(held(backend, place) == set(wanted) for place, wanted in places.items())


def _cosine(one: Vector, other: Vector) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
