"""Files, directories and standard input that a command line names, looked at before any work is done.

``pathlib`` asks whether something is there with an error where nobody can tell (a name that is too long, a directory
of somebody else's); ``os.path`` answers that it is not.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from securevec.errors import SourceError, UsageError


def read_bounded(path: Path, limit: int) -> bytes:
    """A small file that was named. Raises :class:`SourceError`, which repeats the name."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as error:  # the second: a NUL in the name
        raise SourceError(f"{path} cannot be read.", next_step="Is the path right, and the file yours?") from error
    if len(data) > limit:
        raise SourceError(f"{path} is too large to be what it is said to be.")
    return data


def read_stdin(limit: int) -> str:
    """What standard input holds, at most ``limit`` characters. Raises :class:`UsageError`, which repeats nothing."""
    text = None
    with contextlib.suppress(OSError, UnicodeDecodeError):  # the second carries what it could not decode
        text = sys.stdin.read(limit + 1)
    if text is None:
        raise UsageError("Standard input is not text that can be read.", next_step="Save it as UTF-8.")
    if len(text) > limit:
        raise UsageError("Standard input is too long for what it is said to be.")
    return text


def require_directory(path: Path) -> None:
    """A path typed wrong must not pass for a log that was removed. Raises :class:`SourceError`."""
    if not os.path.isdir(path):
        raise SourceError(f"{path} is not a directory.", next_step="Name a copy of a home's directory `audit`.")


def require_new(path: Path | None, what: str = "receipt") -> None:
    """Before the work whose outcome goes there, if it is to go anywhere. Raises :class:`UsageError`."""
    if path is not None:
        from securevec.newfile import require_place

        require_place(path, what=what)
