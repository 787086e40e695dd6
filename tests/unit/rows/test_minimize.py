"""What a row must be to become a record, what is kept of it, and that no refusal repeats a value."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any
from uuid import UUID

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from securevec import limits
from securevec.errors import LimitExceeded, RecordError, SchemaError
from securevec.rows.minimize import minimize, rebuild
from securevec.rows.validate import check_name, validate
from securevec.schema import Embed, Filter, Key, Record, Seal, Subject, describe, marks

OWNER = UUID("12345678-1234-5678-1234-567812345678")


class Case(Record):
    id: Key[str]
    customer: Subject[str | None] = None
    title: Embed[str | None] = None
    body: Embed[str | None] = None
    notes: Seal[str | None] = None
    due: Seal[date | None] = None
    seen: Seal[datetime | None] = None
    weight: Seal[float | None] = None
    status: Filter[str | None] = None
    opened: Filter[datetime | None] = None
    born: Filter[date | None] = None
    count: Filter[int | None] = None
    score: Filter[float | None] = None
    done: Filter[bool | None] = None
    owner: Annotated[UUID | None, marks.Filter(mode="token")] = None
    scratch: str | None = None


GOOD: dict[str, object] = {"id": "a-1", "body": "refund never arrived"}
FULL: dict[str, object] = {
    "id": "a-1",
    "customer": "Jane Doe",
    "title": "Refund",
    "body": "never arrived",
    "notes": "vip",
    "due": "2026-02-03",
    "seen": "2026-01-01T12:00:00.1239+02:00",
    "weight": 1.5,
    "status": "open",
    "opened": datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
    "born": date(1969, 12, 31),
    "count": "3",
    "score": 2,
    "done": "true",
    "owner": str(OWNER),
    "scratch": "canary-scratch",
    "ssn": "canary-ssn",
}


class Numbered(Record):
    id: Key[int]
    body: Embed[str]


class Tagged(Record):
    id: Key[UUID]
    body: Embed[str]


def test_every_field_goes_where_its_marker_says() -> None:
    small = minimize(describe(Case), validate(Case, FULL))
    assert small.record_id == "a-1"
    assert list(small.texts.items()) == [
        ("customer", "Jane Doe"),
        ("title", "Refund"),
        ("body", "never arrived"),
        ("notes", "vip"),
    ]
    assert small.kept == {"due": "2026-02-03", "seen": "2026-01-01T10:00:00.123Z", "weight": 1.5}
    assert small.filters == {
        "status": "open",
        "opened": 1_767_261_600_000,
        "born": -86_400_000,
        "count": 3,
        "score": 2.0,
        "done": True,
        "owner": str(OWNER),
    }


def test_undeclared_and_unmarked_fields_do_not_pass() -> None:
    small = minimize(describe(Case), validate(Case, FULL))
    assert b"canary" not in small.canonical
    assert "canary" not in str((small.texts, small.kept, small.filters))


def test_the_canonical_form_is_sorted_tight_and_independent_of_input_order_and_zone() -> None:
    one = minimize(describe(Case), validate(Case, FULL))
    other = dict(reversed(FULL.items())) | {"opened": "2026-01-01T10:00:00Z", "count": 3}
    two = minimize(describe(Case), validate(Case, other))
    assert one.canonical == two.canonical
    assert one.size == len(one.canonical)
    members = orjson.loads(one.canonical)
    assert list(members) == sorted(members)
    assert orjson.dumps(members) == one.canonical


def test_nulls_are_left_out_everywhere() -> None:
    small = minimize(describe(Case), validate(Case, GOOD))
    assert small.canonical == b'{"body":"refund never arrived","id":"a-1"}'
    assert (small.kept, small.filters) == ({}, {})


def test_what_was_minimized_is_hidden_when_printed() -> None:
    assert "Jane" not in repr(minimize(describe(Case), validate(Case, FULL)))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"id": "a\0b"}, "id"),
        ({"id": "\ud800"}, "id"),
        ({"body": None}, "title"),
        ({"body": " \n"}, "title"),
        ({"body": b"bytes"}, "body"),
        ({"body": "canary\0"}, "body"),
        ({"body": "canary\udfff"}, "body"),
        ({"status": "canary\ud800"}, "status"),
        ({"status": 3}, "status"),
        ({"opened": "2026-01-01T00:00:00"}, "opened"),
        ({"opened": datetime(2026, 1, 1)}, "opened"),  # noqa: DTZ001  # the naive time is the attack
        ({"opened": "canary"}, "opened"),
        ({"opened": "20260101"}, "opened"),
        ({"opened": 1_767_225_600}, "opened"),
        ({"opened": "0001-01-01T00:00:00+05:00"}, "opened"),
        ({"seen": "9999-12-31T23:59:59-05:00"}, "seen"),
        ({"born": "canary"}, "born"),
        ({"count": "3.5"}, "count"),
        ({"count": True}, "count"),
        ({"count": 2**63}, "count"),
        ({"count": "9" * 5000}, "count"),
        ({"score": float("nan")}, "score"),
        ({"score": "-inf"}, "score"),
        ({"weight": float("inf")}, "weight"),
        ({"done": "maybe"}, "done"),
        ({"owner": "canary"}, "owner"),
    ],
)
def test_a_bad_value_is_refused_by_field_and_not_repeated(bad: dict[str, object], field: str) -> None:
    with pytest.raises(RecordError) as caught:
        validate(Case, GOOD | bad)
    error = caught.value
    assert error.field == field
    assert "canary" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"id": "x" * 1025}, "id"),
        ({"id": "é" * 600}, "id"),
        ({"id": "x" * 10_000}, "id"),
        ({"body": "x" * (limits.MAX_TEXT_BYTES + 1)}, "body"),
        ({"notes": "é" * (limits.MAX_TEXT_BYTES // 2 + 1)}, "notes"),
    ],
)
def test_a_value_over_its_limit_is_refused_by_field(bad: dict[str, object], field: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        validate(Case, GOOD | bad)
    assert caught.value.field == field


def test_a_record_over_the_limit_is_refused_although_each_text_fits() -> None:
    nine = "x" * (9 * 1024 * 1024)
    with pytest.raises(LimitExceeded, match="record"):
        validate(Case, GOOD | {"title": nine, "notes": nine})
    escaped = "\x01" * (3 * 1024 * 1024)
    with pytest.raises(LimitExceeded, match="record"):
        validate(Case, GOOD | {"notes": escaped})


@pytest.mark.parametrize("record_id", ["../../etc/passwd", "🦊", "a/b", "é", "e\u0301", " a ", "x" * 1024, "‮"])
def test_ids_are_opaque(record_id: str) -> None:
    assert minimize(describe(Case), validate(Case, GOOD | {"id": record_id})).record_id == record_id


def test_ids_may_be_numbers_or_uuids_and_keep_their_type() -> None:
    assert minimize(describe(Numbered), validate(Numbered, {"id": "7", "body": "b"})).record_id == 7
    assert minimize(describe(Tagged), validate(Tagged, {"id": str(OWNER), "body": "b"})).record_id == OWNER
    with pytest.raises(RecordError):
        validate(Numbered, {"id": True, "body": "b"})
    with pytest.raises(RecordError):
        validate(Numbered, {"id": 2**64, "body": "b"})


def test_a_record_of_the_class_passes_and_one_of_another_is_refused() -> None:
    made = Numbered(id=1, body="b")
    assert validate(Numbered, made) is made
    with pytest.raises(RecordError, match="another class"):
        validate(Case, made)
    things: list[Any] = [None, "id", ["id"], 3]
    for thing in things:
        with pytest.raises(RecordError, match="mapping"):
            validate(Case, thing)


@pytest.mark.parametrize(
    "values",
    [
        {"id": "a", "body": 3},
        {"id": "a", "body": "b", "opened": datetime(2026, 1, 1)},  # noqa: DTZ001  # the naive time is the attack
        {"id": "a", "body": "b", "born": datetime(2026, 1, 1, tzinfo=UTC)},
        {"id": "a", "body": "b", "count": True},
        {"id": "a", "body": "b", "score": float("nan")},
        {"body": "b"},
    ],
)
def test_a_record_built_around_the_checks_is_checked_again(values: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        validate(Case, Case.model_construct(**values))


def test_a_validator_of_the_class_cannot_leak_through_its_exception() -> None:
    class Checked(Record):
        id: Key[str]
        body: Embed[str]

        @field_validator("body")
        @classmethod
        def check(cls, value: str) -> str:
            raise KeyError(value) if value.startswith("key") else ValueError(value)

    for body in ("key canary", "value canary"):
        with pytest.raises(RecordError) as caught:
            validate(Checked, {"id": "a", "body": body})
        assert "canary" not in str(caught.value)
        assert caught.value.__context__ is None


class Patterned(Record):
    """With a check of the whole record, and one that pydantic makes of a value."""

    id: Key[str]
    body: Embed[str]
    code: Annotated[str | None, marks.Seal(), Field(pattern="[a-z]+")] = None

    @model_validator(mode="after")
    def _whole(self) -> Patterned:
        if self.body == "jane.roe@corp.example":
            raise ValueError(self.body)
        return self


@pytest.mark.parametrize(
    ("bad", "field", "words"),
    [
        ({"body": "jane.roe@corp.example"}, None, "own check refused"),
        ({"body": "a text", "code": "JANE.ROE@CORP"}, "code", "is not usable"),
    ],
)
def test_a_check_of_the_class_refuses_without_naming_what_it_refused(
    bad: dict[str, object], field: str | None, words: str
) -> None:
    with pytest.raises(RecordError, match=words) as refused:
        validate(Patterned, {"id": "T-1", **bad})
    assert refused.value.field == field
    assert "jane" not in f"{refused.value!r} {refused.value.__cause__} {refused.value.__context__}".lower()


def test_a_record_comes_back_typed_from_its_canonical_values() -> None:
    record = validate(Case, FULL)
    small = minimize(describe(Case), record)
    back = rebuild(Case, {**small.texts, **small.kept, **small.filters, "id": small.record_id})
    assert back.opened == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert back.seen == datetime(2026, 1, 1, 10, 0, 0, 123_000, tzinfo=UTC)
    assert (back.born, back.due, back.owner) == (date(1969, 12, 31), date(2026, 2, 3), OWNER)
    assert back.scratch is None
    assert minimize(describe(Case), back).canonical == small.canonical
    with pytest.raises(ValidationError):
        back.body = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # frozen, as any record


@pytest.mark.parametrize(
    "values",
    [
        {"body": "b"},
        {"id": "a", "body": "b", "ssn": "x"},
        {"id": "a", "body": 3},
        {"id": "a", "body": "b", "count": "3"},
        {"id": "a", "body": "b", "count": True},
        {"id": "a", "body": "b", "done": 1},
        {"id": "a", "body": "b", "opened": "2026-01-01T00:00:00"},
        {"id": "a", "body": "b", "opened": 10**20},
        {"id": "a", "body": "b", "owner": "x"},
    ],
)
def test_values_that_are_not_canonical_are_not_taken_for_a_record(values: dict[str, object]) -> None:
    with pytest.raises(SchemaError):
        rebuild(Case, values)


@given(
    opened=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])),
    born=st.dates(),
    count=st.integers(-(2**63), 2**63 - 1),
    score=st.floats(allow_nan=False, allow_infinity=False),
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
)
def test_minimizing_what_was_rebuilt_changes_nothing(
    opened: datetime, born: date, count: int, score: float, text: str
) -> None:
    raw = {"id": "a", "body": "b", "notes": text, "opened": opened, "born": born, "count": count, "score": score}
    assume(1 < opened.year < 9999)
    small = minimize(describe(Case), validate(Case, raw))
    back = rebuild(Case, {**small.texts, **small.kept, **small.filters, "id": small.record_id})
    assert minimize(describe(Case), back).canonical == small.canonical
    assert back.opened is not None
    assert timedelta(0) <= opened - back.opened < timedelta(milliseconds=1)


@pytest.mark.parametrize("name", ["acme", "Acme GmbH & Co.", "🦊", "a" * 256, "..", "svc:helpdesk", "é", "e\u0301"])
def test_names_are_opaque(name: str) -> None:
    assert check_name("tenant", name) == name


@pytest.mark.parametrize(
    "name", ["", " ", " acme", "acme\n", "a\0b", "a/b", "a\x1bb", "a\u2028b", "\ud800", "é" * 129, None, 3, b"acme"]
)
def test_a_name_that_could_be_misread_is_refused_without_being_repeated(name: object) -> None:
    with pytest.raises(RecordError) as caught:
        check_name("collection", name)
    assert caught.value.field == "collection"
    assert "acme" not in str(caught.value)


def test_six_fields_take_well_under_a_millisecond() -> None:
    schema = describe(Case)
    raw = {name: FULL[name] for name in ("id", "customer", "body", "notes", "status", "opened")}
    best = 1.0
    for _ in range(20):
        start = time.thread_time()
        for _ in range(50):
            minimize(schema, validate(Case, raw))
        best = min(best, (time.thread_time() - start) / 50)
    assert best < 300e-6


class Plain(Record):
    id: Key[str]
    body: Embed[str]
    note: Seal[str | None] = None


class Checked(Plain):
    _seen: list[str] = PrivateAttr(default_factory=list[str])


class Open(Plain, extra="allow"):
    pass


class Aliased(Plain):
    label: Seal[str] = Field(alias="tag")


@pytest.mark.parametrize("record_class", [Plain, Checked, Open, Aliased])
@pytest.mark.parametrize("note", ["n", None])
def test_a_record_read_back_is_one_that_pydantic_would_make(record_class: type[Plain], note: str | None) -> None:
    more: dict[str, Any] = {"label": "x"} if record_class is Aliased else {}
    back = rebuild(record_class, {"id": "a", "body": "b", "note": note, **more})
    made = record_class.model_construct(id="a", body="b", note=note, **more)
    assert back == made
    assert type(back) is record_class
    assert back.model_fields_set == made.model_fields_set
    assert back.model_dump() == made.model_dump()
    assert back.model_copy(deep=True) == made
    assert (back.__pydantic_extra__, back.__pydantic_private__) == (made.__pydantic_extra__, made.__pydantic_private__)
    with pytest.raises(ValidationError):
        back.body = "other"  # type: ignore[misc]  # frozen, which is what is tried
