"""How far names of the model reach: houses that are built on their kind are whole, people end with their sentence.

Each step looks at a stretch and the few characters beside it; a text without findings pays nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places, word_set
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.syllables import is_syllabic
from securevec.anonymize.names.words import UPPER, opens_sentence

_NEXT: Final = re.compile(rf" ([{UPPER}][\w’\-]*)(?![\w'’\-@])(?! [{UPPER}])")
_KIN: Final = ("Abu", "Umm", "Ibn", "Bint", "Ould")
_KIN_BEFORE: Final = tuple(f"{word} " for word in _KIN)
_CALLED: Final = names().people_nouns | word_set("role_nouns.txt") | word_set("callings_english.txt")
_WORD_BEFORE: Final = re.compile(rf"(?<![\w'’\-@.])([{UPPER}][\w’\-]+) \Z")
_LONGEST: Final = 24
"""Characters in front of a name in which its first word is looked for."""
_HYPHENED: Final = re.compile(r"-[a-z]{2,6}(?![\w\-])")
_QUOTED: Final = re.compile(rf"[\"”'’] ([{UPPER}][\w'’\-]+)")
_OPEN_QUOTE: Final = re.compile(rf"\w [\"“'‘][{UPPER}][\w \-]*\Z")
_SENTENCE: Final = re.compile(rf"(?<![\w'’\-])([{UPPER}][\w’\-]{{2,}})\. (?=[{UPPER}][a-z])")
_FRONT: Final = 2
"""Words in front of what the model found of a house."""
_LETTERS: Final = re.compile(rf"[{UPPER}](?:\.[ ]?-?[{UPPER}])+\Z")
_ABBREVIATED: Final = frozenset(
    ["chas", "geo", "thos", "wm", "jas", "jos", "robt", "alex", "edw", "saml", "benj", "danl", "hon", "rev", "mrs",
     "mme", "prof", "capt", "col", "gen", "lieut", "sgt", "maj", "gov", "sen", "rep", "supt", "insp", "ste", "drs",
     "messrs"]
)  # fmt: skip
"""What is written short inside a name, with its dot."""


def whole(text: str, stretches: list[Stretch], houses: list[tuple[int, int]], *, abroad: bool = False) -> list[Stretch]:
    """``stretches`` in order, with better ends. ``houses``: what the words say are organizations.
    ``abroad``: the text is in another language of Europe than English.
    """
    if houses:
        stretches = _with_houses(text, stretches, houses)
    made: list[Stretch] = []
    for place, stretch in enumerate(stretches):
        if stretch.tag != "PERSON":
            made.append(stretch)
            continue
        following = stretches[place + 1].start if place + 1 < len(stretches) else len(text)
        previous = stretches[place - 1].end if place else 0
        made += _people(text, stretch if abroad else _from_left(text, stretch, previous), following)
    return _with_families(text, made)


def _with_families(text: str, stretches: list[Stretch]) -> list[Stretch]:
    """A full name whose last word is a place too is one name: "Sergio de Souza" and "Lima"."""
    made: list[Stretch] = []
    for stretch in stretches:
        before = made[-1] if made else None
        if (
            before is not None
            and before.tag == "PERSON"
            and stretch.tag in {"LOCATION", "ORG"}
            and text[before.end : stretch.start] == " "
            and " " in (value := text[before.start : before.end])
            and _is_given(value.partition(" ")[0])
            and _is_family(text[stretch.start : stretch.end])
        ):
            made[-1] = Stretch(before.start, stretch.end, "PERSON", before.margin)
        else:
            made.append(stretch)
    return made


def _is_family(word: str) -> bool:
    lists, key = names(), lookup_key(word)
    return lists.lists_surname(key) or key in lists.surnames_ambiguous


def _from_left(text: str, stretch: Stretch, previous: int) -> Stretch:
    """With what names of Arabs begin with ("Umm Salama"), and with the first name of whoever speaks ("Priti Vora:")."""
    if text[stretch.end : stretch.end + 1] != ":" and not text.endswith(
        _KIN_BEFORE, max(0, stretch.start - 5), stretch.start
    ):
        return stretch
    before = _WORD_BEFORE.search(text, max(previous, stretch.start - _LONGEST), stretch.start)
    if before is None:
        return stretch
    word = before[1]
    speaks = text[stretch.end : stretch.end + 2] in {": ", ":\n"} and " " not in text[stretch.start : stretch.end]
    key = lookup_key(word)
    if word in _KIN or (
        speaks
        and opens_sentence(text, before.start(1))
        and not (key in names().stops or key in names().titles or names().looks_noun(key) or word.isupper())
        and key not in _CALLED
    ):
        return Stretch(before.start(1), stretch.end, "PERSON", stretch.margin)
    return stretch


def _with_houses(text: str, stretches: list[Stretch], houses: list[tuple[int, int]]) -> list[Stretch]:
    """A house of which the model found a part as an organization is one, from end to end."""
    made: list[Stretch] = []
    place = 0
    for start, end in houses:
        while place < len(stretches) and stretches[place].end <= start:
            made.append(stretches[place])
            place += 1
        last = place
        while last < len(stretches) and stretches[last].start < end:
            last += 1
        inside = stretches[place:last]
        parts = [each for each in inside if each.tag == "ORG"]
        if parts and inside[0].start >= start and inside[-1].end <= end and _may_be_one(text, start, inside):
            made.append(Stretch(start, end, "ORG", max(each.margin for each in parts)))
            place = last
    return made + stretches[place:]


def _may_be_one(text: str, start: int, inside: list[Stretch]) -> bool:
    """Whether what stands in front of the parts of a house may be its beginning: no headline, no full name."""
    if any(each.tag == "PERSON" and " " in text[each.start : each.end] for each in inside):
        return False
    lists = names()
    front = text[start : inside[0].start].split()
    return (
        len(front) <= _FRONT
        and all(
            word[0].isupper()
            and lookup_key(word) not in lists.stops
            and lookup_key(word) not in lists.verbs
            and not word.endswith("ed")
            for word in front
        )
        and not (front and opens_sentence(text, start) and lookup_key(front[0]) not in places())
    )


def _people(text: str, stretch: Stretch, following: int) -> Iterator[Stretch]:
    start, end = stretch.start, stretch.end
    value = text[start:end]
    if ". " in value and (cut := _sentence(value)):
        yield Stretch(start, start + cut, "PERSON", stretch.margin)
        if _may_be_name(value[cut + 2 :].partition(" ")[0]):
            yield from _people(text, Stretch(start + cut + 2, end, "PERSON", stretch.margin), following)
        return
    if " - " in value and "\n" not in value and _opens_line(text, start):
        first, _, second = value.partition(" - ")
        if _is_given(first) and _is_given(second.partition(" ")[0]):
            yield Stretch(start, start + len(first), "PERSON", stretch.margin)
            yield Stretch(end - len(second), end, "PERSON", stretch.margin)
            return
    if (
        text[end : end + 1] == "-"
        and (syllable := _HYPHENED.match(text, end)) is not None
        and is_syllabic(f"{value}{syllable.group()}".split(" "))
    ):
        end = syllable.end()
    elif text[end : end + 1] == "." and _LETTERS.search(value):
        end += 1
    elif (quoted := _QUOTED.match(text, end)) is not None and quoted.end() <= following and _OPEN_QUOTE.search(value):
        end = quoted.end()
    elif (more := _NEXT.match(text, end)) is not None and more.end() <= following and _is_last(value, more[1]):
        end = more.end()
    yield stretch if end == stretch.end else Stretch(start, end, "PERSON", stretch.margin)


def _sentence(value: str) -> int:
    """Where a sentence ends inside a name: "Thanks Raj. Looping in"; 0 where none does."""
    for match in _SENTENCE.finditer(value):
        word = lookup_key(match[1])
        lists = names()
        if word in _ABBREVIATED or word in lists.titles or not (_is_given(word) or word in lists.surnames):
            continue
        behind = lookup_key(value[match.end() :].partition(" ")[0])
        if not lists.lists_given(behind) and not lists.lists_surname(behind):
            return match.end(1)
    return 0


def _may_be_name(word: str) -> bool:
    """Whether a word that opens a sentence may be somebody: no small word, and not formed as a verb or a noun is."""
    lists, key = names(), lookup_key(word)
    return key not in lists.stops and key not in lists.verbs and not lists.looks_noun(key) and not key.endswith("ing")


def _is_given(word: str) -> bool:
    return names().lists_given(lookup_key(word))


def _is_last(value: str, word: str) -> bool:
    """Whether a word behind a name of several is its last: a list knows it as a name, and as nothing else."""
    lists, key = names(), lookup_key(word)
    if " " not in value or key in lists.stops or key in lists.titles or key in places() or key in lists.organizations:
        return False
    return lists.lists_given(key) or lists.lists_surname(key)


def _opens_line(text: str, start: int) -> bool:
    return start == 0 or text[start - 1] == "\n"
