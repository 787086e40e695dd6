"""Where places, houses and streets of the model end: dots, "Republic of", a town with its state, a street's last word.

What the model marks is right in kind more often than at its ends. Each step here looks at a stretch and at the few
characters beside it, so a text without findings pays nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places, word_set
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.organisations import HOUSE_LAST, OFFICE_OF
from securevec.anonymize.names.regions import PROVINCES
from securevec.anonymize.names.streets import NO_STREETS
from securevec.anonymize.names.words import UPPER

_SURE: Final = 2.5
"""The margin of a street by its words, which is believed without a number."""
_HOUSES: Final = frozenset({"LOCATION", "ORG"})
_LETTER_LAST: Final = re.compile(rf"(?:(?<=\.)|(?<![\w.]))[{UPPER}]\Z")
_MORE_LETTERS: Final = re.compile(rf"(?:\.[{UPPER}](?!\w))*\.?")
_LETTERS_BEFORE: Final = re.compile(rf"(?:(?<![\w.])(?:[{UPPER}]\.)+)\Z")
_LETTERS: Final = 8
_DEGREES: Final = frozenset(
    ["B.S.", "M.S.", "B.A.", "M.A.", "A.A.", "A.S.", "B.E.", "M.E.", "J.D.", "M.D.", "B.S", "M.S"]
)
_SHORT: Final = frozenset(
    ["Ala", "Ariz", "Ark", "Calif", "Colo", "Conn", "Del", "Fla", "Ga", "Ill", "Ind", "Kan", "Ky", "Mass", "Mich",
     "Minn", "Miss", "Mo", "Mont", "Neb", "Nev", "Okla", "Ont", "Ore", "Pa", "Que", "Tenn", "Tex", "Va", "Vt",
     "Wash", "Wis", "Wyo", "Inc", "Corp", "Co", "Cos", "Ltd", "Bros", "Assn", "Dept", "Univ"]
)  # fmt: skip
_SHORT_STREETS: Final = frozenset(
    ["St", "Rd", "Ave", "Blvd", "Dr", "Ln", "Ct", "Pl", "Sq", "Hwy", "Pkwy", "Str", "str", "Av"]
)
"""Abbreviations that keep their dot where the sentence goes on behind it."""
_OF: Final = re.compile(
    r"(?<![\w'’\-])(?:(?:People ?['’]s|Democratic|Federal|Federated|Islamic|Socialist|Bolivarian|Arab|Czech|United"
    r"|Grand|Former|East|West|North|South|Free) )*(?:Republic|Kingdom|States?|Commonwealth|Duchy|Principality|Emirate"
    r"|Union|Province|County|Borough|City|Town|Village|Township|Municipality|District|Canton|Isles?|Islands?|Riding|Gulf|Bay"
    r"|Straits?|Cape|Sea|Lake|Mount) [Oo]f (?:[Tt]he )?\Z"
)
_NAMED_BEFORE: Final = re.compile(rf"(?<![\w'’])(?!The )[{UPPER}][\w'’\-]* \Z")
"""A name in front, so that the kind is its own: "Chittoor District of Andhra Pradesh" are two places."""
_WORD: Final = 24
_HOUSES_OF: Final = frozenset(
    ["commission", "court", "ministry", "department", "institute", "institution", "bank", "board", "council",
     "office", "bureau", "army", "university", "college", "school", "museum", "academy", "assembly", "party",
     "chamber", "committee", "agency", "directorate", "secretariat", "faculty", "authority", "inspectorate"]
)  # fmt: skip
_OF_WHAT: Final = re.compile(
    rf" of (?:the )?[{UPPER}][\w'’\-]*(?: (?:(?:and|for|of|&|the) )*[{UPPER}][\w'’\-]*){{0,4}}"
)
_LOOK_BACK: Final = 56
_WORDS_BEFORE: Final = re.compile(rf"([{UPPER}][\w'’\-]*|[{UPPER}]\.)(?: [{UPPER}]\.?)? ([{UPPER}][\w'’\-]*), \Z")
_STATES: Final = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
_STATE_LAST: Final = re.compile(rf"[ ]({_STATES}|{PROVINCES})\Z")
_ZIP: Final = re.compile(r",? (?:\d{4,5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)(?!\w)")
_LETTERS_OF_POSTCODE: Final = re.compile(rf"[A-Z]{{2}} (?=[{UPPER}]\w)")
_DIGITS_OF_POSTCODE: Final = re.compile(r"(?<!\d)\d{4} \Z")
"""Of a Dutch postcode: "3013 AK Rotterdam"."""
_STREET_LAST: Final = frozenset(
    ["street", "road", "avenue", "boulevard", "lane", "highway", "parkway", "terrace", "crescent", "turnpike", "rd",
     "ave", "blvd", "ln", "hwy", "pkwy", "utca"]
)  # fmt: skip
_STREET_ENDS: Final = ("straße", "strasse", "gasse", "straat", "gracht", "gatan", "vägen", "katu", "gate", "vej")
_STREET_FIRST: Final = frozenset(
    ["rue", "calle", "avenida", "rua", "via", "viale", "piazza", "ulica", "travessa", "vicolo", "boulevard", "chemin",
     "impasse", "allée", "quai", "corso", "largo", "praça", "carrer", "passeig", "paseo", "alameda", "rambla",
     "piazzale", "strada", "bulevardul", "aleja", "náměstí", "plac"]
)  # fmt: skip
_SMALL_STREET: Final = re.compile(
    "(?:rue|calle|avenida|rua|ulica|boulevard|chemin|allée|quai|carrer|ulicy)"
    rf" (?:d[ueo]s? |de la |del |dei |d['’])?[{UPPER}]"
)
"""The same as running text writes it; "via" is a word of English."""
_DIRECTIONS: Final = frozenset(
    ["north", "south", "east", "west", "northern", "southern", "eastern", "western", "northeast", "northwest",
     "southeast", "southwest", "upper", "lower", "mt", "st", "lake", "mount", "fort", "port", "new", "san", "santa",
     "los", "las"]
)  # fmt: skip
_GREETINGS: Final = frozenset(
    ["hello", "hi", "hey", "dear", "hiya", "greetings", "welcome", "thanks", "thank", "morning", "afternoon",
     "evening", "goodbye", "bye", "sorry", "please", "yes", "ok", "okay", "congratulations", "congrats"]
)  # fmt: skip
_BODIES: Final = frozenset(
    ["Department", "Ministry", "Police", "Court", "Courts", "Supreme", "Superior", "High", "District", "Regional",
     "Civil", "Public", "City", "County", "State", "University", "School", "Schools", "Fire", "National", "Medical"]
)  # fmt: skip
"""What a public body begins with behind the place that it is of."""
_WORKS: Final = frozenset(
    ["Steel", "Electric", "Gas", "Water", "Power", "Railway", "Railroad", "Savings", "Opera", "Zoo", "Symphony"]
)
"""What works of a town are called by: "Bethlehem Steel"."""
_NICKNAME: Final = 24
_SHORT_NAME: Final = re.compile(
    rf" (?:\( ?[{UPPER}][\w.'’\- ]{{0,18}} ?\)|[\"“] ?[{UPPER}][\w.'’\- ]{{0,18}} ?[\"”]|'[{UPPER}][\w.\- ]{{0,18}}')"
    rf" [{UPPER}]"
)
"""A short name in brackets or marks of quotation, and the next name behind it: ``Robert "Bob" Hale``."""
_CALLINGS: Final = word_set("callings_english.txt")
_OFFICES: Final = re.compile(
    r"(?:Chief (?:Executive|Justice|Inspector|Superintendent|Constable|Minister|Financial Officer|Executive Officer)"
    r"|Vice[ -]President|Prime Minister|Attorney General|Solicitor General|Managing Director|Executive Director"
    r"|Police Chief|Fire Chief|Lord Justice|Foreign Minister|Finance Minister|Defen[cs]e Minister|Detective Constable"
    r"|Police Constable|Detective Sergeant|Detective Inspector|Team Leader|Deputy Chief|Deputy Director) (?=\S)"
)
"""Offices of several words in front of whoever holds them."""
_CREDENTIALS: Final = frozenset(
    ["MD", "M.D", "PhD", "Ph.D", "DO", "D.O", "RN", "R.N", "NP", "N.P", "LPN", "PA-C", "DDS", "D.D.S", "DVM", "JD",
     "J.D", "MBA", "CPA", "PE", "MPH", "LCSW", "PharmD", "Esq", "Esquire", "MSc", "BSc", "FRCS", "FRCP", "QC", "KC",
     "OBE", "MBE", "CBE", "Drs"]
)  # fmt: skip
"""What somebody is, behind the name."""
_INITIAL_LAST: Final = re.compile(rf"[^\W\d_]{{2}} (?!V\Z)[{UPPER}]\Z")
"""``V.`` stands between the parties of a case."""
_INITIAL_FIRST: Final = re.compile(rf"[{UPPER}]\. (?=[{UPPER}]\w)")
_SHORT_BEFORE: Final = re.compile(r"(?<!\w)[a-z]\.\Z")
"""The first letter of what is written short in front of a signature: "i.A. Petersen"."""
_HALLS: Final = frozenset(
    ["Arena", "Stadium", "Airport", "Mountains", "Theatre", "Peninsula", "Canyon", "Glacier", "Reservoir", "Speedway"]
)
_UNIT_FIRST: Final = re.compile(
    r"(?:Apto?|Apartment|Suite|Ste|Unit|Flat|Floor|Room|[Pp]iso|Bloque|[Ii]nt|[Ss]cala|Daire|Kat|lok|App|Appt|B[âa]t|Dep(?:t|to)"
    r"|Oficina|Local)\b"
)
"""What the second part of an address begins with behind a comma."""
_HYPHENED: Final = re.compile(
    "(?:Noord|Zuid|Oost|West|Nord|Süd|Sud|Ost|Nieder|Ober|Neder|Saint|Sainte|North|South|East|Upper|Lower|New|Old)-\\Z"
)
_WIDE: Final = re.compile(r" {3,}|\t")
"""Between two columns of a table."""


def mended(text: str, stretches: list[Stretch]) -> list[Stretch]:
    """``stretches`` in order, with better ends and kinds."""
    made: list[Stretch] = []
    if "   " in text:
        stretches = [each for stretch in stretches for each in _columns(text, stretch)]
    for stretch in stretches:
        for each in _mended(text, stretch):
            before = made[-1] if made else None
            if before is not None and each.start < before.end:
                # One reaches over the other: they are one, of the kind of the one that does.
                tag = each.tag if each.start < stretch.start else before.tag
                each = Stretch(
                    min(before.start, each.start), max(before.end, each.end), tag, max(each.margin, before.margin)
                )
                made.pop()
            made.append(each)
    return _pairs(text, made)


def _mended(text: str, stretch: Stretch) -> Iterator[Stretch]:
    tag = stretch.tag
    if tag == "PERSON":
        stretch = _without_calling(text, stretch)
        stretch = _with_initial(text, stretch)
        value = text[stretch.start : stretch.end]
        if value in _CREDENTIALS:
            return
        if " " in value and (_is_hall(value) or value.partition(" ")[0] in _AREAS):
            tag = "LOCATION"
            stretch = Stretch(stretch.start, stretch.end, tag, stretch.margin)
    value = text[stretch.start : stretch.end]
    if tag in {"PERSON", "LOCATION"} and is_street(value):
        yield _dotted(text, Stretch(stretch.start, stretch.end, "ADDRESS", max(stretch.margin, _SURE)))
        return
    if tag == "ADDRESS":
        yield _dotted(text, stretch)
        return
    if tag not in _HOUSES:
        yield stretch
        return
    if value[0].islower() and tag == "LOCATION" and "#" not in text[max(0, stretch.start - 1) : stretch.end]:
        stretch = _without_small(text, stretch)
    if tag == "ORG" and (office := OFFICE_OF.match(text, stretch.start, stretch.end)) is not None:
        stretch = Stretch(office.end(), stretch.end, tag, stretch.margin)
    stretch = _dotted(text, stretch)
    if text[stretch.start : stretch.end] in _DEGREES or (
        value in _CREDENTIALS and _behind_somebody(text, stretch.start)
    ):
        return
    if tag == "ORG" and text[stretch.end : stretch.end + 4] == " of ":
        stretch = _with_purpose(text, stretch)
    if tag == "LOCATION":
        if text[stretch.start - 1 : stretch.start] == "-":
            hyphened = _HYPHENED.search(text, max(0, stretch.start - 8), stretch.start)
            if hyphened is not None:
                stretch = Stretch(hyphened.start(), stretch.end, tag, stretch.margin)
        before = _OF.search(text, max(0, stretch.start - _LOOK_BACK), stretch.start)
        if before is not None and not _NAMED_BEFORE.search(text, max(0, before.start() - _WORD), before.start()):
            stretch = Stretch(before.start(), stretch.end, tag, stretch.margin)
        if value[-1:].isupper() and (ward := _WARD_LAST.search(text, stretch.start, stretch.end)) is not None:
            stretch = Stretch(stretch.start, ward.start(), tag, stretch.margin)
        if (
            value[2:3] == " "
            and _LETTERS_OF_POSTCODE.match(value)
            and _DIGITS_OF_POSTCODE.search(text, max(0, stretch.start - 6), stretch.start)
        ):
            stretch = Stretch(stretch.start + 3, stretch.end, tag, stretch.margin)
        state = _STATE_LAST.search(text, stretch.start, stretch.end)
        if state is not None and _ZIP.match(text, stretch.end):
            yield Stretch(stretch.start, state.start(), tag, stretch.margin)
            stretch = Stretch(state.start(1), stretch.end, tag, stretch.margin)
    yield stretch


_WARD_LAST: Final = re.compile(r" (?:ED|ER|ICU|OR)\Z")
_AREAS: Final = frozenset(
    ["Outer", "Inner", "Upper", "Lower", "Greater", "Northern", "Southern", "Eastern", "Western", "Central", "Mid"]
)
"""With one of these in front a name is a place's."""


