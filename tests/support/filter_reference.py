"""docs/filters.md once more, over records as a caller has them, written without a look at the oracle
(``securevec.filters.matches``), which is compared with it. It answers by the kinds of the two values alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from securevec.clock import to_ms
from securevec.filters import And, Compare, Exists, Expr, In, Not, Or


def satisfies(expr: Expr, record: Mapping[str, Any]) -> bool:
    """Whether the record satisfies the filter, by the table of docs/filters.md."""
    if isinstance(expr, And):
        return not any(not satisfies(part, record) for part in expr.parts)
    if isinstance(expr, Or):
        return any(satisfies(part, record) for part in expr.parts)
    if isinstance(expr, Not):
        return satisfies(expr.part, record) is False
    assert isinstance(expr, Compare | In | Exists)
    held = record.get(expr.key)
    members = [each for each in (held if isinstance(held, list | tuple) else [held]) if each is not None]
    if isinstance(expr, Exists):
        return len(members) > 0
    if isinstance(expr, In):
        return len([1 for each in members for value in expr.values if _kind(each) == _kind(value)]) > 0
    if expr.op == "ne":
        return len(members) > 0 and _kind(expr.value) not in [_kind(each) for each in members]
    return any(_holds(expr.op, _kind(each), _kind(expr.value)) for each in members)


def _kind(value: object) -> tuple[str, Any]:
    """A value as what it is compared by: exact, and with the kind it is compared within."""
    if isinstance(value, bool):
        return ("truth", value)
    if isinstance(value, datetime):
        return ("number", Fraction(to_ms(value.astimezone(UTC))))
    if isinstance(value, int | float):
        return ("number", Fraction(value))
    assert isinstance(value, str)
    return ("text", value)


def _holds(op: str, held: tuple[str, Any], value: tuple[str, Any]) -> bool:
    if op == "eq":
        return held == value
    if held[0] != "number" or value[0] != "number":
        return False
    sign = (held[1] > value[1]) - (held[1] < value[1])
    return bool({"lt": sign < 0, "lte": sign <= 0, "gt": sign > 0, "gte": sign >= 0}[op])
