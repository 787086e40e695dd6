"""From a Record class to its ``Schema``: a frozen, serializable description that a collection remembers."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from pydantic import PydanticSchemaGenerationError, PydanticUndefinedAnnotation

from securevec.errors import SchemaError
from securevec.schema import marks
from securevec.schema.fields import LISTS, TYPES, FieldSpec, Kind, Schema, Type
from securevec.schema.record import Record

_NAMES: Final = {python: name for name, python in TYPES.items()}
_LIST_NAMES: Final[Mapping[str | None, str]] = {_NAMES[element]: name for name, element in LISTS.items()}
_KINDS: Final[Mapping[type[marks.Mark], Kind]] = {
    marks.Key: "key",
    marks.Subject: "subject",
    marks.Embed: "embed",
    marks.Seal: "seal",
    marks.Filter: "filter",
}


@lru_cache(maxsize=256)
def describe(record_class: type[Record]) -> Schema:
    """The schema of a Record class.

    Raises :class:`SchemaError` naming the field: no ``Key`` or two, no ``Embed``, more than 64 fields, a name
    that is not ``[A-Za-z_][A-Za-z0-9_]{0,63}``, two markers on one field, a marker inside a union, a type other
    than str, int, float, bool, datetime, date or UUID (or one of those ``| None``), a ``Key`` that is not str,
    int or UUID or may be null, a ``Subject`` or ``Embed`` that is not text. A ``Filter`` also holds ``list[str]`` or
    ``list[int]``.

    A ``Literal`` of strings counts as str. Warns (:class:`securevec.schema.marks.LowEntropyWarning`) of a boolean or a
    ``Literal`` that is tokenized.
    """
    if not _is_record_class(record_class):
        raise SchemaError(
            "A record class derives from securevec.Record.",
            next_step="A collection that is there is opened by its name with existing_collection(NAME).",
        )
    if not _is_complete(record_class):
        # Its fields are not known, and a marked field that is not seen would be dropped without a word.
        raise SchemaError(
            "An annotation of the Record class names something that cannot be found.",
            next_step="Import it in the module of the class, and define that module's names before the class.",
        )
    for name in _marked_privately(record_class):
        raise SchemaError(
            f'Field "{name}" begins with an underscore, so pydantic keeps it out of the record.',
            next_step="Name it without; a column that has one is read with Field(alias=...).",
        )
    specs: list[FieldSpec] = []
    for name, info in record_class.model_fields.items():
        found = [item for item in info.metadata if isinstance(item, marks.Mark)]
        if len(found) > 1:
            raise SchemaError(f'Field "{name}" has more than one marker.')
        if found:
            specs.append(_spec(name, info.annotation, found[0]))
        elif _marked_inside(info.annotation):
            raise SchemaError(
                f'The marker of field "{name}" lies inside a union.', next_step="Write Seal[str | None] instead."
            )
    return Schema(record_class.__name__, tuple(specs))


def _marked_privately(record_class: type[Record]) -> list[str]:
    """Marked names with an underscore in front: pydantic takes them for its user's own business, and no field."""
    private = record_class.__private_attributes__
    if not private:
        return []
    with contextlib.suppress(NameError):
        hints = get_type_hints(record_class, include_extras=True)
        return [name for name in private if _marked_inside(hints.get(name))]
    return []


def _is_complete(record_class: type[Record]) -> bool:
    """Whether pydantic could resolve every annotation, now if not when the class was made."""
    if record_class.__pydantic_complete__:
        return True
    try:
        return record_class.model_rebuild() is True
    except (PydanticUndefinedAnnotation, PydanticSchemaGenerationError):
        return False


def _is_record_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Record)


def _spec(name: str, annotation: Any, mark: marks.Mark) -> FieldSpec:
    kind = _KINDS.get(type(mark))
    if kind is None:
        raise SchemaError(f'Field "{name}" has a marker securevec does not know.')
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    types = [member for member in members if member is not NoneType]
    if len(types) != 1 or (tag := _tag(types[0])) is None:
        raise SchemaError(
            f'Field "{name}" has a type that cannot be kept.',
            next_step="Use str, int, float, bool, datetime, date or UUID, or one of them `| None`; a Filter takes "
            'list[str] and list[int] too. Few fixed texts are Literal["a", "b"].',
        )
    if isinstance(mark, marks.Filter) and mark.mode == "token" and mark.low_entropy == "warn" and _is_narrow(types[0]):
        warnings.warn(
            f'Field "{name}" has few possible values, and how often each token occurs tells which is which. Declare it '
            'Seal, or accept that: Filter(mode="token", low_entropy="accept"). Measure it: securevec leakage.',
            marks.LowEntropyWarning,
            stacklevel=4,
        )
    return FieldSpec(
        name=name,
        kind=kind,
        type=tag,
        optional=len(types) < len(members),
        keep=mark.keep if isinstance(mark, marks.Embed | marks.Seal) else "anonymized",
        mode=mark.mode if isinstance(mark, marks.Filter) else "clear",
        width=mark.width if isinstance(mark, marks.Filter) else None,
        shred=mark.shred if isinstance(mark, marks.Subject) else False,
        truncate=mark.truncate if isinstance(mark, marks.Filter) else None,
        guarded=isinstance(mark, marks.Filter) and mark.low_entropy == "refuse",
    )


def _is_narrow(annotation: Any) -> bool:
    """Whether the type itself says that there are few values."""
    if get_origin(annotation) in (Annotated, list):
        return _is_narrow(get_args(annotation)[0])
    return annotation is bool or get_origin(annotation) is Literal


def _tag(annotation: Any) -> Type | None:
    if get_origin(annotation) is Literal:
        return "str" if all(isinstance(value, str) for value in get_args(annotation)) else None
    if get_origin(annotation) is Annotated:
        return _tag(get_args(annotation)[0])
    if get_origin(annotation) is list:
        (element,) = get_args(annotation) or (None,)
        return cast("Type | None", _LIST_NAMES.get(_tag(element)))
    return cast("Type | None", _NAMES.get(annotation)) if isinstance(annotation, type) else None


def _marked_inside(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated and any(isinstance(item, marks.Mark) for item in get_args(annotation)[1:]):
        return True
    return any(_marked_inside(member) for member in get_args(annotation) if not isinstance(member, str))