def _behind_somebody(text: str, start: int) -> bool:
    """Whether letters stand behind a comma and no place: "Stellan Kruse, MD", not "Bowie, MD"."""
    before = _WORDS_BEFORE.search(text, max(0, start - _LOOK_BACK), start)
    if before is None or lookup_key(before.group(2)) in places():
        return False
    lists, given = names(), lookup_key(before.group(1))
    return given[-1] == "." or lists.lists_given(given) or lists.is_surname(before.group(2))


def _dotted(text: str, stretch: Stretch) -> Stretch:
    """With the dots of its letters (``U.S.``, ``N.A.``) and of an abbreviation (``Calif.``, ``Elm St.``)."""
    start, end = stretch.start, stretch.end
    if _LETTER_LAST.search(text, start, end):
        before = _LETTERS_BEFORE.search(text, max(0, start - _LETTERS), start)
        more = _MORE_LETTERS.match(text, end)
        start = before.start() if before else start
        # One letter with a dot is an initial; two are an abbreviation.
        if more is not None and (more.end() > end + 1 or "." in text[start:end]):
            end = more.end()
    elif text[end : end + 1] == ".":
        word = text[start:end].rpartition(" ")[2]
        streets = stretch.tag == "ADDRESS"
        goes_on = text[end + 1 : end + 2] in " ," and text[end + 1 : end + 3].strip() != ""
        if word in (_SHORT_STREETS if streets else _SHORT) and (goes_on or not streets):
            end += 1
    return stretch if (start, end) == (stretch.start, stretch.end) else Stretch(start, end, stretch.tag, stretch.margin)


