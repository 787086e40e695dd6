"""Bucketed fields: the store narrows down to whole buckets, and the sealed value decides."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import securevec as sv
from securevec import F, limits
from securevec.errors import FilterError, IsolationViolation, SchemaError
from securevec.filters import And, Compare, Exists, Expr, In, Not, Or, matches
from securevec.points.buckets import around
from securevec.points.protect import FilterProtector
from securevec.schema import describe, marks
from securevec.schema.fields import Schema
from securevec.types import CollectionId, ProtectedPoint
from tests.support.attacks import ENGINES, open_stage

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


class Person(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    age: Annotated[int | None, marks.Filter(mode="bucket", width=10)] = None
    paid: Annotated[float | None, marks.Filter(mode="bucket", width=100)] = None
    born: Annotated[date | None, marks.Filter(mode="bucket", width=365)] = None
    seen: Annotated[datetime | None, marks.Filter(mode="bucket", width=1)] = None
    state: sv.Filter[str | None] = None


PROTECTOR = FilterProtector(describe(Person), collection=CollectionId("0" * 32), key=b"k" * 32)
_INTEGERS = (0, 1, 9, 10, 11, 19, 20, -1, -10, -11, 2**53 + 1, 2**63 - 1, -(2**63))
_NUMBERS: tuple[int | float, ...] = (*_INTEGERS, 0.0, -0.0, 99.99, 100.0, -0.5, 1e300, -1e300, 5e-324)
_VALUES: dict[str, tuple[int | float | str, ...]] = {"age": _INTEGERS, "paid": _NUMBERS, "state": ("open", "shut")}

numeric = st.sampled_from(["age", "paid"])
leaves: st.SearchStrategy[Expr] = st.one_of(
    st.builds(Compare, numeric, st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]), st.sampled_from(_NUMBERS)),
    st.builds(In, numeric, st.lists(st.sampled_from(_NUMBERS), min_size=1, max_size=3).map(tuple)),
    st.builds(Compare, st.just("state"), st.sampled_from(["eq", "ne"]), st.sampled_from(["open", "shut"])),
    st.builds(Exists, st.sampled_from(["age", "paid", "state"])),
)
conditions: st.SearchStrategy[Expr] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=4).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
rows = st.fixed_dictionaries({}, optional={name: st.sampled_from(pool) for name, pool in _VALUES.items()})


@given(rows, conditions)
@example({"age": 15}, (F("age") >= 11) & (F("age") < 19))
@example({"age": 25}, ~((F("age") >= 11) & (F("age") < 19)))
@example({"age": 12}, ~(F("age") == 11))
@example({}, ~(F("age") != 11))
def test_the_store_is_asked_for_all_that_matches(row: dict[str, Any], where: Expr) -> None:
    if matches(where, row):
        assert matches(PROTECTOR.lower(where), PROTECTOR.payload(row))


def test_a_range_is_asked_as_its_buckets_and_an_open_one_as_all_that_hold_a_value() -> None:
    closed = PROTECTOR.lower((F("age") >= 11) & (F("age") < 35))
    held = {age: matches(closed, PROTECTOR.payload({"age": age})) for age in (9, 10, 19, 34, 39, 40)}
    assert held == {9: False, 10: True, 19: True, 34: True, 39: True, 40: False}
    assert matches(PROTECTOR.lower(F("age") >= 11), PROTECTOR.payload({"age": 3}))
    assert not matches(PROTECTOR.lower(F("age") >= 11), PROTECTOR.payload({}))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_search_by_a_bucketed_field_answers_by_the_sealed_value(engine: str, tmp_path: Path) -> None:
    draw = random.Random(7)
    people: list[dict[str, Any]] = [
        {"id": f"P-{n}", "body": f"note {n}", "age": n, "born": date(1990, 1, 1) + timedelta(days=100 * n)}
        | {"seen": datetime(2026, 1, 1 + n % 20, n % 24, tzinfo=UTC), "paid": n * 30.5}
        for n in draw.sample(range(40), 40)
    ]
    asked: dict[str, Expr] = {
        "a range inside a bucket": (F("age") >= 13) & (F("age") < 17),
        "an open range": F("age") > 36,
        "equal": F("age") == 21,
        "not equal": ~(F("age") != 21),
        "one of": F("age").is_in([3, 4, 99]),
        "dates": (F("born") >= date(1992, 3, 1)) & (F("born") <= date(1992, 12, 31)),
        "a moment": F("seen") == datetime(2026, 1, 1, 0, tzinfo=UTC),
        "none": (F("paid") > 31) & (F("paid") < 60),
    }
    with open_stage(tmp_path, engine) as stage:
        collection = stage.acme.collection(Person, name="people")
        assert collection.ingest(people).new == len(people)
        sealed = {row["id"]: _sealed(row) for row in people}
        for name, where in asked.items():
            expected = {each for each, row in sealed.items() if matches(where, row)}
            found = collection.search("note", where=where, k=40)
            assert {hit.id for hit in found} == expected, name
            assert collection.count(where) == len(expected), name
            assert stage.audit(1)[0]["outcome"] == "allowed"
        assert collection.verify().findings == dict.fromkeys(collection.verify().findings, 0)
        place = collection._scope.namespace
        points = stage.trap.scan(namespace=place, where=None, cursor=None, limit=100).points
        assert len({point.payload["f_age"] for point in points}) == 4
        # A copy moved into a bucket that is asked for is an edit, and no false positive.
        ids = [point.id for point in points]
        token = collection._scope.protector(stage.store.runtime).payload({"age": 13})["f_age"]
        for point in stage.trap.fetch(namespace=place, ids=ids, with_vectors=True):
            assert point.vector is not None
            payload = cast("Any", {**point.payload, "f_age": token})
            stage.trap.insert(namespace=place, points=[ProtectedPoint(point.id, point.vector, payload)])
        with pytest.raises(IsolationViolation):
            collection.search("note", where=asked["a range inside a bucket"], k=40)


def _sealed(row: dict[str, Any]) -> dict[str, Any]:
    from securevec.rows.minimize import minimize
    from securevec.rows.validate import validate

    return dict(minimize(describe(Person), validate(Person, row)).filters)


def test_what_is_no_bucket_is_refused_and_other_schemas_are_written_as_before() -> None:
    def declare(kind: Any, **parameters: Any) -> type[sv.Record]:
        low = Annotated[kind, marks.Filter(**parameters)]
        return type("Row", (sv.Record,), {"__annotations__": {"id": sv.Key[str], "body": sv.Embed[str], "low": low}})

    for kind, parameters in (
        (str, {"mode": "bucket", "width": 1}),
        (int, {"mode": "bucket"}),
        (int, {"mode": "bucket", "width": 0}),
        (int, {"mode": "bucket", "width": 1.5}),
        (int, {"mode": "bucket", "width": True}),
        (int, {"mode": "clear", "width": 10}),
        (list[int], {"mode": "bucket", "width": 10}),
    ):
        with pytest.raises(SchemaError, match='"low"'):
            describe(declare(kind, **parameters))
    schema = describe(Person)
    assert describe(Schema.from_json(schema.to_json()).record_class()).digest == schema.digest
    assert b"width" not in describe(declare(int, mode="token")).to_json()
    assert (
        describe(declare(int, mode="bucket", width=5)).digest != describe(declare(int, mode="bucket", width=6)).digest
    )
    with pytest.raises(FilterError):
        PROTECTOR.lower(F("age") == "12")


def test_a_range_is_spelled_bucket_by_bucket_only_as_far_as_a_filter_may_be_long() -> None:
    fields = {spec.name: spec for spec in describe(Person).fields}

    def spelled(buckets: int) -> list[int]:
        both = And((Compare("age", "gte", 0), Compare("age", "lt", buckets * 10)))
        asked = around(both, fields)
        assert isinstance(asked, And)
        return [len(part.values) for part in asked.parts if isinstance(part, In)]

    most = limits.MAX_FILTER_VALUES
    assert spelled(most - 1) == [most]
    assert spelled(most) == [], "asked of all that hold a value, and judged on what is sealed"
