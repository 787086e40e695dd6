"""What callers hand in, checked: a row as a typed Record, and names.

``validate`` answers with a typed Record or raises :class:`RecordError` naming the field. No message and no chained
exception holds a value of the record.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from itertools import islice
from typing import Final, Literal, TypeVar, cast

from pydantic import ValidationError

from securevec import limits
from securevec.clock import to_ms
from securevec.errors import LimitExceeded, RecordError
from securevec.errors.tree import ENDING
from securevec.rows.minimize import require_size
from securevec.schema.describe import describe
from securevec.schema.fields import LISTS, TYPES, FieldSpec
from securevec.schema.record import Record

R = TypeVar("R", bound=Record)

_JSON_WORST: Final = 6
"""One character takes at most six bytes of JSON (``\\u001f``)."""
_REASONS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "string_type": "is not text",
    "string_unicode": "is not valid Unicode",
    "timezone_aware": "has no time zone",
    "sv_number": "is a number, not a date or time",
    "sv_bool": "is a boolean, not a number",
    "finite_number": "is not a finite number",
    "literal_error": "is none of the declared values",
    "list_type": "is not a list",
}
_MISSING: Final = frozenset({"NAType", "NaTType"})
"""What pandas keeps in the place of a value."""
_OPEN: Final = frozenset({"datetime", "date", "uuid"})
"""Types of which other libraries have subclasses that pydantic lets through: pandas, asyncpg."""
_FAMILIES: Final = (
    ("int", "is not a whole number"),
    ("float", "is not a number"),
    ("bool", "is neither true nor false"),
    ("datetime", "is not a date and time"),
    ("date", "is not a date"),
    ("uuid", "is not a UUID"),
)


def validate(record_class: type[R], raw: Mapping[str, object] | Record) -> R:
    """A typed, checked record from a row of a source, or from a record the caller built.

    Raises :class:`RecordError` with ``field`` set: missing or mistyped field, naive time, NaN, infinity, NUL or
    a lone surrogate in text, an empty id, an integer beyond 64 bits, nothing to embed; :class:`LimitExceeded`
    for an id, text or record that is too large; :class:`SchemaError` when the class itself cannot be honoured.
    """
    schema = describe(record_class)
    record = _convert(record_class, raw)
    values = record.__dict__
    rough = 0
    blank = True
    for field in schema.fields:
        value = values.get(field.name)
        if value is None:
            if not field.optional:
                raise _refused(field.name, "is missing")
            continue
        _check_value(field, value)
        if isinstance(value, str):
            rough += len(value)
            if blank and field.kind == "embed" and not value.isspace() and value:
                blank = False
    if blank:
        raise RecordError("No Embed field of the record holds text.", field=schema.by_kind("embed")[0].name)
    if rough * _JSON_WORST > limits.MAX_RECORD_BYTES:
        require_size(schema, record)
    return record


def check_name(kind: Literal["tenant", "collection", "actor"], name: object) -> str:
    """A tenant, collection or actor name, unchanged. Names are opaque: compared byte by byte, never normalized.

    Raises :class:`RecordError` with ``field=kind`` when it is not text, blank, begins or ends with white space,
    or holds ``/``, control characters, line separators or lone surrogates; :class:`LimitExceeded` above 256 bytes.
    """
    if not isinstance(name, str):
        raise RecordError(f"The {kind} name is not text.", field=kind)
    if not name or name != name.strip():
        raise RecordError(f"The {kind} name is empty, or begins or ends with white space.", field=kind)
    for character in name:
        if character == "/" or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise RecordError(f"The {kind} name holds a slash, a control character or broken Unicode.", field=kind)
    if len(name.encode()) > limits.MAX_NAME_BYTES:
        raise LimitExceeded(f"The {kind} name is longer than {limits.MAX_NAME_BYTES} bytes.", field=kind)
    return name


def _convert(record_class: type[R], raw: object) -> R:
    if isinstance(raw, Record):
        if isinstance(raw, record_class):
            return raw
        raise RecordError("The record is of another class than the collection's.")
    if not isinstance(raw, Mapping):
        raise RecordError("A record is a mapping or an instance of the collection's Record class.")
    # The error is built here and raised below, outside the handler: pydantic's own exception quotes values, and
    # an exception raised inside the handler would carry it along as its context.
    try:
        return record_class.model_validate(dict(cast("Mapping[str, object]", raw)))
    except ValidationError as error:
        refusal = _explain(record_class, error, cast("Mapping[object, object]", raw))
    except ENDING:
        raise
    except BaseException as error:  # noqa: BLE001  # a validator of the caller's class may raise anything, with content
        refusal = RecordError(f"The Record class's own check failed with {type(error).__name__}.")
    raise refusal


def _explain(record_class: type[Record], error: ValidationError, raw: Mapping[object, object]) -> RecordError:
    first = error.errors(include_url=False, include_context=False)[0]
    place = first["loc"][0] if first["loc"] else None
    name = None
    for field, info in record_class.model_fields.items():
        if place is not None and place in (field, info.alias, info.validation_alias):
            name = field
    if name is None:
        return RecordError("The Record class's own check refused the record.")
    kind = first["type"]
    given: object = first["input"]
    if given is None:
        return _refused(name, "may not be null")
    reason = _REASONS.get(kind)
    if reason is None:
        reason = next((text for prefix, text in _FAMILIES if kind.startswith(prefix)), "is not usable")
    if kind == "missing":
        if _nearly_there(record_class, name, raw):
            reason += ", and the row has a name that is almost the same"
    elif (isinstance(given, float) and given != given) or type(given).__name__ in _MISSING:
        reason += "; give None where a value is missing"
    elif kind.endswith("_type") and not isinstance(given, str):
        reason += f" but {type(given).__name__}"
    return _refused(name, reason)


def _nearly_there(record_class: type[Record], name: str, raw: Mapping[object, object]) -> bool:
    """Whether the row has an undeclared name that only differs in case, signs or a letter or two: a slip, most likely.
    The name itself is not repeated: what nobody declared goes nowhere."""
    fields = record_class.model_fields
    declared = {each for field, info in fields.items() for each in (field, info.alias)}
    others = [each for each in islice(raw, limits.MAX_FIELDS) if isinstance(each, str) and each not in declared]
    wanted = [_letters(each) for each in (name, fields[name].alias) if each]
    return any(get_close_matches(each, [_letters(other[:80]) for other in others], 1, 0.8) for each in wanted)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _check_value(field: FieldSpec, value: object) -> None:
    if field.type in LISTS:
        _check_list(field, value)
        return
    kind = type(value)
    if kind is not TYPES[field.type]:
        _check_type(field, value)
    if isinstance(value, str):
        _check_text(field, value)
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise _refused(field.name, "is not a finite number")
    elif isinstance(value, datetime):
        _check_moment(field, value)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _refused(field.name, "does not fit in 64 bits")


def _check_list(field: FieldSpec, value: object) -> None:
    element = LISTS[field.type]
    if type(value) is not list or any(type(each) is not element for each in cast("list[object]", value)):
        raise _refused(field.name, f"does not hold a {field.type}")
    several = cast("list[object]", value)
    if len(several) > limits.MAX_ELEMENTS:
        raise LimitExceeded(f'Field "{field.name}" holds more than {limits.MAX_ELEMENTS} values.', field=field.name)
    for each in several:
        if isinstance(each, str):
            _check_text(field, each, limits.MAX_ELEMENT_BYTES)
        elif isinstance(each, int) and not -(2**63) <= each < 2**63:
            raise _refused(field.name, "does not fit in 64 bits")


def _check_moment(field: FieldSpec, value: datetime) -> None:
    reason = ""
    try:
        to_ms(value)
    except ValueError:
        reason = "has no time zone"
    except OverflowError:
        reason = "is outside the years 1 to 9999 in UTC"
    if reason:
        raise _refused(field.name, reason)


def _check_type(field: FieldSpec, value: object) -> None:
    """For records built around pydantic's checks. It makes texts and numbers of a class of their own plain ones, which
    could answer otherwise when they are stored than when they are checked; times of other classes stay what they are.
    """
    mistaken = isinstance(value, datetime) and field.type == "date"
    if mistaken or field.type not in _OPEN or not isinstance(value, TYPES[field.type]):
        raise _refused(field.name, f"does not hold a {field.type}")


def _check_text(field: FieldSpec, value: str, limit: int = limits.MAX_TEXT_BYTES) -> None:
    if "\0" in value:
        raise _refused(field.name, "holds a NUL character")
    if field.kind == "key":
        limit = limits.MAX_ID_BYTES
    size = len(value)
    if not value.isascii():
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            size = -1
    # Raised outside the handler: a UnicodeEncodeError carries the whole text.
    if size < 0:
        raise _refused(field.name, "is not valid Unicode")
    if size > limit:
        raise LimitExceeded(f'Field "{field.name}" is larger than {limit} bytes.', field=field.name)
    if field.kind == "key" and not value:
        raise _refused(field.name, "is empty")


def _refused(name: str, reason: str) -> RecordError:
    return RecordError(f'Field "{name}" {reason}.', field=name)
