"""Where the names of the model begin and end: words beside a name are cut off, halves of one are put together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places, word_set
from securevec.anonymize.names.known_organisations import is_known
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.organisations import HOUSE_FIRST, HOUSE_LAST, is_house

_ROLES: Final = names().people_nouns | word_set("role_nouns.txt")
_JOINS: Final = frozenset(["and", "und", "et", "y", "e", "en", "og", "och", "&", "of", "de", "der", "the"])
_ARTICLES: Final = frozenset(["the", "die", "der", "das", "la", "le", "les", "el", "los", "il", "lo", "de", "het"])
_OPENERS: Final = word_set("openers.txt")
"""Words that open a sentence in other languages; the model takes a capital it knows nothing about for a name."""
_GREETINGS: Final = frozenset(
    ["querida", "querido", "prezado", "cara", "caro", "gentile", "egregio", "egregia", "beste", "geachte", "lieve",
     "estimado", "estimada", "kjaere", "sayin", "vazena", "vazeny", "mily", "mila", "kedves", "tisztelt", "draga",
     "dragi", "hej", "chere", "cher", "kara", "kaere", "hei", "szanowny", "szanowna", "drogi", "droga", "basta"]
)  # fmt: skip
"""What a letter begins with. Some are given names too, so only where a line begins and a sign behind the name ends."""
_CALLED: Final = word_set("callings_abroad.txt") | word_set("callings_german.txt") | word_set("titles_abroad.txt")
_ELIDED: Final = re.compile(r"(?:[LlDd]|[Qq]u|[Aa]ll|[Dd]ell|[Dd]all|[Nn]ell|[Ss]ull|[Uu]n|[Cc]oll)['’](?=\w)")
_CALLED_BEFORE: Final = re.compile(r"(?<= )([^\W\d_A-Z]{4,16}) (?=[^\W\d_a-z])")
"""What somebody is inside a stretch: "Mia cugina Assunta"."""
_FIRST_WORDS: Final = _ROLES | _JOINS | _ARTICLES | _OPENERS | _GREETINGS
_WORD: Final = re.compile(r"[^\W_][\w'’.\-]*|&")
_BETWEEN: Final = re.compile(
    r" (?:(?:y|e|et|und|i|och|og|en) (?:la|el|los|las|der|die|das|il|le|les|o|a|os|het|de)"
    r"|do|na|nach|naar|oraz|nad|hacia|vers|bis)"
    r" (?=\w)"
)
_VERB: Final = re.compile(r" ([^\W\d_]{4,}) (?=[^\W\d_])")
_AND: Final = re.compile(r" (?:y|e|et|und|i|och|og|en|z) (?=([^\W\d_]+))")
_CASE: Final = re.compile(
    r"(?<=\w\w)['’](?:[dt][ae](?:n|ki|kiler)?|y?[aeıiuü]|n?[ıiuü]n|l[ae]r|y?l[ae]|l[ıiuü])(?![\w'’])"
)
_SPLIT: Final = frozenset({"PERSON", "LOCATION"})
_NAMES: Final = frozenset({"PERSON", "LOCATION", "ORG"})
_MOST_PARTS: Final = 4


def tidy(text: str, stretches: list[Stretch], *, abroad: bool = False) -> list[Stretch]:
    """``stretches`` in order, with better ends. Nothing the model left out comes in, but for what joins two halves.

    ``abroad``: the text is in another language of Europe than English. Where it has capitals, words in small letters
    are no people and no places there.
    """
    if abroad and not text.islower():
        if "'" in text or "’" in text:
            stretches = [part for stretch in stretches for part in _without_case(text, stretch)]
        stretches = [part for stretch in stretches for part in _apart(text, stretch)]
        stretches = [cut for stretch in stretches if (cut := _without_small(text, stretch)) is not None]
        stretches = [cut for stretch in stretches if (cut := _without_lead(text, stretch)) is not None]
    houses = cuts = False
    for stretch in stretches:
        value = text[stretch.start : stretch.end]
        first, last = value.partition(" ")[0].lower(), value.rpartition(" ")[2].lower()
        if first in HOUSE_FIRST or last in HOUSE_LAST or not value.isascii():
            houses = True
        particle = stretch.tag == "PERSON" and last in names().particles
        if first in _FIRST_WORDS or last in _JOINS or particle or value[0].islower() or not value.isascii():
            cuts = True
    if houses:
        stretches = _joined(text, stretches)
    if houses or cuts:
        stretches = [cut for stretch in stretches if (cut := _cut(text, stretch)) is not None]
    return stretches


def _apart(text: str, stretch: Stretch) -> Iterator[Stretch]:
    """The two names on both sides of a small word that is in none: "Gdańska do Poznania", "Lugo y la Universidad"."""
    between = _BETWEEN.search(text, stretch.start, stretch.end) if stretch.tag in _SPLIT else None
    if between is None and stretch.tag == "PERSON":
        between = _between_people(text, stretch)
    if between is None or lookup_key(text[stretch.start : stretch.end]) in places():
        yield stretch
        return
    yield Stretch(stretch.start, between.start(), stretch.tag, stretch.margin)
    tag = "ORG" if stretch.tag == "PERSON" and is_known(text[between.end() : stretch.end]) else stretch.tag
    yield from _apart(text, Stretch(between.end(), stretch.end, tag, stretch.margin))


def _between_people(text: str, stretch: Stretch) -> re.Match[str] | None:
    """A small word that is in no name ("Ekstrand stänger Ericsson"), or "and" with a given name behind it."""
    for verb in _VERB.finditer(text, stretch.start, stretch.end):
        word = verb.group(1)
        # "Mia cugina Ornella" is one person, whom a word for what somebody is stands in front of.
        if word.islower() and text[verb.end()].isupper() and word not in names().particles and word not in _CALLED:
            return verb
    joined = _AND.search(text, stretch.start, stretch.end)
    if joined is None or not joined.group(1)[0].isupper():
        return None
    lists, key = names(), lookup_key(joined.group(1))
    both = lists.lists_given(lookup_key(text[stretch.start : joined.start()]))
    return joined if lists.lists_given(key) and (both or not lists.lists_surname(key)) else None


def _without_case(text: str, stretch: Stretch) -> Iterator[Stretch]:
    """Without what Turkish puts behind an apostrophe ("Kayseri'de"), which ends a name."""
    case = _CASE.search(text, stretch.start, stretch.end) if stretch.tag in _NAMES else None
    if case is None:
        yield stretch
        return
    yield Stretch(stretch.start, case.start(), stretch.tag, stretch.margin)
    if case.end() + 1 < stretch.end:
        yield from _without_case(text, Stretch(case.end() + 1, stretch.end, stretch.tag, stretch.margin))


def _without_small(text: str, stretch: Stretch) -> Stretch | None:
    """Without words in small letters at its end, particles among them, and ``None`` where there are no others.

    An organization keeps them behind its first word: "Cour de cassation".
    """
    if stretch.tag not in _NAMES:
        return stretch
    words = [(match.end(), match.group()) for match in _WORD.finditer(text, stretch.start, stretch.end)]
    high = len(words)
    while high and words[high - 1][1][0].islower() and (stretch.tag != "ORG" or high == 1):
        high -= 1
    if not high or (stretch.tag == "ORG" and all(word[0].islower() for _, word in words)):
        return None
    return stretch if high == len(words) else Stretch(stretch.start, words[high - 1][0], stretch.tag, stretch.margin)


def _without_lead(text: str, stretch: Stretch) -> Stretch | None:
    """Without an article that has lost a letter ("all'Ospedale Maggiore", "L'élève Yanis") and, of a person, without
    what somebody is in front of the name: "Teilnehmer Torben Quast"."""
    start, end = stretch.start, stretch.end
    elided = _ELIDED.match(text, start, end)
    if elided is not None and text[elided.end()].islower():
        start = text.find(" ", elided.end(), end) + 1
        if not start:
            return None
    elif elided is not None and text[start].islower():
        start = elided.end()
    called = _CALLED_BEFORE.search(text, start, end) if stretch.tag == "PERSON" else None
    if called is not None and called.group(1) in _CALLED:
        start = called.end()
    while stretch.tag == "PERSON" and (space := text.find(" ", start, end)) > 0:
        word = text[start:space]
        if word not in _CALLED and word[0].lower() + word[1:] not in _CALLED:
            break
        start = space + 1
    if start == stretch.start:
        return stretch
    return Stretch(start, end, stretch.tag, stretch.margin) if text[start].isupper() else None


def _joined(text: str, stretches: list[Stretch]) -> list[Stretch]:
    """Neighbours behind one space are one organization where they read like one: "Tallowgate" and "Mutual"."""
    made: list[Stretch] = []
    place = 0
    while place < len(stretches):
        last = place
        while (
            last + 1 < len(stretches)
            and last - place < _MOST_PARTS
            and stretches[last].tag in _NAMES
            and stretches[last + 1].tag in _NAMES
            and text[stretches[last].end : stretches[last + 1].start] in {" ", " & "}
        ):
            last += 1
        first = stretches[place]
        whole = text[first.start : stretches[last].end]
        if first.tag in _NAMES and (last > place or first.tag != "ORG") and whole[0].isupper() and is_house(whole):
            margin = max(stretch.margin for stretch in stretches[place : last + 1])
            made.append(Stretch(first.start, stretches[last].end, "ORG", margin))
            place = last + 1
        else:
            made.append(first)
            place += 1
    return made


def _may_be_cut(value: str) -> bool:
    """Whether a first or last word is one that :func:`_cut` looks for. Most names are done here."""
    first, _, rest = value.partition(" ")
    last = rest.rpartition(" ")[2]
    if value[0].islower() or last.lower() in _JOINS or last.islower():
        return True
    return first.lower() in _FIRST_WORDS or (not first.isascii() and lookup_key(first) in _FIRST_WORDS)


def _cut(text: str, stretch: Stretch) -> Stretch | None:
    """Without words at its ends that are no part of a name, and ``None`` where nothing is left."""
    value = text[stretch.start : stretch.end]
    if stretch.tag not in _NAMES or not _may_be_cut(value):
        return stretch
    words = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(text, stretch.start, stretch.end)]
    capital = any(word[0].isupper() for _, _, word in words)
    low, high = int(len(words) > 1 and _greets(text, stretch, words[0][2])), len(words)
    while high > low and words[high - 1][2].lower() in _JOINS and not words[high - 1][2].isupper():
        high -= 1
    if stretch.tag == "PERSON" and capital:
        while high - low > 1 and words[high - 1][2].islower():
            high -= 1
    while low < high and _leads(words[low][2], words[low + 1][2] if low + 1 < high else "", stretch.tag, capital):
        low += 1
    if low == high:
        return None
    if low == 0 and high == len(words):
        return stretch
    return Stretch(words[low][0], words[high - 1][1], stretch.tag, stretch.margin)


def _greets(text: str, stretch: Stretch, word: str) -> bool:
    if stretch.tag != "PERSON" or lookup_key(word) not in _GREETINGS:
        return False
    return (
        text[: stretch.start].rpartition("\n")[2].strip(" >") == "" and text[stretch.end : stretch.end + 1] in ",:!\n"
    )


def _leads(word: str, following: str, tag: str, capital: bool) -> bool:
    """Whether a word in front of a name is no part of it."""
    plain = word.lower()
    if plain in _JOINS and plain not in names().particles:
        return not word.isupper() or len(word) == 1
    if tag == "ORG":
        return bool(following) and plain in _ARTICLES
    if tag == "PERSON" and lookup_key(word) in _OPENERS and not word.isupper():
        return True
    if tag != "PERSON" or not following:
        return False
    if capital and word[0].islower():
        return plain not in names().particles or (
            plain in {"de", "di", "da", "du"} and lookup_key(following) in names().given
        )
    return lookup_key(word) in _ROLES
