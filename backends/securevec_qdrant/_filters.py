"""Lowering a filter to a Qdrant engine, node by node, so that it decides exactly as ``securevec.filters.matches``.

Written once over a small :class:`Dialect`, because the embedded engine and the server client have the same conditions
under different classes. What the engines decide differently from us, and how it is closed:

* A missing key satisfies every ``must_not``: ``!=`` carries a presence guard; ``~`` does not, which is its meaning.
* An integer condition does not match the float of the same value: numbers are compared by ranges.
* Ranges are doubles. Below 2^53 rounding cannot move a number across a bound, so they are exact. From there to 2^63
  equality is decided between integers (``_points`` stores whole floats of that size as integers). An order among them
  the engines cannot decide: they are asked for a wider filter (:func:`widened`), and ``securevec_adapters.sieve``
  decides on what they return. :func:`lower` refuses what was not widened.
* Booleans live at a key of their own (``_points``), so no number can match one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol, TypeVar

from securevec.errors import FilterError
from securevec.filters import And, Compare, Exists, Expr, In, Not, Or, Value, check
from securevec_qdrant._points import BOOL_SUFFIX, EXACT

Condition = TypeVar("Condition")


class Dialect(Protocol[Condition]):
    """The conditions of one vendor. Keys have passed the key grammar, lists are not empty."""

    def text(self, key: str, values: Sequence[str]) -> Condition: ...
    def integer(self, key: str, value: int) -> Condition: ...
    def between(
        self,
        key: str,
        *,
        gte: float | None = None,
        gt: float | None = None,
        lte: float | None = None,
        lt: float | None = None,
    ) -> Condition: ...
    def present(self, key: str) -> Condition: ...
    def every(self, parts: Sequence[Condition]) -> Condition: ...
    def some(self, parts: Sequence[Condition]) -> Condition: ...
    def never(self, part: Condition) -> Condition: ...


def lower(expr: Expr, dialect: Dialect[Condition]) -> Condition:
    """The condition equal to ``expr``. Raises :class:`FilterError` for what cannot be decided exactly."""
    return _lower(check(expr, lowered=True), dialect)


def widened(expr: Expr) -> Expr:
    """``expr`` itself where an engine decides it exactly; else a filter that it does, of no more nodes, and that holds
    at least where ``expr`` does. Raises :class:`FilterError` for a filter that is not whole.
    """
    return _around(check(expr, lowered=True), wide=True)


def _around(expr: Expr, *, wide: bool) -> Expr:
    """What holds at least (``wide``) or at most where ``expr`` does. A negation turns one into the other."""
    match expr:
        case Compare(key=key, op="eq" | "ne" as op, value=value) if _equals_others(value):
            if not wide:
                return _nowhere(key)
            return Exists(key) if op == "ne" else Compare(key, "gte", EXACT - 1)
        case Compare(key=key, op="lt" | "lte" | "gt" | "gte" as op, value=value) if _orders_others(value):
            return Compare(key, op, _beside(value, upwards=(op in ("lt", "lte")) is wide))
        case In(key=key, values=values) if any(_equals_others(value) for value in values):
            rest = tuple(value for value in values if not _equals_others(value))
            return Exists(key) if wide else In(key, rest) if rest else _nowhere(key)
        case And(parts=parts):
            return And(tuple(_around(part, wide=wide) for part in parts))
        case Or(parts=parts):
            return Or(tuple(_around(part, wide=wide) for part in parts))
        case Not(part=part):
            return Not(_around(part, wide=not wide))
        case _:
            return expr


def _equals_others(value: Value) -> bool:
    """The largest 64-bit integers round to this double, so a range would match them as well."""
    return not isinstance(value, str) and value == 2**63


def _orders_others(value: Value) -> bool:
    return not isinstance(value, str) and EXACT <= abs(value) <= 2**63


def _beside(value: Value, *, upwards: bool) -> Value:
    """The nearest bound outside the numbers that doubles cannot tell apart."""
    positive = not isinstance(value, str) and value > 0
    if upwards:
        return 2.0**64 if positive else 1 - EXACT
    return EXACT - 1 if positive else -(2.0**64)


def _nowhere(key: str) -> Expr:
    return Compare(key, "gt", sys.float_info.max)


def _lower(expr: Expr, dialect: Dialect[Condition]) -> Condition:
    match expr:
        case Compare(key=key, op="eq", value=value):
            return _equal(key, value, dialect)
        case Compare(key=key, op="ne", value=value):
            return dialect.every([_present(key, dialect), dialect.never(_equal(key, value, dialect))])
        case Compare(key=key, op=op, value=value):
            return _ordered(key, op, value, dialect)
        case In(key=key, values=values):
            return _member(key, values, dialect)
        case Exists(key=key):
            return _present(key, dialect)
        case And(parts=parts):
            return dialect.every([_lower(part, dialect) for part in parts])
        case Or(parts=parts):
            return dialect.some([_lower(part, dialect) for part in parts])
        case Not(part=part):
            return dialect.never(_lower(part, dialect))
        case _:
            raise FilterError("Unknown filter node.")


def _present(key: str, dialect: Dialect[Condition]) -> Condition:
    return dialect.some([dialect.present(key), dialect.present(key + BOOL_SUFFIX)])


def _equal(key: str, value: Value, dialect: Dialect[Condition]) -> Condition:
    if isinstance(value, bool):
        return dialect.text(key + BOOL_SUFFIX, ["true" if value else "false"])
    if isinstance(value, str):
        return dialect.text(key, [value])
    if abs(value) >= EXACT and -(2**63) <= value < 2**63:
        return dialect.integer(key, int(value))
    if _equals_others(value):
        raise FilterError("This store cannot compare with a number of 2^63 exactly.")
    return dialect.between(key, gte=float(value), lte=float(value))


def _member(key: str, values: Sequence[Value], dialect: Dialect[Condition]) -> Condition:
    words = [value for value in values if isinstance(value, str)]
    parts = [_equal(key, value, dialect) for value in values if not isinstance(value, str)]
    if words:
        parts.append(dialect.text(key, words))
    return dialect.some(parts)


def _ordered(key: str, op: str, value: Value, dialect: Dialect[Condition]) -> Condition:
    if isinstance(value, bool | str):
        raise FilterError("Only numbers and datetimes have an order.")
    if _orders_others(value):
        raise FilterError("This store cannot order numbers from 2^53 to 2^63 exactly.")
    match op:
        case "lt":
            return dialect.between(key, lt=float(value))
        case "lte":
            return dialect.between(key, lte=float(value))
        case "gt":
            return dialect.between(key, gt=float(value))
        case "gte":
            return dialect.between(key, gte=float(value))
        case _:
            raise FilterError("Unknown comparison.")
