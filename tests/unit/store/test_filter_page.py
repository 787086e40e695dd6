"""docs/filters.md: each row of its table is decided as it says, and each line of what is refused is refused."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from securevec import limits
from securevec.clock import to_ms
from securevec.errors import FilterError
from securevec.filters import And, Compare, Exists, Expr, F, In, Not, Or, check, fields, matches
from tests.support.filter_reference import satisfies

_PAGE = Path(__file__).parents[3] / "docs" / "filters.md"


def _ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(text))


_NAMES: dict[str, Any] = {
    "F": F,
    "UTC": UTC,
    "date": date,
    "datetime": datetime,
    "timedelta": timedelta,
    "timezone": timezone,
    "ms": _ms,
}


def _table() -> list[tuple[str, str, bool]]:
    rows: list[tuple[str, str, bool]] = []
    for line in _PAGE.read_text().splitlines():
        if line.startswith("| `{"):
            row, where, answer, *_ = (cell.strip() for cell in line.replace("\\|", "\0").strip("| ").split("|"))
            rows.append((row.strip("`"), where.strip("`").replace("\0", "|"), {"yes": True, "no": False}[answer]))
    return rows


def test_the_page_has_its_table() -> None:
    assert len(_table()) >= 50


@pytest.mark.parametrize(("row", "where", "answer"), _table())
def test_a_row_of_the_page_is_decided_as_it_says(row: str, where: str, answer: bool) -> None:
    record: dict[str, object] = eval(row, dict(_NAMES))
    expr: Expr = eval(where, dict(_NAMES))
    assert matches(check(expr), record) is answer
    assert satisfies(expr, record) is answer


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Parrot(str):
    """Equal to whatever it is asked about."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def test_enums_and_uuids_are_compared_by_their_plain_value() -> None:
    one = UUID("12345678-1234-8234-9234-123456789abc")
    for where, value in (
        (F("a") == Colour.RED, "red"),
        (F("a") == Level.HIGH, 3),
        (F("a").is_in([Parrot("x")]), "x"),
        (F("a") == np.float64(0.5), 0.5),
        (F("a") == one, str(one)),
        (F("a") == datetime(2026, 1, 1, tzinfo=UTC), to_ms(datetime(2026, 1, 1, tzinfo=UTC))),
    ):
        held = where.value if isinstance(where, Compare) else where.values[0] if isinstance(where, In) else None
        assert held == value
        assert type(held) is type(value)
    assert not matches(F("a") == Parrot("x"), {"a": "y"})


_DEEP = 100_000


def _bomb(depth: int) -> Expr:
    made: Expr = Exists("a")
    for _ in range(depth):
        made = Not(made)
    return made


REFUSED: dict[str, tuple[str | None, Callable[[], Any]]] = {
    "a dotted name": ("a.b", lambda: F("a.b") == 1),
    "brackets": ("a[0]", lambda: F("a[0]") == 1),
    "a very long name": ("x" * 64, lambda: F("x" * 65_000).exists()),
    "a name that is no text": (None, lambda: F(3)),  # type: ignore[arg-type]  # what a caller without types passes
    "nothing among values": ("a", lambda: F("a").is_in([])),
    "too many values": ("a", lambda: F("a").is_in(range(limits.MAX_FILTER_VALUES + 1))),
    "a text for values": ("a", lambda: F("a").is_in("abc")),
    "null": ("a", lambda: F("a") == None),  # noqa: E711  # a filter
    "null among values": ("a", lambda: F("a").is_in([None])),  # type: ignore[list-item]  # what a caller without types passes
    "not a number": ("a", lambda: F("a") == math.nan),
    "infinity": ("a", lambda: F("a") < math.inf),
    "a large integer": ("a", lambda: F("a") == 2**63),
    "a naive datetime": ("a", lambda: F("a") == datetime(2026, 1, 1)),  # noqa: DTZ001  # what is refused
    "an order on a text": ("a", lambda: F("a") < "b"),
    "an order on a truth": ("a", lambda: F("a") >= True),
    "a list as a value": ("a", lambda: F("a") == ["x"]),
    "bytes as a value": ("a", lambda: F("a") == b"x"),
    "a value that answers for itself": ("a", lambda: check(Compare("a", "eq", Parrot("x")))),
    "such a value in a list": ("a", lambda: check(In("a", (Parrot("x"),)))),
    "values that can change": ("a", lambda: check(In("a", ["x"]))),  # type: ignore[arg-type]  # what a caller without types passes
    "parts that can change": (None, lambda: check(And([Exists("a")]))),  # type: ignore[arg-type]  # what a caller without types passes
    "no members": (None, lambda: check(Or(()))),
    "10,000 clauses": (None, lambda: check(Or(tuple(Compare("a", "eq", number) for number in range(10_000))))),
    "a depth bomb": (None, lambda: check(_bomb(_DEEP))),
    "one level too many": (None, lambda: check(_bomb(limits.MAX_FILTER_DEPTH))),
    "as a truth value": (None, lambda: bool(F("a") == 1)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_by_name_and_shown_to_nobody(name: str) -> None:
    field, build = REFUSED[name]
    with pytest.raises(FilterError) as caught:
        build()
    assert caught.value.field == field
    assert "a.b" not in str(caught.value)


def test_a_long_chain_is_wide_and_not_deep() -> None:
    """Twenty conditions joined by & are twenty conditions, not twenty levels."""
    every = F("a") == 0
    some = F("a") == 0
    for number in range(1, 250):
        every, some = every & (F("a") != number), some | (F("a") == number)
    assert matches(check(every), {"a": 0})
    assert matches(check(some), {"a": 249})
    assert not matches(check(every), {"a": 3})
    assert isinstance(some & every, And)
    assert (F("a") == 1) & ((F("b") == 2) | (F("c") == 3)) == And((F("a") == 1, Or((F("b") == 2, F("c") == 3))))


def test_a_depth_bomb_can_be_named_without_running_out_of_stack() -> None:
    assert list(fields(_bomb(_DEEP))) == ["a"]
    assert repr(_bomb(_DEEP)) == "<filter on a>"
