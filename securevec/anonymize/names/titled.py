"""Names behind a title or a calling, in texts of other languages than English: "meneer Hoogeveen", "el juez Parodi".

English writes its titles with a capital, and the rules of :mod:`runs` ask for one. Elsewhere "pan", "don" and "herr"
are words for a person; in an English text they are anything, so nothing here is asked there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places, word_set
from securevec.anonymize.names.words import UPPER

_TITLES: Final = word_set("titles_abroad.txt")
_LONGEST_FIRST: Final = "|".join(sorted(_TITLES, key=lambda word: (-len(word), word)))
_NAME: Final = rf"(?:(?:van|von|de|der|den|di|da|del|ter|ten|zu|la|dos|do|le)[ ]){{0,2}}[{UPPER}][\w'’\-]+"
_TITLED: Final = re.compile(
    rf"(?<![\w.\-])(?:{_LONGEST_FIRST})(?:\.? (?:{_LONGEST_FIRST}))?\.? ({_NAME}(?: {_NAME})?)(?!\.\w)"
)
_WORD: Final = rf"[{UPPER}][\w'’\-]+"
_CALLINGS: Final = word_set("callings_abroad.txt")
_CALLED: Final = re.compile(rf"(?<![\w.\-])([^\W\d_A-Z]{{3,16}}) ({_WORD}(?: {_WORD})?)(?!\.\w)")
_LETTERS: Final = 5
_GERMAN: Final = word_set("callings_german.txt")
_CALLED_IN_GERMAN: Final = re.compile(rf"(?<![\w.\-])({_WORD}) ({_WORD} {_WORD})(?![\w.])")


def behind_callings(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of one or two capitalized words right behind what somebody is; two in German, with its capitals."""
    for pattern, callings in ((_CALLED, _CALLINGS), (_CALLED_IN_GERMAN, _GERMAN)):
        position = 0
        while (match := pattern.search(text, position)) is not None:
            position = match.start(2)
            if match.group(1) in callings and not _is_no_name(match.group(2), german=callings is _GERMAN):
                yield match.span(2)


def _is_no_name(value: str, *, german: bool) -> bool:
    """A listed word, letters in capitals, or in German what ends in a place: "Trainer Borussia Dortmund"."""
    first, _, last = value.partition(" ")
    if lookup_key(first) in names().stops or (first.isupper() and len(first) <= _LETTERS):
        return True
    return german and lookup_key(last) in places()


def behind_small_titles(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of one or two capitalized words behind such a title."""
    for match in _TITLED.finditer(text):
        yield match.span(1)
