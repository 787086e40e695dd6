"""The leaves of a framework's filter: one field, one operator, one value. Frameworks compose them their own way.

A value is read as the record class reads it: text becomes a time, a date or a UUID where the field is one, by the
field's own validators. Everything else is compared as it is, so ``"3"`` does not match a field of whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, cast
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from securevec import limits
from securevec.errors import FilterError
from securevec.filters import Expr, F, FilterInput, all_of, any_of
from securevec.schema import LISTS, Record, describe

_COMPARE: Final[Mapping[str, Callable[[F, Any], Expr]]] = {
    "==": lambda field, value: field == value,
    "!=": lambda field, value: field != value,
    ">": lambda field, value: field > value,
    ">=": lambda field, value: field >= value,
    "<": lambda field, value: field < value,
    "<=": lambda field, value: field <= value,
}
_READ: Final = ("datetime", "date", "uuid")


def compare(record_class: type[Record], key: object, op: str, value: object) -> Expr:
    """One comparison. Raises :class:`FilterError` for a field that is not declared Filter, and for a value that is not
    one of it."""
    return _COMPARE[op](filter_field(record_class, key), value_of(record_class, str(key), value))


def one_of(record_class: type[Record], key: object, values: object) -> Expr:
    """Whether the field is one of a list. Raises :class:`FilterError`, also for an empty list."""
    if not isinstance(values, list):
        raise FilterError("An `in` clause takes a list of values.")
    members = cast("list[object]", values)
    field = filter_field(record_class, key)
    return field.is_in([value_of(record_class, str(key), value) for value in members])


def holds(record_class: type[Record], key: object, values: Sequence[object], *, every: bool) -> Expr:
    """Whether a list field holds all of the values, or any. Raises :class:`FilterError`, also for another field."""
    filter_field(record_class, key)
    if describe(record_class).field(str(key)).type not in LISTS:
        raise FilterError(f"Field `{key}` holds a single value, and the filter asks what it contains.", field=str(key))
    if not values:
        raise FilterError("A filter asks for none of a list's values.", field=str(key))
    parts = [compare(record_class, key, "==", value) for value in values]
    return all_of(parts) if every else any_of(parts)


def filter_field(record_class: type[Record], key: object) -> F:
    """A declared filter field. Raises :class:`FilterError` that names the declared ones."""
    known = {field.name for field in describe(record_class).by_kind("filter")}
    if not isinstance(key, str) or key not in known:
        declared = ", ".join(sorted(known)) or "none"
        raise FilterError("A filter names a field that is not declared Filter.", next_step=f"Declared: {declared}.")
    return F(key)


def value_of(record_class: type[Record], key: str, value: object) -> FilterInput:
    """The value as filters take it. Whatever is no value of any field is refused where the comparison is built."""
    kind = describe(record_class).field(key).type
    if kind in _READ and isinstance(value, str):
        value = _read(record_class, key, value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return cast("FilterInput", value)


def check_depth(depth: int) -> None:
    """Raises :class:`FilterError` before a filter of many levels exhausts the stack."""
    if depth > limits.MAX_FILTER_DEPTH:
        raise FilterError(f"A filter is at most {limits.MAX_FILTER_DEPTH} levels deep.")


def _read(record_class: type[Record], key: str, value: str) -> object:
    try:
        return _adapter(record_class, key).validate_python(value)
    except ValidationError:
        pass
    # Raised outside the handler: pydantic's own exception quotes the value.
    raise FilterError(f"The filter's value is not one that field `{key}` can hold.")


@lru_cache(maxsize=1024)
def _adapter(record_class: type[Record], key: str) -> TypeAdapter[Any]:
    info = record_class.model_fields[key]
    annotated: Any = Annotated
    return TypeAdapter(annotated[(info.annotation, *info.metadata)])
