"""Where the people of a record are named again, in scripts whose words are no words to a pattern of letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from securevec.anonymize.names.scripts.gate import scripts_in
from securevec.anonymize.names.scripts.lists import chinese, cues, japanese, simplified

_TOGETHER: Final = frozenset({"hani", "kana", "thai"})
"""Scripts that put no space between words: a name may stand anywhere."""
_ENDINGS: Final = frozenset({"hang", "armn", "geor", "beng", "taml", "telu"})
"""Scripts whose words end in particles."""
_SHORTEST: Final = {"thai": 4, "arab": 3, "hebr": 3, "deva": 3, "beng": 3, "taml": 3, "telu": 3}


def parts_of(name: str) -> set[str]:
    """The name (the plain folded view) as it may be met again: whole, and each of its words that is no other word."""
    words = name.split()
    if all(scripts_in(word) <= {"hani", "kana"} for word in words):
        # One character of a Chinese name says nothing by itself, two that are no word may be the given name.
        whole = "".join(words)
        given = [whole[size:] for size in (1, 2) if whole[:size] in chinese().families and len(whole) - size == 2]
        plain = [
            one for one in given if one.translate(simplified()) not in chinese().words and one not in japanese().words
        ]
        return {one for one in (name, whole, *plain) if len(one) > 1}
    return {word for word in [name, *words] if len(word) >= _shortest(word) and word not in _other_words()}


def _shortest(word: str) -> int:
    return max((_SHORTEST.get(script, 2) for script in scripts_in(word)), default=2)


def mentions_in(text: str, parts: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Ranges of ``text`` (the plain folded view) that are one of the parts. Plain string search."""
    for part in parts:
        scripts = scripts_in(part)
        free, endings = bool(scripts & _TOGETHER), bool(scripts & _ENDINGS)
        at = text.find(part)
        while at >= 0:
            end = at + len(part)
            if free or (_open(text, at - 1) and (endings or _open(text, end))):
                yield at, end
            at = text.find(part, end)


def _open(text: str, at: int) -> bool:
    """Whether no letter or sign of a word stands there."""
    return not 0 <= at < len(text) or unicodedata.category(text[at])[0] not in "LM"


@lru_cache(maxsize=1)
def _other_words() -> frozenset[str]:
    kinds = ("joins", "words", "titles", "before", "behind", "intro", "nobody")
    return frozenset(word for told in cues().values() for kind in kinds for word in told.get(kind, ()))
