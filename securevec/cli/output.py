"""What a command shows: tables and text for people on a terminal or in a pipe, JSON for programs.

Stdout carries the answer, stderr everything else, so that ``--json`` can always be piped. Text that came out of a store
is shown through :func:`cell`: stored text must not move the cursor or change colours.
"""

from __future__ import annotations

import json
import re
import sys
import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from securevec.cli.fitting import fitted
from securevec.cli.streams import answering, aside

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

PLAIN_WIDTH: Final = 160
"""Columns when stdout is not a terminal: wide enough that rows stay lines."""

SAY_S: Final = 30.0
"""Seconds between two lines about one wait or one long work, where a line cannot be written over."""

_NAME: Final = 90
"""Characters of a file's name in a table."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def cell(value: object, *, limit: int | None = None, style: str = "") -> Text:
    """One line of text for a table: no markup, no control or direction characters, at most ``limit`` characters."""
    from rich.text import Text

    plain = " ".join(_visible(str(value)).split())
    if limit is not None and len(plain) > limit:
        plain = plain[: limit - 1] + "…"
    return Text(plain, style=style)


def shortened(name: str) -> str:
    """A file's name that fits a table: of a very long path its beginning and its end. ``--json`` has it whole."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 3]}…{name[-(_NAME - _NAME // 3 - 1) :]}"


def _visible(text: str) -> str:
    return "".join(" " if unicodedata.category(character) in _HIDDEN else character for character in text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> Table:
    """A table without vertical lines. A column whose heading begins with ``>`` is aligned right."""
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, show_edge=False, padding=(0, 1)
    )
    for column in columns:
        right = column.startswith(">")
        made.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        made.add_row(*[_as_text(part) for part in row])
    return made


def _as_text(value: object) -> Text:
    """A value as one safe line; what :func:`cell` made already keeps its style."""
    from rich.text import Text

    return value if isinstance(value, Text) else cell(value)


def pairs(entries: Mapping[str, object]) -> Table:
    """Names and values, one pair a line. The names are those of the JSON, with spaces for its underscores."""
    from rich.table import Table

    made = Table.grid(padding=(0, 2))
    for name, value in entries.items():
        made.add_row(cell(name.replace("_", " "), style="bold"), _as_text(_in_words(value)))
    return made


def _in_words(value: object) -> object:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(str, cast("Sequence[object]", value))) or "-"
        case _:
            return value


def command_line(text: str) -> Text:
    """A line with a command to copy: the terminal breaks it where it must, so that it is one line when pasted."""
    line = cell(text)
    line.no_wrap = True
    return line


def console(*, stderr: bool = False) -> Console:
    """A console that guesses nothing about content: no markup, no highlighting, no emoji codes."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def written(out: Console, part: RenderableType) -> None:
    """Print ``part`` to stdout. Lines in a file or a pipe do not end in the spaces that fill a column."""
    if out.is_terminal:
        out.print(part, soft_wrap=getattr(part, "no_wrap", None) is True)
        return
    with out.capture() as captured:
        out.print(part, soft_wrap=getattr(part, "no_wrap", None) is True)
    sys.stdout.write(re.sub(r" +$", "", captured.get(), flags=re.MULTILINE))


class Output:
    """Where one command's answer goes."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._waited: float | None = None

    def show(self, document: object, *shown: RenderableType) -> None:
        """The answer: ``document`` with ``--json``, what is to be ``shown`` otherwise."""
        if self.as_json:
            with answering():
                print(to_json(document))
            return
        out = console()
        for part in shown:
            with answering():
                written(out, fitted(part, out.width))

    def lines(self, documents: Iterable[object], shown: RenderableType) -> None:
        """As :meth:`show`, with one JSON document a line."""
        if self.as_json:
            with answering():
                for document in documents:
                    print(to_json(document))
            return
        out = console()
        with answering():
            written(out, fitted(shown, out.width))

    def say(self, line: str) -> None:
        """A remark on stderr. With ``--json`` there is none: what a program needs stands in the answer."""
        if self.as_json:
            return
        aside(_visible(line))

    def waiting(self, line: str) -> None:
        """What a command waits for, on stderr: one line that counts on a terminal, elsewhere one every half minute.
        Empty when the wait is over. None with ``--json``."""
        if self.as_json:
            return
        if not line and self._waited is None:
            return
        if sys.stderr.isatty():
            self._waited = time.monotonic() if line else None
            aside(f"\r\x1b[K{_visible(line)}", end="")
        elif not line:
            self._waited = None
        elif self._waited is None or time.monotonic() - self._waited >= SAY_S:
            self._waited = time.monotonic()
            self.say(line)


def confirm(question: str) -> None:
    """Ask on the terminal. Raises :class:`UsageError` unless the answer is yes."""
    import typer

    from securevec.errors import UsageError

    try:
        typer.confirm(question, abort=True, err=True)
    except (typer.Abort, EOFError) as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            # A signal, which click takes for a no: it has an exit code of its own.
            raise error.__context__ from None
        raise UsageError("Nothing was deleted.", next_step="Pass --yes to go on without a question.") from error


def to_json(document: object) -> str:
    """One line of JSON. A terminal gets ASCII only, because stored text may hold what a terminal obeys; so does a
    stream of another encoding than UTF-8."""
    utf8 = (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
    return json.dumps(document, ensure_ascii=sys.stdout.isatty() or not utf8, default=_plain)


def moment(ms: int) -> str:
    """UTC milliseconds as ``2026-01-31T12:00:00Z``."""
    from securevec.clock import from_ms

    return from_ms(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): entry for key, entry in value.items()}
    raise TypeError(f"{type(value).__name__} has no JSON form")
