"""Bodies by a word for their kind in languages that write it in small letters or decline it.

"Turun yliopisto", "Lunds universitet", "Krajský soud v Plzni", "Anadolu Üniversitesi", "Московский государственный
университет"; what stands behind a word for a firm ("la empresa Aceites Montilla"); legal forms and great firms in
Cyrillic. For texts in other languages than English; it is evidence for the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import barred, names
from securevec.anonymize.names.words import UPPER

COUNTS: Final = 14.0
"""How much such a body counts, in the model's units."""
_NAMED_FIRM: Final = 6.0
_CAP: Final = rf"[{UPPER}][\w\-]*"
_LAST: Final = (
    r"yliopisto\w{0,4}|ammattikorkeakoulu\w{0,3}|kaupunki|kaupungin\w{0,6}|käräjäoikeus|hovioikeus|keskussairaala\w{0,3}"
    r"|universitet(?:et|s)?|högskola|tingsrätt|hovrätt|kommun(?:en|e|en)?|sjukhus|sykehus|sygehus|tingrett|byret|landsret"
    r"|[Uu]niverzit[aěyu]|[Nn]emocnic[eií]|[Ss]pořiteln[aěyu]"
    r"|Üniversitesi\w{0,4}|Bankası\w{0,3}|Belediyesi\w{0,3}|Hastanesi\w{0,3}|Bakanlığı\w{0,3}|Mahkemesi\w{0,3}|Derneği|Vakfı"
    r"|Kulübü|Lisesi|Müdürlüğü|Egyetem\w{0,3}|Kórház\w{0,3}|Bíróság\w{0,3}|Minisztérium\w{0,3}|Versicherung(?:en)?|Klinik|Verlag"
    r"|Brauerei|Werke"
)
_FIRST: Final = (
    r"(?:Krajsk|Okresn|Městsk|Vrchn|Nejvyšš|Ústavn)\w{1,3} soud\w{0,3}(?: v"
    rf" {_CAP})?|(?:Sąd(?:u|zie)? (?:Rejonow|Okręgow|Apelacyjn|Najwyższ)\w{{1,3}}(?: w {_CAP})?)"
    rf"|(?:Uniwersytet\w{{0,4}}|Politechni\w{{2,3}}|Univerzit[aěyu]|Universitatea|Spitalul|Tribunalul|Judecătoria|Primăria)"
    rf"(?: (?:din|v|w))? {_CAP}(?: {_CAP})?"
)
_BODY: Final = re.compile(rf"(?<![\w'’\-])(?:{_CAP}(?: {_CAP}){{0,2}} (?:{_LAST})|{_FIRST})(?![\w\-])")
_FIRM: Final = re.compile(
    r"(?<!\w)(?:empresa|compañía|firma|constructora|aseguradora|société|entreprise|ditta|azienda|società|bedrijf|Firma"
    r"|Unternehmen|firmę|spółka|spółki|företaget|firmaet|selskapet|selskabet|yhtiö|société|operadora|petrolera)"
    rf" ({_CAP}(?: (?:(?:de|del|&|y|e|et|und) )?{_CAP}){{0,2}})"
)
_CYRILLIC_CAP: Final = "[А-ЯЁІЇЄҐ][а-яёіїєґ'’\\-]+"
_CYRILLIC: Final = re.compile(
    f'(?<!\\w)(?:(?:ООО|ОАО|ЗАО|ПАО|АО|ИП|ТОВ|ПрАТ|ФГУП|ГУП|МУП) [«"“][^»"”\\n]{{2,40}}[»"”]'
    f"|{_CYRILLIC_CAP}(?:ий|ый|ой|ая|ого|ому|ом|им|ым|ей) (?:[а-яё]+(?:ый|ий|ого|ому|ом|ым|ая|ой) ){{0,2}}"
    "(?:университет|суд|институт|академи|больниц|завод|музе|театр)(?:[а-яё]{0,3})"
    "|(?:Министерств|Правительств|Управлени|Департамент|Комитет|Прокуратур)[а-яё]{0,2} [а-яё]{5,}"
    "(?: [А-Я][а-яё]+)?)(?!\\w)"
)
_KNOWN_CYRILLIC: Final = tuple(barred("org_cyrillic.txt"))
_KNOWN: Final = re.compile(
    "(?<![\\w\\-])(?:" + "|".join(sorted(map(re.escape, _KNOWN_CYRILLIC), key=len, reverse=True)) + ")"
    "(?:(?<=[а-яё])[аеуиыоюяіїєом]{1,2})?(?![\\w\\-])"
)
_CYRILLIC_LETTER: Final = re.compile("[А-ЯІЇЄ][а-яіїєA-ЯІЇЄ]")


def bodies_abroad(text: str) -> Iterator[tuple[int, int, float]]:
    """Start, end, and how much it counts, in a text of another language of Europe. Linear in the text."""
    for match in _BODY.finditer(text):
        start = match.start()
        first = match.group().partition(" ")[0]
        if lookup_key(first) in names().stops and " " in match.group()[len(first) + 1 :]:
            start += len(first) + 1
        yield start, match.end(), COUNTS
    for match in _FIRM.finditer(text):
        yield *match.span(1), _NAMED_FIRM


def bodies_in_cyrillic(text: str) -> Iterator[tuple[int, int, float]]:
    """The same in Cyrillic letters, which no list of small words tells apart."""
    if _CYRILLIC_LETTER.search(text) is None:
        return
    for pattern in (_CYRILLIC, _KNOWN):
        for match in pattern.finditer(text):
            yield *match.span(), COUNTS
