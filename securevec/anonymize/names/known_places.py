"""Places that a list knows, behind a word that stands in front of places, in the languages of Europe.

The model was trained on English and is sure of other text that it names nobody: of "sie zog von Leipzig nach Chemnitz"
it sees no place. A word as "nach", with a town behind it that a list knows, lifts the score of LOCATION by as much as
the model is sure. Words that English has too lift it less. What is also somebody's name is left to the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import barred, names, places, word_set
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import questioning

_FILE: Final = "places_abroad.txt"
_FOREIGN: Final = 12.0
_SHARED: Final = 3.0
_STATE: Final = 6.0
_OWN: Final = 6.0
_LONGEST: Final = 24
_KIND: Final = 4.0
_FOREIGN_WORDS: Final = frozenset(
    ["aus", "nach", "im", "à", "au", "aux", "en", "desde", "hacia", "hasta", "em", "uit", "naar", "te", "w", "we", "z",
     "från", "till", "i", "fra", "til", "ved", "près de", "cerca de", "vicino a", "bei", "entre",
     "zwischen", "tussen", "mellan", "mellem", "mellom", "między", "på"]
)  # fmt: skip
_SHARED_WORDS: Final = frozenset(["in", "at", "from", "to", "near", "via", "through", "around", "von", "a"])
_WORDS: Final = sorted(_FOREIGN_WORDS | _SHARED_WORDS, key=lambda word: (-len(word), word))
_WORD: Final = rf"[{UPPER}][\w'’\-]*"
_NAME: Final = rf"(?:(?:La|Le|El|Den|'s)[ \-])?{_WORD}(?: (?:(?:de|di|del|of|upon|am|an der|du) )?{_WORD}){{0,2}}"
_BEHIND: Final = re.compile(rf"(?<![\w'’\-])({'|'.join(_WORDS)}) ({_NAME})")
_MAY_BE_BEHIND: Final = questioning(rf"(?:\b(?:{'|'.join(word for word in _WORDS if word[0].isascii())})|\?) [A-Z?']")
"""Those words, and what a name may begin with. No border of a word is in front of a question mark."""
_OF_WORDS: Final = "de|da|do|di|du|del|dal|na|nas|nos|ao|pela|pelo"
"""What stands in front of places too, but of other things more often, and inside names."""
_OF: Final = re.compile(rf"(?<=[a-zà-ÿ]{{2}} |[a-zà-ÿ], )(?:{_OF_WORDS}) ({_NAME})")
_MAY_BE_OF: Final = questioning(rf"\b(?:{_OF_WORDS}) [A-Z?]")
_KINDS: Final = (
    "(?:Stadt|Kanton|Landkreis|Gemeinde|Provinz|Bezirk|Insel|Dorf|Fluss|stad|gemeente|provincie|dorp|eiland) "
    "|(?:ciudad|provincia|municipio|pueblo|isla|localidad|barrio|comarca|cidade|província|município|vila|ilha|bairro"
    "|freguesia|ville|commune|village|île|région|département|città|comune|paese|isola|regione|quartiere)"
    " (?:(?:de|do|da|di|del|de la) |d')"
    "|(?:[Cc]ity|[Tt]own|[Vv]illage|[Pp]rovince|[Mm]unicipality|[Ss]uburb|[Ii]sland|[Bb]orough) of "
)
_OF_KIND: Final = re.compile(rf"(?<![\w'’\-])(?:{_KINDS})({_NAME})")
_MAY_BE_KIND: Final = questioning(rf"(?:\b(?:{_KINDS})|\?le (?:(?:de|do|da|di|del|de la) |d'))[A-Z?']")
"""Those words, of which one begins beyond ASCII, and what a name may begin with."""
_CAPITALS: Final = re.compile(rf"(?<![\w'’@#/.\-])(?:{_WORD})(?:[ \-](?:(?:de|do|du|di|of|d')[ ]?)?{_WORD})*(?![\w@/])")
_MORE: Final = re.compile(rf"(?: ?,|(?: ?,)? (?:and|und|et|y|e|en|och|og|i|oraz|or|oder|ou|o)) ({_NAME})")
_IN_LIST: Final = re.compile(" ?,? ?(?:and|und|et|y|e|en|och|og) ")
_ALONE: Final = re.compile(rf"({_WORD})(?=[.,;)\n]|\Z)")
"""An unlisted name that ends a list of places: "Truro, Penzance and Bude."."""
_FROM_TO: Final = re.compile(rf"(?<!\w)van ({_WORD}) naar [{UPPER}]")
"""In Dutch "van" stands in front of people and places; with "naar" behind it is a way."""
_STATE_BEFORE_ZIP: Final = re.compile(
    r", (A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY]) \d{5}(?!\d)"
)


_SMALL: Final = re.compile(
    r"\b(?:in|from|to|near|at|around|via|of) ([a-z][a-z'\-]{2,24}(?: [a-z][a-z'\-]{2,24})?)(?![\w@.\-]\w)"
)
_SMALL_COUNTS: Final = 5.0
_SHORTEST_SMALL: Final = 3
_SMALL_WORDS: Final = word_set("places_small.txt")
"""Places that are words too, in a text that does not tell them apart."""


@lru_cache(maxsize=1)
def own_names() -> frozenset[str]:
    """Lookup keys of places as their people and neighbours call them."""
    return frozenset(map(lookup_key, barred(_FILE)))


def by_list(text: str) -> Iterator[tuple[int, int, float]]:
    """Start and end of each listed place behind such a word, and how much it counts in the model's units."""
    for match in matches_behind(_MAY_BE_BEHIND, _BEHIND, text):
        counts = _FOREIGN if match.group(1) in _FOREIGN_WORDS else _SHARED
        start, end = match.start(2), _listed(text, match.start(2), match.end(2))
        while end > start:
            yield start, end, counts if _may_be_else(text[start:end]) else _FOREIGN
            more = _MORE.match(text, end)
            if more is None:
                break
            start, end = more.start(1), _listed(text, more.start(1), more.end(1))
            if end == start and _IN_LIST.match(more.group()) and (last := _ALONE.match(text, start)) is not None:
                yield *last.span(1), _SHARED
    for match in matches_behind(_MAY_BE_KIND, _OF_KIND, text):
        yield *match.span(1), _KIND
    for match in matches_behind(_MAY_BE_OF, _OF, text):
        start = match.start(1)
        end = _listed(text, start, match.end(1))
        if end > start and not _elided_before(text, match.start()) and not _somebodys_anywhere(text[start:end]):
            yield start, end, _FOREIGN
    if " naar " in text:
        for match in _FROM_TO.finditer(text):
            yield *match.span(1), _FOREIGN
    for match in _STATE_BEFORE_ZIP.finditer(text):
        yield match.start(1), match.end(1), _STATE


