"""``eval`` and ``scan-text``: first use works, values stay out of JSON, and a terminal obeys nothing in a text."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from securevec.cli.main import main

TEXT = "Hello, my name is Jane Smith.\nWrite to jane@example.com or ring +44 20 7946 0958.\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main([*arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    rows = [
        {"text": TEXT, "spans": [[18, 28, "PER"], {"start": 39, "end": 55, "label": "EMAIL_ADDRESS"}]},
        {"text": "Nothing here.", "spans": []},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_eval_scores_a_file_for_people_and_for_programs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "eval", str(data))
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith(("EMAIL", "PERSON"))] == ["EMAIL", "PERSON"]
    code, out, _ = run(capsys, "eval", str(data), "--json")
    document = json.loads(out)
    assert code == 0
    assert document["entities"]["EMAIL"]["exact"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert document["entities"]["PERSON"]["f1"] == 1.0
    assert document["unlabelled"] == {"PHONE": 1}
    assert "jane" not in out.lower()


def test_eval_takes_the_callers_own_labels(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "eval", str(data), "--json", "--label", "per=ORG", "--label", "email-address=MAILBOX")
    assert code == 0
    assert set(json.loads(out)["entities"]) == {"ORG", "MAILBOX"}
    assert run(capsys, "eval", str(data), "--label", "PER")[0] == 2


def test_eval_reports_bad_lines_and_exits_by_what_was_left(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with data.open("a", encoding="utf-8") as stream:
        stream.write('{"text": "x", "spans": [[0, 9, "PER"]]}\n')
    code, out, _ = run(capsys, "eval", str(data), "--json")
    assert code == 0
    assert json.loads(out)["refused"] == [
        {"row": 3, "field": "spans", "reason": "A span is empty or lies outside the text."}
    ]
    assert run(capsys, "eval", str(data), "--strict")[0] == 1
    for nothing in ("{}\n", "", "\r\n\r\n"):
        data.write_text(nothing, encoding="utf-8")
        code, out, _ = run(capsys, "eval", str(data))
        assert (code, "no text was scored" in out) == (1, True)
    assert run(capsys, "eval", str(data) + ".missing")[0] == 2


def test_scan_text_marks_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mail.txt"
    path.write_text(TEXT, encoding="utf-8")
    code, out, err = run(capsys, "scan-text", str(path))
    assert code == 0
    assert "Jane Smith[PERSON]" in out
    assert "jane@example.com[EMAIL]" in out
    assert "1 PERSON" in err


def test_the_recall_dial_is_an_option_and_a_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("ask bramble whether Oduya or Quill have it; Sorrel did not say", encoding="utf-8")
    digests: list[str] = []
    for arguments in (["--recall", "balanced"], ["--recall", "high"]):
        digests.append(json.loads(run(capsys, "scan-text", str(path), "--json", *arguments)[1])["detector"])
    monkeypatch.setenv("SECUREVEC_DETECT_RECALL", "high")
    assert json.loads(run(capsys, "scan-text", str(path), "--json")[1])["detector"] == digests[1] != digests[0]
    assert run(capsys, "scan-text", str(path), "--recall", "highest")[0] == 2


def test_what_reads_names_is_an_option_and_a_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "I owe this recipe to Farrukh, whose aunt cooked it in Coimbatore every winter."
    (path := tmp_path / "note.txt").write_text(text, encoding="utf-8")
    (labelled := tmp_path / "data.jsonl").write_text(
        json.dumps({"text": text, "spans": [[21, 28, "PERSON"]]}), encoding="utf-8"
    )

    def recall(*arguments: str) -> float:
        figures = json.loads(run(capsys, "eval", str(labelled), "--json", *arguments)[1])
        return float(figures["entities"]["PERSON"]["recall"])

    assert "PERSON" not in run(capsys, "scan-text", str(path), "--redact")[1]
    assert "[PERSON]" in run(capsys, "scan-text", str(path), "--redact", "--names", "contextual")[1]
    assert (recall(), recall("--names", "contextual")) == (0, 1)
    monkeypatch.setenv("SECUREVEC_DETECT_NAMES", "contextual")
    assert (recall(), recall("--names", "small")) == (1, 0)
    assert run(capsys, "scan-text", str(path), "--names", "huge")[0] == 2


def test_scan_text_redacts_and_keeps_the_rest_to_the_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mail.txt"
    path.write_text(TEXT, encoding="utf-8")
    code, out, _ = run(capsys, "scan-text", str(path), "--redact")
    assert code == 0
    assert out == "Hello, my name is [PERSON].\nWrite to [EMAIL] or ring [PHONE].\n"


def test_a_redacted_text_keeps_what_only_a_terminal_would_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"\x1b[31mfailed\x1b[0m for jane@example.com\a\n")
    assert run(capsys, "scan-text", str(path), "--redact")[1] == "\x1b[31mfailed\x1b[0m for [EMAIL]\a\n"


def test_scan_text_answers_programs_without_the_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    code, out, _ = run(capsys, "scan-text", "-", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["entities"] == {"EMAIL": 1, "PERSON": 1, "PHONE": 1}
    assert [TEXT[f["start"] : f["end"]] for f in document["findings"]][:2] == ["Jane Smith", "jane@example.com"]
    assert "jane" not in out.lower()


@pytest.mark.parametrize("more", [(), ("--json",), ("--redact",)])
def test_a_strict_scan_fails_only_where_something_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    found, clean = tmp_path / "found.txt", tmp_path / "clean.txt"
    found.write_text("Write to jane@example.com.\n", encoding="utf-8")
    clean.write_text("The garage is full.\n", encoding="utf-8")
    assert run(capsys, "scan-text", str(found), "--strict", *more)[0] == 1
    assert run(capsys, "scan-text", str(clean), "--strict", *more)[0] == 0
    assert run(capsys, "scan-text", str(found), *more)[0] == 0


def test_scanned_text_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hostile.txt"
    path.write_text("\x1b[2J\x9b31m ring\rfor \u202ejane@example.com\nsecond line\n", encoding="utf-8")
    _, out, _ = run(capsys, "scan-text", str(path))
    assert all(char.isprintable() or char == "\n" for char in out)
    assert out.rstrip("\n").endswith("\nsecond line")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80abc"])
def test_a_file_that_is_no_text_is_a_usage_error(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "blob"
    path.write_bytes(content)
    code, out, err = run(capsys, "scan-text", str(path))
    assert (code, out) == (2, "")
    assert "UTF-8" in err
    assert run(capsys, "scan-text", str(tmp_path))[0] == 2
    # What an ingest reads, by its byte order mark, is looked at here too.
    path.write_bytes("Mail jane@example.com".encode("utf-16"))
    assert "jane@example.com[EMAIL]" in run(capsys, "scan-text", str(path))[1]


def test_eval_reads_other_sets_as_they_are_and_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.jsonl"
    rows = [
        {"text": TEXT, "entities": [{"start": 18, "end": 28, "label": "PERSON"}, [39, 55, "EMAIL_ADDRESS"]]},
        {
            "source_text": "from 10.0.0.1",
            "privacy_mask": [{"value": "10.0.0.1", "start": 5, "end": 13, "label": "IPV4"}],
        },
        {"full_text": "SSN 536-22-1234", "spans": [{"start_position": 4, "end_position": 15, "entity_type": "US_SSN"}]},
        {"text": "in Berlin", "label": [[3, 9, "GPE"], [3, 9, "WEATHER"]]},
    ]
    lines = [json.dumps(row) for row in rows]
    path.write_text("\ufeff" + "\r\n".join([*lines, '{"text": "broken"', ""]), encoding="utf-8")
    code, out, _ = run(capsys, "eval", str(path), "--json")
    document = json.loads(out)
    assert code == 0
    assert [line["row"] for line in document["refused"]] == [5]
    assert document["labels"] == {
        "EMAIL_ADDRESS": "EMAIL", "GPE": "LOCATION", "IPV4": "IP", "PERSON": "PERSON", "US_SSN": "SSN",
        "WEATHER": "WEATHER",
    }  # fmt: skip
    assert all(document["entities"][name]["f1"] == 1.0 for name in ("PERSON", "EMAIL", "IP", "SSN"))
    code, out, _ = run(capsys, "eval", str(path))
    words = " ".join(out.split())
    assert "US_SSN as SSN" in words
    assert "not scored: 1 WEATHER" in words
