"""Which scripts without capitals a text holds. Almost every text has none, and is done with here.

Cyrillic and Greek have capitals, so their names are found elsewhere; only days, ages and, in Cyrillic, what a form
calls numbers and secrets are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from securevec.anonymize.fold import odd_characters

_FIRST: Final = "\u0530"
"""Below it lie Latin, Greek and Cyrillic letters, marks and signs."""
_BLOCKS: Final[Mapping[str, re.Pattern[str]]] = {
    "hani": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"),
    "kana": re.compile("[\u3041-\u30ff\uff66-\uff9d]"),
    "hang": re.compile("[\uac00-\ud7a3\u1100-\u11ff]"),
    "arab": re.compile("[\u0620-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"),
    "hebr": re.compile("[\u05d0-\u05ea\ufb1d-\ufb4f]"),
    "deva": re.compile("[\u0904-\u0939\u0958-\u097f]"),
    "beng": re.compile("[\u0985-\u09b9\u09dc-\u09e1\u09f0\u09f1]"),
    "taml": re.compile("[\u0b85-\u0bb9]"),
    "telu": re.compile("[\u0c05-\u0c39\u0c58-\u0c61]"),
    "thai": re.compile("[\u0e01-\u0e4e]"),
    "armn": re.compile("[\u0531-\u0587]"),
    "geor": re.compile("[\u10a0-\u10ff\u1c90-\u1cbf]"),
}
CYRILLIC: Final = "cyrl"
GREEK: Final = "grek"
_GREEK: Final = re.compile("[\u0386-\u03ce\u1f00-\u1fff]{2}")
_CYRILLIC: Final = re.compile("[\u0410-\u044f\u0451\u0454\u0456\u0457\u0491]{2}")
_JAPANESE: Final = re.compile(_BLOCKS["hani"].pattern[:-1] + _BLOCKS["kana"].pattern[1:])


def scripts_in(text: str) -> frozenset[str]:
    """Names of the scripts without capitals (and of Armenian) whose letters are in ``text``."""
    if text.isascii():
        return frozenset()
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    else:
        return frozenset()
    odd = odd_characters(text)
    if max(odd) < _FIRST or not any(char >= _FIRST and char.isalpha() for char in odd):
        return frozenset()
    letters = "".join(odd)
    return frozenset(name for name, block in _BLOCKS.items() if block.search(letters))


def labels_in(text: str) -> frozenset[str]:
    """:func:`scripts_in`, and Cyrillic and Greek."""
    if text.isascii():
        return frozenset()
    scripts = scripts_in(text)
    if _CYRILLIC.search(text):
        scripts |= {CYRILLIC}
    return scripts | {GREEK} if _GREEK.search(text) else scripts


def lines_of(text: str, script: str) -> Iterator[tuple[int, int]]:
    """Where the lines begin and end that hold a letter of a script; for Japanese ones Chinese letters count too.

    For patterns that need such a letter and match no line break. A text in many languages has few lines of each.
    """
    block = _JAPANESE if script in {"hani", "kana"} else _BLOCKS[script]
    end = 0
    while (letter := block.search(text, end)) is not None:
        start = text.rfind("\n", end, letter.start()) + 1 or end
        end = text.find("\n", letter.end())
        if end < 0:
            end = len(text)
        yield start, end
