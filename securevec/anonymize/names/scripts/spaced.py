"""Names in Arabic, Persian, Hebrew, Indian scripts (Devanagari, Bengali, Tamil, Telugu), Armenian and Georgian:
listed ones that stand together, and what stands behind a title or an introduction.

A listed name that is also a word ("سعيد", happy; "אור", light) counts only beside another name or behind a title. Small
words are written together with the next one in Arabic and Hebrew ("ומשה", and Moses); they are left out of the name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.names.scripts.lists import cues, spaced

TOKENS: Final = {
    "arab": re.compile("[\u0620-\u0652\u0670-\u06d3\u06fa-\u06fc]+"),
    "hebr": re.compile("[\u05d0-\u05ea\u05b0-\u05bc\u05c1\u05c2]+(?:[\"'׳״][\u05d0-\u05ea]*)?"),
    "deva": re.compile("[\u0900-\u0963\u0970-\u097f]+"),
    "beng": re.compile("[\u0980-\u09e3\u09f0\u09f1]+"),
    "taml": re.compile("[\u0b80-\u0bd7]+"),
    "telu": re.compile("[\u0c00-\u0c63]+"),
    "armn": re.compile("[\u0531-\u0556\u0561-\u0587]+"),
    "geor": re.compile("[\u10a0-\u10ff\u1c90-\u1cbf]+"),
}
_PREFIXES: Final = {"arab": "ولبفك", "hebr": "ולמבשהכ"}
_ENDINGS: Final = {"armn": ("ից", "ին", "ով", "ը", "ն", "ի"), "geor": ("მა", "ის", "ს", "ით", "თან", "მ", "ო", "ი"),
    "beng": ("ের", "র", "কে", "তে"), "telu": ("గారికి", "గారు", "కి", "కు", "ని", "ను", "తో"),
    "taml": ("ுக்கு", "ிடம்", "ுடன்", "ின்", "ை", "ால்", "வுக்கு", "வை")}  # fmt: skip
_FAMILY_ENDS: Final = {
    "armn": ("յան", "յանը", "յանի", "յանին", "յանց", "յանն"),
    "geor": (
        "შვილი",
        "შვილმა",
        "შვილის",
        "შვილს",
        "ძე",
        "ძემ",
        "ძის",
        "ძეს",
        "ძესთან",
        "აია",
        "ავა",
        "უა",
        "იანი",
        "ურია",
    ),
}
_LIKE: Final = {"\u0622": "ا", "\u0623": "ا", "\u0625": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ـ": ""}
_LIKE_TABLE: Final = str.maketrans(_LIKE)
_SIGN: Final = re.compile(r"\s*(?:[.,;:!?)(\"\n\u0964\u060c\u061b\u061f\u0589|/]|-\s|\d|\Z)")
_GAP: Final = re.compile(r" |-|\u200c")
_MOST: Final = 5
_LONG_FAMILY: Final = 6


class _Told(NamedTuple):
    given: frozenset[str]
    family: frozenset[str]
    words: frozenset[str]
    sure: frozenset[str]
    joins: frozenset[str]
    ends: frozenset[str]
    strong: re.Pattern[str]
    before: re.Pattern[str]
    respect: frozenset[str]
    certain: frozenset[str]
    """Family names that make a name of what stands before them."""
    titles: frozenset[str]
    """Words that lead to a name and are none."""


class _Token(NamedTuple):
    start: int
    end: int
    key: str
    name: bool
    sure: bool


@lru_cache(maxsize=16)
def _told(script: str) -> _Told:
    told = cues()[script]
    given, family = spaced(script)

    def keys(kind: str) -> frozenset[str]:
        return frozenset(key_of(word) for word in told.get(kind, ()))

    def ending(*kinds: str) -> re.Pattern[str]:
        words = sorted({word for kind in kinds for word in told.get(kind, ())}, key=len, reverse=True)
        start = (
            "[\u05d0-\u05ea\u0620-\u064a\u0900-\u0963\u0980-\u09e3\u0b80-\u0bd7\u0c00-\u0c63\u0531-\u0587\u10a0-\u10ff]"
        )
        return re.compile(f"(?<!{start})[ولבלוש]?(?:{'|'.join(map(re.escape, words))})[:,/]? ?/?\\Z")

    sure = keys("sure")
    return _Told(
        frozenset(map(key_of, given)) | sure,
        frozenset(map(key_of, family)) | keys("family"),
        keys("words") | keys("stops"),
        sure,
        keys("joins"),
        keys("ends"),
        ending("titles", "intro"),
        ending("before", "titles", "intro"),
        keys("behind"),
        keys("family"),
        keys("titles") | keys("before") | keys("intro"),
    )


@lru_cache(maxsize=8192)
def key_of(word: str) -> str:
    """A word without vowel signs that may be left out, letters of one sound as one."""
    bare = "".join(char for char in word if not "\u064b" <= char <= "\u0652" and not "\u05b0" <= char <= "\u05c2")
    return unicodedata.normalize("NFC", bare.translate(_LIKE_TABLE))


def is_name(word: str, script: str) -> bool:
    """Whether a list has a word as a name, or as a word that is none."""
    told, key = _told(script), key_of(word)
    return key in told.given or key in told.family or key in told.words


def is_listed_name(word: str, script: str) -> bool:
    """Whether a list has a word as a name."""
    told, key = _told(script), key_of(word)
    return key in told.given or key in told.family


def spaced_names(text: str, script: str) -> list[Finding]:
    """People in offsets of ``text``, which holds letters of ``script``."""
    told = _told(script)
    tokens = [_read(match, script, told) for match in TOKENS[script].finditer(text)]
    found: list[Finding] = []
    at = 0
    while at < len(tokens):
        size, start = _name_at(text, tokens, at, told)
        if size:
            found.append(Finding(start, tokens[at + size - 1].end, "PERSON", 0.8, f"script-{script}", PERSON_PRIORITY))
        at += max(size, 1)
    return found


def _read(match: re.Match[str], script: str, told: _Told) -> _Token:
    start, end, key = match.start(), match.end(), key_of(match.group())
    names = told.given | told.family
    name = key in names
    if (
        not name
        and len(key) > 3
        and key[0] in _PREFIXES.get(script, "")
        and (key[1:] in told.given and key[1:] not in told.words)
    ):
        start, key, name = start + 1, key[1:], True
    for ending in _ENDINGS.get(script, ()):
        if name:
            break
        stem = key.removesuffix(ending)
        if (
            len(stem) > 2
            and stem != key
            and (hit := next((one for one in (stem, stem + "ი", stem + "ა", stem + "்") if one in names), ""))
        ):
            key, name = hit, True
    ends = _FAMILY_ENDS.get(script, ())
    name = name or (bool(ends) and len(key) > 5 and key.endswith(ends))
    if script == "arab" and not name:
        # A man of Qahtan is called al-Qahtani.
        name = len(key) > 5 and key.startswith("ال") and key.endswith("ي") and key not in told.words
        return _Token(start, end, key, name, False)
    return _Token(start, end, key, name, key in told.sure)


def _name_at(text: str, tokens: Sequence[_Token], at: int, told: _Told) -> tuple[int, int]:
    """How many tokens from ``at`` on are one person's name, and where it begins; 0 where none begins there."""
    token = tokens[at]
    if token.key in told.titles:
        return 0, token.start
    low = max(0, token.start - 24)
    if told.before.search(text[low : token.end]) is not None:
        # The end of a phrase ("קוראים לי", they call me), which may be a name by itself.
        return 0, token.start
    near = text[low : token.start]
    strong = told.strong.search(near) is not None
    cued = strong or told.before.search(near) is not None
    size, names, given, listed = 0, 0, 0, 0
    while size < _MOST and at + size < len(tokens):
        here = tokens[at + size]
        if size and not _GAP.fullmatch(text, tokens[at + size - 1].end, here.start):
            break
        join = here.key in told.joins
        if not here.name and not join:
            break
        if here.key in told.words and not join and size == 0 and here.key not in told.given:
            break
        size += 1
        if here.name and not (join and here.key not in told.given):
            names += 1
            given += here.key in told.given
            listed += here.key in told.given or here.key in told.family
    while size and not tokens[at + size - 1].name:
        size -= 1
    plain = [tokens[at + place] for place in range(size)]
    certain = [one for one in plain if one.name and one.key not in told.words]
    if names > 1 and given and certain and (listed > 1 or any(one.sure for one in plain) or cued or _ends_like(plain)):
        return size, token.start
    if not token.name and token.key not in told.words and _before_family(text, tokens, at, told, cued=cued):
        return 2, token.start
    if size and cued and listed and (certain or strong):
        given_alone = strong and size == 1 and token.key in told.given
        return _longer(text, tokens, at, size, told, long=given_alone), token.start
    if size and certain and any(one.sure for one in plain) and token.sure:
        return _longer(text, tokens, at, size, told, closed=False), token.start
    article = token.key.startswith("ال") and not token.name
    if strong and token.key not in told.words and token.end - token.start > 1 and not article:
        return _longer(text, tokens, at, max(size, 1), told, long="\u05d0" <= token.key[0] <= "\u05ea"), token.start
    behind = tokens[at + 1] if at + 1 < len(tokens) else None
    if behind is not None and behind.key in told.respect and text[token.end : behind.start] == " " and token.name:
        return 1, token.start
    return 0, token.start


