"""Towns with a state or country behind a comma: "Bend, Oregon", "Cincinnati, OH", "Louisville , Ky ."; "36, of Mesa".

A town alone may be somebody ("Santiago", "Jackson"); with its region behind it is none, and letters of a state are no
words to the model. Both halves must be listed. It is evidence for the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import barred, names, places
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import questioning

COUNTS: Final = 8.0
"""How much both halves count, in the model's units."""
_FILE: Final = "regions.txt"
_STATES: Final = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
    "|ON|QC|BC|AB|NSW|QLD|VIC"
)
PROVINCES: Final = "AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT|NSW|VIC|QLD|TAS|ACT|SA|WA"
"""Letters of provinces of Canada and states of Australia, of which a postcode behind them says that they are one."""
_WITH_POSTCODE: Final = (
    "(?:AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT) [A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]"
    "|(?:NSW [12]|VIC [38]|QLD [49]|TAS 7|NT 0|SA 5|WA 6)[0-9]{3}|ACT 2[69][0-9]{2}"
)
"""With the digits that their postcodes begin with: "ACT 1998" is a law."""
_SHORT_WORDS: Final = (
    "Ala|Ariz|Ark|Calif|Colo|Conn|Fla|Ga|Ill|Ind|Kan|Ky|Mass|Mich|Minn|Miss|Mo|Mont|Neb|Nev|Okla|Ore|Pa|Tenn|Tex|Va"
    "|Vt|Wash|Wis|Wyo"
)
_SHORT: Final = rf"(?:{_SHORT_WORDS})(?:\.| \.|(?= ?,))"
_CAP: Final = rf"[{UPPER}][\w'’\-]*\.?"
_AGED_OF: Final = r"\d{1,2} ?, of"
_ENDS: Final = rf"(?![\w'’])(?! (?!and\b)[{UPPER}])"


def _listed() -> str:
    return "|".join(sorted(barred(_FILE), key=lambda name: (-len(name), name)))


_REGIONS: Final = _listed()
MAY_BE: Final = rf" ?, (?:{_REGIONS}|{_STATES}|{_SHORT_WORDS})\b|[0-9] ?, of [A-Z?]|\b(?:{_WITH_POSTCODE})\b"
"""What every such town has, in a copy for RE2."""


@lru_cache(maxsize=1)
def _patterns() -> tuple[Any, re.Pattern[str]]:
    regions = _REGIONS
    pattern = re.compile(
        rf"({_CAP}(?:[ \-]{_CAP}){{0,3}}) ?, (?:({regions}){_ENDS}|({_STATES}){_ENDS}|({_SHORT}))"
        rf"|{_AGED_OF} ({_CAP}(?: {_CAP}){{0,2}})|(?<!\w)({_WITH_POSTCODE})(?!\w)"
    )
    fast = r"[A-Z?][A-Za-z0-9_'?\-]*\.?"
    gate = questioning(
        rf"{fast}(?:[ \-]{fast}){{0,3}} ?, (?:{regions}|{_STATES}|{_SHORT_WORDS})\b|[0-9]{{1,2}} ?, of [A-Z?]"
        rf"|\b(?:{_WITH_POSTCODE})\b"
    )
    return gate, pattern


def towns(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each such town and of its region. Linear in the text."""
    gate, pattern = _patterns()
    for match in matches_behind(gate, pattern, text):
        if match[6] is not None:
            yield match.start(), text.index(" ", match.start())
            continue
        if match[5] is not None:
            if lookup_key(match[5].partition(" ")[0]) not in names().stops and _town(
                text, match.start(5), match.end(5)
            ):
                yield match.span(5)
            continue
        start = _town(text, *match.span(1))
        if start is None:
            continue
        yield start, match.end(1)
        for group in (2, 3, 4):
            if match[group] is not None:
                yield match.start(group), match.end(group)


def _town(text: str, start: int, end: int) -> int | None:
    """Where the longest listed place begins that ends at ``end``, without small words in front; ``None`` for none."""
    while start < end:
        value = text[start:end]
        first, space, _ = value.partition(" ")
        if lookup_key(value) in places():
            return start
        if not space or lookup_key(first) not in names().stops:
            return None
        start += len(first) + 1
    return None
