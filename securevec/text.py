"""Small questions about text that must not leave the text behind in an exception."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from securevec.errors import UsageError


def utf8_size(text: str) -> int | None:
    """Bytes of ``text`` in UTF-8, or ``None`` when it has no UTF-8 form (lone surrogates).

    A codec's own error holds the whole text, and an exception raised while it is handled keeps it as its context.
    """
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None


def html_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table for a notebook, without rows its caption alone. All of it is escaped: nothing in it becomes markup."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(part))}</td>" for part in row) + "</tr>" for row in rows)
    shown = f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return shown if body else f"<p>{escape(caption)}</p>"


def given_path(path: str | Path) -> Path:
    """A path as a caller wrote it, ``~`` expanded. Raises :class:`UsageError` for what no file can be called."""
    if not isinstance(path, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise UsageError("A path is text or a pathlib.Path.")
    if "\0" in str(path) or utf8_size(str(path)) is None:  # SQLite takes neither
        raise UsageError("A path holds a NUL character, or is not valid Unicode.")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        pass  # its text repeats the path
    raise UsageError("A path begins with the home directory of a user whom this machine does not know.")
