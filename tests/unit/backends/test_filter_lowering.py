"""What a Qdrant engine cannot decide exactly is refused, and nothing is dropped on the way down."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from securevec.errors import FilterError
from securevec.filters import And, Compare, Expr, F, Not
from securevec_qdrant._filters import lower


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
