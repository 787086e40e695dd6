"""``completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.session import Session


class Shell(StrEnum):
    """Whose completion it is."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(group: Group) -> None:
    """``group`` is the program: what is completed is read from it."""

    @group.command("completion")
    def completion(
        session: Session,
        shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", show_default=False)],
    ) -> None:
        """Print the completion of commands and options for a shell. It reads no home; tenants are not completed.

        For good: `echo 'source <(securevec completion bash)' >> ~/.bashrc`, a file `_securevec` in $fpath of zsh, or
        `securevec completion fish > ~/.config/fish/completions/securevec.fish`.
        """
        from typer.main import get_command

        from securevec.cli.completion import script

        made = script(shell, get_command(group.typer))
        if session.out.as_json:
            session.out.show({"shell": shell.value, "script": made})
        else:
            sys.stdout.write(made)
