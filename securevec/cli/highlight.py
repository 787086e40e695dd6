"""A text with its findings marked, safe to print: nothing in it moves the cursor, and its lines stay lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.text import Text

    from securevec.anonymize import Finding

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_VALUE: Final = "bold reverse"
_LABEL: Final = "bold cyan"


def safe_lines(text: str) -> str:
    """Every control, format and direction character as a space, other than line feeds and tabs. Same length."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(" " if char not in "\n\t" and unicodedata.category(char) in _HIDDEN else char for char in text)


def highlighted(text: str, found: Sequence[Finding]) -> Text:
    """The text with each finding reversed and followed by its entity in brackets, which is seen without colours too."""
    from rich.text import Text

    shown = safe_lines(text)
    made = Text()
    position = 0
    for finding in found:
        made.append(shown[position : finding.start])
        made.append(shown[finding.start : finding.end], style=_VALUE)
        made.append(f"[{finding.entity}]", style=_LABEL)
        position = finding.end
    made.append(shown[position:])
    return made
