"""What stands around a name and says what it is: tables of results, parties of a case, employers, homes; letters.

Each is evidence for the model, which decides with it. Letters ("police officers S.D. and M.K.", as judgements write
them) are no words to the model; behind a word for a person they are somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places, word_set
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.known_organisations import is_known
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import ANYWHERE, questioning

_CAP: Final = rf"[{UPPER}][\w'’\-]+"
_NAME: Final = rf"{_CAP}(?: {_CAP}){{0,2}}"
_RESULT: Final = re.compile(
    rf"^({_NAME}) (\d{{1,3}})(?: ?,)?[ ]{{1,3}}({_NAME}) (\d{{1,3}})(?=[ \t]*$|[:(]| \(|[.,;][ \t]*$)", re.MULTILINE
)
_HYPHENED: Final = re.compile(rf"^({_NAME}) \d{{1,2}} ?[-–] ?\d{{1,2}} ({_NAME})(?=[ \t]*$| \()", re.MULTILINE)
_TEAM: Final = 5.0
_BEAT: Final = (
    "beat|beats|defeated|edged|downed|routed|thrashed|outlasted|drew with|lost to|fell to|hosts?|hosted|visits?"
)
_SIDES: Final = re.compile(
    rf"({_NAME}) (?:{_BEAT}) ({_NAME})(?=[^\n]{{0,24}}? \d{{1,3}}-\d{{1,3}}(?![\d-]))"
    rf"|^({_NAME}) (?:AT|VS\.?|at|vs\.?) ({_NAME})$",
    re.MULTILINE,
)
_SIDE: Final = 8.0
_CASE: Final = re.compile(rf"(?<=[\w.)]) v\.? (?:the )?({_NAME})")
_POSTCODE: Final = re.compile(rf"(?:^|, )(\d{{5}}) ({_NAME})", re.MULTILINE)
_DATELINE: Final = re.compile(rf"^([{UPPER}]{{3,}}(?: [{UPPER}]{{3,}})?)(?= (?:\d{{4}}-|[-–—(]))", re.MULTILINE)
_STATE: Final = 8.0
_EMPLOYERS: Final = (
    "[Ww]ork(?:s|ed|ing)? (?:at|for)|[Ee]mployed (?:at|by|with)|[Ii]ntern(?:ed|ship)? (?:at|for|with)"
    "|[Jj]ob (?:at|with)|[Cc]areer at|[Vv]olunteer(?:ed|s)? (?:at|for)|[Rr]etired from|[Ss]hares (?:in|of)|[Ss]take in"
    "|[Aa]ccounts? (?:at|with)|[Ii]nsured (?:by|with)|[Ss]tud(?:ied|ies|ying) at|[Gg]raduated from"
)
_EMPLOYER: Final = re.compile(rf"\b(?:{_EMPLOYERS}) (?:the )?({_NAME}(?: (?:& |and |of ){_CAP})?)")
_HOUSE: Final = 1.5
_WHERES: Final = (
    r"(?:liv(?:es?|ed|ing)|resid(?:es?|ed|ing)|born|raised|grew up|based|stationed|located|practi[sc]ing)"
    r"(?: with [^.\n]{1,40}?)? (?:in|near)|(?:moved|relocated|emigrated|commutes?|flew|flies|travell?ed) (?:to|from)"
)
_WHERE: Final = re.compile(rf"\b(?:{_WHERES}) ({_NAME})")
_PLACE: Final = 3.0
_NURSES: Final = "PCP|RN|NP|LPN|CRNA|PA-C|Drs"
_NURSE: Final = re.compile(rf"\b(?:{_NURSES})\.?:? ({_CAP})")
_PERSON: Final = 4.0
_PARTY: Final = re.compile(
    rf"({_CAP}) (?:(?:{_CAP}|[{UPPER}]\.|de|van|von|der|di|da|del|den) ){{1,3}}"
    rf"\( ?([{UPPER}][A-Za-z&\-]{{0,3}}[{UPPER}]) ?\)"
)
_MAY_BE_PARTY: Final = re.compile(r" \( ?[^\W\d_]{2,5} ?\)")
_OF_PARTY: Final = 6.0
COUNTRIES: Final = frozenset(
    ["england", "scotland", "wales", "ireland", "france", "germany", "spain", "italy", "portugal", "belgium",
     "netherlands",
     "holland", "sweden", "norway", "denmark", "finland", "poland", "russia", "ukraine", "croatia", "serbia", "romania",
     "bulgaria", "greece", "turkey", "brazil", "argentina", "chile", "uruguay", "mexico", "canada", "japan", "china",
     "india", "pakistan", "bangladesh", "sri lanka", "australia", "new zealand", "south africa", "zimbabwe", "kenya",
     "nigeria", "ghana", "cameroon", "egypt", "morocco", "algeria", "tunisia", "iran", "iraq", "israel", "syria",
     "kuwait", "south korea", "north korea", "austria", "switzerland", "hungary", "cuba", "colombia", "ecuador", "peru"]
)  # fmt: skip
"""A country that plays is labelled as a country."""
_FAST_CAP: Final = r"[A-Z?][A-Za-z0-9_'?\-]+"
_FAST_NAME: Final = rf"{_FAST_CAP}(?: {_FAST_CAP}){{0,2}}"
_MAY_BE: Final = {
    "result": rf"(?m:^{_FAST_NAME} [0-9?]{{1,3}}(?: ?,)? {{1,3}}[A-Z?])",
    "hyphened": rf"(?m:^{_FAST_NAME} [0-9?]{{1,2}} ?[-?] ?[0-9?]{{1,2}} [A-Z?])",
    "sides": rf"{_FAST_NAME} (?:{_BEAT}) [A-Z?]|(?m:^{_FAST_NAME} (?:AT|VS\.?|at|vs\.?) {_FAST_NAME}$)",
    "postcode": r"(?m:(?:^|, )[0-9?]{5} [A-Z?])",
    "dateline": r"(?m:^[A-Z?]{3,}(?: [A-Z?]{3,})? (?:[0-9?]{4}-|[-?(]))",
    "case": r" v\.? (?:the )?[A-Z?]",
    "employer": rf"\b(?:{_EMPLOYERS}) (?:the )?[A-Z?]",
    "where": rf"\b(?:{_WHERES}) [A-Z?]",
    "nurse": rf"\b(?:{_NURSES})\.?:? [A-Z?]",
}
"""Where each may begin, as RE2 reads it in a copy with question marks."""
_ANY: Final = questioning("|".join(_MAY_BE.values()))
"""Most texts are done here."""
_GATES: Final = {kind: questioning(regex) for kind, regex in _MAY_BE.items()}
_LETTERS: Final = re.compile(rf"(?<![\w.])(?:[{UPPER}]\.[ ]?){{1,2}}[{UPPER}]\.?(?![\w'’])")
_MAY_BE_LETTERS: Final = questioning(r"[A-Z?]\. ?[A-Z?]")
_BEFORE_LETTERS: Final = re.compile(r"([^\W\d_]+)\.?(?:'s|,)? (?:\()?\Z")
_AND: Final = re.compile(r"(?:,| and|, and| or|;) \Z")
_NO_LETTERS: Final = frozenset(
    ["us", "uk", "un", "eu", "dc", "pm", "am", "bc", "ad", "po", "ny", "la", "sa", "nv", "bv", "id", "ps", "tv", "uae",
     "usa", "ussr", "eg", "ie", "phd", "md", "ba", "ma", "bs", "ms", "cv", "pc", "llc", "jr", "sr", "st", "dr", "gi",
     "rn"]
)  # fmt: skip
_ROLES: Final = names().people_nouns | word_set("role_nouns.txt") | names().titles | word_set("people_of_cases.txt")


def lifts(text: str) -> Iterator[tuple[int, int, str, float]]:
    """Start, end, tag, and how much it counts in the model's units."""
    if _MAY_BE_PARTY.search(text) is not None:
        yield from _parties(text)
    data = text.encode("ascii", "replace")
    if _ANY.Match(ANYWHERE, data, 0, len(data))[0][1] < 0:
        return
    for match in matches_behind(_GATES["result"], _RESULT, text):
        if lookup_key(match.group(1).partition(" ")[0]) in names().stops:
            continue
        for team, number in ((1, 2), (3, 4)):
            yield *match.span(team), "ORG", _TEAM
            yield *match.span(number), "O", _TEAM
    for match in matches_behind(_GATES["hyphened"], _HYPHENED, text):
        for side in (1, 2):
            if lookup_key(match.group(side)) not in COUNTRIES and not _is_given_first(match.group(side)):
                yield *match.span(side), "ORG", _SIDE
        yield match.end(1), match.start(2), "O", _SIDE
    for match in matches_behind(_GATES["sides"], _SIDES, text):
        one, other = (1, 2) if match.group(1) else (3, 4)
        if _may_be_side(match.group(one)) and _may_be_side(match.group(other)):
            yield *match.span(one), "ORG", _SIDE
            yield *match.span(other), "ORG", _SIDE
    for match in matches_behind(_GATES["postcode"], _POSTCODE, text):
        if lookup_key(match.group(2)) in places():
            yield *match.span(1), "ADDRESS", _STATE
            yield *match.span(2), "LOCATION", _STATE
    for match in matches_behind(_GATES["dateline"], _DATELINE, text):
        if lookup_key(match.group(1)) in places():
            yield *match.span(1), "LOCATION", _STATE
    for match in matches_behind(_GATES["case"], _CASE, text):
        if lookup_key(match.group(1)) in places():
            yield *match.span(1), "LOCATION", _STATE
    for match in matches_behind(_GATES["employer"], _EMPLOYER, text):
        yield *match.span(1), "ORG", _HOUSE
    for match in matches_behind(_GATES["where"], _WHERE, text):
        yield *match.span(1), "LOCATION", _PLACE
    for match in matches_behind(_GATES["nurse"], _NURSE, text):
        if lookup_key(match.group(1)) not in names().stops:
            yield *match.span(1), "PERSON", _PERSON


