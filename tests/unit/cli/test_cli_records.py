"""What is typed becomes a place, a Record class, an id or a condition, or a typed error that repeats none of it."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

import pytest

from securevec.cli.records import conditions, load_record, record_id
from securevec.cli.session import split_place
from securevec.errors import FilterError, SchemaError, UsageError
from securevec.filters import matches
from securevec.schema import Schema, describe

SCHEMA = """
from __future__ import annotations
from datetime import datetime
from uuid import UUID
import securevec as sv

class Row(sv.Record):
    id: sv.Key[{key}]
    body: sv.Embed[str]
    status: sv.Filter[str]
    urgent: sv.Filter[bool]
    score: sv.Filter[float]
    tries: sv.Filter[int]
    opened: sv.Filter[datetime]

class Other:
    pass
"""


def schema_file(directory: Path, *, key: str = "str", source: str = SCHEMA) -> Path:
    path = directory / f"schema_{key}.py"
    path.write_text(source.replace("{key}", key), encoding="utf-8")
    return path


def schema(directory: Path, key: str = "str") -> Schema:
    return describe(load_record(f"{schema_file(directory, key=key)}:Row"))


@pytest.mark.parametrize("place", ["acme", "/tickets", "acme/", "a/b/c", "", "/"])
def test_a_place_that_is_not_two_names_is_explained(place: str) -> None:
    with pytest.raises(UsageError, match="TENANT/COLLECTION"):
        split_place(place)


def test_a_place_is_two_names() -> None:
    assert split_place("acme/tickets") == ("acme", "tickets")


def test_a_record_class_is_loaded_by_its_name(tmp_path: Path) -> None:
    assert load_record(f"{schema_file(tmp_path)}:Row").__name__ == "Row"
    assert load_record(str(schema_file(tmp_path))).__name__ == "Row"


def test_of_two_classes_and_of_none_in_a_schema_file_no_one_is_guessed(tmp_path: Path) -> None:
    two = SCHEMA.format(key="str") + "class Second(Row):\n    pass\n"
    with pytest.raises(SchemaError, match=r"Which class.*Row, Second"):
        load_record(str(schema_file(tmp_path, source=two)))
    for reference in ("{file}", "{file}:Row"):
        with pytest.raises(SchemaError, match=r"has no Record class.*schema infer"):
            load_record(reference.replace("{file}", str(schema_file(tmp_path, source=""))))


@pytest.mark.parametrize("reference", ["{file}:", "{file}:Missing", "{file}:Other", "absent.py:Row", "x.txt:Row"])
def test_a_reference_that_names_no_record_class_is_refused(tmp_path: Path, reference: str) -> None:
    with pytest.raises(SchemaError):
        load_record(reference.replace("{file}", str(schema_file(tmp_path))))


def test_a_name_that_the_file_does_not_have_is_answered_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as caught:
        load_record(f"{schema_file(tmp_path)}:Rows")
    assert caught.value.next_step == "It has: Row."


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit"])
def test_what_a_schema_file_raises_is_named_by_its_class_only(tmp_path: Path, error: str) -> None:
    path = schema_file(tmp_path, source=f"raise {error}('canary-55')")
    with pytest.raises(SchemaError, match=error) as caught:
        load_record(f"{path}:Row")
    assert "canary-55" not in str(caught.value)


def test_an_id_has_the_type_of_the_key(tmp_path: Path) -> None:
    assert record_id(schema(tmp_path), "7") == "7"
    assert record_id(schema(tmp_path, "int"), "7") == 7
    assert record_id(schema(tmp_path, "UUID"), str(UUID(int=7))) == UUID(int=7)


@pytest.mark.parametrize("key", ["int", "UUID"])
def test_an_id_of_another_type_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        record_id(schema(tmp_path, key), "canary-77")
    assert "canary-77" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["status=open"], True),
        (["status!=open"], False),
        (["status=a=b"], False),
        (["status==open"], True),
        (["status = open"], True),
        (["status  !=  open"], False),
        (["status= open"], False),
        (["tries >= 3"], True),
        (["urgent=true"], True),
        (["score>1.5"], True),
        (["score<=1.5"], False),
        (["tries>=3", "tries<4"], True),
        (["tries=3", "status=closed"], False),
        (["opened>=2026-01-01T00:00:00+00:00"], True),
    ],
)
def test_conditions_mean_what_they_say(tmp_path: Path, typed: list[str], expected: bool) -> None:
    row = {"status": "open", "urgent": True, "score": 2.5, "tries": 3, "opened": 1_770_000_000_000}
    condition = conditions(schema(tmp_path), typed)
    assert condition is not None
    assert matches(condition, row) is expected


def test_no_condition_is_no_filter(tmp_path: Path) -> None:
    assert conditions(schema(tmp_path), []) is None


@pytest.mark.parametrize(
    "typed", ["body=x", "t=x", "nothing=x", "status", "=x", "tries=many", "urgent=yes", "opened=2026-01-01T00:00:00"]
)
def test_a_condition_that_cannot_be_meant_is_refused(tmp_path: Path, typed: str) -> None:
    with pytest.raises(FilterError):
        conditions(schema(tmp_path), [typed])


def test_a_loaded_module_does_not_shadow_another(tmp_path: Path) -> None:
    load_record(f"{schema_file(tmp_path)}:Row")
    assert "schema_str" not in sys.modules
