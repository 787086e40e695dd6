"""Filters of LangChain's vector stores as those of :mod:`securevec.filters`.

    {"source": "handbook", "year": {"$gte": 2020, "$lt": 2024}}
    {"$or": [{"source": {"$in": ["handbook", "faq"]}}, {"$not": {"year": {"$exists": True}}}]}

Several members of one dictionary all have to hold. ``$eq $ne $gt $gte $lt $lte $in $nin`` are the comparisons: a field
that is missing satisfies none of them, not even ``$ne`` and ``$nin``, so that ``{"level": {"$ne": "secret"}}`` does not
show what nobody classified. ``$not`` is plain negation. An empty clause is refused, at any depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from securevec.errors import FilterError
from securevec.filters import Expr, all_of, any_of
from securevec.integrations.conditions import check_depth, compare, filter_field, one_of
from securevec.schema import Record

Filter = Mapping[str, Any] | Expr
"""A dictionary, or an expression such as ``F("source") == "handbook"``."""

_COMPARE: Final = {"$eq": "==", "$ne": "!=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def condition(record_class: type[Record], given: object) -> Expr | None:
    """The filter, or ``None`` for none. Raises :class:`FilterError`: a field that is not declared Filter, an operator
    that is not known, null, an empty clause, too many levels."""
    return given if given is None or isinstance(given, Expr) else _condition(record_class, given, 1)


def _condition(record_class: type[Record], given: object, depth: int) -> Expr:
    check_depth(depth)
    if not isinstance(given, Mapping):
        raise FilterError("A filter is a dictionary or an expression.", next_step='For example {"source": "handbook"}.')
    parts: list[Expr] = []
    for key, value in cast("Mapping[object, object]", given).items():
        if key == "$and":
            parts.append(all_of(_conditions(record_class, value, depth)))
        elif key == "$or":
            parts.append(any_of(_conditions(record_class, value, depth)))
        elif key == "$not":
            parts.append(~_condition(record_class, value, depth + 1))
        elif isinstance(value, Mapping):
            parts.append(_operators(record_class, key, cast("Mapping[object, object]", value)))
        else:
            parts.append(_compared(record_class, key, "$eq", value))
    if not parts:
        raise FilterError("A filter is empty.", next_step="Leave it out to search in everything.")
    return all_of(parts)


def _conditions(record_class: type[Record], given: object, depth: int) -> list[Expr]:
    if not isinstance(given, list):
        raise FilterError("$and and $or take a list of filters.")
    return [_condition(record_class, each, depth + 1) for each in cast("list[object]", given)]


def _operators(record_class: type[Record], key: object, given: Mapping[object, object]) -> Expr:
    if not given:
        raise FilterError("A filter compares a field with nothing.")
    return all_of([_compared(record_class, key, operator, value) for operator, value in given.items()])


def _compared(record_class: type[Record], key: object, operator: object, value: object) -> Expr:
    if value is None:
        raise FilterError("A filter compares with null.", next_step='Write {"$exists": False}.')
    if operator == "$in":
        return one_of(record_class, key, value)
    if operator == "$nin":
        return all_of([filter_field(record_class, key).exists(), ~one_of(record_class, key, value)])
    if operator == "$exists":
        if not isinstance(value, bool):
            raise FilterError("$exists takes true or false.")
        there = filter_field(record_class, key).exists()
        return there if value else ~there
    if isinstance(operator, str) and operator in _COMPARE:
        return compare(record_class, key, _COMPARE[operator], value)
    known = ", ".join([*_COMPARE, "$in", "$nin", "$exists", "$and", "$or", "$not"])
    raise FilterError("A filter has an operator that is not known.", next_step=f"Known: {known}.")
