"""Lowering a filter to Chroma's ``where``, so that it decides exactly as ``securevec.filters.matches``.

Chroma has no negation of its own, so a negation is carried down to the leaves. Its ``$ne`` and ``$nin`` match what
lacks the key, which is the plain negation of ``$eq`` and ``$in``; everything that asks for presence says so by a clause
of its own. One thing it cannot say is that a number is *absent*: a filter that needs it (a negated range, a negated
``exists``) is answered by sets of ids instead (:func:`evaluate`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from securevec.errors import FilterError
from securevec.filters import And, Compare, Exists, Expr, In, Not, Or, Value, check, matches
from securevec_chroma.numbers import LEAST, MOST, Order, as_double, as_integer, integer_bound, rank, rank_bound
from securevec_chroma.payload import BOOL, FLOAT, INT, PARTS, SEALED, TEXT, pieces

Where = dict[str, object]

_ALWAYS: Final[Where] = {"-": {"$ne": "-"}}
_NEVER: Final[Where] = {"-": {"$in": ["-"]}}
"""No string is stored at the key ``-``."""
_WIDEST: Final = 400
"""Leaves of one clause: SQLite refuses an expression deeper than 1,000, and some tens of thousands overflow the
engine's stack and end the process (measured)."""


class _Absence(Exception):
    """The clause would have to say that a number is absent."""


class Lowering:
    """Filters for one namespace. ``tags`` are its tenant and collection tag: every one of its points has them, and none
    has them written down, so a condition on them is decided here."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)

    def where(self, expr: Expr) -> Where | None:
        """The clause equal to ``expr``; ``None`` when there is none, or only one that is too wide.

        Raises :class:`FilterError` for a filter that is not whole.
        """
        try:
            clause = self._lower(check(expr, lowered=True), negated=False)
        except _Absence:
            return None
        return clause if _leaves(clause) <= _WIDEST else None

    def evaluate(self, expr: Expr, ids: Callable[[Where | None], set[str]]) -> set[str]:
        """The ids that satisfy ``expr``, by the ids that ``ids`` finds for clauses (``None``: all of them)."""
        clause = self.where(expr)
        if clause is not None:
            return ids(clause)
        match expr:
            case And(parts=parts):
                return set.intersection(*(self.evaluate(part, ids) for part in parts))
            case Or(parts=parts):
                return set[str]().union(*(self.evaluate(part, ids) for part in parts))
            case Not(part=part):
                return ids(None) - self.evaluate(part, ids)
            case In(key=key, values=values):
                return set[str]().union(*(self.evaluate(Compare(key, "eq", value), ids) for value in values))
            case _:
                raise FilterError("This store cannot decide the filter.")

    def _lower(self, expr: Expr, *, negated: bool) -> Where:
        match expr:
            case Compare(key=key) | In(key=key) | Exists(key=key) if key in SEALED:
                raise FilterError("A filter asks for a sealed value.")
            case Compare(key=key) | In(key=key) | Exists(key=key) if key in self._tags:
                return _ALWAYS if matches(expr, self._tags) is not negated else _NEVER
            case Compare(key=key, op="eq", value=value):
                return _equal(key, value, negated=negated)
            case Compare(key=key, op="ne", value=value):
                return _every([_present(key), _equal(key, value, negated=True)]) if not negated else _absent()
            case Compare(key=key, op=op, value=value):
                return _ordered(key, cast("Order", op), value) if not negated else _absent()
            case In(key=key, values=values):
                return _member(key, values, negated=negated)
            case Exists(key=key):
                return _present(key) if not negated else _absent()
            case And(parts=parts) | Or(parts=parts):
                lowered = [self._lower(part, negated=negated) for part in parts]
                return _every(lowered) if isinstance(expr, And) is not negated else _some(lowered)
            case Not(part=part):
                return self._lower(part, negated=not negated)
            case _:
                raise FilterError("Unknown filter node.")


def _present(key: str) -> Where:
    return _some(
        [
            {key + TEXT: {"$eq": 1}},
            {key + PARTS: {"$gte": 1}},
            {key + BOOL: {"$in": ["true", "false"]}},
            {key + INT: {"$gte": LEAST}},
            {key + FLOAT: {"$gte": LEAST}},
        ]
    )


def _equal(key: str, value: Value, *, negated: bool) -> Where:
    return _member(key, [value], negated=negated)


def _member(key: str, values: Sequence[Value], *, negated: bool) -> Where:
    """``key`` holds one of ``values``, or (also where it is absent) it does not."""
    among, join = ("$nin", _every) if negated else ("$in", _some)
    booleans = ["true" if value else "false" for value in values if isinstance(value, bool)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    integers = [whole for number in numbers if (whole := as_integer(number)) is not None]
    ranks = [rank(double) for number in numbers if (double := as_double(number)) is not None]
    cut = [pieces(value) for value in values if isinstance(value, str)]
    words = [parts[0] for parts in cut if len(parts) == 1]
    kinds: list[tuple[str, Sequence[str | int]]] = [(BOOL, booleans), (INT, integers), (FLOAT, ranks), ("", words)]
    clauses: list[Where] = [{key + kind: {among: list(dict.fromkeys(held))}} for kind, held in kinds if held]
    return join([*clauses, *(_long(key, parts, negated=negated) for parts in cut if len(parts) > 1)])


def _long(key: str, parts: Sequence[str], *, negated: bool) -> Where:
    same, join = ("$ne", _some) if negated else ("$eq", _every)
    clauses: list[Where] = [{f"{key}-{number}": {same: piece}} for number, piece in enumerate(parts)]
    return join([{key + PARTS: {same: len(parts)}}, *clauses])


def _ordered(key: str, op: Order, value: Value) -> Where:
    if isinstance(value, bool | str):
        raise FilterError("Only numbers and datetimes have an order.")
    way, bound = integer_bound(op, value)
    if LEAST <= bound <= MOST:
        integers: Where = {key + INT: {f"${way}": bound}}
    else:
        holds = (bound > MOST) == (op in ("lt", "lte"))
        integers = {key + INT: {"$gte": LEAST}} if holds else _NEVER
    way, bound = rank_bound(op, value)
    return _some([integers, {key + FLOAT: {f"${way}": bound}}])


def _absent() -> Where:
    raise _Absence


def _every(parts: Sequence[Where]) -> Where:
    return _ALWAYS if not parts else parts[0] if len(parts) == 1 else {"$and": list(parts)}


def _some(parts: Sequence[Where]) -> Where:
    return _NEVER if not parts else parts[0] if len(parts) == 1 else {"$or": list(parts)}


def _leaves(clause: Where) -> int:
    joined = cast("list[Where] | None", clause.get("$and") or clause.get("$or"))
    return 1 if joined is None else sum(_leaves(part) for part in joined)
