"""The one function by which a filter value becomes what the store may see. Ingest and search both call it, so a value
written and a value asked for can never be protected differently.

``clear``   the canonical value itself (datetimes in milliseconds): the store can read and order it
``token``   a keyed hash per tenant, collection, field and value: the store sees equality and frequency only
            cut to a few bits, different values may share it, and the store sees less
``bucket``  the same of the bucket the value is in: the store sees which records share one, and not which bucket it is

Of a list, in either mode, the store sees how many values it holds, and a key made of the token of each: engines differ
in what they make of an array (Chroma matched what was deleted from one), and agree on whether a key is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from securevec import limits
from securevec.crypto.derive import filter_token
from securevec.errors import FilterError
from securevec.filters import And, Compare, Exists, Expr, In, Not, Value, any_of, check, fields, map_leaves
from securevec.points.buckets import around, bucket
from securevec.schema import LISTS, FieldSpec, Schema
from securevec.types import CollectionId, FilterValue, Scalar

PREFIX: Final = "f_"
"""Payload keys of filter fields."""
ELEMENT: Final = "fe_"
"""Payload keys of the values of list fields. Every key with another start belongs to the format."""

EXPIRY_KEY: Final = "x"
CLOAK_KEY: Final = "r"
"""The version of the cloak key that a point's vector is under, where it is not the first."""
HINTS: Final = (EXPIRY_KEY, CLOAK_KEY)


def hints_of(expires_ms: int | None, cloak: int) -> dict[str, Scalar]:
    """What the store may see of a sealed body besides its filter values."""
    due: dict[str, Scalar] = {} if expires_ms is None else {EXPIRY_KEY: expires_ms}
    return due | ({CLOAK_KEY: cloak} if cloak > 1 else {})