def _with_purpose(text: str, stretch: Stretch) -> Stretch:
    """With what a public body is for: "European Commission" and "of Human Rights"."""
    last = text[stretch.start : stretch.end].rpartition(" ")[2].lower()
    match = _OF_WHAT.match(text, stretch.end) if last in _HOUSES_OF else None
    if match is None or any(lookup_key(word) in names().given for word in match.group().split()[1:]):
        return stretch
    return Stretch(stretch.start, match.end(), stretch.tag, stretch.margin)


def _without_small(text: str, stretch: Stretch) -> Stretch:
    """Of a place that begins in small letters ("downtown Ogden") the capitals, if it has any and no particle."""
    start = stretch.start
    particles = names().particles
    while start < stretch.end and text[start].islower():
        space = text.find(" ", start, stretch.end)
        word = text[start:space]
        if space < 0 or word in particles or word in _DIRECTIONS or word in places() or not word.isalpha():
            return stretch
        start = space + 1
    return stretch if start >= stretch.end else Stretch(start, stretch.end, stretch.tag, stretch.margin)


def _without_calling(text: str, stretch: Stretch) -> Stretch:
    """Without a greeting or what somebody is in front of the name: "Hello Jessica", "Coroner William McLaughlin"."""
    start = stretch.start
    if (office := _OFFICES.match(text, start, stretch.end)) is not None:
        start = office.end()
    while (space := text.find(" ", start, stretch.end)) > 0:
        word = text[start:space]
        key = word.lower()
        lists = names()
        following = lookup_key(text[space + 1 : stretch.end].partition(" ")[0])
        given = lists.lists_given(following)
        named = key in lists.given or key in lists.surnames or key in lists.given_ambiguous
        greets = key in _GREETINGS and text[space + 1].isupper()
        family = not named and lists.is_surname(text[space + 1 : stretch.end].partition(" ")[0])
        calls = key in _CALLINGS and (family or (given and (not named or " " in text[space + 1 : stretch.end])))
        if not word.isalpha() or not (greets or calls):
            break
        start = space + 1
    return stretch if start == stretch.start else Stretch(start, stretch.end, stretch.tag, stretch.margin)


