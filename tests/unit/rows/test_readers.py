"""A bad row never loses the others; a bad file is one typed error."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as arrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec import limits
from securevec.errors import LimitExceeded, SourceError, UsageError
from securevec.rows.readers import Row, read_records, source_size
from securevec.schema import Embed, Key, Record


class Note(Record):
    id: Key[str]
    body: Embed[str]


def rows(tmp_path: Path, name: str, data: bytes | str) -> list[Row]:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_records(path))


def values(read: list[Row]) -> list[object]:
    return [row.value for row in read]


def refused(read: list[Row]) -> list[int]:
    assert all((row.value is None) == (row.error is not None) for row in read)
    assert all(row.error.row == row.number for row in read if row.error is not None)
    return [row.number for row in read if row.error is not None]


def test_csv_cells_are_text_and_empty_ones_are_absent(tmp_path: Path) -> None:
    read = rows(tmp_path, "a.csv", 'id,body,n\n1,"hello, ""you""\nthere",\n\n2,x,3\n')
    assert values(read) == [{"id": "1", "body": 'hello, "you"\nthere'}, {"id": "2", "body": "x", "n": "3"}]
    assert [row.number for row in read] == [1, 2]


def test_a_byte_order_mark_crlf_and_padded_or_unnamed_headers_are_understood(tmp_path: Path) -> None:
    read = rows(tmp_path, "a.CSV", b"\xef\xbb\xbfid , body,\r\n1,x,junk\r\n")
    assert values(read) == [{"id": "1", "body": "x"}]
    assert values(rows(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"id":1}\r\n')) == [{"id": 1}]


class PandasLike:
    """What is asked of pandas, which no extra brings: the same calls on rows that are held as lists."""

    def __init__(self, columns: list[Any], rows: list[list[Any]]) -> None:
        self.columns, self._rows, self.shape = columns, rows, (len(rows), len(columns))
        self.iloc = self

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.columns)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return PandasLike(self.columns, self._rows[at])
        return np.array([row[at[1]] for row in self._rows], dtype=object)

    def isna(self) -> PandasLike:
        return PandasLike(self.columns, [[each is None or each != each for each in row] for row in self._rows])


def test_a_frame_is_read_row_by_row_and_what_it_misses_is_absent() -> None:
    many = [[str(number), float("nan") if number % 2 else "x", 7] for number in range(600)]
    expected: list[object] = [{"id": str(number)} | ({} if number % 2 else {"body": "x"}) for number in range(600)]
    assert values(list(read_records(PandasLike(["id", "body", 0], many)))) == expected
    table = arrow.table(
        {"id": [str(number) for number in range(600)], "body": [None if n % 2 else "x" for n in range(600)]}
    )
    assert values(list(read_records(table))) == expected
    assert values(list(read_records(table.to_batches()[0]))) == expected


def test_a_frame_that_names_a_column_twice_or_holds_no_rows_yet_is_refused() -> None:
    with pytest.raises(SourceError, match="twice"):
        read_records(PandasLike(["id", "id"], [["1", "2"]]))
    lazy: Any = SimpleNamespace(collect=list, collect_schema=dict, columns=["id"])
    with pytest.raises(UsageError, match=r"frame\.collect"):
        read_records(lazy)


def test_a_row_with_another_number_of_columns_is_refused_alone(tmp_path: Path) -> None:
    read = rows(tmp_path, "a.csv", "id,body\n1,a\n2,b,c\n3\n4,d\n")
    assert refused(read) == [2, 3]
    assert values(read) == [{"id": "1", "body": "a"}, None, None, {"id": "4", "body": "d"}]


def test_a_stray_quote_does_not_swallow_the_rows_after_it(tmp_path: Path) -> None:
    read = rows(tmp_path, "a.csv", 'id,body\n1,a\n2,"open\n3,c\n4,d\n5,"e"\n6,"bad"quote\n7,"last\n8,h')
    assert refused(read) == [2, 6, 7]
    assert [row.number for row in read if row.value] == [1, 3, 4, 5, 8]


def test_an_open_quote_costs_one_row_and_is_given_up_long_before_the_end_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD_BYTES", 1000)
    path = tmp_path / "a.csv"
    path.write_text('id,body\n1,"open\n' + "2,aaaaaaaaaaaaaaaa\n" * 50_000)
    seen: list[int] = []
    reader = read_records(path, position=seen.append)
    assert next(reader).error is not None
    assert seen == []
    assert refused(list(reader)) == []
    assert seen[-1] == path.stat().st_size


def test_lines_of_a_quoted_cell_are_never_read_as_rows_when_the_row_is_refused(tmp_path: Path) -> None:
    read = rows(tmp_path, "a.csv", 'id,body\n1,"text\n666,forged\nmore",extra\n2,b\n')
    assert values(read) == [None, {"id": "2", "body": "b"}]


def test_a_row_that_is_not_utf8_is_refused_alone(tmp_path: Path) -> None:
    read = rows(tmp_path, "a.csv", b"id,body\n1,caf\xe9\n2,caf\xc3\xa9\n")
    assert (refused(read), read[1].value) == ([1], {"id": "2", "body": "café"})
    assert refused(rows(tmp_path, "a.jsonl", b'{"a":"\xe9"}\n{"a":1}\n')) == [1]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_huge_line_is_refused_without_being_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD_BYTES", 1000)
    line = b"x" * 500_000
    good = b"1,b\n" if name == "a.csv" else b'{"id":"1"}\n'
    read = rows(tmp_path, name, (b"id,body\n" if name == "a.csv" else b"") + line + b"\n" + good)
    assert isinstance(read[0].error, LimitExceeded)
    assert (refused(read), len(read)) == ([1], 2)


def test_a_large_cell_within_the_limit_is_read(tmp_path: Path) -> None:
    read = rows(tmp_path, "a.csv", "id,body\n1," + "x" * 1_000_000 + "\n")
    assert refused(read) == []


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        "3",
        "null",
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":2}}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"a":1} {"b":2}',
        "{'a':1}",
    ],
)
def test_a_bad_json_line_is_refused_alone_and_not_quoted(tmp_path: Path, line: str) -> None:
    read = rows(tmp_path, "a.jsonl", f'{{"id":"1"}}\n\n{line}\n{{"id":"2"}}')
    assert refused(read) == [3]
    assert [row.number for row in read] == [1, 3, 4]
    assert read[1].error is not None
    assert read[1].error.__context__ is None


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n", "empty"),
        ("a.csv", b"id;body|mail\n1;2|3\n", "commas"),
        ("a.csv", b"id,id\n", "twice"),
        ("a.csv", b'"id,body\n', "header"),
        ("a.csv", b"id,b\xff\n", "UTF-8"),
        ("a.csv", b"PK\x03\x04\0\0", "not text"),
        ("a.jsonl", '{"a":1}'.encode("utf-16-be"), "not text"),
        ("a.json", b"[]", "jsonl"),
        ("a.xlsx", b"x", "suffix"),
        ("a", b"x", "suffix"),
    ],
)
def test_a_file_that_is_no_source_is_one_typed_error(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        rows(tmp_path, name, data)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("header", ["id{0}body", '"id"{0}"body"', "\n\nid{0}body", "sep={0}\nid{0}body"])
def test_columns_that_a_spreadsheet_separated_otherwise_are_read(tmp_path: Path, mark: str, header: str) -> None:
    text = f'{header.format(mark)}\n1{mark}"a{mark} b"\n2{mark}3,50\n3{mark}"stray\n4{mark}c\n'
    read = rows(tmp_path, "a.csv", text)
    first, second, _, last = values(read)
    assert first == {"id": "1", "body": f"a{mark} b"}
    assert second == {"id": "2", "body": "3,50"}
    assert last == {"id": "4", "body": "c"}
    assert refused(read) == [3]


def test_a_comma_in_the_header_decides_whatever_else_stands_there(tmp_path: Path) -> None:
    assert values(rows(tmp_path, "a.csv", "id,a;b\n1,x;y\n")) == [{"id": "1", "a;b": "x;y"}]
    assert values(rows(tmp_path, "a.csv", "sep=,\nid,a\n1,x\n")) == [{"id": "1", "a": "x"}]
    # One column whose quoted name holds a semicolon.
    assert values(rows(tmp_path, "a.csv", 'id,"a;b"\n1,x\n')) == [{"id": "1", "a;b": "x"}]


def test_a_named_encoding_is_that_of_every_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("größe;name\n1;café\n".encode("cp1252"))
    assert [row.value for row in read_records(path, encoding="cp1252")] == [{"größe": "1", "name": "café"}]
    with pytest.raises(SourceError) as caught:
        list(read_records(path))
    assert "--encoding" in caught.value.next_step


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_which_encoding_it_is(tmp_path: Path, encoding: str) -> None:
    read = rows(tmp_path, "a.csv", "id,body\n1,café\n2,日本\n".encode(encoding))
    assert values(read) == [{"id": "1", "body": "café"}, {"id": "2", "body": "日本"}]
    assert values(rows(tmp_path, "a.jsonl", '{"a":"é"}\n'.encode(encoding))) == [{"a": "é"}]


@pytest.mark.parametrize("encoding", ["idna", "punycode", "utf-16", "utf_32"])
def test_an_encoding_that_cannot_read_the_file_is_said_without_its_content(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,body\n1,canary é\n".encode())
    with pytest.raises(SourceError) as caught:
        list(read_records(path, encoding=encoding))
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_half_a_character_that_an_encoding_can_spell_costs_its_own_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,body\n1,+2AA-\n2,+AOk-\n")
    first, second = read_records(path, encoding="utf-7")
    assert first.error is not None
    assert second.value == {"id": "2", "body": "é"}


def test_what_is_wrong_in_its_encoding_costs_its_own_row(tmp_path: Path) -> None:
    data = "id,body\n1,a\n2,".encode("utf-16") + b"\x00\xd8" + "x\n3,c\n".encode("utf-16-le")
    read = rows(tmp_path, "a.csv", data)
    assert refused(read) == [2]
    assert [row.number for row in read] == [1, 2, 3]


def parquet(tmp_path: Path, columns: dict[str, Any]) -> Path:
    arrow = pytest.importorskip("pyarrow", reason="needs securevec[files]", exc_type=ModuleNotFoundError)
    from pyarrow import parquet as writer

    path = tmp_path / "a.parquet"
    writer.write_table(arrow.table(columns), path)
    return path


def test_parquet_values_are_those_a_record_class_knows(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    path = parquet(
        tmp_path,
        {
            "id": ["a", "b"],
            "n": [1, None],
            "f": [1.5, float("nan")],
            "t": [moment, None],
            "d": [date(2026, 1, 2), None],
            "x": [Decimal("1.10"), None],
            "b": [b"text", b"\xff\xfe"],
            "l": [[1], None],
        },
    )
    first, second = [row.value for row in read_records(path)]
    assert first == {
        "id": "a",
        "n": 1,
        "f": 1.5,
        "t": "2026-01-02T03:04:05+00:00",
        "d": "2026-01-02",
        "x": "1.10",
        "b": "text",
        "l": [1],
    }
    assert isinstance(second, dict)
    assert {name: value for name, value in second.items() if name != "f"} == {"id": "b", "b": {"bytes": 2}}
    assert str(second["f"]) == "nan"


@pytest.mark.parametrize("data", [b"", b"PAR1", b"garbage" * 100, b"PAR1" + bytes(100) + b"PAR1"])
def test_what_is_no_parquet_file_is_one_typed_error(tmp_path: Path, data: bytes) -> None:
    pytest.importorskip("pyarrow", reason="needs securevec[files]", exc_type=ModuleNotFoundError)
    with pytest.raises(SourceError) as raised:
        rows(tmp_path, "a.parquet", data)
    assert raised.value.__context__ is None


def test_an_absent_file_and_a_directory_are_refused_at_once(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv", "a\0b.csv"):
        with pytest.raises(SourceError):
            read_records(path)


def test_an_iterable_is_read_lazily_and_odd_items_are_refused_alone() -> None:
    taken: list[int] = []

    def items() -> Iterator[Any]:
        for number, item in enumerate([{"id": "1"}, 3, None, "text", Note(id="a", body="b")]):
            taken.append(number)
            yield item

    reader = read_records(items())
    assert next(reader).value == {"id": "1"}
    assert taken == [0]
    assert refused(list(reader)) == [2, 3, 4]


def test_progress_counts_bytes_up_to_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id":"1"}\n' * 100_000)
    seen: list[int] = []
    assert sum(1 for _ in read_records(path, position=seen.append)) == 100_000
    assert seen == sorted(seen)
    assert len(seen) > 3
    assert seen[-1] == source_size(path) == path.stat().st_size


def test_a_row_shows_no_value_when_printed(tmp_path: Path) -> None:
    assert "canary" not in repr(rows(tmp_path, "a.csv", "id\ncanary\n"))


@given(st.lists(st.text(alphabet='ab,"\n\r é', max_size=12), max_size=8))
def test_no_text_makes_the_csv_reader_fail_or_stop(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(("id,body\n" + "\n".join(lines) + "\nlast,row\n").encode())
    read = list(read_records(path))
    assert [row.number for row in read] == list(range(1, len(read) + 1))
    assert read[-1].error is not None or read[-1].value is not None


def test_bytes_that_are_no_text_are_never_read_as_a_list_of_numbers(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs securevec[files]", exc_type=ModuleNotFoundError)
    from pyarrow import parquet

    path = tmp_path / "rows.parquet"
    parquet.write_table(arrow.table({"id": ["a"], "counts": [b"\xff\x01"]}), path)
    (row,) = read_records(path)
    assert isinstance(row.value, Mapping)
    assert not isinstance(row.value["counts"], list)


def test_a_pipe_in_the_place_of_a_source_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("rows.csv", "folder.csv", "none.csv"):
        with pytest.raises(SourceError, match="not a file that exists"):
            list(read_records(tmp_path / name))


def test_a_value_that_python_has_none_for_costs_its_own_row_and_not_the_file(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs securevec[files]", exc_type=ModuleNotFoundError)

    path = parquet(
        tmp_path,
        {
            "at": arrow.array([1_700_000_000_123_456_789, 1], arrow.timestamp("ns", "UTC")),
            "took": arrow.array([1_500_000_001, 1], arrow.duration("ns")),
            "day": arrow.array([0, 2**31 - 1], arrow.date32()),
            "text": arrow.array([b"fine", b"\xff"]).cast(arrow.binary()).view(arrow.string()),
        },
    )
    first, second = (cast("dict[str, Any]", row.value) for row in read_records(path))
    assert first == {
        "at": "2023-11-14T22:13:20.123456+00:00",
        "took": "0:00:01.500000",
        "day": "1970-01-01",
        "text": "fine",
    }
    assert second["day"] == {"unreadable": "date32[day]"}, "no field takes an object, so its field refuses the row"
    assert second["text"] == {"unreadable": "string"}


def test_a_parquet_file_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs securevec[files]", exc_type=ModuleNotFoundError)
    from pyarrow import parquet as writer

    path = tmp_path / "twice.parquet"
    writer.write_table(arrow.Table.from_arrays([arrow.array(["a"]), arrow.array(["b"])], names=["id", "id"]), path)
    with pytest.raises(SourceError, match="twice"):
        list(read_records(path))
