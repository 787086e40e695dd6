"""The word lists of the scripts: costs of words and names in Han script, names of scripts with spaces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from securevec.anonymize.fold import fold
from securevec.anonymize.lexicon import list_lines


def costs(name: str) -> dict[str, int]:
    """A list of lines of a cost, a length, and words of both; words that differ in their end are written as one."""
    found: dict[str, int] = {}
    for line in list_lines(name):
        cost, length, *words = line.split()
        size = int(length) - 1
        found.update(dict.fromkeys((word[:size] + end for word in words for end in word[size:]), int(cost)))
    return found


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What a language writes in Han script, in halves of natural logarithms of odds."""

    words: Mapping[str, int]
    families: Mapping[str, int]
    given: Mapping[str, int]
    alone: int
    """What a character costs that no word of the list holds."""
    person: int
    """What it costs that a person is named at all."""
    longest: int
    """Characters of a given name."""


_CHINESE_PLACE: Final = 20
_JAPANESE_PLACE: Final = 20
"""What a listed place costs that the lists of words have not."""


@lru_cache(maxsize=1)
def chinese() -> Lexicon:
    words = dict.fromkeys(listed_places("hani"), _CHINESE_PLACE) | costs("han_words.txt")
    return Lexicon(words, costs("han_families.txt"), costs("han_given.txt"), alone=24, person=10, longest=2)


@lru_cache(maxsize=1)
def japanese() -> Lexicon:
    """Costs of IPADIC leave out what neighbours cost each other; a common word is worth ``10`` more."""
    words = {word: cost + 10 for word, cost in costs("kanji_words.txt").items()}
    words = dict.fromkeys(listed_places("jpan"), _JAPANESE_PLACE) | words
    families = {word: cost // 2 + 10 for word, cost in costs("kanji_families.txt").items()}
    return Lexicon(words, families, costs("kanji_given.txt"), alone=14, person=6, longest=3)


@lru_cache(maxsize=1)
def simplified() -> dict[int, int]:
    """From traditional characters to simplified ones, one for one."""
    old, new = list_lines("han_simplified.txt")
    return {ord(a): ord(b) for a, b in zip(old, new, strict=True)}


@lru_cache(maxsize=1)
def kana_names() -> frozenset[str]:
    return frozenset(word for line in list_lines("kana_given.txt") for word in line.split()) | set(
        cues()["jpan"]["kananames"]
    )


_EAST: Final = {"hani": ("hani",), "jpan": ("jpan", "kanji", "kana"), "hang": ("hang",), "hang?": ("hang?",)}


@lru_cache(maxsize=4)
def listed_places(script: str) -> frozenset[str]:
    """Towns, provinces and countries of East Asia and the world as Chinese, Japanese or Korean texts write them."""
    wanted = _EAST[script]
    found: set[str] = set()
    for name in ("places_east.txt", "countries_native.txt"):
        for line in list_lines(name):
            kind, _, names = line.partition(" ")
            if kind in wanted:
                found.update(fold(names, skeleton=False).text.split("|"))
    # "東京都" is a word of its own, or it would be cut as what lies east of Kyoto.
    return frozenset(found | set(cues()["jpan"]["prefectures"] if script == "jpan" else ()))


@lru_cache(maxsize=1)
def cues() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """``script_cues.txt``: for each script, what kind of cue, and its words."""
    return _by_script("script_cues.txt")


@lru_cache(maxsize=1)
def houses() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """``script_houses.txt``: organizations by script, and words that they begin or end with."""
    return _by_script("script_houses.txt")


def _by_script(name: str) -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in fold("\n".join(list_lines(name)), skeleton=False).text.splitlines():
        head, _, rest = line.partition(": ")
        script, kind = head.split()
        have = found.setdefault(script, {})
        have[kind] = have.get(kind, ()) + tuple(word.strip() for word in rest.split("|"))
    return found


@lru_cache(maxsize=16)
def spaced(script: str) -> tuple[frozenset[str], frozenset[str]]:
    """Given names and family names of a script with spaces between words."""
    found = {"given": frozenset[str](), "family": frozenset[str]()}
    for line in list_lines("spaced_names.txt"):
        head, kind, *words = line.split()
        if head == script:
            found[kind] = frozenset(words)
    return found["given"], found["family"]


def pairs(written: str) -> tuple[tuple[str, str], ...]:
    """``"ie>a u>"`` as pairs: an ending, and what stands instead of it."""
    return tuple((ending, instead) for ending, _, instead in (each.partition(">") for each in written.split()))


def either(words: Iterable[str]) -> str:
    """A pattern of any of the words, longer ones first."""
    return f"(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})"
