"""The standard streams as they may be handed over: closed, on a full disk, or in an encoding that lacks letters.

A command is done whether or not there is room for what it says: a deletion must not fail because its log is full. So a
remark that cannot be written is dropped, and only an answer that cannot be written is an error, after the work.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

from securevec.errors import Unavailable


def have_streams() -> None:
    """Make the standard streams that whoever started this process closed nothing at all.

    Python has ``None`` for such a stream. And the next file that is opened would get its number: a remark that a
    library prints would be written into a store.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # to the end


def escape_what_is_missing() -> None:
    """Let an answer be written in any locale: letters that the encoding of stdout does not have become escapes
    (``\\u0142``). Otherwise a command would fail over a name after its work is done. ``--json`` is ASCII there."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def aside(line: str, *, end: str = "\n") -> None:
    """One remark on stderr, or nothing where it cannot be written: then there will be no more of them."""
    try:
        print(line, end=end, file=sys.stderr, flush=True)
    except OSError:
        nowhere(sys.stderr)


@contextmanager
def answering() -> Generator[None]:
    """Around what writes an answer to stdout. Raises :class:`Unavailable` where it cannot be written,
    ``BrokenPipeError`` where its reader went away."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        nowhere(sys.stdout)
        raise Unavailable(
            f"The answer cannot be written: {os.strerror(error.errno or 0)}.",
            next_step="Send it where there is room. What the command did is done.",
        ) from error


def nowhere(stream: TextIO) -> None:
    """Let what is still written to a stream vanish: the interpreter would try once more while it exits, complain in
    words of its own, and exit with a code of its own."""
    opened = os.open(os.devnull, os.O_WRONLY)
    os.dup2(opened, stream.fileno())
    os.close(opened)