def _is_given_first(value: str) -> bool:
    """Whether somebody plays: "Emma Hale 2-1 Ana Ruiz"."""
    first, _, rest = value.partition(" ")
    return bool(rest) and lookup_key(first) in names().given


def _may_be_side(value: str) -> bool:
    """Whether a team may be called so: a listed town or club, and nobody's given name."""
    key = lookup_key(value)
    return (key in places() or is_known(value)) and key not in names().given and key not in COUNTRIES


def _parties(text: str) -> Iterator[tuple[int, int, str, float]]:
    """Letters in brackets behind a full name: a party, a station, a firm ("Jane Doe (PRL)"), if no place."""
    for match in _PARTY.finditer(text):
        given, letters = lookup_key(match.group(1)), lookup_key(match.group(2))
        listed = names().lists_given(given)
        if listed and letters not in _NO_LETTERS and letters not in places():
            yield *match.span(2), "ORG", _OF_PARTY


def people_by_letters(text: str) -> Iterator[tuple[int, int]]:
    """Letters that stand for somebody: behind a word for a person, or in a list behind such letters."""
    reached = -1
    for match in matches_behind(_MAY_BE_LETTERS, _LETTERS, text):
        start, end = match.span()
        plain = re.sub(r"[^\w]", "", match.group()).lower()
        if plain in _NO_LETTERS or text[end : end + 2].strip().isdigit():
            continue
        before = _BEFORE_LETTERS.search(text, max(0, start - 24), start)
        listed = reached >= 0 and start - reached < 8 and _AND.fullmatch(text, reached, start)
        if listed or (before is not None and lookup_key(before.group(1)) in _ROLES):
            yield start, end
            reached = end
