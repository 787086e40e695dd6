"""The first things somebody types: nothing, --version, a command that is not there."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from securevec.cli.app import program
from securevec.cli.completion import places
from securevec.cli.helping import COMMON, SECTIONS
from securevec.cli.main import main


@pytest.mark.parametrize(("words", "title"), [([], "Begin:"), (["tenant"], "Commands:")])
def test_without_a_command_the_help_is_shown_as_it_is_laid_out(
    words: list[str], title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(" ".join(["Usage: securevec", *words]))
    assert title in lines
    assert max(map(len, lines)) <= 80


def test_the_help_of_the_program_has_each_command_once_and_cuts_no_line_short(
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = set(places(program())[""].commands)
    assert sorted(name for _, names in SECTIONS for name in names) == sorted(commands)
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Options of every command:")[0]
    told = [line for line in listed.splitlines() if line[2:].partition(" ")[0] in commands]
    assert len(told) == len(commands)
    assert not [line for line in told if line.endswith("...")]


def test_a_commands_own_options_stand_alone_and_the_common_ones_are_named_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["retention", "plan", "--help"]) == 0
    shown = capsys.readouterr().out
    options = shown.partition("Options:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in options] == ["--tenant"]
    for name in COMMON[:-1]:
        assert shown.count(name) == 1 + (name == "--json")  # which an example has too


def test_the_version_is_said_with_and_without_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"securevec {version('securevec')}\n"
    assert main(["--json", "--version"]) == 0
    assert json.loads(capsys.readouterr().out) == {"securevec": version("securevec")}


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["--json"], "securevec --help"),
        (["tenant", "--json"], "securevec tenant --help"),
        (["tenant", "creat", "--json"], "securevec tenant --help"),
        (["ingest", "--json"], "securevec ingest --help"),
    ],
)
def test_a_command_line_that_cannot_be_read_names_the_help_of_its_place(
    words: list[str], step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = json.loads(capsys.readouterr().err)
    assert said["error"] == "UsageError"
    assert said["next_step"] == f"Run: {step}"
