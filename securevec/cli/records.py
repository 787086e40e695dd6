"""From what is typed to what the library takes: Record classes from files, record ids, filter conditions."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from securevec.errors import FilterError, SchemaError, UsageError

if TYPE_CHECKING:
    from securevec.filters import Expr, FilterInput
    from securevec.points.body import RecordId
    from securevec.schema import FieldSpec, Record, Schema

_CONDITION: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)( *)(!=|>=|<=|==?|>|<)(.*)\Z", re.DOTALL)
_BOOLEANS: Final = {"true": True, "false": False}


def load_record(reference: str) -> type[Record]:
    """The class that ``FILE.py:Class`` names, or the one of ``FILE.py``. The file is run: it is the caller's own code.

    Raises :class:`SchemaError`; what the file's code raised is named by its class only.
    """
    from securevec.schema import Record

    file, separator, name = reference.rpartition(":")
    if not separator:
        file = name
    if not file.endswith(".py") or (separator and not name.isidentifier()):
        raise SchemaError("A schema is written FILE.py:Class.", next_step="For example schema.py:Ticket.")
    path = Path(file)
    if not os.path.isfile(path):
        raise SchemaError(
            f"The schema file {path} does not exist.", next_step="Make one: securevec schema infer FILE > schema.py"
        )
    module_name = f"securevec_schema_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise SchemaError("The schema file cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    # Annotations are resolved through the module's name.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except SchemaError:
        raise
    except (Exception, SystemExit) as error:
        raise SchemaError(
            f"The schema file failed with {type(error).__name__}.", next_step="Run it with python to see where."
        ) from error
    own = [key for key, value in vars(module).items() if _record_made_in(value, module_name)]
    found: object = getattr(module, name if separator or len(own) != 1 else own[0], None)
    if not isinstance(found, type) or not issubclass(found, Record):
        step = f"It has: {', '.join(sorted(own))}." if own else "Propose one from data: securevec schema infer FILE"
        if not own:
            raise SchemaError("The schema file has no Record class.", next_step=step)
        raise SchemaError(
            "The schema file has no Record class of that name." if separator else "Which class of the schema file?",
            next_step=step,
        )
    return found


def _record_made_in(value: object, module: str) -> bool:
    from securevec.schema import Record

    return isinstance(value, type) and issubclass(value, Record) and value.__module__ == module


def record_id(schema: Schema, typed: str) -> RecordId:
    """A record id of the type the schema's key has. Raises :class:`UsageError`."""
    kind = schema.key.type
    try:
        if kind == "int":
            return int(typed)
        return UUID(typed) if kind == "uuid" else typed
    except ValueError as error:
        raise UsageError(f"A record id of this collection is of the type {kind}.") from error


def conditions(schema: Schema, typed: Sequence[str]) -> Expr | None:
    """``field=value``, ``==``, ``!=``, ``>``, ``>=``, ``<``, ``<=``, all of which must hold. Raises
    :class:`FilterError`."""
    from securevec.filters import all_of

    parts = [_condition(schema, text) for text in typed]
    return all_of(parts) if parts else None


def _condition(schema: Schema, text: str) -> Expr:
    from securevec.filters import F

    match = _CONDITION.match(text)
    if match is None:
        raise FilterError("A condition is written field=value, in quotes.", next_step="Also != > >= < <=.")
    name, spaced, sign, rest = match.groups()
    known = {spec.name: spec for spec in schema.by_kind("filter")}
    spec = known.get(name)
    if spec is None:
        raise FilterError(
            "A condition names a field that is not a declared filter.",
            next_step=f"Declared: {', '.join(known) or 'none'}.",
        )
    # Blanks on both sides of the sign belong to it; behind it alone they are the value's.
    field, value = F(spec.name), _value(spec, rest.lstrip(" ") if spaced else rest)
    match sign:
        case "=" | "==":
            return field == value
        case "!=":
            return field != value
        case ">":
            return field > value
        case ">=":
            return field >= value
        case "<":
            return field < value
        case _:
            return field <= value


def _value(spec: FieldSpec, text: str) -> FilterInput:
    try:
        match spec.type:
            case "int" | "list[int]":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return _BOOLEANS[text.lower()]
            case "datetime":
                return datetime.fromisoformat(text)
            case "date":
                return date.fromisoformat(text)
            case "uuid":
                return UUID(text)
            case _:
                return text
    except (ValueError, KeyError) as error:
        raise FilterError(
            f"The value of a condition on `{spec.name}` is not of the type {spec.type}.", field=spec.name
        ) from error
