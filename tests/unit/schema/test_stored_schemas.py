"""A stored schema that no release writes is refused before a record is read by it: what a field may be is decided on
the stored words, not on the annotations of a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from securevec.errors import SchemaError
from securevec.schema import Schema

_KEY = {"name": "id", "kind": "key", "type": "str", "optional": False, "keep": "anonymized", "mode": "token"}
_BODY = {"name": "body", "kind": "embed", "type": "str", "optional": False, "keep": "anonymized", "mode": "token"}


def _field(**changes: object) -> dict[str, object]:
    return {
        "name": "x",
        "kind": "subject",
        "type": "str",
        "optional": True,
        "keep": "anonymized",
        "mode": "token",
    } | changes


def _schema(*more: object, name: object = "Letter") -> bytes:
    return orjson.dumps({"v": 1, "name": name, "fields": [_KEY, _BODY, *more]})


def _bucket(**changes: object) -> dict[str, object]:
    return _field(kind="filter", type="int", mode="bucket") | changes


GOOD: dict[str, bytes] = {
    "a person with a key": _schema(_field(shred=True)),
    "a bucket": _schema(_bucket(width=30)),
    "a cut token": _schema(_field(kind="filter", truncate=8)),
}
BAD: dict[str, bytes] = {
    "two people with keys": _schema(_field(shred=True), _field(name="y", shred=True)),
    "a filter that is shredded": _schema(_field(kind="filter", shred=True)),
    "a shred that is a word": _schema(_field(shred="yes")),
    "a shred that is a number": _schema(_field(shred=1)),
    "a name that is a number": _schema(_field(name=7)),
    "a schema whose name is a number": _schema(name=7),
    "fields that are no list": orjson.dumps({"v": 1, "name": "Letter", "fields": {"id": _KEY}}),
    "fields that are a number": orjson.dumps({"v": 1, "name": "Letter", "fields": 7}),
    "a field that is nothing": _schema(None),
    "a field that is the list of its members": _schema(list(_field())),
    "a type that is a list": _schema(_field(type=["str"])),
    "a type that is an object": _schema(_field(type={"str": 1})),
    "a mode that is a list": _schema(_field(kind="filter", mode=["token"])),
    "a width without a bucket": _schema(_field(kind="filter", width=30)),
    "a bucket without a width": _schema(_bucket()),
    "a bucket as wide as a word": _schema(_bucket(width="30")),
    "a bucket of nothing": _schema(_bucket(width=0)),
    "a bucket of truth": _schema(_bucket(width=True)),
    "a seal that is cut": _schema(_field(kind="seal", truncate=8)),
    "a clear value that is cut": _schema(_field(kind="filter", mode="clear", truncate=8)),
    "a list that is cut": _schema(_field(kind="filter", type="list[str]", truncate=8)),
    "cut to a word": _schema(_field(kind="filter", truncate="8")),
    "cut to nothing": _schema(_field(kind="filter", truncate=0)),
    "cut to a truth": _schema(_field(kind="filter", truncate=True)),
}


@pytest.mark.parametrize("stored", GOOD)
def test_what_a_release_writes_is_read_as_it_was_written(stored: str) -> None:
    schema = Schema.from_json(GOOD[stored])
    assert Schema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize("stored", BAD)
def test_a_stored_schema_that_no_release_writes_is_refused(stored: str) -> None:
    read: Callable[[bytes], Any] = Schema.from_json
    with pytest.raises(SchemaError):
        read(BAD[stored])
