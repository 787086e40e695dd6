"""Organizations that everybody knows, by a list, and those built on a word for their kind.

The model was shown few of them, a lone capital may be anything to it, and of foreign text it is sure that it names
nobody. A name of the list lifts the model's score of ORG; one that is also a word, a place or a surname a little.
Behind a given name or an initial a single word is somebody's surname.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import barred, names, places, word_set
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import questioning
from securevec.anonymize.rules.rulebook import engine_options

_FILE: Final = "org_known.txt"
_PLACES: Final = "places_known.txt"
"""Places that everybody knows, which the same pattern looks for."""
_SURE: Final = 10.0
_PERHAPS: Final = 2.0
_SMALL_COUNTS: Final = 8.0
_SHORTEST_SMALL: Final = 5
_WORDS: Final = frozenset(
    ["caterpillar", "greyhound", "indigo", "chevron", "swatch", "orioles", "packers", "wallabies", "prudential",
     "congress", "senate", "parliament"]
)  # fmt: skip
"""Listed names that are words too, which only a capital tells apart."""
_PART_BEFORE: Final = "@#/._-"
_PART_BEHIND: Final = re.compile(r"[@_/.\-][^\W_]|_")
_NAME_BEHIND: Final = re.compile(rf" [{UPPER}]")
"""Behind a place: "Gold Coast Titans"."""
_BEFORE: Final = re.compile(r"(?:([^\W\d_][\w'\-]*)|[^\W\d_]\.) \Z")
_LOOK_BACK: Final = 24
_LEADS: Final = word_set("org_leads.txt")
"""Words that stand capitalized in front of a name and are no part of it."""
_CAP: Final = rf"(?:St\. )?[{UPPER}][\w'’\-]*"
_OF: Final = r"(?:of(?: the)?|de(?: la| los| las)?|del|della|delle|dei|degli|di|du|des|der|für|van|voor|da|do)"
_FIRST: Final = (
    "University|College|Institute|Ministry|Department|Bank|Academy|School|Court|Council|Church|Society|Board|Hospital"
    "|Universidad|Universitat|Universität|Università|Université|Universidade|Universiteit|Ayuntamiento"
    "|Ministerio|Ministère|Ministero|Banco|Banca|Banque|Tribunal|Tribunale|Cour|Corte|Conseil|Consejo"
    "|Gemeente|Academia|Faculdade|Faculté|Facultad|Escuela|Escola|École|Comisión|Comissão|Commissione|Commissie|Cámara"
    "|Câmara|Comité|Comitê|Comitato|Asociación|Associação|Associazione|Federación|Federação|Federazione|Fédération"
    "|Fundación|Fundação|Fondazione|Fondation|Stichting|Sindicato|Syndicat|Partido|Partito|Consejería|Secretaría|Secretaria"
    "|Fiscalía|Audiencia|Juzgado|Procuradoria|Procura|Prefeitura|Préfecture|Questura|Mairie|Superintendência|Agência"
    "|Agencia|Agence|Agenzia|Instituto|Istituto|Institut|Confederación|Confederação|Banque|Companhia|Compañía|Ejército"
    "|Exército|Marina|Ferrocarriles|Ministério|Ministerie|Bundesamt|Landesamt|Verband|Stiftung"
    "|Offices?|Authority|Bureau|Agency|Embassy|Consulate|Chamber of Commerce|Museum|Federation|Association|Foundation"
    "|Commission|Committee|Directorate|Secretariat|Faculty|Registry|Mairie|Ambassade|Embajada"
)
_LAST: Final = (
    "University|Hospital|Infirmary|College|Academy|Airlines|Airways|Pharmaceuticals|Federation|Ministry|Institute"
    "|(?:High|Law|Business|Primary|Elementary|Middle|Grammar|Secondary) School"
    "|(?:Medical|Health|Rehabilitation) Cent(?:er|re)|Police (?:Department|Station)|(?:City|County) Council"
    "|(?:Supreme|District|High|Regional|Assize|Administrative|Constitutional) Court|Court of Appeals?"
    "|(?:District|Regional|Public) Prosecutor(?:'s Office)?"
    "|Prosecutor's Office|Nursing Home|Credit Union|News Agency|Football Club"
    "|(?:Physical|Occupational) Therapy|Rehab|Pharma|Mining|Holdings|Industries|Securities|Motors|Foods|Realty"
    "|Logistics|Analytics|Consulting|Consultancy|Plumbing|Roofing|Landscaping|Solutions|Technologies|Systems|Software"
    "|Laboratories|Labs|Robotics|Electronics|Telecom|Communications|Networks|Enterprises|Ventures|Associates|Insurance"
    "|Mutual|Health Plan|Textiles|Shipping|Construction|Builders|Interiors|Catering|Bakery|Brewery|Pharmacy|Clinic"
    "|Surgery|Foundation|Association|Society|Courier|Studios|Publishing|Corporation|Company|Group"
    "|Properties|Rovers|Wanderers|Tribune|Herald|Gazette|Chronicle|Party|Commission|Committee|Orchestra"
    "|Agency|Bureau|School District|Symphony|Ballet"
    "|(?:Magistrates['’]?|Crown|County|Circuit|Family|Municipal|Juvenile|Labour|Commercial|Criminal|Bankruptcy"
    "|Probate|Sheriff|Federal) Court|(?:Sheriff['’]s|District Attorney['’]s|Coroner['’]s|Attorney General['’]s)"
    " (?:Office|Department)|Fire (?:Department|Service|Brigade)|County Jail|Correctional (?:Facility|Institution)"
    "|(?:Catholic|Baptist|Methodist|Lutheran|Presbyterian|Episcopal|Orthodox|Parish|Pentecostal) Church"
    "|Assisted Living|Senior Living|Care Home|Funeral (?:Home|Directors)|Health (?:System|Board)|Family Medicine"
    "|Medical Group|(?:Property|Asset|Wealth|Capital|Waste) Management|Motor Works|Telecom|Public Radio|Polytechnic"
    "|(?:Nail|Day) Spa|Steakhouse|Brewing(?: Company)?|Pizzeria|Biosciences|Therapeutics|Semiconductor|FM"
    "|Community Trust|Foundation Trust|Secondary School|Seminary|Conservatory|Capital Partners|Advisors|Bank"
    "|(?:Family|Group|Medical|Dental|Veterinary) Practice|Dental|Pediatrics|Orthopa?edics"
    "|(?:Conduct|Port|Transit|Housing) Authority"
    "|Broadcasting|Newspapers|Traders|(?:Rotary|Yacht|Cricket|Rowing) Club"
    "|Universität|Klinikum"
    "|Krankenhaus|Gymnasium|Hochschule|Ziekenhuis"
)
_FOR: Final = (
    "Foundation|Institute|Cent(?:er|re)|Council|Association|Society|Agency|Committee|Commission|Campaign|Coalition"
    "|Alliance|Fund|Organi[sz]ation|Bureau"
)
"""What has its purpose behind "for" or "on"."""
_TIMES: Final = (
    "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September|October"
    "|November|December"
)
_NO_HOUSES: Final = frozenset(
    ["west bank", "left bank", "right bank", "south bank", "north bank", "east bank", "food bank", "blood bank",
     "sand bank", "power bank", "piggy bank", "data bank", "dogger bank", "am fm"]
)  # fmt: skip
"""Places and things that end so."""
_BUILT: Final = re.compile(
    rf"(?<![\w@#/.'’\-])(?:(?:Ministry|Department) of {_CAP}(?:, {_CAP}){{1,2}},? and {_CAP}"
    rf"|(?:{_CAP} ){{0,3}}Court(?: of Appeals)? for the (?:{_CAP} ){{1,3}}of {_CAP}(?: {_CAP})?"
    rf"|(?:{_CAP} ){{0,3}}(?:{_FOR}) (?:for|on) (?:the )?(?!{_TIMES}){_CAP}(?: (?:of the |of |and |& )?{_CAP}){{0,3}}"
    rf"|(?:{_CAP} ){{0,2}}(?:{_FIRST}) {_OF} {_CAP}(?: (?:(?:and|&|y|e|et|und|en) )?{_CAP}){{0,3}}"
    rf"|{_CAP}(?: (?:(?:of|and|&|de|del|la) )?{_CAP}){{0,3}} (?:{_LAST}))(?![\w@/\-])"
)
_FAST_CAP: Final = r"(?:St\. )?[A-Z?][A-Za-z0-9_'?\-]*"
_MAY_BE_BUILT: Final = questioning(
    rf"(?:{_FAST_CAP} ){{0,3}}Court(?: of Appeals)? for the [A-Z?]"
    rf"|(?:{_FAST_CAP} ){{0,3}}(?:{_FOR}) (?:for|on) (?:the )?[A-Z?]"
    rf"|(?:{_FAST_CAP} ){{0,2}}(?:{_FIRST}) {_OF} [A-Z?]"
    rf"|{_FAST_CAP}(?: (?:(?:of|and|&|de|del|la) )?{_FAST_CAP}){{0,3}} (?:{_LAST})"
)
"""The same as RE2 reads it in a copy in ASCII, with a question mark for every other letter."""


@lru_cache(maxsize=1)
def _known() -> tuple[Any, dict[str, float]]:
    """A pattern over ASCII, every other letter a question mark, and what each name counts; below zero it is a place."""
    counts = {_plain(name.lstrip("?")): _PERHAPS if name[0] == "?" else _SURE for name in barred(_FILE)}
    for name in barred(_PLACES):
        counts.setdefault(_plain(name), -_SURE)
    # The longest first: of two that begin alike RE2 takes the one that stands first.
    ordered = sorted(counts, key=lambda name: (-len(name), name))
    # No border of a word is in front of a question mark.
    plain, other = (
        [re.escape(name).encode() for name in ordered if (name[0] == "?") is beyond] for beyond in (False, True)
    )
    pattern = rb"\b(?:" + b"|".join(plain) + rb")|(?:" + b"|".join(other) + rb")"
    return re2.compile(pattern, engine_options()), counts


def _plain(name: str) -> str:
    return name.encode("ascii", "replace").decode()


def is_known(name: str) -> bool:
    """Whether the list has this name."""
    return _known()[1].get(_plain(name), 0.0) > 0


def is_place(name: str) -> bool:
    """Whether the list of places that everybody knows has this name."""
    return _known()[1].get(_plain(name), 0.0) < 0


def by_list(text: str) -> Iterator[tuple[int, int, float]]:
    """Start and end of each listed name, and how much it counts in the model's units; of a place, below zero."""
    pattern, counts = _known()
    for match in pattern.finditer(text.encode("ascii", "replace")):
        start, end = match.span()
        if text[end : end + 1].isalnum() or (start and (text[start - 1] in _PART_BEFORE or text[start - 1].isalnum())):
            continue
        if _PART_BEHIND.match(text, end):
            continue
        name = match.group().decode()
        if (name[0] == "?" and text[start] == "?") or (counts[name] < 0 and _NAME_BEHIND.match(text, end)):
            continue
        if " " not in name and (before := _BEFORE.search(text, max(0, start - _LOOK_BACK), start)) is not None:
            given = before.group(1)
            if given is None or lookup_key(given) in names().given:
                continue
        yield start, end, counts[name]


