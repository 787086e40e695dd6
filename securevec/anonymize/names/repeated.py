"""Who is named in full once is somebody wherever the text goes on with half of the name: "Torben Achterkamp called.
Achterkamp paid."

The model sees four words on each side and knows nothing of the rest of the text. What is a word or a place too counts
only where a sentence does not open with it, and never in front of or behind another capital.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places
from securevec.anonymize.names.known_organisations import is_known
from securevec.anonymize.names.words import UPPER, opens_sentence

_MOST: Final = 64
"""Words that are looked for again in one text."""
_SHORTEST: Final = 3
_WORD: Final = re.compile(rf"[{UPPER}][^\W\d_]+(?:['’\-][^\W\d_]+)*")
_INITIAL: Final = re.compile(rf"[{UPPER}]\.? ")
_BEFORE: Final = re.compile(rf"(?:[\w@#/\\.'’\-]|[{UPPER}][\w'’\-]*\.? |\b(?:[Aa]n?|[Tt]he) )\Z")
_BEHIND: Final = re.compile(rf"[\w@/\\\-]|['’](?!s\b)\w|(?: |, )(?:[{UPPER}]|\d)|\.\w| (?:Street|Road|Avenue)\b")
_LOOK_BACK: Final = 24
_SCORE: Final = 0.7


def repeated(text: str, found: Iterable[Finding]) -> Iterator[Finding]:
    """Each half of a full name of ``found`` where it stands alone and nothing longer was found."""
    taken = [(finding.start, finding.end, finding.entity) for finding in found]
    halves: dict[str, bool] = {}
    for start, end, entity in taken:
        if entity == "PERSON" and len(halves) < _MOST:
            value = text[start:end]
            # Most names stand in a text once, or for the last time, and are done here.
            first, last = value[: value.find(" ")], value[value.rfind(" ") + 1 :]
            if " " in value and (text.find(last, end) >= 0 or text.find(first, end) >= 0):
                halves.update(_halves(value))
    firms = {text[start:end] for start, end, entity in taken if entity == "ORG"}
    for half, word in halves.items():
        # A firm that is called after whoever founded it is the firm's, wherever its name stands.
        at = -1 if half in firms else text.find(half)
        while at >= 0:
            end = at + len(half)
            if _stands_alone(text, at, end, word=word) and not _is_taken(taken, at, end):
                yield Finding(at, end, "PERSON", _SCORE, "name-repeated", PERSON_PRIORITY)
            at = text.find(half, end)


def _halves(name: str) -> Iterator[tuple[str, bool]]:
    """The first and the last word of a full name, each with whether it is a word of the language too."""
    words = _WORD.findall(name)
    lists = names()
    if " " not in name or "\n" in name or name.isupper():
        return
    first = lookup_key(words[0]) if words else ""
    if len(words) < 2 and not (words and _INITIAL.match(name)):
        return
    if len(words) > 1 and not (
        lists.lists_given(first) or first in lists.given_ambiguous or lists.is_surname(words[-1])
    ):
        return
    for word in dict.fromkeys((words[0], words[-1])):
        key = lookup_key(word)
        if len(word) < _SHORTEST or key in places() or key in lists.titles or is_known(word):
            continue
        yield word, key in lists.stops or key in lists.given_ambiguous or key in lists.surnames_ambiguous


def _stands_alone(text: str, start: int, end: int, *, word: bool) -> bool:
    if _BEHIND.match(text, end) is not None or _BEFORE.search(text, max(0, start - _LOOK_BACK), start) is not None:
        return False
    return not word or not opens_sentence(text, start)


def _is_taken(taken: list[tuple[int, int, str]], start: int, end: int) -> bool:
    """Whether somebody, or more than these words, was found there already."""
    return any(
        begun < end and start < reached and (entity == "PERSON" or (begun, reached) != (start, end))
        for begun, reached, entity in taken
    )
