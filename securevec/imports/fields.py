"""The payload of a foreign point as columns. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, cast

_DEPTH: Final = 8
_NODE: Final = "_node_content"
"""Where LlamaIndex keeps a node, its text included: a JSON object as text."""


def flatten(fields: Mapping[str, object]) -> dict[str, object]:
    """Nested objects as dotted names (``metadata.tenant``); lists and what is nested too deep stay values.

    A field that is named with a dot itself goes before a nested one of the same name.
    """
    columns: dict[str, object] = {}
    _add(columns, "", fields, 0)
    columns.update({name: value for name, value in fields.items() if "." in name})
    return columns


def _add(columns: dict[str, object], prefix: str, fields: Mapping[str, object], depth: int) -> None:
    for name, value in fields.items():
        held = _node(value) if name == _NODE and isinstance(value, str) else value
        if isinstance(held, dict) and held and depth < _DEPTH:
            _add(columns, f"{prefix}{name}.", cast("dict[str, object]", held), depth + 1)
        else:
            columns[prefix + name] = held


def _node(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def snake(name: str) -> str:
    """A column's name as a field of a Record class is called: ``metadata.Ticket ID`` is ``metadata_ticket_id``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower()


def named(columns: Mapping[str, object]) -> dict[str, object]:
    """The columns under every name a Record class may declare them by.

    That is the name itself, its snake form, and the last part of a nested name unless two nested columns share it. A
    name goes before a snake form, that before a last part.
    """
    last: dict[str, list[object]] = {}
    for name, value in columns.items():
        if "." in name:
            last.setdefault(name.rpartition(".")[2], []).append(value)
    row = {name: values[0] for name, values in last.items() if len(values) == 1}
    row.update({snake(name): value for name, value in columns.items()})
    row.update(columns)
    return row


def type_of(value: object) -> str:
    """What kind of value this is, in one word."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"
