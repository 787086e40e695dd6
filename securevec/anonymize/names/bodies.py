"""Bodies that are called after a kind with a place or a number: units of an army, clubs, courts, and firms with an "&".

"12th Cavalry Regiment", "FC Dnipro", "Landgericht Kassel", "Pruitt & Osborn" (one is a listed family), "PG&E", in
capitals "BANK OF IRELAND".
It is evidence for the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places, word_set
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import questioning

COUNTS: Final = 8.0
"""How much such a body counts, in the model's units."""
_CAP: Final = rf"[{UPPER}][\w'’\-]*"
_UNITS: Final = (
    "Regiment|Battalion|Brigade|Squadron|Fleet|Corps"
    "|(?:Infantry|Armou?red|Airborne|Mountain|Panzer|Cavalry|Marine) Division"
)
_CLUBS: Final = "FC|AFC|VfB|VfL|TSV|CSKA|Lokomotiv|Shakhtar"
_CLUBS_OF_PLACES: Final = (
    "FK|NK|AC|AS|SC|CD|CF|RC|SV|HC|BC|SK|KV|Real|Sporting|Olympique|Dinamo|Dynamo|Spartak|Torpedo|Zenit"
)
_OFFICES: Final = (
    "(?:Amts|Land|Oberlandes|Verwaltungs|Oberverwaltungs|Arbeits|Landesarbeits|Sozial|Finanz)gericht"
    "|Staatsanwaltschaft|Stadtwerke|(?:Kreiss|Stadts|S)parkasse|Volksbank|Finanzamt|Landratsamt|Polizeipräsidium"
    "|Universitätsklinikum|Hochschule|Bezirksregierung|Kreditbank"
)
_IN_CAPITALS: Final = (
    "BANK|UNIVERSITY|MINISTRY|DEPARTMENT|COLLEGE|INSTITUTE|COURT|BOARD|OFFICE|BUREAU|ACADEMY|HOUSE|EMBASSY|COUNCIL"
)
_FIRST_IN_CAPITALS: Final = (
    "SUPREME|SUPERIOR|DISTRICT|HIGH|FEDERAL|CENTRAL|COUNTY|STATE|ROYAL|FIRST|NATIONAL|COMMUNITY|CITY|CIRCUIT|MUNICIPAL"
)
_LAST_IN_CAPITALS: Final = (
    "AIRLINES|AIRWAYS|MOTORS|INDUSTRIES|HOLDINGS|LOGISTICS|PHARMACEUTICALS|SHIPPING|ENTERPRISES|INTERIORS"
    "|INSURANCE COMPANY|INSURANCE|MEDICAL CENTER|HOSPITAL|UNIVERSITY|POLICE DEPARTMENT|COUNTY COUNCIL"
)
_LETTERS: Final = r"[A-Z]{1,3}&[A-Z]{1,3}"
_NO_LETTERS: Final = frozenset(
    ["R&D", "Q&A", "M&A", "P&L", "F&B", "L&D", "O&M", "S&H", "T&C", "D&D", "G&A", "B&B", "R&B", "E&P", "E&O", "H&P",
     "A&E", "N&V", "C&S", "V&V", "T&E", "O&P", "I&D", "D&C", "C&C", "P&P", "A&P", "A&O", "T&A", "P&S", "H&H", "R&R",
     "I&C", "M&E", "K&R", "C&I", "SG&A", "P&E", "AT&C", "T&CS"]
)  # fmt: skip
"""What is written short with an "&" and is no firm."""
_BODY: Final = re.compile(
    rf"(?<![\w@#/.'’\-])(?:(\d{{1,3}}(?:st|nd|rd|th) (?:{_CAP} ){{0,2}}(?:{_UNITS}))"
    rf"|((?:1\. )?(?:{_CLUBS}) {_CAP}(?: {_CAP})?)|((?:{_CLUBS_OF_PLACES}) ({_CAP}(?: {_CAP})?))"
    rf"|((?:{_OFFICES}) {_CAP}(?: I{{1,3}}\b)?)|({_LETTERS})|(?:({_CAP}),? )?({_CAP}),? & ({_CAP})"
    rf"|((?:(?:{_FIRST_IN_CAPITALS}) ){{0,2}}(?:{_IN_CAPITALS}) OF (?:THE |NEW |NORTH |SOUTH |SAN |LOS )?[A-Z]{{3,}}"
    r"|(?!(?:FROM|WITH|YOUR|THIS|THAT|OTHER|INTO|OVER|THEIR) )"
    rf"[A-Z]{{4,}}(?: [A-Z]{{4,}})? (?:{_LAST_IN_CAPITALS})))(?![\w@&/\-])"
)
MAY_BE: Final = (
    rf"[0-9](?:st|nd|rd|th) [A-Z?]|\b(?:{_CLUBS}|{_CLUBS_OF_PLACES}) [A-Z?]|{_OFFICES.replace('ä', '?')}"
    r"|[A-Z]&[A-Z]| & [A-Z?]"
    rf"|(?:{_IN_CAPITALS}) OF | (?:{_LAST_IN_CAPITALS})\b"
)
"""What every such body has, in a copy for RE2."""
_FAST: Final = r"[A-Z?][A-Za-z0-9_'?\-]*"
_GATE: Final = questioning(
    rf"[0-9]{{1,3}}(?:st|nd|rd|th) (?:{_FAST} ){{0,2}}(?:{_UNITS})|(?:1\. )?\b(?:{_CLUBS}|{_CLUBS_OF_PLACES}) [A-Z?]"
    rf"|(?:{_OFFICES.replace('ä', '?')}) [A-Z?]|{_LETTERS}|(?:{_FAST},? )?{_FAST},? & [A-Z?]"
    rf"|\b(?:(?:{_FIRST_IN_CAPITALS}) ){{0,2}}(?:{_IN_CAPITALS}) OF [A-Z]"
    rf"|\b[A-Z]{{4,}}(?: [A-Z]{{4,}})? (?:{_LAST_IN_CAPITALS})\b"
)
_YEAR_BEHIND: Final = re.compile(r",? \(?(?:1[89]|20)\d\d|,? et al")
_NAMED: Final = re.compile(rf"(?:[{UPPER}][\w'’\-]*|[{UPPER}]\.|\b[Mm]rs?|\b[Dd]rs?)[.,]? (?:& )?\Z")
_SHORTEST: Final = 3
_SHORTEST_UNLISTED: Final = 5
"""Letters of a family that no list has: "Cole & Josh" are two people."""
_LEADS: Final = word_set("org_leads.txt")
_LOOK_BACK: Final = 24


