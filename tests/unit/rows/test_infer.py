"""A proposed Record class imports, runs, and marks what the detector found."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from securevec.errors import RecordError, SourceError
from securevec.rows.infer import infer
from securevec.rows.readers import read_records
from securevec.rows.validate import validate
from securevec.schema import Record, describe

PROSE = "the confirmation never arrived and i would like to know why"


def found(_: str, value: str) -> list[str]:
    return ["EMAIL"] if re.search(r"\S+@\S+\.\w+", value) else ["CARD"] if value.startswith("4111") else []


def run(source: str) -> type[Record]:
    scope: dict[str, object] = {}
    exec(compile(source, "proposed", "exec", dont_inherit=True), scope)
    classes = [
        value
        for value in scope.values()
        if isinstance(value, type) and issubclass(value, Record) and value is not Record
    ]
    assert len(classes) == 1
    return classes[0]


def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "support-tickets.csv"
    rows = ["Ticket ID,customer,body,status,opened,born,score,card,class,zip"]
    rows += [
        f"T-{n:04},Person {n},{PROSE} {n},{('open', 'closed')[n % 2]},2026-01-01T00:00:{n % 60:02}Z,1980-01-01,{n}.5,"
        f"4111{n:012},{n},{n:05}"
        for n in range(100)
    ]
    rows[50] = rows[50].replace("2026-01-01T", "someday ")
    rows[60] = rows[60].replace("never", "at jane@example.com never")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_the_proposal_runs_and_reads_the_file_it_was_made_from(tmp_path: Path) -> None:
    path = csv_file(tmp_path)
    schema = describe(made := run(infer(path, anonymizer_findings=found)))
    assert made.__name__ == "SupportTicket"
    kinds = {field.name: (field.kind, field.type) for field in schema.fields}
    assert kinds == {
        "ticket_id": ("key", "str"),
        "customer": ("subject", "str"),
        "body": ("embed", "str"),
        "status": ("filter", "str"),
        "opened": ("filter", "datetime"),
        "born": ("filter", "date"),
        "score": ("filter", "float"),
        "card": ("seal", "str"),
        "field_class": ("filter", "int"),
        "zip": ("seal", "str"),
    }
    refused: list[str | None] = []
    for row in read_records(path):
        assert row.value is not None
        try:
            validate(made, row.value)
        except RecordError as error:
            refused.append(error.field)
    assert refused == ["opened"]


def test_pii_columns_and_bad_values_are_marked_and_no_value_is_repeated(tmp_path: Path) -> None:
    source = infer(csv_file(tmp_path), anonymizer_findings=found)
    assert re.search(r"body: .*# PII: EMAIL", source)
    assert re.search(r"card: sv.Seal\[str\].*# PII: CARD", source)
    assert "1 of 100 sampled values are no datetime" in source
    for value in ("jane@example.com", "4111", "someday", "Person 1", "T-0001"):
        assert value not in source


def test_types_of_json_values_are_kept_and_awkward_names_become_identifiers(tmp_path: Path) -> None:
    path = tmp_path / "2026.jsonl"
    rows = [
        {"id": n, "copy": PROSE, 'say "hi"\n': PROSE, "Über": n % 2 == 0, "1st": 0.5, "datetime": None}
        | {"model_x": "a" if n else 7}
        for n in range(30)
    ]
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    schema = describe(made := run(source := infer(path)))
    assert "1 of 30 sampled values are no str, such rows are refused" in source
    assert [(field.name, field.kind, field.type) for field in schema.fields] == [
        ("id", "key", "int"),
        ("field_copy", "embed", "str"),
        ("say_hi", "embed", "str"),
        ("ber", "filter", "bool"),
        ("column_1st", "filter", "float"),
        ("field_model_x", "filter", "str"),
    ]
    for row in [*read_records(path)][1:]:
        assert row.value is not None
        validate(made, row.value)


def test_without_prose_the_wordiest_text_is_embedded(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,title\n" + "".join(f"{n},two words {n}\n" for n in range(30)))
    assert describe(run(infer(path))).field("title").kind == "embed"


@pytest.mark.parametrize(
    "text", ["id,b\n", "x,y\nsame,a long text of words\nsame,a long text of words\n", "id,n\n1,2\n2,3\n"]
)
def test_a_file_nothing_can_be_proposed_for_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(SourceError):
        infer(path)


def test_an_id_that_some_rows_lack_or_repeat_is_proposed_with_what_becomes_of_them(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(
        "Ticket ID,colour,body\n" + "".join(f"{i},x{i},{PROSE}\n" for i in ("T-1", "T-2", "T-3", "T-3", ""))
    )
    source = infer(path)
    assert [field.name for field in describe(run(source)).by_kind("key")] == ["ticket_id"]
    assert "missing in 1 of 5 rows, such rows are refused; 1 of 5 rows repeat one, the last of them is kept" in source


def test_lists_of_labels_and_whole_numbers_are_proposed_as_filters_and_others_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    lines: list[bytes] = []
    for n in range(30):
        lists = {"tags": ["red", f"t{n % 3}"], "sizes": [n % 5, 7], "shares": [0.5], "nested": [["a"]]}
        people = {"writers": [f"w{n}@example.com"], "sometimes": ["a", "b"] if n % 2 else None}
        lines.append(orjson.dumps({"id": f"N-{n}", "body": f"{PROSE} {n}", **lists, **people}))
    path.write_bytes(b"\n".join(lines))
    schema = describe(made := run(infer(path, anonymizer_findings=found)))
    kinds = {field.name: (field.kind, field.type, field.optional) for field in schema.fields}
    assert kinds == {
        "id": ("key", "str", False),
        "body": ("embed", "str", False),
        "tags": ("filter", "list[str]", False),
        "sizes": ("filter", "list[int]", False),
        "sometimes": ("filter", "list[str]", True),
    }
    for row in read_records(path):
        assert isinstance(row.value, dict)
        validate(made, row.value)


def test_a_column_of_mostly_moments_says_why_it_is_text(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    rows = [
        f"T-{n},{PROSE} {n},2026-05-0{n + 1}{'T09:00:00Z' if n else ''},{'a' if n else '2026-01-01'}" for n in range(5)
    ]
    path.write_text("id,body,opened,word\n" + "\n".join(rows) + "\n")
    proposed = infer(path, anonymizer_findings=found)
    (opened,) = [line for line in proposed.splitlines() if line.startswith("    opened:")]
    assert opened.endswith("# 4 of 5 sampled values are a datetime with a time zone; the others are not")
    assert "# " not in next(line for line in proposed.splitlines() if line.startswith("    word:"))
    assert describe(run(proposed)).field("opened").type == "str"
