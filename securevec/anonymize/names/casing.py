"""Places, streets and bodies in texts of one casing: lines in capitals, and speech written down in small letters.

The model was trained on usual casing and knows next to nothing of other. A word that places stand behind, with a
listed place behind it, says enough there; a number with a word for a street, and a place or "royal" in front of a word
for a kind of house do in speech. It is evidence for the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places, word_set
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.rules.matching import questioning

COUNTS: Final = 8.0
"""How much such a place counts, in the model's units."""
_SMALL_COUNTS: Final = 20.0
"""Of speech, in which the model is sure that small words are none."""
_BEFORE: Final = "IN|FROM|TO|NEAR|AT|VIA|AROUND|OUTSIDE"
_PLACE: Final = re.compile(rf" (?:{_BEFORE}) ([A-Z]{{3,}}(?:[ \-][A-Z]{{3,}}){{0,2}})(?!\w)")
MAY_BE: Final = rf" (?:{_BEFORE}) [A-Z]{{3}}"
"""What every such place has, in a copy for RE2."""
_GATE: Final = questioning(MAY_BE)
_WORDS: Final = word_set("places_small.txt")
_ONES: Final = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER: Final = (
    rf"(?:\d{{1,4}}|(?:number )?(?:{_ONES}|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    rf"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:{_ONES}))?"
    rf"|(?:{_ONES}|a) hundred(?: and [a-z]+(?:[ -](?:{_ONES}))?)?))"
)
_STREET: Final = re.compile(
    rf"\b(?:at|on|to|is|from|address|in) ({_NUMBER} (?!minutes?|hours?|years?|days?|of|and|more|other)[a-z']{{3,}}"
    r"(?: [a-z']{3,})? (?:road|street|avenue|lane|drive|close|crescent|terrace|boulevard|court|gardens))\b"
)
_LANE: Final = re.compile(
    r"\b(?:on|at|near|off|down|along) "
    r"((?!(?:the|my|our|your|his|her|their|this|that|each|every|any|another|which|what) )"
    r"[a-z'\-]{3,}(?: (?!the |my )[a-z'\-]{3,})? (?:road|street|avenue|lane|boulevard|terrace|crescent))(?![\w\-])"
    r"(?! (?:food|trip|map|works|rage|view|art)\b)"
)
_NO_LANES: Final = frozenset(
    ["main", "high", "side", "back", "dirt", "next", "other", "same", "busy", "quiet", "long", "wrong", "right",
     "left", "fast", "slow", "open", "one", "first", "second", "whole", "bike", "bus", "cycle", "middle", "country",
     "memory", "private", "public", "local", "service", "access", "toll", "narrow", "dark", "empty", "and", "of",
     "from", "a", "an", "some", "opposite"]
)  # fmt: skip
"""Words in front of which a road has no name."""
_HOUSE: Final = re.compile(
    r"\b([a-z]{2,}(?: [a-z]{3,}){0,2}? (?:hospital|infirmary|university|airways|airlines|airport|city council"
    r"|county council|building society|police))\b"
)
_FIRST: Final = frozenset(["royal", "saint", "st", "queen", "king's", "british", "american", "united"])


def capitals(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each listed place in capitals behind such a word in capitals. Linear in the text."""
    for match in matches_behind(_GATE, _PLACE, text):
        start = match.start(1)
        if (end := _listed(text, start, match.end(1))) > start:
            yield start, end


def _listed(text: str, start: int, end: int) -> int:
    """Where the longest listed place ends that begins at ``start``; ``start`` where there is none."""
    while end > start:
        key = lookup_key(text[start:end])
        if key in places() and key not in _WORDS and key not in names().stops:
            return end
        end = max(text.rfind(" ", start, end), start)
    return start


def in_speech(text: str) -> Iterator[tuple[int, int, str, float]]:
    """Streets and bodies in ``text``, which has no capitals: start, end, tag, and how much it counts."""
    for match in _STREET.finditer(text):
        yield *match.span(1), "ADDRESS", _SMALL_COUNTS
    for match in _LANE.finditer(text):
        if match.group(1).partition(" ")[0] not in _NO_LANES:
            yield *match.span(1), "ADDRESS", _SMALL_COUNTS
    for match in _HOUSE.finditer(text):
        start = match.start(1)
        words = text[start : match.end(1)].split(" ")
        for word in words[:-1]:
            if word in _FIRST or (word in places() and word not in _WORDS):
                yield start, match.end(1), "ORG", _SMALL_COUNTS
                break
            start += len(word) + 1
