"""The ``Schema`` of a collection: its declared fields, frozen and serializable, and the rules they keep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import fields as members_of
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Final, Literal, cast, get_args
from uuid import UUID

import orjson
from pydantic import create_model

from securevec import limits
from securevec.errors import SchemaError, UnknownFormat
from securevec.schema import marks
from securevec.schema.coarse import check_guard, check_truncation, check_width
from securevec.schema.record import Record

Kind = Literal["key", "subject", "embed", "seal", "filter"]
Type = Literal["str", "int", "float", "bool", "datetime", "date", "uuid", "list[str]", "list[int]"]

FORMAT: Final = 1
TYPES: Final[Mapping[str, type]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "datetime": datetime,
    "date": date,
    "uuid": UUID,
}
"""Types of one value."""
LISTS: Final[Mapping[str, type]] = {"list[str]": str, "list[int]": int}
"""Types of several values, with that of one of them."""
_PYTHON: Final[Mapping[str, Any]] = {**TYPES, **{name: list[element] for name, element in LISTS.items()}}  # type: ignore[valid-type]  # made at run time
_TYPES_OF: Final[Mapping[str, frozenset[str]]] = {
    "key": frozenset({"str", "int", "uuid"}),
    "subject": frozenset({"str"}),
    "embed": frozenset({"str"}),
    "seal": frozenset(TYPES),
    "filter": frozenset({*TYPES, *LISTS}),
}
_KEEPS: Final = get_args(marks.Keep)
_MODES: Final = get_args(marks.Mode)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One declared field. ``keep`` speaks for ``embed`` and ``seal``, ``mode``, ``width`` and ``truncate`` for
    ``filter``, ``shred`` for ``subject``."""

    name: str
    kind: Kind
    type: Type
    optional: bool
    keep: marks.Keep = "anonymized"
    mode: marks.Mode = "clear"
    width: int | None = None
    shred: bool = False
    truncate: int | None = None
    guarded: bool = False
    """Whether rows are refused while the tokens of this field can be read by their frequency."""

    @property
    def coarse(self) -> bool:
        """Whether different values may be one to the store, so that it is asked for more than is wanted."""
        return self.mode == "bucket" or self.truncate is not None


@dataclass(frozen=True)
class Schema:
    """The declared fields of a Record class in declared order. Built by :func:`describe` or :meth:`from_json`.

    Raises :class:`SchemaError` when the fields break a rule, whichever way it is built.
    """

    name: str
    fields: tuple[FieldSpec, ...]

    def __post_init__(self) -> None:
        _check(self)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over the canonical JSON of the fields. Renaming the class does not change it."""
        fields = [_written(field) for field in self.fields]
        return hashlib.sha256(orjson.dumps({"fields": fields, "v": FORMAT}, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @cached_property
    def key(self) -> FieldSpec:
        return self.by_kind("key")[0]

    @cached_property
    def _by_name(self) -> dict[str, FieldSpec]:
        return {field.name: field for field in self.fields}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all declared fields."""
        return frozenset(self._by_name)

    @cached_property
    def embedded(self) -> tuple[str, ...]:
        """The names of the embedded fields, in declared order."""
        return tuple(field.name for field in self.by_kind("embed"))

    @cached_property
    def shredded(self) -> str | None:
        """The name of the subject whose key the record is sealed under too, if one was declared so."""
        return next((field.name for field in self.fields if field.shred), None)

    def by_kind(self, kind: Kind) -> tuple[FieldSpec, ...]:
        """The fields of one kind, in declared order."""
        return tuple(field for field in self.fields if field.kind == kind)

    def field(self, name: str) -> FieldSpec:
        """The field of that name. Raises :class:`SchemaError` when the Record class declares none."""
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(self._by_name)
            raise SchemaError("No such declared field.", next_step=f"Declared fields: {known}.") from None

    def to_json(self) -> bytes:
        """Canonical JSON: ``{"fields": [...], "name": str, "v": 1}``, keys sorted, no white space."""
        value = {"fields": [_written(field) for field in self.fields], "name": self.name, "v": FORMAT}
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, data: bytes) -> Schema:
        """The reverse of :meth:`to_json`. Raises :class:`SchemaError`, or :class:`UnknownFormat` for another ``v``."""
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise SchemaError("A stored schema is not JSON.") from error
        if not isinstance(value, dict):
            raise SchemaError("A stored schema is not an object.")
        document = cast("dict[str, object]", value)
        if document.get("v") != FORMAT:
            raise UnknownFormat("A stored schema has a format this release does not read.")
        name, fields = document.get("name"), document.get("fields")
        if set(document) != {"v", "name", "fields"} or not isinstance(name, str) or not isinstance(fields, list):
            raise SchemaError("A stored schema has unknown or missing members.")
        return cls(name, tuple(_field_from(item) for item in cast("list[object]", fields)))

    def record_class(self) -> type[Record]:
        """A Record class with these fields, for collections read without the caller's own class.

        Defaults and validators of the original class are not part of a schema: a field that may be null gets
        ``None`` as its default, every other one is required.
        """
        definitions: dict[str, Any] = {}
        annotated: Any = Annotated  # as a value, or type checkers read the subscript below as a type
        for field in self.fields:
            python: Any = _PYTHON[field.type]
            definitions[field.name] = (
                annotated[python | None if field.optional else python, _mark(field)],
                None if field.optional else ...,
            )
        return create_model(self.name, __base__=Record, **definitions)