@lru_cache(maxsize=1)
def _small() -> tuple[Any, dict[str, float]]:
    """The same in small letters, of the names that nobody and no place is called by."""
    lists = names()
    words = _WORDS | lists.given | lists.given_ambiguous | lists.surnames | lists.surnames_ambiguous | places()
    kept: dict[str, float] = {}
    for name, counts in _known()[1].items():
        small = name.lower()
        if counts == _SURE and len(small) >= _SHORTEST_SMALL and small not in words and "?" not in small:
            kept[small] = _SMALL_COUNTS
    ordered = sorted(kept, key=lambda name: (-len(name), name))
    pattern = rb"\b(?:" + b"|".join(re.escape(name).encode() for name in ordered) + rb")\b"
    return re2.compile(pattern, engine_options()), kept


def small_by_list(text: str) -> Iterator[tuple[int, int, float]]:
    """Listed names in a text without capitals: "i got hired at starbucks"."""
    pattern, counts = _small()
    for match in pattern.finditer(text.encode("ascii", "replace")):
        start, end = match.span()
        if (start and text[start - 1] in _PART_BEFORE) or _PART_BEHIND.match(text, end):
            continue
        yield start, end, counts[match.group().decode()]


def by_kind(text: str) -> Iterator[tuple[int, int]]:
    """Names built on the kind of house: "Ministry of Defence", "St. Brendan's Hospital"."""
    for match in matches_behind(_MAY_BE_BUILT, _BUILT, text):
        start, end = match.span()
        while (word := text[start:end].partition(" ")[0]).lower() in _LEADS:
            start += len(word) + 1
        first, pair, _ = text[start:end].partition(" and ")
        if pair and (is_known(first) or (first.isupper() and first.isalpha())):
            start += len(first) + len(pair)
        if " " in text[start:end] and text[start:end].lower() not in _NO_HOUSES:
            yield start, end
