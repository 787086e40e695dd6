"""From one validated record to what may go on: reduced to the declared fields.

``minimize`` splits a record into texts (for the anonymizer), other sealed values, filter values, and the canonical
JSON behind the content digest. ``rebuild`` is the way back.

Times are kept in whole UTC milliseconds, rounded down; the zone a time was given in is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar, cast
from uuid import UUID

import orjson

from securevec import limits
from securevec.clock import from_ms, to_ms
from securevec.errors import LimitExceeded, SchemaError
from securevec.schema.describe import describe
from securevec.schema.fields import LISTS, TYPES, FieldSpec, Schema
from securevec.schema.record import Record
from securevec.types import FilterValue

R = TypeVar("R", bound=Record)
RecordId = str | int | UUID

_EPOCH: Final = date(1970, 1, 1)
_NEAR_MS: Final = 60_000_000_000_000
"""Milliseconds to either side of 1970 that every ``datetime`` can say: nineteen centuries."""
_PLAIN: Final[Mapping[str, type]] = {"str": str, "int": int, "float": float, "bool": bool}
"""Types that are stored as they are."""
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, repr=False)
class Minimized:
    """One record, reduced to its declared fields. Nulls are left out everywhere.

    ``texts``: every ``str`` value of subject, embed and seal fields in declared order; the anonymizer's input.
    ``kept``: the other sealed values as JSON values (times RFC 3339 UTC with milliseconds and ``Z``, UUIDs and
    dates as text). ``filters``: canonical filter values (times and dates as UTC milliseconds, UUIDs as text).
    ``canonical``: canonical JSON of all declared fields, ``size`` its bytes.
    """

    record_id: RecordId
    texts: Mapping[str, str]
    kept: Mapping[str, object]
    filters: Mapping[str, FilterValue]
    canonical: bytes

    @property
    def size(self) -> int:
        return len(self.canonical)

    def __repr__(self) -> str:
        return f"Minimized({len(self.texts)} texts, {len(self.filters)} filters, {self.size} bytes)"


def minimize(schema: Schema, record: Record) -> Minimized:
    """Split a validated record. Undeclared fields do not pass.

    Raises :class:`LimitExceeded` when the canonical JSON exceeds 16 MiB.
    """
    texts: dict[str, str] = {}
    kept: dict[str, object] = {}
    filters: dict[str, FilterValue] = {}
    whole: dict[str, object] = {}
    values = record.__dict__
    for field in schema.fields:
        value = values.get(field.name)
        if value is None:
            continue
        if field.kind == "filter":
            whole[field.name] = filters[field.name] = _filter_value(value)
        elif field.kind == "key":
            whole[field.name] = json_value(value)
        elif isinstance(value, str):
            whole[field.name] = texts[field.name] = value
        else:
            whole[field.name] = kept[field.name] = json_value(value)
    return Minimized(
        record_id=cast("RecordId", values[schema.key.name]),
        texts=texts,
        kept=kept,
        filters=filters,
        canonical=_encode(whole),
    )


def require_size(schema: Schema, record: Record) -> None:
    """Raises :class:`LimitExceeded` when the canonical JSON of a record exceeds 16 MiB."""
    values = record.__dict__
    _encode(
        {
            field.name: _filter_value(value) if field.kind == "filter" else json_value(value)
            for field in schema.fields
            if (value := values.get(field.name)) is not None
        }
    )


class _Step(NamedTuple):
    """What :func:`rebuild` does for one field. ``plain``: values of this type are taken as they are. ``moment``: whole
    numbers are milliseconds."""

    field: FieldSpec
    plain: type | None
    moment: bool
    required: bool


@lru_cache(maxsize=256)
def _steps(record_class: type[Record]) -> tuple[tuple[_Step, ...], frozenset[str], frozenset[str]]:
    """The steps of a class, the names of its fields, and all of them once more where a record with all of them can be
    put together plainly: looked up once, and not for each hit of each search."""
    schema = describe(record_class)
    steps = tuple(
        _Step(
            field, _PLAIN.get(field.type), field.type == "datetime", record_class.model_fields[field.name].is_required()
        )
        for field in schema.fields
    )
    own = record_class.model_construct.__func__ is not Record.model_construct.__func__  # type: ignore[attr-defined]  # a bound method has it
    more = record_class.__pydantic_post_init__ or record_class.model_config.get("extra") == "allow"
    plain = not own and not more and record_class.model_fields.keys() == schema.names
    return steps, schema.names, schema.names if plain else frozenset()


def rebuild(record_class: type[R], values: Mapping[str, object]) -> R:
    """A typed record from canonical values: texts, kept and filter values and the key, by field name.

    Accepts what ``minimize`` writes, so either form of a time (milliseconds or RFC 3339). An absent field that
    may be null becomes its default or ``None``. The record is not validated again: the values come out of a
    sealed body. Raises :class:`SchemaError` when a field is missing, unknown, or of another type.
    """
    steps, names, plain = _steps(record_class)
    built: dict[str, Any] = {}
    for field, kind, moment, required in steps:
        value = values.get(field.name)
        if value is not None:
            if type(value) is kind:
                built[field.name] = value
            elif moment and type(value) is int and -_NEAR_MS < value < _NEAR_MS:
                built[field.name] = from_ms(value)
            else:
                built[field.name] = _python_value(field, value)
        elif field.optional:
            built[field.name] = None
        elif required:
            raise SchemaError(f'A stored record has no value for field "{field.name}".')
    if not values.keys() <= names:
        raise SchemaError("A stored record holds a field the Record class does not declare.")
    if built.keys() == plain:
        return _put_together(record_class, built)
    construct = cast("Callable[..., R]", record_class.model_construct)
    return construct(**built)


def _put_together(record_class: type[R], built: dict[str, Any]) -> R:
    """``model_construct`` of all fields of a class without extra or private attributes, in an eighth of the time: it
    looks for a default and for aliases of each field."""
    record = record_class.__new__(record_class)
    for name, value in (
        ("__dict__", built),
        ("__pydantic_fields_set__", set(built)),
        ("__pydantic_extra__", None),
        ("__pydantic_private__", None),
    ):
        object.__setattr__(record, name, value)
    return record


def _encode(value: Mapping[str, object]) -> bytes:
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if len(data) > limits.MAX_RECORD_BYTES:
        raise LimitExceeded(f"The record is larger than {limits.MAX_RECORD_BYTES} bytes.")
    return data


def _filter_value(value: object) -> FilterValue:
    if isinstance(value, list):
        return cast("FilterValue", list(cast("list[object]", value)))
    if isinstance(value, datetime):
        return to_ms(value)
    if isinstance(value, date):
        return (value - _EPOCH).days * _DAY_MS
    if isinstance(value, UUID):
        return str(value)
    return cast("str | int | float | bool", value)


def json_value(value: object) -> object:
    """A field's value in JSON: times RFC 3339 UTC with milliseconds and ``Z``, dates and UUIDs as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value


def _python_value(field: FieldSpec, value: object) -> object:
    try:
        match field.type, value:
            case _, bool():
                if field.type == "bool":
                    return value
            case "datetime", int():
                return from_ms(value)
            case "datetime", str() if value.endswith("Z"):
                return datetime.fromisoformat(value)
            case "date", int():
                return _EPOCH + timedelta(milliseconds=value)
            case "date", str():
                return date.fromisoformat(value)
            case "uuid", str():
                return UUID(value)
            case "list[str]" | "list[int]", list():
                several = cast("list[object]", value)
                if all(type(each) is LISTS[field.type] for each in several):
                    return list(several)
            case "float", int():
                return float(value)
            case _:
                if field.type in TYPES and isinstance(value, TYPES[field.type]):
                    return value
    except (ValueError, OverflowError, OSError):
        pass
    raise SchemaError(f'A stored record holds another type than field "{field.name}" declares.')
