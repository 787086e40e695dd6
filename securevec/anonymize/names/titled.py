"""Names behind a title in small letters, in texts of other languages than English: "meneer Hoogeveen".

English writes its titles with a capital, and the rules of :mod:`runs` ask for one. Elsewhere "pan", "don" and "herr"
are words for a person; in an English text they are anything, so nothing here is asked there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.lexicon import word_set
from securevec.anonymize.names.words import UPPER

_TITLES: Final = word_set("titles_abroad.txt")
_LONGEST_FIRST: Final = "|".join(sorted(_TITLES, key=lambda word: (-len(word), word)))
_NAME: Final = rf"(?:(?:van|von|de|der|den|di|da|del|ter|ten|zu|la|dos|do|le)[ ]){{0,2}}[{UPPER}][\w'’\-]+"
_TITLED: Final = re.compile(
    rf"(?<![\w.\-])(?:{_LONGEST_FIRST})(?:\.? (?:{_LONGEST_FIRST}))?\.? ({_NAME}(?: {_NAME})?)(?!\.\w)"
)


def behind_small_titles(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of one or two capitalized words behind such a title."""
    for match in _TITLED.finditer(text):
        yield match.span(1)
