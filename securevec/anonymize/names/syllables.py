"""Names of China, Korea and Vietnam in Latin letters, by their syllables: "Qiu Mengyao", "Kim Ji-won", "Tran Van Duc".

Such names are short, and no list has a tenth of them; but a family name of a closed list beside one or two syllables of
the same language is hardly ever anything else. The names model takes them for places, of which it knows more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, word_set

_FINALS: Final = {
    "b": "a o ai ei ao an en ang eng i ie iao ian in ing u",
    "p": "a o ai ei ao ou an en ang eng i ie iao ian in ing u",
    "m": "a o e ai ei ao ou an en ang eng i ie iao iu ian in ing u",
    "f": "a o ei ou an en ang eng u",
    "d": "a e ai ao ou an ang eng ong i ie iao iu ian ing u uo ui uan un",
    "t": "a e ai ao ou an ang eng ong i ie iao ian ing u uo ui uan un",
    "n": "a e ai ei ao ou an en ang eng ong i ie iao iu ian in iang ing u uo uan",
    "l": "a e ai ei ao ou an ang eng ong i ia ie iao iu ian in iang ing u uo uan un",
    "g k h": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "j q x": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "zh ch sh": "a e i ai ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "r": "e i ao ou an en ang eng ong u uo ui uan un",
    "z c s": "a e i ai ao ou an en ang eng ong u uo ui uan un",
    "y": "a ao e ou an in ang ing ong i u ue uan un",
    "w": "u a o ai ei an en ang eng",
    "": "a ai an ang ao e en er ou",
}
_PINYIN: Final = frozenset(
    initial + final
    for initials, finals in _FINALS.items()
    for initial in initials.split(" ")
    for final in finals.split()
)
_ENGLISH_ENDS: Final = frozenset(["e", "ge", "ce", "se", "te", "me", "ne", "de", "le", "re", "ze", "she", "he"])
"""Syllables that end English words: "range" and "dance" are two syllables of Chinese too."""
_HAN: Final = word_set("surnames_han.txt")
_HAN_ONLY: Final = _HAN - word_set("surnames_han_ambiguous.txt")
_OVERSEAS: Final = word_set("surnames_han_overseas.txt")
_KOREAN: Final = word_set("surnames_korean.txt")
_KOREAN_SYLLABLES: Final = word_set("syllables_korean.txt")
_VIETNAMESE: Final = word_set("surnames_vietnamese.txt")
_VIETNAMESE_MIDDLE: Final = word_set("middle_vietnamese.txt")
FAMILY_NAMES: Final = _HAN | _OVERSEAS | _KOREAN | _VIETNAMESE
_WRITTEN_APART: Final = re.compile(
    r"(?:ch|ts|tz|hs|sz|kw|gw|sh|zh|[bpmfdtnlgkhjqxrzcswy])?[aeiou]{1,3}(?:ng|n|k|p|t|m|h)?"
)
"""A syllable of Cantonese, Hokkien or Wade-Giles, where a hyphen says that there are two."""
_LONGEST: Final = 14


@lru_cache(maxsize=8192)
def _halves(key: str, *, korean: bool) -> bool:
    """Whether the letters are two syllables."""
    known = _KOREAN_SYLLABLES if korean else _PINYIN
    return any(
        key[:cut] in known and key[cut:] in known and (korean or key[cut:] not in _ENGLISH_ENDS)
        for cut in range(1, len(key))
    )


def is_syllabic(words: Sequence[str]) -> bool:
    """Whether two to four capitalized words are such a name, in either order. Any one word is not."""
    if not 2 <= len(words) <= 4 or any(len(word) > _LONGEST for word in words):
        return False
    keys = [lookup_key(word) for word in words]
    first, last = keys[0], keys[-1]
    if first not in FAMILY_NAMES and last not in FAMILY_NAMES:
        return False
    if first in _VIETNAMESE and len(keys) > 2 and not _VIETNAMESE_MIDDLE.isdisjoint(keys[1:-1]):
        return True
    if first in FAMILY_NAMES and _given(first, keys[1:], leads=True):
        return True
    return last in FAMILY_NAMES and _given(last, keys[:-1], leads=False)


def _given(family: str, given: Sequence[str], *, leads: bool) -> bool:
    stops = names().stops
    if any(word in stops for word in given):
        return False
    if len(given) == 1 and "-" in given[0]:
        halves = given[0].split("-")
        if len(halves) != 2:
            return False
        if family in _KOREAN and all(half in _KOREAN_SYLLABLES for half in halves):
            return True
        return family in _HAN | _OVERSEAS and all(map(_WRITTEN_APART.fullmatch, halves))
    joined = "".join(given)
    if family in _KOREAN and len(given) <= 2 and _halves(joined, korean=True):
        return True
    if family not in _HAN or len(given) > 2:
        return False
    if len(given) == 1 and given[0] in _PINYIN:
        # One syllable says little: "Wang Wei", but not "Long Pan".
        return leads and family in _HAN_ONLY and len(given[0]) > 1
    if len(given) == 2 and not all(word in _PINYIN for word in given):
        return False
    return (leads or family in _HAN_ONLY) and len(joined) > 3 and _halves(joined, korean=False)
