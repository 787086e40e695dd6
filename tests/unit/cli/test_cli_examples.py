"""Each command's help ends with examples that its own parser reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from securevec.cli.app import build
from securevec.cli.examples import EXAMPLES
from securevec.cli.main import main


def _commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(_commands(typer.main.get_command(build())))


def test_every_command_has_an_example_and_every_example_a_command() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


def test_every_example_is_read_by_the_parser_of_its_command() -> None:
    for words, line in ((words, line) for words, lines in EXAMPLES.items() for line in lines):
        typed = shlex.split(line.partition(" < ")[0].partition(" > ")[0])
        begin = ["securevec", *words.split()]
        assert typed[: len(begin)] == begin, line
        # Raises what a user would be told.
        COMMANDS[words].make_context("securevec", typed[len(begin) :])


@pytest.mark.parametrize("words", ["ingest", "tenant delete", "audit export"])
def test_the_help_shows_the_examples_as_they_stand(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Examples:" in shown
    for line in EXAMPLES[words]:
        assert f"  {line}\n" in shown
