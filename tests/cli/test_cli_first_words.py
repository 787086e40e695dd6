"""The first things somebody types: nothing, --version, a command that is not there."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from securevec.cli.main import main


@pytest.mark.parametrize("words", [[], ["tenant"]])
def test_without_a_command_the_help_is_shown_as_it_is_laid_out(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(" ".join(["Usage: securevec", *words]))
    assert "Commands:" in lines
    assert max(map(len, lines)) <= 80


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
