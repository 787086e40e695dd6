"""Whether a text is written in another language of Europe than English, by its small words.

The names model learned mostly English. Of other text it is sure that a lone name is a word like any other, so what the
lists say has to count for more there. The small words are those that English has not.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.lexicon import word_set

_WORDS: Final = re.compile(r"(?<![\w/.\-])[^\W\d_][^\W\d_A-ZÀ-ÖØ-Þ]*(?!\w)")
"""Not in capitals, as MIT and OS are words of other languages in small letters; and no part of a path or a host."""
_ASCII_WORDS: Final = re.compile(r"(?<![\w/.\-])[A-Za-z][a-z]*(?!\w)", re.ASCII)
_UNTAUGHT: Final = word_set("small_untaught.txt")
_FOREIGN: Final = word_set("small_foreign.txt") | _UNTAUGHT
_ENGLISH: Final = word_set("small_english.txt")
_FEWEST: Final = 2
_SHORT: Final = 200
"""Characters of a text that one word is enough for."""
_READ: Final = 1000
"""Characters from the beginning that say what a text is written in."""
_LATIN_ENDS: Final = "\u0250"


def is_untaught(text: str) -> bool:
    """Whether a text has a small word of a language that no weights learned from: Finnish, Turkish, Czech and more."""
    return not _UNTAUGHT.isdisjoint(map(str.lower, _WORDS.findall(text[:_READ])))


def is_foreign(text: str) -> bool:
    """By more small words that English has not than English ones; by two at least unless there is no English one.

    A word in small letters with a letter that English has not (``złożył``) counts as one.
    """
    begin = text[:_READ]
    plain = begin.isascii()
    written = set((_ASCII_WORDS if plain else _WORDS).findall(begin))
    words = set(map(str.lower, written))
    if plain and _FOREIGN.isdisjoint(words):
        return False
    foreign, english = len(words & _FOREIGN), len(words & _ENGLISH)
    if not plain:
        foreign += sum(word.islower() and not word.isascii() and word < _LATIN_ENDS for word in written - _FOREIGN)
    return foreign > english and (foreign >= _FEWEST or (not english and len(text) < _SHORT))
