"""Records with lists in filter fields, found by any of their values and judged on the sealed list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import securevec as sv
from securevec import F
from securevec.backend import Page
from securevec.errors import CheckFailed, FilterError, SchemaError
from securevec.schema import Schema, describe
from securevec.types import StoredPoint
from tests.support.attacks import Stage, open_stage


class Tagged(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    tags: sv.Filter[list[str]]
    counts: sv.Filter[list[int] | None] = None


def row(number: int, tags: object, **more: object) -> dict[str, object]:
    return {"id": f"R-{number}", "body": f"a report about number {number}", "tags": tags, **more}


@pytest.fixture(scope="module", params=["memory", "edge", "chroma"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if request.param != "memory":
        pytest.importorskip({"edge": "qdrant_edge", "chroma": "chromadb"}[request.param])
    with open_stage(tmp_path_factory.mktemp("lists"), str(request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def reports(stage: Stage) -> sv.Collection[Tagged]:
    made = stage.acme.collection(Tagged, name="reports")
    result = made.ingest(
        [
            row(1, ["red", "blue"], counts=[1, 2]),
            row(2, ["blue"]),
            row(3, [], counts=[]),
            row(4, "red"),
            row(5, ("red",)),
            row(6, ["red", 7]),
            row(7, ["x"] * 65),
            row(8, ["x" * 1025]),
            row(9, ["red"], counts=[True]),
            row(10, ["red"], counts=[2**63]),
        ]
    )
    assert result.new == 3
    assert [(refused.row, refused.field) for refused in result.refused] == [
        (4, "tags"),
        (5, "tags"),
        (6, "tags"),
        (7, "tags"),
        (8, "tags"),
        (9, "counts"),
        (10, "counts"),
    ]
    return made


def found(reports: sv.Collection[Tagged], where: Any) -> set[object]:
    return {hit.id for hit in reports.search("report", where=where, k=10)}


def test_records_are_found_by_any_value_of_a_list(reports: sv.Collection[Tagged]) -> None:
    assert found(reports, F("tags") == "blue") == {"R-1", "R-2"}
    assert found(reports, F("tags") != "red") == {"R-2"}
    assert found(reports, F("tags").is_in(["red", "green"])) == {"R-1"}
    assert found(reports, ~F("tags").exists()) == {"R-3"}
    assert found(reports, F("counts") == 2) == {"R-1"}
    assert reports.count(F("tags") == "blue") == 2


def test_lists_come_back_as_they_were(reports: sv.Collection[Tagged]) -> None:
    assert reports.get("R-1").tags == ["red", "blue"]
    assert reports.get("R-1").counts == [1, 2]
    assert (reports.get("R-3").tags, reports.get("R-2").counts) == ([], None)
    reports.update("R-2", tags=["green"])
    assert found(reports, F("tags") == "green") == {"R-2"}
    assert found(reports, F("tags") == "blue") == {"R-1"}
    reports.update("R-2", tags=["blue"])


def test_a_list_changed_in_the_store_is_judged_on_the_sealed_one(stage: Stage, reports: sv.Collection[Tagged]) -> None:
    inner, green = stage.trap.inner, reports._scope.protector(stage.store.runtime).payload({"tags": ["green"]})

    def edited(found: list[StoredPoint]) -> list[StoredPoint]:
        everything = inner.scan(namespace=reports._scope.namespace, where=None, cursor=None, limit=10).points
        return [
            point if "f_tags" in point.payload else replace(point, payload={**point.payload, **green})
            for point in everything
        ]

    stage.trap.edit = edited
    try:
        result = reports.search("report", where=F("tags").exists(), k=10)
    finally:
        stage.trap.edit = None
    assert {hit.id for hit in result} == {"R-1", "R-2"}
    assert result.violations == 1


def test_verify_finds_a_value_added_to_what_the_store_may_read_of_a_list(
    stage: Stage, reports: sv.Collection[Tagged], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the key of the value is added; everything else is as it was written."""
    green = reports._scope.protector(stage.store.runtime).payload({"tags": ["green"]})
    added = {key: value for key, value in green.items() if key.startswith("fe_")}
    scan = stage.trap.inner.scan

    def edited(**asked: Any) -> Page:
        page = scan(**asked)
        points = [replace(point, payload={**point.payload, **added}) for point in page.points]
        return replace(page, points=points)

    reports.verify().raise_if_wrong()
    monkeypatch.setattr(stage.trap.inner, "scan", edited)
    with pytest.raises(CheckFailed, match="3 edited"):
        reports.verify().raise_if_wrong()


def test_a_schema_with_lists_survives_json_and_makes_a_class() -> None:
    schema = describe(Tagged)
    again = Schema.from_json(schema.to_json())
    assert again == schema
    made = again.record_class()
    assert describe(made) == schema
    assert made.model_validate({"id": "1", "body": "b", "tags": ["a"]}).model_dump()["tags"] == ["a"]


@pytest.mark.parametrize("annotation", [list[float], list[str | None], list, tuple[str, ...], list[list[str]]])
def test_other_lists_are_refused_by_name(annotation: Any) -> None:
    marked: Any = sv.Filter
    made = type(
        "Odd", (sv.Record,), {"__annotations__": {"id": sv.Key[str], "b": sv.Embed[str], "t": marked[annotation]}}
    )
    with pytest.raises(SchemaError, match='"t"'):
        describe(made)


def test_each_value_asked_of_a_list_is_a_condition_and_too_many_are_refused_before_anything_is_asked(
    stage: Stage, reports: sv.Collection[Tagged]
) -> None:
    most = [*(f"absent {number}" for number in range(254)), "red"]  # and the disjunction of them is one
    assert found(reports, F("tags").is_in(most)) == {"R-1"}
    asked = len(stage.trap.asked)
    for where in (F("tags").is_in([*most, "green"]), F("counts").exists() & ~F("tags").is_in(map(str, range(1000)))):
        with pytest.raises(FilterError, match="256 conditions") as refused:
            found(reports, where)
        assert (refused.value.field in ("tags", "counts"), len(stage.trap.asked)) == (True, asked)
