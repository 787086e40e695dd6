"""Lists of people as somebody keeps them: with remarks, with a line twice, with an identifier that begins with #."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

LIST = """# leavers of November
jane.porter@example.com

  jane.porter@example.com
"#4711"
# the end
"""


def test_a_list_of_people_may_have_remarks_and_doubles_and_both_are_told(shell: Shell, tmp_path: Path) -> None:
    listed = tmp_path / "leavers.txt"
    listed.write_text("\ufeff" + LIST, encoding="utf-8")
    answer = shell.at_home("subject", "find", "--tenant", "acme", "--file", str(listed), "--json")
    assert answer.json["about"] == 1
    assert len(answer.json["taken_for"]) > 0
    shown = shell.at_home("subject", "find", "--tenant", "acme", "--file", str(listed))
    assert "2 identifiers; ignored: 2 comments, 1 named before" in shown.err


@pytest.mark.parametrize("words", [["-"], ["--file", "-"]])
def test_a_list_comes_from_standard_input_in_either_spelling(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(LIST))
    answer = shell.at_home("subject", "find", *words, "--tenant", "acme")
    assert "1 about" in answer.out
    assert "2 comments, 1 named before" in answer.err


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["subject", "erase", "--tenant", "acme", "--yes"], "Nobody is named"),
        (["subject", "erase", "x@example.com", "--file", "tickets.csv", "--tenant", "acme", "--yes"], "not both"),
        (["subject", "erase", "--file", "gone.txt", "--tenant", "acme", "--yes"], "gone.txt cannot be read"),
        (["subject", "erase", "--file", "latin.txt", "--tenant", "acme", "--yes"], "not text in UTF-8"),
        (["subject", "erase", "--file", "remarks.txt", "--tenant", "acme", "--yes"], "Nobody is named"),
    ],
)
def test_a_list_that_names_nobody_erases_nobody(shell: Shell, base: Path, words: list[str], step: str) -> None:
    (base / "latin.txt").write_bytes("J\xfcrgen".encode("latin-1"))
    (base / "remarks.txt").write_text("# jane.porter@example.com\n")
    answer = shell.at_home(*words, "--json")
    said = json.loads(answer.err.splitlines()[-1])
    assert (answer.code, answer.out) == (2, "")
    assert step in f"{said['message']} {said['next_step']}"
    assert shell.at_home("jobs", "list", "--json").json == []
