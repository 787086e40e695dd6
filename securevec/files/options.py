"""How files become records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What a caller may choose. The defaults are what nearly everybody wants."""

    source: str | None = None
    """Names where files come from in place of their folder's absolute path."""
    prefix: str = ""
    """Put in front of every path."""
    encoding: str | None = None
    """Of text files, when it is known."""
    jobs: int | None = None
    """Processes that parse documents."""
    seconds: float | None = None
    """For each document."""
    sync: bool = False
    """Delete what a source no longer shows."""
    allow_empty: bool = False
    """Let a sync do so when the source shows nothing at all."""
