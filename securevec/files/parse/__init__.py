"""Documents to title and text. Runs in the worker process, which holds no key and no record.

Each parser takes bytes and gives back what a reader of the document sees. What only a program sees (properties,
authors, comments, scripts, attributes, front matter, tracked deletions) is left out here, so that it cannot reach
anything further on.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, cast

from securevec import limits

Code = Literal[
    "damaged", "binary", "encoding", "mixed", "password", "empty", "nothing", "too_large", "missing", "failed"
]


@dataclass(frozen=True, slots=True, repr=False)
class Parsed:
    """A document. ``title`` is ``None`` when it shows none; it is not repeated at the beginning of ``text``."""

    title: str | None
    text: str


class Unparsable(Exception):
    """A document is refused, for a reason of the closed list ``Code``. Holds nothing of the document."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code: Code = code


_PARSERS: Final = {
    "text": "plain",
    "markdown": "markdown",
    "html": "html",
    "pdf": "pdf",
    "docx": "docx",
}


def parse(kind: str, data: bytes, encoding: str | None = None) -> Parsed:
    """Parse one document. ``encoding`` is that of text files when it is known.

    Raises :class:`Unparsable`. Anything else that is raised is a failure of the parser on this document.
    """
    module = importlib.import_module(f"securevec.files.parse.{_PARSERS[kind]}")
    parser = cast("Callable[[bytes, str | None], Parsed]", module.parse)
    parsed = parser(data, encoding)
    title, text = clean(parsed.title or "").strip() or None, clean(parsed.text).strip()
    if not text and not title:
        raise Unparsable("empty" if kind in ("pdf", "docx") else "nothing")
    if len(text.encode()) > limits.MAX_TEXT_BYTES:
        raise Unparsable("too_large")
    return Parsed(title, text)


def clean(text: str) -> str:
    """``text`` without control characters but tab and line feed, and without broken surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    return text.encode("utf-8", "replace").decode()


_CONTROLS: Final = dict.fromkeys((*range(9), 11, *range(14, 32), 127)) | {12: "\n"}
"""A form feed ends a page; the others have no place in a text."""
