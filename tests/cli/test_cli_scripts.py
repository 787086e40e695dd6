"""What scripts and shells rely on: exit codes as the table says, one stream of JSON and nothing else, completion in
step with the parser, no colour where none is wanted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec import errors
from securevec.cli import completion
from securevec.cli.app import program
from securevec.cli.failure import HUNG_UP, INTERRUPTED, TERMINATED, UNEXPECTED, HungUp, Terminated, report
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
    assert table.keys() == {0, 1, 2, 3, 4, 5, INTERRUPTED, TERMINATED, HUNG_UP}
    for error in classes(errors.SecurevecError):
        named = next(base.__name__ for base in error.__mro__ if any(base.__name__ in row for row in table.values()))
        assert named in table[error.exit_code], error.__name__


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), INTERRUPTED),
        (Terminated(), TERMINATED),
        (HungUp(), HUNG_UP),
        (RuntimeError("x"), UNEXPECTED),
    ],
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
    script = completion.script(shell_name, program())
    found = completion.places(program())
    assert {"", "tenant", "tenant delete", "completion"} <= found.keys()
    for words, place in found.items():
        mine = [line for line in script.splitlines() if re.search(rf'" ?{words}"', line)]
        for name in (*place.commands, *(name for option in place.options for name in option.names)):
            bare = name.lstrip("-") if shell_name == "fish" else name
            assert any(re.search(rf"[\s\"(]{re.escape(bare)}[\s\")]", line) for line in mine), (words, name)


OFFERED = pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tenant cre", "create"),
        ("--home x subject erase --fi", "--file"),
        ("keys re", "recloak reindex renew reseal"),
        ("mod", "models"),
        ("upgrade --dr", "--dry-run"),
    ],
)


@OFFERED
def test_bash_offers_what_may_stand_there(tmp_path: Path, typed: str, offered: str) -> None:
    words = ["securevec", *typed.split(" ")]
    place = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}"
    asked = f'source made; {place}; _securevec; printf "%s\\n" "${{COMPREPLY[@]}}"'
    assert answered("bash", asked, tmp_path) == offered.split()


# A shell is a system part that pip cannot bring. CI installs both; the scripts themselves are read everywhere, above.
NEEDS_FISH = pytest.mark.skipif(shutil.which("fish") is None, reason="needs the shell fish: apt-get install fish")
NEEDS_ZSH = pytest.mark.skipif(shutil.which("zsh") is None, reason="needs the shell zsh: apt-get install zsh")


@OFFERED
@NEEDS_FISH
def test_fish_offers_what_may_stand_there(tmp_path: Path, typed: str, offered: str) -> None:
    told = answered("fish", f"source made; complete -C 'securevec {typed}'", tmp_path)
    assert [line.split("\t")[0] for line in told] == offered.split()


@OFFERED
@NEEDS_ZSH
def test_zsh_offers_what_may_stand_there(tmp_path: Path, typed: str, offered: str) -> None:
    """What the function hands to the completion system, which only an interactive shell has."""
    words = ["securevec", *typed.split(" ")]
    stubs = 'compdef() { true }; compadd() { shift; print -l -- ${(M)@:#"${words[CURRENT]}"*} }'
    asked = f"{stubs}; source ./made; words=({' '.join(words)}); CURRENT={len(words)}; _securevec"
    assert sorted(answered("zsh", asked, tmp_path)) == offered.split()


def answered(shell_name: str, asked: str, folder: Path) -> list[str]:
    """The lines that a shell without the user's own files says, and nothing on stderr."""
    (folder / "made").write_text(completion.script(shell_name, program()), encoding="utf-8")
    plain = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[shell_name]
    done = subprocess.run([shell_name, plain, "-c", asked], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return sorted(done.stdout.split("\n")[:-1])


def test_fish_is_given_no_word_that_it_could_take_for_an_option_or_for_none() -> None:
    """Where no fish is installed: before the first command there is no word to be joined, and one may begin with -."""
    script = completion.script("fish", program())
    head = script[: script.index("complete -c")]
    assert head.count("string join -- ") == head.count("string join") == 2
    assert '    test "$at" = "$argv[1]"\n' in head


@pytest.mark.parametrize("setting", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}])
def test_what_is_not_shown_on_a_terminal_or_not_wanted_in_colour_has_none(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    for words in (["doctor"], ["tenant", "list"], ["--help"]):
        answer = shell.at_home(*words) if words != ["--help"] else shell.run(*words)
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]", answer.out + answer.err)
