"""The base of every error securevec raises."""

from __future__ import annotations

from typing import ClassVar, Final


class SecurevecError(Exception):
    """Base of the tree. ``exit_code`` is what the command line returns for it."""

    exit_code: ClassVar[int] = 1
    next_step: str = ""

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step or type(self).next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".rstrip() if self.next_step else self.message


ENDING: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What ends an operation, in whosever code it is raised: a signal may arrive there. Whatever else code of others raises
is a failure of it, also a panic of a library written in Rust, which is a ``BaseException`` and none of these."""
