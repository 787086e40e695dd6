"""Names of people who do not exist, in the script, the language and the gender of the name they stand for.

Language and gender are taken from the given name where a list of ``data/surrogate_people.txt`` holds it; a language
also from endings and letters of the surname. A given name of several languages says its gender alone. What is not known
is neutral: names of the English list. Scripts without a list get a neutral name too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.surrogates.stream import Stream, recase

ANY: Final = "any"
NEUTRAL: Final = "en"
EASTERN: Final = frozenset({"hani", "jpan", "kana", "hang"})
"""Surname first, and no space between where the original has none."""

_LONGEST_FAMILY: Final = 3
_SCRIPTS: Final = {
    "CYRILLIC": "cyrl", "GREEK": "grek", "HEBREW": "hebr", "ARABIC": "arab", "DEVANAGARI": "deva", "CJK": "hani",
    "HIRAGANA": "kana", "KATAKANA": "kana", "HANGUL": "hang", "THAI": "thai", "ARMENIAN": "armn", "GEORGIAN": "geor",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Speech:
    """A language or script, and the gender (``f``, ``m`` or empty) that a name says."""

    language: str
    gender: str


@dataclass(frozen=True, slots=True)
class _Lists:
    words: Mapping[tuple[str, str], tuple[str, ...]]
    given: Mapping[str, frozenset[Speech]]
    cues: tuple[tuple[str, tuple[str, ...]], ...]
    signs: tuple[tuple[str, frozenset[str]], ...]
    all_signs: frozenset[str]


@lru_cache(maxsize=1)
def _lists() -> _Lists:
    words: dict[tuple[str, str], tuple[str, ...]] = {}
    given: dict[str, set[Speech]] = defaultdict(set)
    for line in lexicon.list_lines("surrogate_people.txt"):
        language, what, *rest = line.split()
        words[(language, what)] = tuple("" if word == "-" else word for word in rest)
        if what in {"f", "m", "knows_f", "knows_m"} and language not in EASTERN:
            for word in rest:
                given[lookup_key(word)].add(Speech(language, what[-1]))
    cues = tuple((language, rest) for (language, what), rest in words.items() if what == "cues")
    signs = tuple((language, frozenset(rest)) for (language, what), rest in words.items() if what == "signs")
    all_signs = frozenset[str]().union(*(some for _, some in signs))
    return _Lists(words, {name: frozenset(said) for name, said in given.items()}, cues, signs, all_signs)


def script_of(value: str) -> str:
    """``latn``, or the script of the first letter that is not Latin; ``latn`` too where there is no list for it."""
    if value.isascii():
        return "latn"
    found = ""
    for char in value:
        if char.isalpha() and not char.isascii():
            script = _SCRIPTS.get(re.split("[ -]", unicodedata.name(char, ""))[0], "")
            if {script, found} == {"kana", "hani"}:
                return "jpan"
            found = found or script
    words = _lists().words
    if found == "hani" and value.startswith((*words[("jpan", "stems")], *words[("jpan", "knows_s")])):
        return "jpan"
    return found or "latn"


def speech_of(value: str) -> Speech:
    """Language or script and gender of a name, as far as the lists know; casing and accents do not matter."""
    words = [word for word in (lookup_key(part.strip(",.;")) for part in value.split()) if word]
    script = script_of(value)
    if not words:
        return Speech(NEUTRAL, "")
    said: frozenset[Speech] = frozenset()
    for word in (words[0], words[-1]):
        said = said or _lists().given.get(word, frozenset()) or _lists().given.get(word.split("-")[0], frozenset())
    if script != "latn":
        genders = {one.gender for one in said if one.language == script}
        return Speech(script, genders.pop() if len(genders) == 1 else _bent(script, words[-1]))
    genders = {one.gender for one in said}
    languages = {one.language for one in said} - {ANY}
    gender = genders.pop() if len(genders) == 1 else ""
    language = languages.pop() if len(languages) == 1 and ANY not in {one.language for one in said} else ""
    if not language or language == NEUTRAL:
        language = _language_of_surname(value, words[-1]) or language or NEUTRAL
    return Speech(language, gender or _bent(language, words[-1]))


def _bent(language: str, surname: str) -> str:
    """The gender that the ending of a surname says, in languages where it does."""
    if language == "cyrl":
        return "f" if surname.endswith(("ова", "ева", "ина", "ая")) else ""
    if language == "pl":
        return "f" if surname.endswith(("ska", "cka")) else "m" if surname.endswith(("ski", "cki")) else ""
    return ""


def _language_of_surname(value: str, surname: str) -> str:
    lists = _lists()
    if len(surname) > 4:
        fitting = [language for language, cues in lists.cues if surname.endswith(cues)]
        if len(fitting) == 1:
            return fitting[0]
    letters = frozenset(unicodedata.normalize("NFC", value).casefold())
    if letters.isdisjoint(lists.all_signs):
        return ""
    fitting = [language for language, signs in lists.signs if not letters.isdisjoint(signs)]
    return fitting[0] if len(fitting) == 1 else ""


def surname(stream: Stream, language: str, gender: str = "") -> str:
    """A made-up surname of a language or script."""
    words = _lists().words
    if language in {NEUTRAL, ANY, "latn"} or (language, "stems") not in words:
        _, stems, endings = lexicon.surrogate_names()
        return stream.choice(stems) + stream.choice(endings)
    stem = stream.choice(words[(language, "stems")])
    if (language, "ends") not in words:
        return stem
    middle = stream.choice(words[(language, "middles")])
    number = stream.below(len(words[(language, "ends")]))
    bent = words.get((language, f"ends_{gender}"), words[(language, "ends")])
    return f"{stem}{middle}{bent[number]}"


def person(stream: Stream, value: str) -> str:
    """A name like ``value``: script, language and gender where they are known, one word for one word, its casing."""
    said = speech_of(value)
    if said.language in EASTERN:
        return _eastern(stream, said, value)
    last = surname(stream, said.language, said.gender)
    first = stream.choice(_given(said))
    words = value.split()
    if len(words) == 1 and (not value.isupper() or said.language != NEUTRAL):
        return recase(first if _is_given(value) else last, value)
    return recase(f"{first} {last}", value)


def _given(said: Speech) -> tuple[str, ...]:
    words = _lists().words
    if said.gender:
        return words[(said.language, said.gender)]
    if said.language == NEUTRAL:
        return lexicon.surrogate_names()[0]
    return words[(said.language, "f")] + words[(said.language, "m")]


def _is_given(value: str) -> bool:
    return lexicon.names().is_given(value) or lookup_key(value) in _lists().given


def _eastern(stream: Stream, said: Speech, value: str) -> str:
    words = _lists().words
    family = stream.choice(words[(said.language, "stems")])
    if _is_family(said.language, value):
        return family
    pool = words[(said.language, "f")] + words[(said.language, "m")]
    count = 1
    if said.language in {"hani", "hang"}:
        count = 2 if said.language == "hang" or sum(map(str.isalpha, value)) > 2 else 1
    given = "".join(stream.choice(pool) for _ in range(count))
    return f"{family} {given}" if len(value.split()) > 1 else f"{family}{given}"


def _is_family(language: str, value: str) -> bool:
    """Whether a name is a family name alone: "王" of "王先生", "田中" of "田中さん"."""
    letters = sum(map(str.isalpha, value))
    if language == "jpan":
        words = _lists().words
        return letters <= _LONGEST_FAMILY and value in (*words[("jpan", "stems")], *words[("jpan", "knows_s")])
    return letters == 1 and language in {"hani", "hang"}