def _with_initial(text: str, stretch: Stretch) -> Stretch:
    """Without a degree behind a comma ("Faye Marchetti, MD"), and with the dot of a family name that is one letter."""
    start, end = stretch.start, stretch.end
    value = text[start:end]
    if ", " in value and value.rpartition(", ")[2] in _CREDENTIALS:
        end = start + value.rindex(", ")
    elif text[end : end + 1] == "." and value[-2:-1] == " ":
        if text.startswith(" V. ", end - 2):
            end -= 2
        elif _INITIAL_LAST.search(text, start, end):
            end += 1
    initial = value[1:3] == ". " and _INITIAL_FIRST.match(value)
    if initial and _SHORT_BEFORE.search(text, max(0, start - 2), start):
        start += 3
    if (start, end) == (stretch.start, stretch.end):
        return stretch
    return Stretch(start, end, stretch.tag, stretch.margin)


def _is_hall(value: str) -> bool:
    """Whether what was taken for somebody is a building or a mountain by its last word: "Royal Albert Hall"."""
    first, *others = value.split(" ")
    if not others or first in {"Mr", "Mrs", "Ms", "Dr"}:
        return False
    return others[-1] in _HALLS or (others[-1] == "Hall" and len(others) > 1 and lookup_key(first) not in names().given)