def _ends_like(tokens: Sequence[_Token]) -> bool:
    """A given name that is no word, and a family name by its ending."""
    return len(tokens) > 1 and len(tokens[-1].key) > 4


def _before_family(text: str, tokens: Sequence[_Token], at: int, told: _Told, *, cued: bool) -> bool:
    """Whether an unlisted word is the given name of the family name behind it."""
    if at + 1 >= len(tokens) or not _GAP.fullmatch(text, tokens[at].end, tokens[at + 1].start):
        return False
    key, behind = tokens[at].key, tokens[at + 1]
    if len(key) < 2 or key in told.joins or key in told.ends or key in told.respect or not behind.name:
        return False
    if behind.key in told.certain or behind.key.endswith(_FAMILY_ENDS["armn"] + _FAMILY_ENDS["geor"]):
        return True
    return cued and behind.key not in told.words and behind.key not in told.given and not key.startswith("ال")


def _longer(
    text: str, tokens: Sequence[_Token], at: int, size: int, told: _Told, *, closed: bool = True, long: bool = False
) -> int:
    """One word more where a small word, or (``closed``) a sign, says that the name ends behind it, or (``long``) that
    stands behind a listed given name or is too long for a verb."""
    after = at + size
    if after >= len(tokens) or not _GAP.fullmatch(text, tokens[after - 1].end, tokens[after].start):
        return size
    here = tokens[after]
    if here.key in told.words or here.key in told.ends or here.key in told.titles or here.key in told.respect:
        return size
    if here.name:
        return size + 1
    if here.key in told.joins and after + 1 < len(tokens):
        return size + 2
    closed = closed and _SIGN.match(text, here.end) is not None and size == 1
    known = tokens[at].key in told.given
    long = long and size == 1 and (known or (len(here.key) >= _LONG_FAMILY and tokens[at].key not in told.family))
    ended = after + 1 < len(tokens) and tokens[after + 1].key in told.ends and size == 1
    return size + 1 if closed or ended or long else size
