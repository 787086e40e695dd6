"""Stored text must not reach a terminal as anything but text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from securevec.cli.output import Output, cell, command_line, console, moment, pairs, table, to_json
from securevec.cli.reports import progress_bar
from securevec.writing.report import Progress


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b[31mred", "a\x9b31mb", "one\rtwo", "bell\x07", "right\u202eleft", "a\nb"]
)
def test_stored_text_cannot_move_the_cursor_or_change_colours(hostile: str) -> None:
    shown = cell(hostile).plain
    assert all(character.isprintable() for character in shown)


def test_markup_in_stored_text_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "[bold red]not a style[/] [link=http://x.invalid]y[/link] :smile:"
    console().print(table(["text"], [(hostile,)]))
    Output(as_json=False).show({}, hostile)
    assert capsys.readouterr().out.count(hostile) == 2


def test_a_long_text_is_cut_with_a_sign() -> None:
    assert cell("x" * 50, limit=10).plain == "x" * 9 + "…"


def test_a_pipe_gets_no_escape_codes_and_rows_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).show({}, table(["a", ">b"], [("word " * 20, 1)]), pairs({"name": None}))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert len([line for line in out.splitlines() if "word" in line]) == 1
    assert "name  -" in out


def test_json_holds_what_the_table_holds_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"at": datetime(2026, 1, 1, tzinfo=UTC), "id": UUID(int=1), "file": Path("a/b"), "text": "naïve\x1b[0m"}
    Output(as_json=True).show(document, "not shown")
    out = capsys.readouterr().out
    assert "not shown" not in out
    assert "\x1b" not in out
    assert json.loads(out) == {
        "at": "2026-01-01T00:00:00+00:00",
        "id": str(UUID(int=1)),
        "file": "a/b",
        "text": "naïve\x1b[0m",
    }


def test_json_lines_are_one_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).lines([{"a": 1}, {"a": "x\ny"}], "not shown")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"a": 1}, {"a": "x\ny"}]


def test_an_object_without_a_json_form_is_an_error_and_not_its_repr() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        to_json({"a": object()})


def test_a_moment_is_utc_to_the_second() -> None:
    assert moment(1_767_225_600_999) == "2026-01-01T00:00:00Z"


def test_a_command_to_copy_stays_one_line_however_narrow_the_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("securevec.cli.output.PLAIN_WIDTH", 40)
    Output(as_json=False).show({}, command_line("securevec retention apply --plan " + "0" * 64), cell("word " * 20))
    command, *folded = capsys.readouterr().out.splitlines()
    assert command.endswith("0" * 64)
    assert len(folded) > 1


def test_yes_no_and_nothing_are_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).show(
        {}, pairs({"pinned": True, "anchored": False, "not_looked_at": [], "missed": ["a", "b"]})
    )
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert said == [["pinned", "yes"], ["anchored", "no"], ["not", "looked", "at", "-"], ["missed", "a,", "b"]]


def test_long_work_says_how_far_it_is_where_there_is_no_terminal_and_seldom(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("securevec.cli.reports.time", SimpleNamespace(monotonic=lambda: now[0]))
    with progress_bar("rows.csv") as advance:
        assert advance is not None
        for done in range(1, 101):
            now[0] += 1.0
            advance(Progress(done * 1000, done, 100))
    assert capsys.readouterr().err.splitlines() == [f"rows.csv: {done},000 records, {done} %" for done in (30, 60, 90)]
    with progress_bar("rows.csv", quiet=True) as advance:
        assert advance is None
