"""What a Qdrant engine cannot decide exactly is widened, and decided afterwards; nothing is dropped on the way down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from securevec.backend import VectorBackend
from securevec.errors import FilterError
from securevec.filters import And, Compare, Exists, Expr, F, Not, matches
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, numbers
from securevec_qdrant import _filters
from securevec_qdrant._filters import lower, widened


class Words:
    """A dialect that writes conditions down as text."""

    def text(self, key: str, values: Sequence[str]) -> str:
        return f"{key} in {list(values)}"

    def integer(self, key: str, value: int) -> str:
        return f"{key} is {value}"

    def between(
        self,
        key: str,
        *,
        gte: float | None = None,
        gt: float | None = None,
        lte: float | None = None,
        lt: float | None = None,
    ) -> str:
        given = {"gte": gte, "gt": gt, "lte": lte, "lt": lt}
        return f"{key} " + " ".join(f"{op} {bound}" for op, bound in given.items() if bound is not None)

    def present(self, key: str) -> str:
        return f"has {key}"

    def every(self, parts: Sequence[str]) -> str:
        return "all(" + ", ".join(parts) + ")"

    def some(self, parts: Sequence[str]) -> str:
        return "any(" + ", ".join(parts) + ")"

    def never(self, part: str) -> str:
        return f"not({part})"


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        (F("a") == "x", "a in ['x']"),
        (F("a") == True, "a-bool in ['true']"),  # noqa: E712  # a filter
        (F("a") == 3, "a gte 3.0 lte 3.0"),
        (F("a") == 2**53, "a is 9007199254740992"),
        (F("a") == 2.0**60, "a is 1152921504606846976"),
        (F("a") == 1e300, "a gte 1e+300 lte 1e+300"),
        (F("a") != "x", "all(any(has a, has a-bool), not(a in ['x']))"),
        (~(F("a") == "x"), "not(a in ['x'])"),
        (F("a").is_in(["x", 1, False, "y"]), "any(a gte 1.0 lte 1.0, a-bool in ['false'], a in ['x', 'y'])"),
        (F("a").exists() & (F("b") > 0.5), "all(any(has a, has a-bool), b gt 0.5)"),
        ((F("a") < -1e300) | (F("a") >= 2), "any(a lt -1e+300, a gte 2.0)"),
    ],
)
def test_each_node_becomes_its_condition(where: Expr, condition: str) -> None:
    assert lower(where, Words()) == condition


@pytest.mark.parametrize("bound", [2**53, -(2**53), 2**60, 2.0**63, 2**63 - 1, -(2**63)])
def test_an_order_among_numbers_a_double_cannot_tell_apart_is_refused(bound: float) -> None:
    for where in (F("a") < bound, F("a") >= bound, ~(F("a") > bound), (F("b") == 1) & (F("a") <= bound)):
        with pytest.raises(FilterError):
            lower(where, Words())


def test_two_to_the_63_is_refused_as_a_value() -> None:
    with pytest.raises(FilterError):
        lower(F("a") == 2.0**63, Words())
    with pytest.raises(FilterError):
        lower(F("a").is_in([1, 2.0**63]), Words())


def test_an_unknown_node_or_comparison_is_refused_inside_every_other() -> None:
    class Strange(Expr):
        pass

    for where in (Strange(), Not(Strange()), And((F("a") == 1, Strange())), Compare("a", "like", "x")):  # type: ignore[arg-type]  # what a caller without types can build
        with pytest.raises(FilterError):
            lower(where, Words())


_LARGE = 2**53
BOUNDS: list[float] = [_LARGE, -_LARGE, 2**60 + 1, -(2**60) - 1, 2**63 - 1, -(2**63), 2.0**63, -(2.0**63), 2.0**54]
HELD: list[dict[str, float]] = [
    {"a": value} for bound in (*BOUNDS, 0, 1e300, -1e300) for value in (bound, bound + 1, bound - 1, float(bound))
]


@pytest.mark.parametrize("bound", BOUNDS)
def test_the_wider_filter_holds_wherever_the_filter_does_and_the_engine_decides_it(bound: float) -> None:
    field = F("a")
    leaves = [field < bound, field <= bound, field > bound, field >= bound, field == bound, field != bound]
    for leaf in (*leaves, field.is_in([bound, 3]), field.is_in([bound])):
        for where in (leaf, ~leaf, ~(~leaf & F("b").exists()), ~(leaf | (F("a") == 0))):
            wider = widened(where)
            lower(wider, Words())
            assert [row for row in (*HELD, {}) if matches(where, row) and not matches(wider, row)] == []
            assert widened(wider) == wider


def test_a_filter_the_engine_decides_stays_as_it_is() -> None:
    for where in (F("a") < _LARGE - 1, F("a") == _LARGE + 1, ~(F("a") > 1e300), Exists("a") & (F("a") != "x")):
        assert widened(where) is where or widened(where) == where


def _as_it_is(expr: Expr) -> Expr:
    return expr


def _never(value: object) -> bool:
    return False


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[VectorBackend]:
    module = pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
    backend: VectorBackend = module.EdgeBackend(tmp_path / "edge")
    place = a_namespace("mine")
    backend.ensure(namespace=place, spec=SPEC)
    backend.insert(
        namespace=place, points=[a_point(place, number, {"f_b": 2**60 + number, "v": "x"}) for number in range(300)]
    )
    yield backend
    backend.close()


def test_a_filter_decided_afterwards_gives_as_many_as_there_are(
    edge: VectorBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of 300 numbers that are one double: the engine cannot tell them apart, and returns mostly others."""
    place, where = a_namespace("mine"), F("f_b") >= 2**60 + 290

    def found(limit: int) -> list[object]:
        points = edge.query(namespace=place, vector=a_vector(7), where=where, limit=limit, exclude=["f_b", "v"])
        assert all("v" not in point.payload for point in points)
        return numbers(points)

    assert set(found(10)) == set(range(290, 300))
    assert found(3) == found(10)[:3]
    assert len(found(50)) == 10
    assert edge.count(namespace=place, where=where) == 10
    seen: list[object] = []
    cursor: str | None = None
    while True:
        page = edge.scan(namespace=place, where=where, cursor=cursor, limit=4)
        seen += numbers(page.points)
        cursor = page.cursor
        if cursor is None:
            break
        assert len(page.points) == 4
    assert sorted(map(str, seen)) == sorted(map(str, range(290, 300)))
    # Left to the engine alone, the filter would be wrong: it is refused instead.
    monkeypatch.setattr("securevec_qdrant.edge.widened", _as_it_is)
    with pytest.raises(FilterError):
        found(10)
    monkeypatch.setattr(_filters, "_orders_others", _never)
    assert len(found(50)) > 10
