"""The one function by which a filter value becomes what the store may see. Ingest and search both call it, so a value
written and a value asked for can never be protected differently.

``clear``   the canonical value itself (datetimes in milliseconds): the store can read and order it
``token``   a keyed hash per tenant, collection, field and value: the store sees equality and frequency only
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from securevec.crypto.derive import filter_token
from securevec.errors import FilterError
from securevec.filters import Compare, Exists, Expr, In, Value, map_leaves
from securevec.schema import FieldSpec, Schema
from securevec.types import CollectionId, Scalar

PREFIX: Final = "f_"
"""Payload keys of filter fields; every other payload key belongs to the format."""

EXPIRY_KEY: Final = "x"


class FilterProtector:
    """Protects filter values of one collection under the tenant's filter key."""

    __slots__ = ("_collection", "_fields", "_key")

    def __init__(self, schema: Schema, *, collection: CollectionId, key: bytes) -> None:
        self._fields: Mapping[str, FieldSpec] = {field.name: field for field in schema.by_kind("filter")}
        self._collection = collection
        self._key = key

    def value(self, field: FieldSpec, value: Value) -> Scalar:
        """What the store sees for this value of this field."""
        if field.mode == "token":
            return filter_token(self._key, self._collection, field.name, value)
        return value

    def payload(self, filters: Mapping[str, Value]) -> dict[str, Scalar]:
        """The payload keys of a record's canonical filter values."""
        return {PREFIX + name: self.value(self._fields[name], value) for name, value in filters.items()}

    def lower(self, expr: Expr) -> Expr:
        """The caller's filter in terms of payload keys and protected values.

        Raises :class:`FilterError` for a field that is not declared ``Filter``, a value of another type than the
        field's, and an ordering on a tokenized field.
        """
        return map_leaves(expr, self._leaf)

    def _leaf(self, leaf: Compare | In | Exists) -> Expr:
        field = self._fields.get(leaf.key)
        if field is None:
            known = ", ".join(sorted(self._fields)) or "none"
            raise FilterError(
                "A filter names a field that is not declared Filter.", field=leaf.key, next_step=f"Declared: {known}."
            )
        if isinstance(leaf, Exists):
            return Exists(PREFIX + field.name)
        if isinstance(leaf, In):
            for member in leaf.values:
                _check_type(field, member)
            return In(PREFIX + field.name, tuple(self.value(field, member) for member in leaf.values))
        _check_type(field, leaf.value)
        if leaf.op not in ("eq", "ne") and field.mode == "token":
            raise FilterError(
                f"Field `{field.name}` is tokenized and has no order.",
                field=field.name,
                next_step='Use == or is_in, or mode="clear".',
            )
        if leaf.op not in ("eq", "ne") and field.type in ("str", "bool", "uuid"):
            raise FilterError(f"Field `{field.name}` has no order.", field=field.name)
        return Compare(PREFIX + field.name, leaf.op, self.value(field, leaf.value))


def _check_type(field: FieldSpec, value: Value) -> None:
    wanted: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "uuid": (str,),
        "bool": (bool,),
        "int": (int, float),
        "float": (int, float),
        "datetime": (int,),
        "date": (int,),
    }
    if not isinstance(value, wanted[field.type]) or (field.type != "bool" and isinstance(value, bool)):
        raise FilterError(
            f"Field `{field.name}` holds {field.type}, and the filter compares it with something else.",
            field=field.name,
        )
    if field.type == "uuid" and not _is_canonical(value):
        raise FilterError(
            f"Field `{field.name}` holds uuid, and the filter compares it with another text.",
            field=field.name,
            next_step="Pass a UUID.",
        )


def _is_canonical(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
