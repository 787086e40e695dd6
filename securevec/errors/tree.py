"""The base of every error securevec raises."""

from __future__ import annotations

from typing import ClassVar


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
