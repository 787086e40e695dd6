"""What a file's suffix means. Pure."""

from __future__ import annotations

from typing import Final, Literal

PageKind = Literal["text", "markdown", "html", "pdf", "docx"]
RowKind = Literal["csv", "jsonl", "parquet"]
Kind = PageKind | RowKind

PAGES: Final[dict[str, PageKind]] = {
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
}
"""Documents: one file is one record."""

ROWS: Final[dict[str, RowKind]] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
"""Files of rows: one row is one record of the caller's own class."""

SUFFIXES: Final = ", ".join([*PAGES, *ROWS])


def kind_of(name: str) -> Kind | None:
    """The kind of a file by its name, or ``None`` for one that is not read."""
    suffix = suffix_of(name)
    return PAGES.get(suffix) or ROWS.get(suffix)


def suffix_of(name: str) -> str:
    """The lower-case suffix with its dot, or an empty text."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def is_rows(kind: Kind) -> bool:
    """Whether a file of this kind holds rows."""
    return kind in ROWS.values()
