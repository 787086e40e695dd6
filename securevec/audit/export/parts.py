"""What both notations take out of a record, whatever the record holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast

import orjson

_EMPTY: Final[Mapping[str, object]] = {}


def record_in(raw: bytes) -> Mapping[str, object]:
    """The object of a line; empty when there is none."""
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _EMPTY
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else _EMPTY


def part(record: Mapping[str, object], *path: str) -> Mapping[str, object]:
    """The object at ``path``; empty when there is none."""
    for name in path:
        value = record.get(name)
        if not isinstance(value, dict):
            return _EMPTY
        record = cast("Mapping[str, object]", value)
    return record


def text(value: object) -> str:
    """A word as it is, a number in digits, a flag as JSON writes it; anything else is empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


def number(value: object, *, least: int, most: int, otherwise: int) -> int:
    return value if type(value) is int and least <= value <= most else otherwise


def moment(record: Mapping[str, object]) -> datetime | None:
    """``time``, UTC milliseconds, as a moment; ``None`` for what is no time of a calendar."""
    value = record.get("time")
    try:
        return (
            datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)
            if type(value) is int
            else None
        )
    except (ValueError, OverflowError, OSError):
        return None


def printable(value: str, *, limit: int) -> str:
    """At most ``limit`` printable ASCII characters without a space; ``?`` for every other one."""
    return "".join([c if "!" <= c <= "~" else "?" for c in value[:limit]])
