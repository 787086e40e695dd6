"""What scripts and shells rely on: exit codes as the table says, one stream of JSON and nothing else, completion in
step with the parser, no colour where none is wanted."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec import errors
from securevec.cli import completion
from securevec.cli.failure import INTERRUPTED, TERMINATED, UNEXPECTED, Terminated, report
from tests.cli.conftest import Shell

TABLE = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def listed() -> dict[int, set[str]]:
    """The errors that the table names, by code."""
    rows = [line.split("|") for line in TABLE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)]
    return {int(row[1]): set(re.findall(r"`([A-Z]\w+)`", row[3])) for row in rows}


def classes(base: type[errors.SecurevecError]) -> Iterator[type[errors.SecurevecError]]:
    for each in base.__subclasses__():
        if each.__module__.startswith("securevec."):
            yield each
            yield from classes(each)


def test_the_table_of_exit_codes_is_what_errors_end_with() -> None:
    table = listed()
    assert table.keys() == {0, 1, 2, 3, 4, 5, INTERRUPTED, TERMINATED}
    for error in classes(errors.SecurevecError):
        named = next(base.__name__ for base in error.__mro__ if any(base.__name__ in row for row in table.values()))
        assert named in table[error.exit_code], error.__name__


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), INTERRUPTED), (Terminated(), TERMINATED), (RuntimeError("x"), UNEXPECTED)],
)
def test_an_interrupt_and_an_error_nobody_foresaw_have_their_codes(error: BaseException, code: int) -> None:
    assert report(error, as_json=True) == code


@pytest.mark.parametrize(
    "words",
    [
        ["doctor"],
        ["tenant", "list"],
        ["tenant", "show", "acme"],
        ["count", "acme/tickets"],
        ["describe", "acme/tickets"],
        ["verify", "acme/tickets"],
        ["leakage", "acme/tickets"],
        ["search", "acme/tickets", "refund"],
        ["jobs", "list"],
        ["keys", "list"],
        ["hold", "list", "acme"],
        ["models", "list"],
        ["retention", "rules"],
        ["retention", "plan"],
        ["audit", "verify"],
        ["upgrade", "--dry-run"],
        ["ingest", "tickets.csv", "--to", "acme/tickets", "--dry-run"],
        ["schema", "infer", "tickets.csv"],
        ["completion", "bash"],
        ["subject", "find", "jane.porter@example.com", "--tenant", "acme"],
    ],
)
def test_an_answer_in_json_is_one_document_on_one_stream_and_nothing_else(shell: Shell, words: list[str]) -> None:
    answer = shell.at_home(*words, "--json")
    json.loads(answer.out)
    assert answer.out.count("\n") == 1
    if answer.err:
        assert answer.code != 0
        json.loads(answer.err)


@pytest.mark.parametrize("words", [["get", "acme/tickets", "T-9"], ["count", "acme/nothing"], ["jobs", "show", "x"]])
def test_an_error_in_json_is_one_line_on_stderr_and_nothing_else(shell: Shell, words: list[str]) -> None:
    answer = shell.at_home(*words, "--json")
    said = json.loads(answer.err)
    assert (answer.out, said["exit_code"]) == ("", answer.code)


@pytest.mark.parametrize("shell_name", completion.SHELLS)
def test_every_command_and_option_of_the_parser_is_completed(shell_name: str) -> None:
    script = completion.script(shell_name)
    found = completion.places()
    assert {"", "tenant", "tenant delete", "completion"} <= found.keys()
    for words, place in found.items():
        mine = [line for line in script.splitlines() if re.search(rf'" ?{words}"', line)]
        for name in (*place.commands, *(name for option in place.options for name in option.names)):
            bare = name.lstrip("-") if shell_name == "fish" else name
            assert any(re.search(rf"[\s\"(]{re.escape(bare)}[\s\")]", line) for line in mine), (words, name)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tenant cre", "create"),
        ("--home x subject erase --fi", "--file"),
        ("keys re", "reseal reindex recloak renew"),
        ("ingest tic", ""),
        ("upgrade --dr", "--dry-run"),
    ],
)
def test_bash_offers_what_may_stand_there(tmp_path: Path, typed: str, offered: str) -> None:
    (tmp_path / "made").write_text(completion.script("bash"), encoding="utf-8")
    words = ["securevec", *typed.split(" ")]
    place = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}"
    asked = f'source made; {place}; _securevec; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == offered


@pytest.mark.parametrize("setting", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}])
def test_what_is_not_shown_on_a_terminal_or_not_wanted_in_colour_has_none(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    for words in (["doctor"], ["tenant", "list"], ["--help"]):
        answer = shell.at_home(*words) if words != ["--help"] else shell.run(*words)
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]", answer.out + answer.err)
