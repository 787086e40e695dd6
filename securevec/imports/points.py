"""From a foreign point to the tenant it belongs to, and to the row its record is made of. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import orjson

from securevec.errors import RecordError, SchemaError, UnscopedPoint
from securevec.foreign import ForeignPoint, PointKey
from securevec.imports.fields import flatten, named, type_of
from securevec.imports.options import ImportOptions
from securevec.schema import Record, describe

_FINGERPRINT: Final = 2**128


def tenant_of(columns: Mapping[str, object], options: ImportOptions) -> str:
    """The name of the point's tenant. Raises :class:`UnscopedPoint` for a point that names none, or several."""
    if options.tenant is not None:
        return options.tenant
    field = options.tenant_field or ""
    if field not in columns:
        raise UnscopedPoint("The point has no tenant field.", field=field)
    value = columns[field]
    if value is None or value == "":
        raise UnscopedPoint("The point's tenant field is empty.", field=field)
    if isinstance(value, list):
        raise UnscopedPoint("The point's tenant field is a list: it may be several tenants'.", field=field)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnscopedPoint(f"The point's tenant field is of the type {type_of(value)}.", field=field)
    name = str(value)
    if options.tenants is None:
        return name
    if name not in options.tenants:
        raise UnscopedPoint("The point's tenant is not in the mapping of tenants.", field=field)
    return options.tenants[name]


def text_of(columns: Mapping[str, object], options: ImportOptions) -> str:
    """The point's text. Raises :class:`RecordError` for a point that has none, or a value of another type."""
    text = columns.get(options.text_field)
    if text is None:
        raise RecordError("The point has no text, only its vector.", field=options.text_field)
    if not isinstance(text, str):
        raise RecordError(f"The point's text is of the type {type_of(text)}.", field=options.text_field)
    return text


class RowMaker:
    """Rows for one record class. Raises :class:`SchemaError` when it is unclear which of its fields takes the text."""

    def __init__(self, record_class: type[Record], options: ImportOptions) -> None:
        self._options = options
        schema = describe(record_class)
        self._key = schema.key
        texts = [name for name in schema.embedded if name in named({options.text_field: None})]
        self._text = texts[0] if texts else schema.embedded[0]
        if not texts and len(schema.embedded) > 1:
            raise SchemaError(
                "The record class embeds several fields, and none is called as the text field of the source.",
                next_step=f"Fields: {', '.join(schema.embedded)}.",
            )
        fields = {name: record_class.model_fields[name] for name in (self._key.name, self._text)}
        self._aliases = {
            alias for info in fields.values() for alias in (info.alias, info.validation_alias) if isinstance(alias, str)
        }

    def row(self, key: PointKey, text: str, columns: Mapping[str, object]) -> dict[str, object]:
        """The values a record is validated from. Raises :class:`RecordError`, naming the source's field."""
        row = {name: value for name, value in named(columns).items() if name not in self._aliases}
        row[self._text] = text
        row[self._key.name] = self._id(key, columns)
        return row

    def _id(self, key: PointKey, columns: Mapping[str, object]) -> object:
        field = self._options.id_field
        if field is None:
            return str(key) if self._key.type == "str" else key
        value = columns.get(field)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise RecordError(f"The point's id field is of the type {type_of(value)}.", field=field)
        return str(value) if self._key.type == "str" else value


class Fingerprint:
    """Of the points of one reading, in whatever order: equal for equal readings. Kept in memory only."""

    def __init__(self) -> None:
        self.points = 0
        self._sum = 0

    def add(self, point: ForeignPoint) -> None:
        data = orjson.dumps([point.key, point.fields], default=repr, option=orjson.OPT_SORT_KEYS)
        self.points += 1
        self._sum = (self._sum + int.from_bytes(hashlib.blake2b(data, digest_size=16).digest(), "big")) % _FINGERPRINT

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and (self.points, self._sum) == (other.points, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it changes


def columns_of(point: ForeignPoint) -> dict[str, object]:
    """The point's payload as columns."""
    return flatten(point.fields)