class FilterProtector:
    """Protects filter values of one collection under its filter key.

    While the collection is re-indexed there is the key ``before`` too: what is written is under the newer one, and what
    is asked for may be under either.
    """

    __slots__ = ("_before", "_collection", "_fields", "_key")

    def __init__(self, schema: Schema, *, collection: CollectionId, key: bytes, before: bytes | None = None) -> None:
        self._fields: Mapping[str, FieldSpec] = {field.name: field for field in schema.by_kind("filter")}
        self._collection = collection
        self._key = key
        self._before = before

    def value(self, field: FieldSpec, value: Value) -> Scalar:
        """What the store sees for this value of this field when it is written."""
        return self._under(self._key, field, value)

    def _under(self, key: bytes, field: FieldSpec, value: Value) -> Scalar:
        if field.truncate is not None:
            # No field name holds a slash. The name of a cut token is another: it is no prefix of a whole one.
            whole = filter_token(key, self._collection, f"{field.name}/cut/{field.truncate}", value)
            return f"{int(whole, 16) >> 128 - field.truncate:x}"
        if field.mode == "token":
            return filter_token(key, self._collection, field.name, value)
        if field.mode == "bucket":
            name = f"{field.name}/bucket/{field.width}"
            return filter_token(key, self._collection, name, bucket(field, value))
        return value

    def _keys(self) -> tuple[bytes, ...]:
        return (self._key,) if self._before is None else (self._key, self._before)

    def _stored(self, field: FieldSpec, values: Sequence[Value]) -> list[Scalar]:
        """What the store may hold for one of these values."""
        several = [self._under(key, field, value) for value in values for key in self._keys()]
        return list(dict.fromkeys(several))

    def payload(self, filters: Mapping[str, FilterValue]) -> dict[str, Scalar]:
        """The payload keys of a record's canonical filter values. An empty list has none: it is as good as missing."""
        return self._payload(self._key, filters)

    def payloads(self, filters: Mapping[str, FilterValue]) -> Iterator[dict[str, Scalar]]:
        """Every form in which these values may be stored, the present one first."""
        return (self._payload(key, filters) for key in self._keys())

    def _payload(self, key: bytes, filters: Mapping[str, FilterValue]) -> dict[str, Scalar]:
        payload: dict[str, Scalar] = {}
        for name, value in filters.items():
            field = self._fields[name]
            if not isinstance(value, list):
                payload[PREFIX + name] = self._under(key, field, value)
            elif value:
                payload[PREFIX + name] = len(value)
                payload.update((self._element(field, each, key), True) for each in value)
        return payload

    def tokens(self, field: FieldSpec, value: FilterValue | None) -> list[str]:
        """The tokens of one field's value, of a list those of its distinct elements; also where it is clear."""
        if field.coarse and value is not None and not isinstance(value, list):
            return [str(self.value(field, value))]
        several: list[Scalar] = [] if value is None else [*value] if isinstance(value, list) else [value]
        return list(dict.fromkeys(filter_token(self._key, self._collection, field.name, each) for each in several))

    def lower(self, expr: Expr) -> Expr:
        """The caller's filter in terms of payload keys and protected values.

        Raises :class:`FilterError` for a field that is not declared ``Filter``, a value of another type than the
        field's, an ordering on a tokenized field, and values of lists that make more conditions than a filter holds.

        With bucketed fields and cut tokens it holds for more than the caller's filter does: what the store returns is
        judged by that.
        """
        map_leaves(expr, self._checked)
        lowered = map_leaves(around(expr, self._fields), self._leaf)
        try:
            return check(lowered)
        except FilterError as error:
            # Here, where nothing was embedded or asked yet: the adapters would refuse it too, and know no field.
            lists = (name for name in fields(expr) if self._fields[name].type in LISTS)
            raise FilterError(
                f"A filter holds at most {limits.MAX_FILTER_NODES} conditions, {limits.MAX_FILTER_DEPTH} deep; "
                "each value of an `is_in` on a list is one.",
                field=next(lists, None),
                next_step="Ask in several filters.",
            ) from error

    def _checked(self, leaf: Compare | In | Exists) -> Expr:
        """The leaf itself, when its field is declared and its values are of the field's type. As the caller wrote it:
        buckets are asked for by other values."""
        field = self._fields.get(leaf.key)
        if field is not None and field.coarse and not isinstance(leaf, Exists):
            for value in leaf.values if isinstance(leaf, In) else (leaf.value,):
                _check_type(field, value)
        return leaf

    def _leaf(self, leaf: Compare | In | Exists) -> Expr:
        field = self._fields.get(leaf.key)
        if field is None:
            known = ", ".join(sorted(self._fields)) or "none"
            raise FilterError(
                "A filter names a field that is not declared Filter.", field=leaf.key, next_step=f"Declared: {known}."
            )
        if isinstance(leaf, Exists):
            return Exists(PREFIX + field.name)
        if field.type in LISTS:
            return self._of_list(field, leaf)
        if isinstance(leaf, In):
            for member in leaf.values:
                _check_type(field, member)
            return _any(PREFIX + field.name, self._stored(field, leaf.values))
        _check_type(field, leaf.value)
        if leaf.op not in ("eq", "ne") and field.mode == "token":
            raise FilterError(
                f"Field `{field.name}` is tokenized and has no order.",
                field=field.name,
                next_step='Use == or is_in, or mode="clear".',
            )
        if leaf.op not in ("eq", "ne") and field.type in ("str", "bool", "uuid"):
            raise FilterError(f"Field `{field.name}` has no order.", field=field.name)
        stored = self._stored(field, [leaf.value])
        if len(stored) == 1:
            return Compare(PREFIX + field.name, leaf.op, stored[0])
        # Only of tokens is there more than one, and of those none is more or less than another.
        return (
            And(tuple(Compare(PREFIX + field.name, "ne", each) for each in stored))
            if leaf.op == "ne"
            else (In(PREFIX + field.name, tuple(stored)))
        )

    def _of_list(self, field: FieldSpec, leaf: Compare | In) -> Expr:
        """True for any value of the list; ``!=`` for a list with values, none of them this one."""
        for member in leaf.values if isinstance(leaf, In) else (leaf.value,):
            _check_type(field, member)
        if isinstance(leaf, In):
            return any_of([self._holds(field, value) for value in leaf.values])
        if leaf.op == "eq":
            return self._holds(field, leaf.value)
        if leaf.op == "ne":
            return And((Exists(PREFIX + field.name), Not(self._holds(field, leaf.value))))
        raise FilterError(
            f"Field `{field.name}` is a list and has no order.", field=field.name, next_step="Use == or is_in."
        )

    def _holds(self, field: FieldSpec, value: Value) -> Expr:
        return any_of([Compare(self._element(field, value, key), "eq", True) for key in self._keys()])

    def _element(self, field: FieldSpec, value: Value, key: bytes) -> str:
        return ELEMENT + filter_token(key, self._collection, field.name, value)


def _any(key: str, values: Sequence[Scalar]) -> Expr:
    """One of these values, of which there may be twice as many as a caller may name."""
    most = limits.MAX_FILTER_VALUES
    return any_of([In(key, tuple(values[start : start + most])) for start in range(0, len(values), most)])


def _check_type(field: FieldSpec, value: Value) -> None:
    wanted: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "uuid": (str,),
        "bool": (bool,),
        "int": (int, float),
        "float": (int, float),
        "datetime": (int,),
        "date": (int,),
        "list[str]": (str,),
        "list[int]": (int, float),
    }
    if not isinstance(value, wanted[field.type]) or (field.type != "bool" and isinstance(value, bool)):
        raise FilterError(
            f"Field `{field.name}` holds {field.type}, and the filter compares it with something else.",
            field=field.name,
            next_step="Compare it with datetime(2026, 1, 31, tzinfo=UTC)." if field.type == "datetime" else "",
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
