"""Towns and countries in their own scripts, by lists and by what stands beside them.

Cyrillic and Greek have capitals and are read by the model, so a listed town is evidence for it; case endings are taken
off first ("в Екатеринбурге", "у Львові"). Scripts without capitals have no model: there a listed town counts behind or
in front of a word that places stand beside ("في الرياض", "जयपुर में", "בחיפה").
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import list_lines, names
from securevec.anonymize.names.scripts.lists import pairs
from securevec.anonymize.names.scripts.spaced import TOKENS, is_name

_PRIORITY: Final = 26
_SURE: Final = 8.0
_PERHAPS: Final = 3.0
_SHORTEST: Final = 3
_CAPITALS: Final = re.compile(
    "[А-ЯЁІЇЄҐЉЊЂЋЏЈ][Ѐ-ӿ]+(?:-[Ѐ-ӿ]+)*(?: [А-ЯІЇЄ][Ѐ-ӿ]+)?|[Α-ΩΆΈΉΊΌΎΏ][Ͱ-Ͽἀ-῿]+(?: [Α-ΩΆΈΉΊΌΎΏ][Ͱ-Ͽἀ-῿]+)?"
)
_CAPITAL: Final = re.compile("[А-ЯЁІЇЄҐЉЊЂЋЏЈΑ-ΩΆΈΉΊΌΎΏ]")
_BEFORE: Final = re.compile(
    r"(?<!\w)(?:[вВ]о?|[иИ]з|[уУ]|[нН]а|[пП]ід|[дД]о|[зЗ]|[іІ]з|к|от|[чЧ]ерез|[пП]од|[оО]коло|близ|город[еау]?|г\.|місті|міста"
    r"|град|село|деревн[яеи]|порту?|στη?ν?|στο|από|της?|του|τη|την|το|η|ο) \Z"
)
_ENDINGS: Final = pairs(
    "ови>ив ова>ив ову>ив ові>ів ова>ів ову>ів еві>ів еві>ев ове>ов ой>а ой>ая ей>ь ом> ем> ем>ь ах>ы ах>и ям>и"
    " ях>и ии>ия ию>ия ією>ія ії>ія іі>ія ию>ий ого>ий ого>ое ком>кий не>на е> е>а е>о е>ь у> у>а а> ы>а ы> и> и>ь"
    " и>а и>я ю>ь ю>я я>ь я>й е>я і>а і> і>ь а>о у>о ою>а ь>ия и>ия ησ>η ασ>α ου>οσ ο>οσ ον>οσ ων>α ων>εσ ιου>ι"
)
"""Endings of cases in lookup keys, and what the list has instead."""
_LEADS: Final = {
    "arab": frozenset(
        ["في", "من", "إلى", "الى", "مدينة", "بمدينة", "محافظة", "بمحافظة", "بين", "قرب", "نحو", "در", "از", "به", "شهر",
         "استان", "تا", "ساکن", "متولد"]
    ),
    "hebr": frozenset(["העיר", "בעיר", "עיר", "ליד", "מהעיר", "לעיר", "תושב", "תושבת", "יליד", "ילידת"]),
    "deva": frozenset(["शहर", "जिला", "जिले", "निवासी", "राज्य"]),
}  # fmt: skip
_FOLLOWS: Final = {
    "deva": frozenset(
        ["में", "से", "का", "की", "के", "को", "तक", "शहर", "जिले", "जिला", "निवासी", "स्थित", "राज्य", "आए", "आया", "गए",
         "गया", "मध्ये", "पहुंचे", "पहुँचे", "पहुंचा", "पहुंची", "आ", "जा", "गये", "आयी", "होते", "लौटे", "लौट"]
    ),
    "beng": frozenset(["গেলাম", "গেলেন", "গেছেন", "এলেন", "যান", "যাচ্ছি", "থেকে", "শহরে", "শহর", "জেলার", "জেলা"]),
    "telu": frozenset(["నుండి", "నుంచి", "లో", "నగరం", "జిల్లా"]),
    "taml": frozenset(["நகரில்", "மாவட்டம்", "இருந்து"]),
}  # fmt: skip
_PREFIXES: Final = {"arab": ("ب", "وب", "ل", "و"), "hebr": ("ב", "ל", "מ", "וב", "שב", "ומ")}
_SUFFIXES: Final = {
    "beng": ("তে", "ে", "র", "ের", "য়"),
    "telu": ("లో", "కు", "కి", "లోని", "నుండి"),
    "taml": ("ில்", "லிருந்து", "ுக்கு", "ின்"),
}


@lru_cache(maxsize=16)
def towns_of(script: str) -> frozenset[str]:
    """Lookup keys of the places of a script."""
    found: set[str] = set()
    for name in ("places_native.txt", "countries_native.txt"):
        for line in list_lines(name):
            head, _, listed = line.partition(" ")
            if head == script:
                found.update(lookup_key(place) for place in listed.split("|"))
    return frozenset(found)


def with_capitals(text: str) -> Iterator[tuple[int, int, float]]:
    """Start and end of each listed place in Cyrillic or Greek letters, and how much it counts in the model's units."""
    with contextlib.suppress(UnicodeEncodeError):
        text.encode("latin-1")
        return
    if _CAPITAL.search(text) is None:
        return
    for match in _CAPITALS.finditer(text):
        start, end = match.span()
        for stop in (end, text.find(" ", start, end)):
            if stop > start and (key := _base(text[start:stop])):
                led = _BEFORE.search(text, max(0, start - 12), start) is not None
                if led or (
                    start and text[start - 1] in ' («"' and not _somebodys(key) and text[start - 2] not in ".!?:\n"
                ):
                    yield start, stop, _SURE if led else _PERHAPS
                break


