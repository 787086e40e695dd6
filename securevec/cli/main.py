"""The entry point ``securevec``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from securevec.cli.failure import ASKED, INTERRUPTED, Said, end_at_once, end_when_asked, report, usage
from securevec.cli.streams import answering, aside, escape_what_is_missing, have_streams, nowhere


def run() -> NoReturn:
    """Run the command line of this process and exit with the command's code."""
    have_streams()
    escape_what_is_missing()
    end_when_asked()
    try:
        code = main(sys.argv[1:])
        end_at_once()
    except KeyboardInterrupt as error:
        # Asked again while it was said that the command was ended.
        end_at_once()
        code = report(error, as_json="--json" in sys.argv)
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Never raises: what can be said is said on stderr."""
    as_json = "--json" in arguments
    try:
        from securevec.cli.app import program

        with answering():
            result: object = program()(list(arguments), prog_name="securevec", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001  # the last place before the user
        if isinstance(error, BrokenPipeError) or (
            isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError)
        ):
            # The reader went away (`securevec audit tail | head`), which help and tables answer with an exit of their
            # own; any other is of code that was called, and not what the command came to. The interpreter must not
            # complain while it exits.
            nowhere(sys.stdout)
            return 0
        message = getattr(error, "format_message", None)
        if callable(message):
            return _misread(error, str(message()), as_json=as_json)
        return report(error, as_json=as_json)
    if result == INTERRUPTED and not isinstance(result, Said):
        # Before or behind the command itself, where typer makes an exit of its own of it.
        return report(ASKED.error, as_json=as_json)
    return result if isinstance(result, int) else 0


def _misread(error: BaseException, message: str, *, as_json: bool) -> int:
    """A command line that could not be read. Told by the name of the class: typer may carry a copy of click."""
    place = getattr(getattr(error, "ctx", None), "command_path", "securevec")
    if type(error).__name__ == "NoArgsIsHelpError":
        if not as_json:
            aside(message)  # the help, as it is laid out
            return 2
        message = "Missing command."
    if not message.endswith((".", "?", ")")):
        message += "."
    return usage(message, as_json=as_json, advice=f"Run: {place} --help")