def _mark(field: FieldSpec) -> marks.Mark:
    match field.kind:
        case "key":
            return marks.Key()
        case "subject":
            return marks.Subject(shred=field.shred)
        case "embed":
            return marks.Embed(keep=field.keep)
        case "seal":
            return marks.Seal(keep=field.keep)
        case "filter":
            # Whoever declared it was warned.
            entropy: marks.LowEntropy = "refuse" if field.guarded else "accept"
            return marks.Filter(mode=field.mode, width=field.width, truncate=field.truncate, low_entropy=entropy)


def _written(field: FieldSpec) -> dict[str, object]:
    """A field in JSON. ``width`` is there for buckets only, ``shred`` where it is true, ``truncate`` where it is set,
    ``guarded`` where it is true: other schemas are as they were."""
    # Every member is a word, a number or a flag: there is nothing in it to copy.
    members: dict[str, object] = {each.name: getattr(field, each.name) for each in members_of(field)}
    if field.width is None:
        del members["width"]
    if field.shred is False:
        del members["shred"]
    if field.truncate is None:
        del members["truncate"]
    if field.guarded is False:
        del members["guarded"]
    return members


def _field_from(item: object) -> FieldSpec:
    wanted = {"name", "kind", "type", "optional", "keep", "mode"}
    held = set(cast("dict[str, object]", item)) if isinstance(item, dict) else set[str]()
    if held - {"width", "shred", "truncate", "guarded"} != wanted:
        raise SchemaError("A field of a stored schema has unknown or missing members.")
    return FieldSpec(**cast("dict[str, Any]", item))


def _check(schema: Schema) -> None:
    _check_name(schema.name, str.isidentifier)
    if len(schema.fields) > limits.MAX_FIELDS:
        raise SchemaError(f"A Record declares at most {limits.MAX_FIELDS} fields.")
    seen: set[str] = set()
    for field in schema.fields:
        _check_name(field.name, lambda name: bool(_NAME.match(name)))
        if field.name in seen:
            raise SchemaError(f'Field "{field.name}" is declared twice.')
        seen.add(field.name)
        _check_field(field)
    if len(schema.by_kind("key")) != 1:
        raise SchemaError("A Record has exactly one Key.", next_step="Declare for example `id: Key[str]`.")
    if sum(field.shred for field in schema.fields) > 1:
        raise SchemaError(
            "A Record is sealed under the key of one person at most.",
            next_step="Declare shred=True for one Subject; the others are erased with the record.",
        )
    if not schema.by_kind("embed"):
        raise SchemaError("A Record has at least one Embed field.", next_step="Declare for example `body: Embed[str]`.")


def _check_name(name: object, grammar: Callable[[str], bool]) -> None:
    if not isinstance(name, str) or not grammar(name):
        raise SchemaError("A field name is a letter or underscore, then at most 63 letters, digits or underscores.")


def _check_field(field: FieldSpec) -> None:
    """The rules of one field. Its values may come from JSON, so nothing is taken from the annotations."""
    kind, tag, optional, keep, mode = _untyped(field)
    allowed = _TYPES_OF.get(kind) if isinstance(kind, str) else None
    if allowed is None or not isinstance(optional, bool) or not isinstance(tag, str):
        raise SchemaError(f'Field "{field.name}" has no known marker.')
    if tag not in allowed:
        raise SchemaError(
            f'Field "{field.name}", a marked {field.kind.capitalize()}, cannot hold this type.',
            next_step=f"Allowed: {', '.join(sorted(allowed))}.",
        )
    if kind == "key" and optional:
        raise SchemaError(f'Field "{field.name}": a Key may not be null.')
    if keep not in _KEEPS or mode not in _MODES:
        raise SchemaError(f'Field "{field.name}" has a marker parameter securevec does not know.')
    shred: object = field.shred
    if type(shred) is not bool or (shred and kind != "subject"):
        raise SchemaError(f'Field "{field.name}": only a Subject is shredded.')
    check_width(field)
    check_truncation(field)
    check_guard(field)


def _untyped(field: FieldSpec) -> tuple[object, object, object, object, object]:
    return field.kind, field.type, field.optional, field.keep, field.mode
