"""What a caller gives that is no vector and no time is refused by name, and said nowhere: not in a cause either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

import pytest

import securevec as sv
from securevec.errors import FilterError, RecordError, UsageError, VectorError
from securevec.people.erase import fence_end
from securevec.rows.validate import validate
from securevec.vectors import as_vectors

CANARY = "jane.roe@corp.example"


def said(error: BaseException | None) -> str:
    """An error and whatever hangs on it."""
    return "" if error is None else f"{error!r} {said(error.__cause__)} {said(error.__context__)}"


@pytest.mark.parametrize("given", [[CANARY], [[1.0, CANARY]], CANARY, {"a": CANARY}])
def test_what_is_no_number_is_in_no_error_of_given_vectors(given: object) -> None:
    with pytest.raises(VectorError) as refused:
        as_vectors(given, field="vectors")
    assert refused.value.field == "vectors"
    assert CANARY not in said(refused.value)


@pytest.mark.parametrize(
    "until", [datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))), datetime.fromisoformat("2030-01-01")]
)
def test_an_end_of_the_fence_outside_the_calendar_or_without_a_zone_is_refused(until: datetime) -> None:
    with pytest.raises(UsageError, match="no time zone, or lies beyond"):
        fence_end(until, now_ms=0)


@pytest.mark.parametrize("until", [CANARY.encode(), [CANARY], 30, None])
def test_an_end_of_the_fence_that_is_no_time_is_refused_by_type(until: Any) -> None:
    with pytest.raises(UsageError, match="datetime or a duration") as refused:
        fence_end(until, now_ms=0)
    assert CANARY not in said(refused.value)


class Failing(tzinfo):
    def utcoffset(self, dt: datetime | None) -> timedelta:
        raise LookupError(CANARY)

    dst = tzname = utcoffset  # type: ignore[assignment]  # whatever is asked of it


class Unreadable(datetime):
    def astimezone(self, tz: tzinfo | None = None) -> Any:
        raise LookupError(CANARY)


class Later(sv.Record):
    id: sv.Key[str]
    text: sv.Embed[str]
    seen: sv.Filter[datetime]


@pytest.mark.parametrize("seen", [datetime(2026, 1, 1, tzinfo=Failing()), Unreadable(2026, 1, 1, tzinfo=UTC)])
def test_a_time_of_a_class_that_fails_costs_its_own_row_and_is_said_nowhere(seen: datetime) -> None:
    with pytest.raises(RecordError) as refused:
        validate(Later, {"id": "1", "text": "x", "seen": seen})
    assert refused.value.field == "seen"
    assert CANARY not in said(refused.value)
    with pytest.raises(FilterError) as unasked:
        _ = sv.F("seen") > seen
    assert CANARY not in said(unasked.value)


class Lying(str):
    """Another text whenever it is asked how long it is."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b""


@pytest.mark.parametrize(("name", "value"), [("text", Lying("x")), ("id", Lying("x")), ("text", 7)])
def test_a_record_built_around_its_checks_holds_plain_texts(name: str, value: object) -> None:
    values: dict[str, Any] = {"id": "1", "text": "x", "seen": datetime(2026, 1, 1, tzinfo=UTC), name: value}
    built = Later.model_construct(**values)
    with pytest.raises(RecordError) as refused:
        validate(Later, built)
    assert refused.value.field == name


class Several(sv.Record):
    id: sv.Key[str]
    text: sv.Embed[str]
    seen: sv.Filter[datetime]
    tags: sv.Filter[list[str] | None] = None


class NaTType:
    """Called as pandas calls what it keeps in the place of a time."""


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"id": 7}, "id", "is not text but int."),
        ({"text": Decimal(1)}, "text", "is not text but Decimal."),
        ({"text": float("nan")}, "text", "is not text; give None where a value is missing."),
        ({"seen": NaTType()}, "seen", "is not a date and time; give None where a value is missing."),
        ({"tags": ("a",)}, "tags", "is not a list but tuple."),
        ({"tags": "a,b"}, "tags", "is not a list."),
        ({"text": None}, "text", "may not be null."),
    ],
)
def test_a_value_of_another_type_is_told_by_its_type(given: dict[str, object], field: str, said: str) -> None:
    row = {"id": "1", "text": "x", "seen": datetime(2026, 1, 1, tzinfo=UTC)} | given
    with pytest.raises(RecordError) as caught:
        validate(Several, row)
    assert (str(caught.value), caught.value.field) == (f'Field "{field}" {said}', field)


@pytest.mark.parametrize(
    ("name", "near"),
    [("texts", True), ("TEXT", True), ("t-e-x-t", True), ("remarks", False), (f"text {CANARY}", False)],
)
def test_a_name_that_only_slipped_is_told_without_being_repeated(name: str, near: bool) -> None:
    with pytest.raises(RecordError, match='"text" is missing') as caught:
        validate(Several, {"id": "1", "seen": datetime(2026, 1, 1, tzinfo=UTC), name: "x"})
    assert ("almost the same" in str(caught.value)) is near
    assert name not in str(caught.value).replace('"text"', "")
