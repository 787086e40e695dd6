"""Tighter conversions than pydantic's defaults, applied to every marked field.

CSV cells are text, so ``"3"`` must become 3; but a conversion that guesses is a silent corruption in a store
that compares expiry dates and ids. Refused here, although pydantic would accept it:

- bytes for text;
- a boolean for a number (``True`` is not 1);
- a number, or digits alone, for a date or time: ``20260101`` would be read as seconds since 1970;
- a time without a zone, NaN and infinity;
- a tuple, a set or a text for a list.
"""

from __future__ import annotations

from typing import Any, cast

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_INNER = ("nullable", "default", "function-before", "function-after", "function-wrap")


def harden(schema: CoreSchema) -> CoreSchema:
    """The same schema without the guessing conversions. Unknown schema types pass unchanged."""
    kind = schema["type"]
    if kind in _INNER:
        outer = cast("dict[str, Any]", dict(schema))
        outer["schema"] = harden(outer["schema"])
        return cast("CoreSchema", outer)
    if kind == "list":
        several = cast("dict[str, Any]", {**schema, "strict": True})
        if "items_schema" in several:
            several["items_schema"] = harden(several["items_schema"])
        return cast("CoreSchema", several)
    if kind == "str":
        return cast("CoreSchema", {**schema, "strict": True})
    if kind == "int":
        return core_schema.no_info_before_validator_function(_not_bool, schema)
    if kind == "float":
        finite = cast("CoreSchema", {**schema, "allow_inf_nan": False})
        return core_schema.no_info_before_validator_function(_not_bool, finite)
    if kind == "datetime":
        aware = cast("CoreSchema", {**schema, "tz_constraint": "aware"})
        return core_schema.no_info_before_validator_function(_not_number, aware)
    if kind == "date":
        return core_schema.no_info_before_validator_function(_not_number, schema)
    return schema


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("sv_bool", "a boolean is not a number")
    return value


def _not_number(value: object) -> object:
    if isinstance(value, int | float):
        raise PydanticCustomError("sv_number", "a number is not a date or time")
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return value
        raise PydanticCustomError("sv_number", "digits alone are not a date or time")
    return value
