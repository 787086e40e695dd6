"""Filters on Chroma beyond what the conformance suite draws: edges of numbers, long strings, wide and deep filters."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.errors import FilterError
from securevec.filters import And, Compare, Exists, Expr, F, In, Not, Or, matches
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, numbers
from securevec.types import Scalar

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_adapters.points import tags_of
from securevec_chroma.numbers import LEAST, MOST, Order, as_double, as_integer, integer_bound, rank, rank_bound, unrank
from securevec_chroma.payload import decode, encode, pieces, stamped
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.where import Lowering

PLACE = a_namespace("mine")
finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(LEAST, MOST)
edges = st.sampled_from(
    [0.0, -0.0, 0.5, 2.0**53, 2.0**63, -(2.0**63), 5e-324, 1.7976931348623157e308, 0, 2**53 + 1, MOST]
)
anything = st.one_of(finite, whole, edges)
orders: st.SearchStrategy[Order] = st.sampled_from(["lt", "lte", "gt", "gte"])

_HOLDS: Final[dict[Order, Callable[[float, float], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


@given(finite, finite)
def test_ranks_order_as_doubles_do_and_lead_back(one: float, other: float) -> None:
    assert (rank(one) < rank(other)) == (one < other)
    assert (rank(one) == rank(other)) == (one == other)
    assert LEAST < rank(one) <= MOST
    assert unrank(rank(one)) == one


@given(whole, orders, anything)
def test_a_bound_on_integers_holds_where_the_comparison_does(held: int, op: Order, number: float) -> None:
    way, bound = integer_bound(op, number)
    assert _HOLDS[way](held, bound) == _HOLDS[op](held, number)
    assert (as_integer(number) == held) == (held == number)


@given(finite, orders, anything)
def test_a_bound_on_ranks_holds_where_the_comparison_does(held: float, op: Order, number: float) -> None:
    way, bound = rank_bound(op, number)
    assert _HOLDS[way](rank(held), bound) == _HOLDS[op](held, number)
    double = as_double(number)
    assert (double is not None and rank(double) == rank(held)) == (held == number)


@pytest.mark.parametrize("value", [LEAST, MOST, rank(1.7976931348623157e308) + 1, -rank(1.7976931348623157e308) - 1])
def test_what_is_no_rank_is_no_double(value: int) -> None:
    with pytest.raises(ValueError, match="rank"):
        unrank(value)
    assert decode({"f_a-float": value}, {}) == {"f_a": value}


@given(
    st.dictionaries(st.sampled_from(["f_a", "f_b", "b"]), st.one_of(anything, st.booleans(), st.text(max_size=3000)))
)
def test_a_payload_comes_back_as_it_went(payload: dict[str, Scalar]) -> None:
    stored = encode(payload, PLACE)
    assert all(type(value) in (int, str) for value in stored.values())
    assert all(len(value.encode()) <= 930 for value in stored.values() if isinstance(value, str))
    back = decode(stamped(stored, 1), tags_of(PLACE))
    assert decode(stamped(stored, 2**54 - 1), tags_of(PLACE)) == back
    assert back == {**payload, "t": PLACE.tenant_tag, "c": PLACE.collection_tag}
    assert all(type(back[key]) is type(value) for key, value in payload.items())


@pytest.mark.parametrize(("length", "count"), [(0, 1), (930, 1), (931, 2), (1856, 2), (60_161, 64), (5_000_000, 64)])
def test_pieces_are_few_and_join_to_the_string(length: int, count: int) -> None:
    for letter in "aé\U0001f512":
        text = letter * (length // len(letter.encode()))
        cut = pieces(text)
        assert "".join(cut) == text
        assert len(cut) <= 64
    assert len(pieces("a" * length)) == count


def test_sealed_values_are_written_in_the_order_of_the_index_and_are_not_asked_for() -> None:
    stored = encode({"b": "z" * 1500, "v": "a"}, PLACE)
    one, other = stamped(stored, 5), stamped(stored, 6)
    assert set(one) == {"b-0", "b-1", "v"}
    assert all(str(one[key]).encode() < str(other[key]).encode() for key in one)
    numbers = [0, 1, 63, 64, 65, 2**30, 2**53]
    assert sorted(numbers, key=lambda number: str(stamped({"v": ""}, number)["v"]).encode()) == numbers
    lowering = Lowering(tags_of(PLACE))
    for where in (F("b").exists(), F("v") == "a", ~F("b").is_in(["a"])):
        with pytest.raises(FilterError):
            lowering.where(where)


def test_a_forged_payload_is_read_without_harm() -> None:
    forged = {"b-parts": 10**12, "b-0": "a", "b-2": "c", "f_a-bool": "yes", "f_b-int": "3", "x-odd": 1, "v-parts": "2"}
    assert decode(forged, {}) == {"b": "", "f_a-bool": "yes", "f_b-int": "3", "x-odd": 1, "v-parts": "2"}
    assert decode(None, {}) == {}


ROWS: list[dict[str, Scalar]] = [
    {},
    {"f_a": 0.1},
    {"f_a": math.nextafter(0.1, 1)},
    {"f_a": 2.2790121708605243e274},
    {"f_a": 2**53 + 1, "f_b": "open"},
    {"f_a": 2.0**53},
    {"f_a": "a" * 940},
    {"f_a": "a" * 941},
    {"f_a": "a" * 5000},
    {"f_a": "a" * 4999 + "b"},
    {"f_a": "a" * 1880},
    {"f_a": True, "f_b": "open"},
    {"f_a": "true"},
    {"f_a": 1},
    {"f_b": "x" * 100_000},
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaPersistentBackend]:
    backend = ChromaPersistentBackend(_below(tmp_path_factory))
    backend.ensure(namespace=PLACE, spec=SPEC)
    backend.insert(namespace=PLACE, points=[a_point(PLACE, number, row) for number, row in enumerate(ROWS)])
    yield backend
    backend.close()


def _below(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("filters") / "chroma"


def _deep(leaf: Expr, depth: int) -> Expr:
    for turn in range(depth):
        leaf = Not(And((leaf, F("n").exists()))) if turn % 2 else Or((leaf, F("f_b") == "open"))
    return leaf


FILTERS: dict[str, Expr] = {
    "neighbouring doubles": F("f_a") > 0.1,
    "a double Chroma would round": F("f_a") == 2.2790121708605243e274,
    "an integer beside a double": F("f_a") == 2**53 + 1,
    "a range no integer reaches": F("f_a") < 1e300,
    "a range every integer exceeds": F("f_a") > -1e300,
    "not a range": ~(F("f_a") > 0),
    "not there": ~F("f_a").exists(),
    "neither": ~(F("f_a").exists() | (F("f_b") == "open")),
    "not unlike": ~(F("f_a") != 1),
    "absent among others": (F("f_b") == "open") | ~(F("f_a") < 10),
    "the tag is there": F("t").exists() & ~(F("c") == "elsewhere"),
    "the tag is not there": ~F("t").exists(),
    "a string of one piece": F("f_a") == "a" * 940,
    "a string of two pieces": F("f_a") == "a" * 941,
    "the beginning of a longer string": F("f_a") == "a" * 1880,
    "not a long string": F("f_a") != "a" * 5000,
    "plainly not a long string": ~(F("f_a") == "a" * 5000),
    "none of the long strings": ~F("f_a").is_in(["a" * 5000, "a" * 941, "true"]),
    "a very long string": F("f_b") == "x" * 100_000,
    "a thousand values of every kind": F("f_a").is_in(
        [*range(400), *(each + 0.1 for each in range(400)), *map(str, range(199)), True]
    ),
    "a thousand long strings": F("f_a").is_in([f"{number:03}" + "a" * 941 for number in range(999)] + ["a" * 5000]),
    "not fifty long strings": ~F("f_a").is_in([f"{number:02}" + "a" * 941 for number in range(49)] + ["a" * 5000]),
    "not a thousand long strings": ~F("f_a").is_in(
        [f"{number:03}" + "a" * 941 for number in range(999)] + ["a" * 5000]
    ),
    "wide": Or((*(Compare("f_a", "ne", number) for number in range(200)), Exists("f_b"))),
    "wide and negated": Not(Or(tuple(Compare("f_a", "gt", number) for number in range(200)))),
    "deep": _deep(F("f_a") == 1, 9),
    "deep with absence": _deep(F("f_a") >= 1, 9),
}


@pytest.mark.parametrize(
    "name",
    # It takes longer than all others, and differs from the two beside it by its number alone.
    [pytest.param(name, marks=pytest.mark.soak if name == "not a thousand long strings" else ()) for name in FILTERS],
)
def test_a_filter_at_the_edge_decides_as_the_oracle_does(store: ChromaPersistentBackend, name: str) -> None:
    where = FILTERS[name]
    expected = {
        number
        for number, row in enumerate(ROWS)
        if matches(where, {**row, "n": number, "t": PLACE.tenant_tag, "c": PLACE.collection_tag})
    }
    assert set(numbers(store.query(namespace=PLACE, vector=a_vector(1), where=where, limit=50))) == expected
    assert set(numbers(store.scan(namespace=PLACE, where=where, cursor=None, limit=50).points)) == expected
    assert store.count(namespace=PLACE, where=where) == len(expected)


def test_the_widest_membership_is_one_condition() -> None:
    assert isinstance(FILTERS["a thousand values of every kind"], In)


def test_a_scan_is_not_answered_out_of_the_list_of_another_filter(store: ChromaPersistentBackend) -> None:
    """``1`` and ``True`` are equal in Python, and so were the filters."""
    place = a_namespace("listed")
    store.ensure(namespace=place, spec=SPEC)
    points = [a_point(place, number, {"f_x": True if number < 3 else 1}) for number in range(6)]
    store.insert(namespace=place, points=points)
    for value, wanted in ((True, points[:3]), (1, points[3:])):
        found = store.scan(namespace=place, where=F("f_x") == value, cursor=None, limit=2)
        assert {point.id for point in found.points} <= {point.id for point in wanted}