def _columns(text: str, stretch: Stretch) -> Iterator[Stretch]:
    """A stretch cut where two columns of a table meet; a single letter is left out."""
    start = stretch.start
    for gap in (*_WIDE.finditer(text, stretch.start, stretch.end), None):
        end = stretch.end if gap is None else gap.start()
        if sum(map(str.isalnum, text[start:end])) > 1:
            yield Stretch(start, end, stretch.tag, stretch.margin)
        start = end if gap is None else gap.end()


def is_street(value: str) -> bool:
    """Whether capitalized words are a street by their last or first word."""
    first, _, rest = value.partition(" ")
    if not rest:
        return len(value) > 8 and value[0].isupper() and value.lower().endswith(_STREET_ENDS)
    last = rest.rpartition(" ")[2].rstrip(".")
    if not first[0].isupper() and not first[0].isdigit():
        return _SMALL_STREET.match(value) is not None
    if value.lower() in NO_STREETS or "\n" in value:
        return False
    if last[0].isupper() and (last.lower() in _STREET_LAST or (len(last) > 8 and last.lower().endswith(_STREET_ENDS))):
        return True
    return first.lower() in _STREET_FIRST and rest[0].isupper()


def _pairs(text: str, stretches: list[Stretch]) -> list[Stretch]:
    """Two places that are one in the list ("Bosnia and Herzegovina"), and a name with a short one in its middle."""
    made: list[Stretch] = []
    for stretch in stretches:
        before = made[-1] if made else None
        if before is not None and before.tag in {stretch.tag, "ADDRESS"} and _is_one(text, before, stretch):
            made[-1] = Stretch(before.start, stretch.end, before.tag, max(before.margin, stretch.margin))
        elif before is not None and _is_body(text, before, stretch):
            made[-1] = Stretch(before.start, stretch.end, "ORG", max(before.margin, stretch.margin))
        else:
            made.append(stretch)
    return made


_PARTICLE_LAST: Final = re.compile(r" (?:de|du|des|della?|dei|di|do|da|la)\Z")


def _is_body(text: str, first: Stretch, second: Stretch) -> bool:
    """A place and a public body behind one space: "Utah Department of Health"."""
    if first.tag != "LOCATION" or second.tag != "ORG" or text[first.end : second.start] != " ":
        return False
    word, _, more = text[second.start : second.end].partition(" ")
    return word in _BODIES or (not more and (word in _WORKS or word.lower() in HOUSE_LAST))


def _is_one(text: str, first: Stretch, second: Stretch) -> bool:
    between = text[first.end : second.start]
    if first.tag == "LOCATION" and between in {" and ", " & "}:
        return (
            f"{lookup_key(text[first.start : first.end])} and {lookup_key(text[second.start : second.end])}" in places()
        )
    if first.tag == "ADDRESS":
        if between == " " and _PARTICLE_LAST.search(text, first.start, first.end):
            return True
        return between == ", " and _UNIT_FIRST.match(text, second.start) is not None
    if first.tag != "PERSON" or len(between) > _NICKNAME:
        return False
    whole = text[first.end : second.end]
    return _SHORT_NAME.match(whole) is not None and "\n" not in whole
