"""Filters: one closed AST, one written semantics, one pure oracle.

    F("status") == "open"            F("opened") >= datetime(2026, 1, 1, tzinfo=UTC)
    F("status").is_in(["open", "new"])      F("score").exists()
    (F("a") == 1) & ~(F("b") == 2) | (F("c") < 3)

Semantics, the same on every backend and on the sealed copy (docs/filters.md has them with examples):

1. A field that is missing or null satisfies no comparison, not even ``!=``. Only ``exists()`` (false) and a
   negation around it can speak of it.
2. ``~x`` is plain logical negation of ``x``: ``~(F("a") == 1)`` is true where ``a`` is missing; ``F("a") != 1`` is not.
3. A boolean equals only a boolean; an integer and a float are compared as numbers, exactly (``3 == 3.0``, and 2^53 + 1
   is not 2.0^53); a string equals only the same string, character by character. Ordering exists between numbers and
   between datetimes, which are compared as UTC milliseconds. Comparing across kinds is a :class:`FilterError` when the
   schema knows the field, and false in the oracle.
4. Where a field holds a list, a comparison is true when it is true for any element (``!=``: when no element is equal).
   An empty list is as good as none.
5. Empty is not a filter: ``and``, ``or`` and ``in`` without members are refused when built, and so is NaN.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, Literal, NoReturn, cast
from uuid import UUID

import numpy as np

from securevec import limits
from securevec.clock import to_ms
from securevec.errors import FilterError

Value = str | int | float | bool
FilterInput = Value | datetime | date | UUID
Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte"]

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


@dataclass(frozen=True, slots=True, repr=False)
class Expr:
    """A condition. Combine with ``&``, ``|`` and ``~``."""

    def __and__(self, other: Expr) -> Expr:
        return And((*(self.parts if type(self) is And else (self,)), _expr(other)))

    def __or__(self, other: Expr) -> Expr:
        return Or((*(self.parts if type(self) is Or else (self,)), _expr(other)))

    def __invert__(self) -> Expr:
        return Not(self)

    def __bool__(self) -> bool:
        raise FilterError(
            "A filter has no truth value.",
            next_step="Combine with & | ~, not and/or/not; a range is two comparisons in parentheses.",
        )

    def __repr__(self) -> str:
        return f"<filter on {', '.join(sorted(set(fields(self))))}>"


@dataclass(frozen=True, slots=True, repr=False)
class Compare(Expr):
    key: str
    op: Operator
    value: Value


@dataclass(frozen=True, slots=True, repr=False)
class In(Expr):
    key: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Exists(Expr):
    key: str


@dataclass(frozen=True, slots=True, repr=False)
class And(Expr):
    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Or(Expr):
    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Not(Expr):
    part: Expr


_NODES: Final = frozenset({Compare, In, Exists, And, Or, Not})


_PARENTHESES: Final = 'Each comparison stands in parentheses: (F("a") == 1) & (F("b") == 2).'
_MOMENT: Final = "A moment is a datetime with its zone: datetime(2026, 1, 31, tzinfo=UTC)."


class F:
    """A field of the record, by its declared name. What it is compared with makes a filter.

    >>> from securevec import F
    >>> (F("status") == "open") & (F("priority") >= 3) & ~F("closed").exists()
    <filter on closed, priority, status>
    >>> F("status").is_in(["open", "new"])
    <filter on status>
    """

    __slots__ = ("_key",)
    __hash__ = None  # type: ignore[assignment]  # a comparison makes a filter, so a field cannot be a dict key

    def __init__(self, key: str) -> None:
        self._key = check_key(key)

    def __eq__(self, value: object) -> Expr:  # type: ignore[override]  # a comparison makes a filter
        return Compare(self._key, "eq", _value(value, self._key))

    def __ne__(self, value: object) -> Expr:  # type: ignore[override]  # a comparison makes a filter
        return Compare(self._key, "ne", _value(value, self._key))

    def __lt__(self, value: FilterInput) -> Expr:
        return Compare(self._key, "lt", _ordered(value, self._key))

    def __le__(self, value: FilterInput) -> Expr:
        return Compare(self._key, "lte", _ordered(value, self._key))

    def __gt__(self, value: FilterInput) -> Expr:
        return Compare(self._key, "gt", _ordered(value, self._key))

    def __ge__(self, value: FilterInput) -> Expr:
        return Compare(self._key, "gte", _ordered(value, self._key))

    def is_in(self, values: Iterable[FilterInput]) -> Expr:
        """One of these values. Raises :class:`FilterError` for none, and for a text where values are meant."""
        if isinstance(values, str):
            raise FilterError("An `in` clause takes a list of values, not a text.", field=self._key)
        members = tuple(_value(value, self._key) for value in values)
        return In(self._key, _members(members, self._key))

    def exists(self) -> Expr:
        return Exists(self._key)

    def __rand__(self, value: object) -> NoReturn:
        """``F("a") == 1 & F("b") == 2``: Python reads ``1 & F("b")`` first. Raises :class:`FilterError`."""
        raise FilterError(_PARENTHESES)

    __ror__ = __rand__

    def __repr__(self) -> str:
        return f"F({self._key!r})"


def check_key(key: object) -> str:
    """The key grammar. Engines read dots, brackets and quotes as paths, so a key holds none of them."""
    if not isinstance(key, str) or not _KEY.match(key):
        raise FilterError(
            "A field name is a letter or underscore followed by at most 63 letters, digits or underscores.",
            field=key if isinstance(key, str) else None,
        )
    return key


def all_of(parts: Sequence[Expr]) -> Expr:
    """The conjunction of one or more conditions."""
    if not parts:
        raise FilterError("A conjunction has no members.")
    return parts[0] if len(parts) == 1 else And(tuple(_expr(part) for part in parts))


def any_of(parts: Sequence[Expr]) -> Expr:
    """The disjunction of one or more conditions."""
    if not parts:
        raise FilterError("A disjunction has no members.")
    return parts[0] if len(parts) == 1 else Or(tuple(_expr(part) for part in parts))


def check(expr: object, *, lowered: bool = False) -> Expr:
    """Refuse anything but a whole, bounded filter: type, key grammar, node count, depth, empty clauses.

    ``lowered``, for adapters: a search may have added conditions of its own to a caller's largest filter.
    """
    root = _expr(expr)
    nodes = 0
    most = limits.MAX_FILTER_NODES + lowered * limits.SPARE_NODES
    deepest = limits.MAX_FILTER_DEPTH + lowered * limits.SPARE_DEPTH
    stack: list[tuple[Expr, int]] = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        nodes += 1
        if nodes > most or depth > deepest:
            raise FilterError(f"A filter holds at most {most} conditions, {deepest} deep.")
        if type(node) not in _NODES:
            # Also a subclass of a known node: what it answers here it need not answer when it is used.
            raise FilterError("Unknown filter node.")
        match node:
            case Compare(key=key, op=op, value=value):
                check_key(key)
                if op not in ("eq", "ne", "lt", "lte", "gt", "gte"):
                    raise FilterError("Unknown comparison.", field=key)
                if op not in ("eq", "ne") and isinstance(value, bool | str):
                    raise FilterError("Only numbers and datetimes have an order.", field=key, next_step=_MOMENT)
                _plain(value, key)
            case In(key=key, values=values):
                for value in _members(values, check_key(key)):
                    _plain(value, key)
            case Exists(key=key):
                check_key(key)
            case And(parts=parts) | Or(parts=parts):
                if type(parts) is not tuple or not parts:
                    raise FilterError("A filter clause has no members.")
                stack.extend((_expr(part), depth + 1) for part in parts)
            case Not(part=part):
                stack.append((_expr(part), depth + 1))
            case _:
                raise FilterError("Unknown filter node.")
    return root


def fields(expr: Expr) -> Iterator[str]:
    """Every field name a filter mentions, however deep."""
    stack = [expr]
    while stack:
        match stack.pop():
            case Compare(key=key) | In(key=key) | Exists(key=key):
                yield key
            case And(parts=parts) | Or(parts=parts):
                stack.extend(reversed(parts))
            case Not(part=part):
                stack.append(part)
            case _:
                raise FilterError("Unknown filter node.")


def map_leaves(expr: Expr, change: Callable[[Compare | In | Exists], Expr]) -> Expr:
    """The same filter with every leaf replaced by ``change(leaf)``."""
    match expr:
        case Compare() | In() | Exists():
            return change(expr)
        case And(parts=parts):
            return And(tuple(map_leaves(part, change) for part in parts))
        case Or(parts=parts):
            return Or(tuple(map_leaves(part, change) for part in parts))
        case Not(part=part):
            return Not(map_leaves(part, change))
        case _:
            raise FilterError("Unknown filter node.")


def matches(expr: Expr, row: Mapping[str, object]) -> bool:
    """The oracle: whether ``row`` (field name to canonical value) satisfies ``expr``."""
    match expr:
        case Compare(key=key, op="ne", value=value):
            held = _elements(row.get(key))
            return bool(held) and not any(_compare("eq", element, value) for element in held)
        case Compare(key=key, op=op, value=value):
            return any(_compare(op, element, value) for element in _elements(row.get(key)))
        case In(key=key, values=values):
            return any(_compare("eq", element, value) for element in _elements(row.get(key)) for value in values)
        case Exists(key=key):
            return bool(_elements(row.get(key)))
        case And(parts=parts):
            return all(matches(part, row) for part in parts)
        case Or(parts=parts):
            return any(matches(part, row) for part in parts)
        case Not(part=part):
            return not matches(part, row)
        case _:
            raise FilterError("Unknown filter node.")


def _elements(held: object) -> list[object]:
    if held is None:
        return []
    if isinstance(held, list | tuple):
        return [element for element in cast("Sequence[object]", held) if element is not None]
    return [held]


def _compare(op: str, held: object, value: Value) -> bool:
    if isinstance(held, bool) or isinstance(value, bool):
        return op == "eq" and isinstance(held, bool) and isinstance(value, bool) and held == value
    if isinstance(held, str) or isinstance(value, str):
        return op == "eq" and isinstance(held, str) and isinstance(value, str) and held == value
    if not isinstance(held, int | float):
        return False
    match op:
        case "eq":
            return held == value
        case "lt":
            return held < value
        case "lte":
            return held <= value
        case "gt":
            return held > value
        case "gte":
            return held >= value
        case _:
            raise FilterError("Unknown comparison.")


def _expr(part: object) -> Expr:
    if not isinstance(part, Expr) or type(part) is Expr:
        raise FilterError("Not a filter.", next_step='Write for example F("status") == "open".')
    return part


def _members(values: object, key: str) -> tuple[Value, ...]:
    if type(values) is not tuple or not values:
        raise FilterError("An `in` clause has no values.", field=key, next_step="Leave the clause out, or name values.")
    if len(values) > limits.MAX_FILTER_VALUES:
        raise FilterError(f"An `in` clause takes at most {limits.MAX_FILTER_VALUES} values.", field=key)
    return cast("tuple[Value, ...]", values)


def _value(value: object, key: str) -> Value:
    """The canonical form of what a caller compares with: a plain string, number or boolean."""
    value = _unboxed(value)
    if isinstance(value, datetime):
        return _moment(value, key)
    if isinstance(value, date):
        return to_ms(datetime.combine(value, time(), UTC))
    if isinstance(value, UUID):
        return str(value)
    if value is None:
        raise FilterError(
            "Nothing is equal to null.", field=key, next_step="Ask for exists(), or for its negation with ~."
        )
    # Of enums and other subclasses, the plain value: what it answers later must be what it answers now.
    plain: object = value
    if isinstance(value, str):
        plain = str.__str__(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        plain = int.__int__(value) if isinstance(value, int) else float.__float__(value)
    return _plain(plain, key)


def _plain(value: object, key: str) -> Value:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is float:
        raise FilterError("A filter value is not a finite number.", field=key)
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise FilterError("A filter value does not fit in 64 bits.", field=key)
    if type(value) is str:
        with contextlib.suppress(UnicodeEncodeError):
            value.encode()
            return value
        # Raised outside the handler: the codec's error carries the value.
        raise FilterError("A filter value is not valid Unicode.", field=key)
    if type(value) is bool or type(value) is int:
        return value
    raise FilterError("A filter value is a string, number, boolean, UUID, date or aware datetime.", field=key)


def _unboxed(value: object) -> object:
    """A scalar of numpy, as rows of a frame have them, as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _ordered(value: object, key: str) -> Value:
    value = _unboxed(value)
    if isinstance(value, bool | str):
        raise FilterError("Only numbers and datetimes have an order.", field=key, next_step=_MOMENT)
    return _value(value, key)


def _moment(value: datetime, key: str) -> int:
    try:
        return to_ms(value)
    except ValueError:
        reason, advice = "A datetime in a filter has no time zone.", "Use datetime(..., tzinfo=UTC)."
    except OverflowError:
        reason, advice = "A datetime in a filter is outside the years 1 to 9999 in UTC.", ""
    raise FilterError(reason, field=key, next_step=advice)