def bodies(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each such body. Linear in the text."""
    for match in matches_behind(_GATE, _BODY, text):
        club_of_place, place, letters, front, first, second = match.group(3, 4, 6, 7, 8, 9)
        if club_of_place and not _is_place(place):
            continue
        if letters and (letters in _NO_LETTERS):
            continue
        if first:
            start = _firm_begins(text, match, front, first, second)
            if start is not None:
                yield start, match.end()
            continue
        yield match.span()


def _is_place(value: str) -> bool:
    return lookup_key(value) in places() or lookup_key(value.partition(" ")[0]) in places()


def _firm_begins(text: str, match: re.Match[str], front: str | None, first: str, second: str) -> int | None:
    """Where a firm of two or three families begins, of which a list has one at least, without a name in front or a
    year behind; ``None`` where it is none."""
    lists, keys = names(), (lookup_key(first), lookup_key(second))
    if any(key in lists.given or key in lists.stops or len(key) < _SHORTEST for key in keys):
        return None
    if any(_is_given(key) and key not in lists.surnames for key in keys):
        return None
    if any(key in places() and key not in lists.surnames for key in keys) or all(key in places() for key in keys):
        return None
    families = sum(map(_is_family, keys))
    if families == 1 and any(len(key) < _SHORTEST_UNLISTED and not _is_family(key) for key in keys):
        return None
    if not families or _YEAR_BEHIND.match(text, match.end()) is not None:
        return None
    start = match.start()
    if front is not None:
        key = lookup_key(front)
        if key in lists.stops or key in _LEADS:
            start = match.start(8)
        elif key in lists.titles or _is_given(key) or (_is_town(key) and text[match.end(7)] != ","):
            return None
    before = _NAMED.search(text, max(0, start - _LOOK_BACK), start)
    return start if before is None or start == match.start(8) != match.start() else None


def _is_family(key: str) -> bool:
    return names().lists_surname(key)


def _is_town(key: str) -> bool:
    return key in places() and not _is_family(key)


def _is_given(key: str) -> bool:
    lists = names()
    return lists.lists_given(key) or key in lists.given_ambiguous
