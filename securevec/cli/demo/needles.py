"""Searching the raw files of a home for planted values, in every form a careless program would leave them in."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import re2

_BLOCK: Final = 8 * 1024 * 1024
_OVERLAP: Final = 4096
_BASE64_START: Final = (0, 2, 3)
"""First base64 character that depends on the value alone, by the value's offset modulo 3."""


@dataclass(frozen=True, slots=True)
class Searched:
    """How much was read, and how many of the values stood somewhere in it."""

    files: int
    bytes: int
    found: int


def forms(value: str) -> list[bytes]:
    """A value in UTF-8, UTF-16, hexadecimal, and base64 at each of the three alignments."""
    data = value.encode()
    made = [data, value.encode("utf-16-le"), data.hex().encode()]
    for offset, start in enumerate(_BASE64_START):
        whole = (offset + len(data)) * 8 // 6
        made.append(base64.b64encode(bytes(offset) + data)[start:whole])
    return made


def search_files(root: Path, values: Iterable[str]) -> Searched:
    """How many of the values stand in any regular file below ``root``, in any form, whatever their letter case."""
    by_form = {form.lower(): value for value in values for form in forms(value)}
    # Longest first, so that a value that begins with another one is counted as itself.
    alternatives = sorted(by_form, key=len, reverse=True)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    options.max_mem = 256 * 1024 * 1024
    pattern: Any = re2.compile(b"|".join(re2.escape(form) for form in alternatives), options)
    found: set[str] = set()
    files = size = 0
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        files += 1
        tail = b""
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                for match in pattern.finditer(tail + block):
                    whole: bytes = match.group(0)
                    found.add(by_form[whole.lower()])
                tail = block[-_OVERLAP:]
    return Searched(files, size, len(found))
