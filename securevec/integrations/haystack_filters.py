"""Filters of Haystack as those of :mod:`securevec.filters`.

    {"operator": "AND", "conditions": [{"field": "meta.source", "operator": "==", "value": "manual"}, ...]}

As Haystack has it, ``!=`` and ``not in`` also hold where the field is missing, ``== None`` where it is missing, an
order compared with ``None`` nowhere, and ``NOT`` where not all of its conditions hold. No filter, and ``{}``, are none.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final, cast

from securevec.errors import FilterError
from securevec.filters import Expr, all_of, any_of
from securevec.integrations.conditions import check_depth, compare, filter_field, one_of
from securevec.integrations.needed import needed
from securevec.schema import Record

with needed("haystack"):
    from haystack.errors import FilterError as HaystackFilterError


_OF_A_FIELD: Final = frozenset({"field", "operator", "value"})
_OF_OTHERS: Final = frozenset({"operator", "conditions"})


class StoreFilterError(FilterError, HaystackFilterError):
    """A filter that cannot be honoured, in both trees."""


def condition(record_class: type[Record], filters: object) -> Expr | None:
    """The filter, or ``None`` for none. Raises :class:`StoreFilterError`."""
    if filters is None or filters == {}:
        return None
    with refusing():
        return _condition(record_class, filters, 1)


@contextmanager
def refusing() -> Generator[None]:
    """A :class:`FilterError` of the library as one that Haystack knows too."""
    try:
        yield
    except StoreFilterError:
        raise
    except FilterError as error:
        raise StoreFilterError(error.message, next_step=error.next_step) from error


def field_name(said: str) -> str:
    """The metadata field that Haystack calls ``meta.NAME``, or by its name alone."""
    return said.removeprefix("meta.")


def _condition(record_class: type[Record], given: object, depth: int) -> Expr:
    check_depth(depth)
    if not isinstance(given, Mapping):
        raise FilterError("A filter is a dictionary.")
    said = cast("Mapping[str, object]", given)
    if not said.keys() <= (_OF_A_FIELD if "field" in said else _OF_OTHERS):
        raise FilterError("A filter says more than is read.")
    if "field" in said:
        return _comparison(record_class, said)
    operator, conditions = said.get("operator"), said.get("conditions")
    if operator not in ("AND", "OR", "NOT") or not isinstance(conditions, list):
        raise FilterError("A filter has a field, an operator and a value, or AND, OR or NOT and its conditions.")
    parts = [_condition(record_class, each, depth + 1) for each in cast("list[object]", conditions)]
    if operator == "OR":
        return any_of(parts)
    return ~all_of(parts) if operator == "NOT" else all_of(parts)


def _comparison(record_class: type[Record], said: Mapping[str, object]) -> Expr:
    key, operator = said["field"], said.get("operator")
    if "value" not in said or not isinstance(key, str) or not key.startswith("meta."):
        raise FilterError("A comparison has a field `meta.NAME`, an operator and a value.")
    key, value = field_name(key), said["value"]
    field = filter_field(record_class, key)
    match operator:
        case "==" | "!=":
            equal = ~field.exists() if value is None else compare(record_class, key, "==", value)
            return equal if operator == "==" else ~equal
        case ">" | ">=" | "<" | "<=":
            if value is None:
                return all_of([field.exists(), ~field.exists()])
            return compare(record_class, key, str(operator), value)
        case "in":
            return one_of(record_class, key, value)
        case "not in":
            return ~one_of(record_class, key, value)
        case _:
            raise FilterError("A comparison has an operator that is not known.")