def in_small_letters(text: str) -> Iterator[tuple[int, int, float]]:
    """Listed places behind such a word in a text without capitals, as speech is written down."""
    for match in _SMALL.finditer(text):
        start = match.start(1)
        for end in (match.end(1), match.start(1) + len(match.group(1).partition(" ")[0])):
            key = text[start:end]
            if key in places():
                if len(key) > _SHORTEST_SMALL and key not in _SMALL_WORDS and not _somebodys(key):
                    yield start, end, _SMALL_COUNTS
                break


def by_own_name(text: str) -> Iterator[tuple[int, int, float]]:
    """Places of the list of own names with no other capital beside them. For texts in other languages than English."""
    for match in _CAPITALS.finditer(text):
        key = lookup_key(match.group())
        if key in own_names() and not _named(key) and not _somebodys_anywhere(match.group()):
            yield *match.span(), _OWN


def _listed(text: str, start: int, end: int) -> int:
    """Where the longest listed place ends that begins at ``start``; ``start`` where there is none."""
    while end > start:
        key = lookup_key(text[start:end])
        if key in own_names():
            return end
        if key in places():
            return end if not _somebodys(key) else start
        end = max(start, text.rfind(" ", start, end))
    return start


def _may_be_else(value: str) -> bool:
    """Whether a listed place may be something else: one word, and not a name of it in another language than English."""
    return " " not in value and "-" not in value and lookup_key(value) not in own_names()


def _elided_before(text: str, start: int) -> bool:
    """Whether the word in front has lost a letter to the next: part of an office ("Corte d'Appello di Bologna")."""
    before = text[max(0, start - _LONGEST) : start].rstrip(" ,").rpartition(" ")[2]
    return "'" in before or "’" in before


def _named(key: str) -> bool:
    lists = names()
    return key in lists.given or key in lists.given_ambiguous or key in lists.surnames


def _somebodys_anywhere(value: str) -> bool:
    """Whether one word is a surname or a given name of any list."""
    key = lookup_key(value)
    return " " not in value and (key in names().surnames_wide or key in names().given_wide)


def _somebodys(key: str) -> bool:
    lists = names()
    return key in lists.given or key in lists.given_ambiguous or key in lists.surnames or key in lists.stops
