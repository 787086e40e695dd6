"""What a Record class may declare, and that its description survives storage."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
import pytest
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WrapValidator, create_model

from securevec.errors import SchemaError, UnknownFormat
from securevec.schema import Embed, Filter, Key, Record, Schema, Seal, Subject, describe, marks


class Ticket(Record):
    id: Key[str]
    customer: Subject[str | None] = None
    body: Embed[str]
    notes: Seal[str | None] = None
    due: Seal[date | None] = None
    status: Filter[Literal["open", "closed"]]
    opened: Filter[datetime]
    owner: Annotated[UUID | None, marks.Filter(mode="token")] = None
    raw: Annotated[str | None, marks.Seal(keep="original")] = None
    scratch: str = ""


GOOD = {"id": "a", "body": "b", "status": "open", "opened": "2026-01-01T00:00:00Z"}


def record(**annotations: Any) -> type[Record]:
    fields: dict[str, Any] = {name: (annotation, ...) for name, annotation in annotations.items()}
    return create_model("Sample", __base__=Record, **fields)


def test_markers_types_and_parameters_are_read_in_declared_order() -> None:
    schema = describe(Ticket)
    assert schema.name == "Ticket"
    assert [(f.name, f.kind, f.type, f.optional) for f in schema.fields] == [
        ("id", "key", "str", False),
        ("customer", "subject", "str", True),
        ("body", "embed", "str", False),
        ("notes", "seal", "str", True),
        ("due", "seal", "date", True),
        ("status", "filter", "str", False),
        ("opened", "filter", "datetime", False),
        ("owner", "filter", "uuid", True),
        ("raw", "seal", "str", True),
    ]
    assert schema.key.name == "id"
    assert schema.field("owner").mode == "token"
    assert schema.field("raw").keep == "original"
    assert [field.name for field in schema.by_kind("filter")] == ["status", "opened", "owner"]


def test_a_field_without_a_marker_is_not_part_of_the_schema() -> None:
    assert "scratch" not in describe(Ticket).names


def test_an_unknown_field_is_answered_with_the_declared_ones() -> None:
    with pytest.raises(SchemaError, match="customer"):
        describe(Ticket).field("nope")


def test_a_stored_schema_is_the_same_schema_with_the_same_digest() -> None:
    schema = describe(Ticket)
    again = Schema.from_json(schema.to_json())
    assert again == schema
    assert again.digest == schema.digest
    assert len(schema.digest) == 64


def test_a_class_rebuilt_from_storage_has_the_same_schema_and_the_same_strictness() -> None:
    rebuilt = Schema.from_json(describe(Ticket).to_json()).record_class()
    assert describe(rebuilt) == describe(Ticket)
    assert rebuilt.model_validate(GOOD).model_dump()["opened"] == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValidationError):
        rebuilt.model_validate(GOOD | {"opened": "2026-01-01T00:00:00"})


def test_the_digest_follows_the_fields_and_not_the_name_of_the_class() -> None:
    one = create_model("One", __base__=Record, id=(Key[str], ...), body=(Embed[str], ...))
    two = create_model("Two", __base__=Record, id=(Key[str], ...), body=(Embed[str], ...))
    other = create_model("One", __base__=Record, id=(Key[int], ...), body=(Embed[str], ...))
    assert describe(one).digest == describe(two).digest != describe(other).digest


# As plain values: a type checker would read the subscripts below as types, and refuse what is meant to be refused.
KEY: Any = Key
SUBJECT: Any = Subject
EMBED: Any = Embed
SEAL: Any = Seal
FILTER: Any = Filter


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"body": EMBED[str]}, "one Key"),
        ({"id": KEY[str], "number": KEY[int], "body": EMBED[str]}, "one Key"),
        ({"id": KEY[str], "note": SEAL[str]}, "Embed"),
        ({"id": KEY[str | None], "body": EMBED[str]}, '"id".*null'),
        ({"id": KEY[float], "body": EMBED[str]}, '"id"'),
        ({"id": KEY[str], "body": EMBED[int]}, '"body"'),
        ({"id": KEY[str], "body": EMBED[str], "who": SUBJECT[int]}, '"who"'),
        ({"id": KEY[str], "body": EMBED[str], "tags": SEAL[list[str]]}, '"tags"'),
        ({"id": KEY[str], "body": EMBED[str], "x": FILTER[dict[str, str]]}, '"x"'),
        ({"id": KEY[str], "body": EMBED[str], "x": FILTER[int | str]}, '"x"'),
        ({"id": KEY[str], "body": EMBED[str], "x": FILTER[bytes]}, '"x"'),
        ({"id": KEY[str], "body": EMBED[str], "x": FILTER[Any]}, '"x"'),
        ({"id": KEY[str], "body": EMBED[str], "x": FILTER[Literal[1, 2]]}, '"x"'),
        ({"id": KEY[str], "body": EMBED[str], "x": FILTER[Literal["one", 2]]}, '"x"'),
        ({"id": KEY[str], "body": EMBED[str], "x": SEAL[str] | None}, "inside a union"),
        ({"id": KEY[str], "body": EMBED[str], "x": Annotated[str, marks.Seal(), marks.Filter()]}, "more than one"),
        ({"id": KEY[str], "body": EMBED[str], "x" * 65: SEAL[str]}, "field name"),
        ({"id": KEY[str], "body": EMBED[str], "naïve": SEAL[str]}, "field name"),
        ({"id": KEY[str], **{f"b{n}": EMBED[str] for n in range(64)}}, "64"),
    ],
)
def test_a_class_that_cannot_be_honoured_is_refused(annotations: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        describe(record(**annotations))


def test_a_marked_name_that_pydantic_keeps_private_is_refused_and_not_silently_dropped() -> None:
    class Hidden(Record):
        id: Key[str]
        body: Embed[str]
        _tenant: Seal[str]

    class Own(Record):
        id: Key[str]
        body: Embed[str]
        _cached: int = 0

    with pytest.raises(SchemaError, match=r"_tenant.*underscore"):
        describe(Hidden)
    assert [field.name for field in describe(Own).fields] == ["id", "body"]


def test_a_class_whose_annotations_cannot_be_resolved_is_refused_and_not_silently_emptied() -> None:
    source = (
        "from securevec.schema import Record, Key, Embed, Seal\n"
        "class Lost(Record):\n    id: Key[str]\n    body: Embed[str]\n    extra: 'Seal[Missing]'\n"
    )
    scope: dict[str, Any] = {}
    exec(compile(source, "lost", "exec", dont_inherit=True), scope)
    with pytest.raises(SchemaError, match="cannot be found"):
        describe(scope["Lost"])


def test_something_that_is_no_record_class_is_refused() -> None:
    things: list[Any] = [dict, BaseException, str | None, Ticket.model_validate(GOOD)]
    for thing in things:
        with pytest.raises(SchemaError, match="derives from"):
            describe(thing)


def _changed(**change: object) -> bytes:
    return orjson.dumps({**orjson.loads(describe(Ticket).to_json()), **change})


def _field_changed(**change: object) -> bytes:
    document = orjson.loads(describe(Ticket).to_json())
    document["fields"][2] |= change
    return orjson.dumps(document)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        _changed(extra=1),
        _changed(name=None),
        _changed(name="a b"),
        _changed(fields={}),
        _changed(fields=[1]),
        _field_changed(kind="clear"),
        _field_changed(kind=["embed"]),
        _field_changed(type="bytes"),
        _field_changed(optional="no"),
        _field_changed(keep="all"),
        _field_changed(mode="bucket"),
        _field_changed(name="f.x"),
        _field_changed(name="id"),
        _field_changed(surprise=1),
    ],
)
def test_a_stored_schema_that_was_altered_is_refused(data: bytes) -> None:
    with pytest.raises(SchemaError):
        Schema.from_json(data)


def test_a_stored_schema_of_another_format_is_not_guessed() -> None:
    with pytest.raises(UnknownFormat):
        Schema.from_json(_changed(v=2))


@pytest.mark.parametrize(
    "bad",
    [
        {"opened": "2026-01-01T00:00:00"},
        {"opened": "20260101"},
        {"opened": 1_767_225_600},
        {"due": "20260101"},
        {"due": 3},
        {"due": 20_454 * 86_400},
        {"due": str(20_454 * 86_400)},
        {"body": b"bytes"},
        {"status": "other"},
    ],
)
def test_a_conversion_that_would_guess_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Ticket.model_validate(GOOD | bad)


def test_booleans_are_not_numbers() -> None:
    numbers = record(id=Key[int], body=Embed[str], score=Filter[float])
    for bad in ({"id": True}, {"score": False}, {"score": float("nan")}, {"score": "inf"}):
        with pytest.raises(ValidationError):
            numbers.model_validate({"id": 1, "body": "b", "score": 1.5} | bad)
    assert numbers.model_validate({"id": "7", "body": "b", "score": "1.5"}).model_dump()["id"] == 7


@pytest.mark.parametrize("bad", [True, "x", [1, True], (1, 2), {1, 2}, "12", [1, "y"]])
def test_a_list_of_numbers_is_a_list_of_what_a_number_may_be(bad: object) -> None:
    lists = record(id=Key[int], body=Embed[str], sizes=FILTER[list[int]])
    assert lists.model_validate({"id": 1, "body": "b", "sizes": [1, "2"]}).model_dump()["sizes"] == [1, 2]
    with pytest.raises(ValidationError):
        lists.model_validate({"id": 1, "body": "b", "sizes": bad})


@pytest.mark.parametrize("bad", [("a", "b"), {"a"}, [b"a"], [1], "ab"])
def test_a_list_of_texts_is_a_list_of_texts(bad: object) -> None:
    lists = record(id=Key[int], body=Embed[str], tags=FILTER[list[str]])
    with pytest.raises(ValidationError):
        lists.model_validate({"id": 1, "body": "b", "tags": bad})


def _as_it_is(value: Any) -> Any:
    return value


def _handed_on(value: Any, handler: Any) -> Any:
    return handler(value)


@pytest.mark.parametrize("own", [BeforeValidator(_as_it_is), AfterValidator(_as_it_is), WrapValidator(_handed_on)])
def test_a_check_of_the_callers_own_beside_a_marker_loosens_nothing(own: Any) -> None:
    checked = record(id=Key[int], body=Embed[str], size=Annotated[int | None, own, marks.Filter()])
    assert checked.model_validate({"id": 1, "body": "b", "size": "3"}).model_dump()["size"] == 3
    with pytest.raises(ValidationError):
        checked.model_validate({"id": 1, "body": "b", "size": True})


def test_a_record_shows_no_value_when_printed_and_cannot_be_changed() -> None:
    ticket = Ticket.model_validate(GOOD | {"body": "canary-body", "notes": "canary-notes"})
    assert "canary" not in f"{ticket} {ticket!r}"
    assert "body=…" in repr(ticket)
    with pytest.raises(ValidationError):
        ticket.body = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # the attack itself


def test_an_undeclared_column_is_dropped_and_an_alias_is_read() -> None:
    class Aliased(Record):
        id: Key[str]
        body: Embed[str] = Field(alias="Message Text")

    made = Aliased.model_validate({"id": "a", "Message Text": "t", "ssn": "078-05-1120"})
    assert made.body == "t"
    assert not hasattr(made, "ssn")
    assert "078" not in str(made.model_dump())