def _base(word: str) -> str:
    """The lookup key of the place that a word is, in whatever case; empty where it is none."""
    script = "cyrl" if word[0] >= "\u0400" else "grek"
    key, towns = lookup_key(word), towns_of(script)
    if key in towns:
        return key
    for ending, instead in _ENDINGS:
        if (
            key.endswith(ending)
            and len(key) - len(ending) >= _SHORTEST
            and (base := key.removesuffix(ending) + instead) in towns
        ):
            return base
    return ""


def _somebodys(key: str) -> bool:
    lists = names()
    return key in lists.given_wide or key in lists.surnames_wide


def without_capitals(text: str, script: str) -> Iterator[Finding]:
    """Listed places in ``text``, which holds letters of ``script``, beside a word that places stand beside."""
    towns = towns_of(script)
    tokens = list(TOKENS[script].finditer(text))
    leads, follows = _LEADS.get(script, frozenset()), _FOLLOWS.get(script, frozenset())
    at = 0
    while at < len(tokens):
        for size in (2, 1):
            if at + size > len(tokens):
                continue
            start, end = tokens[at].start(), tokens[at + size - 1].end()
            found = _place(text[start:end], script, towns)
            if found is None:
                continue
            cut, ending = found
            led = at > 0 and tokens[at - 1].group() in leads
            followed = at + size < len(tokens) and tokens[at + size].group() in follows
            led = led or _is_country(text[start + cut : end], script)
            if (led or followed or cut or ending) and (
                led or size == 2 or cut or ending or not is_name(text[start:end], script)
            ):
                yield Finding(start + cut, end, "LOCATION", 0.8, f"place-{script}", _PRIORITY)
                at += size - 1
                break
        at += 1


@lru_cache(maxsize=16)
def _countries(script: str) -> frozenset[str]:
    """Lookup keys of countries, which need nothing beside them."""
    lines = (line.partition(" ") for line in list_lines("countries_native.txt"))
    return frozenset(lookup_key(place) for head, _, listed in lines if head == script for place in listed.split("|"))


def _is_country(value: str, script: str) -> bool:
    return len(value) > _SHORTEST and lookup_key(value) in _countries(script) and not is_name(value, script)


def _place(value: str, script: str, towns: frozenset[str]) -> tuple[int, bool] | None:
    """How many letters in front belong to a word before the place, and whether an ending of a case was taken off."""
    key = lookup_key(value)
    if key in towns and len(key) >= _SHORTEST:
        return 0, False
    for prefix in _PREFIXES.get(script, ()):
        if value.startswith(prefix) and len(value) > len(prefix) + 2 and lookup_key(value[len(prefix) :]) in towns:
            return (len(prefix), False) if not is_name(value[len(prefix) :], script) else None
    for suffix in _SUFFIXES.get(script, ()):
        if value.endswith(suffix) and len(value) > len(suffix) + 2 and lookup_key(value.removesuffix(suffix)) in towns:
            return 0, True
    return None
