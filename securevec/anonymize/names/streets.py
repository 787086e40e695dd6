"""Streets without a number, in English: "closed Old Post Road", "at the corner of 5th Street and Pine", "on Route 9".

The rules of addresses want a number in front, and the model takes a street in a sentence for nothing or for somebody.
A capital and a word for a street say enough; words that mean more than streets (``Drive``, ``Lane``) want one like
"on" in front. What is a street and means something else (``Wall Street``) is a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, word_set
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import questioning

COUNTS: Final = 10.0
"""How much such a street counts, in the model's units."""
NO_STREETS: Final = frozenset(
    ["wall street", "fleet street", "downing street", "sesame street", "silk road", "abbey road", "coronation street",
     "memory lane", "information highway", "high street", "main street", "rocky road", "madison avenue", "easy street",
     "tobacco road", "revolutionary road", "street road", "rail road"]
)  # fmt: skip
_SURE: Final = "Street|Road|Avenue|Boulevard|Parkway|Turnpike|Expressway|Freeway|Rd|Ave|Blvd|Pkwy"
_PERHAPS: Final = "Lane|Drive|Terrace|Close|Crescent|Highway|Hwy|Row|Mews|Quay|Way|St|Ln|Dr"
_PERHAPS_KINDS: Final = frozenset(_PERHAPS.split("|"))
_ALONG: Final = frozenset(["on", "along", "off", "onto", "down", "up"])
_BEFORE: Final = "where|on|along|off|onto|down|up|at|near|of|from|between|to|and|closed"
_ROUTE: Final = r"(?:(?:U\.?S\.?|State|County|Rural) )?(?:Route|Highway|Hwy|Interstate) \d{1,4}|I-\d{1,3}"
_DIRECTION: Final = "N|S|E|W|NE|NW|SE|SW|North|South|East|West|Apt|Suite|Ste|Unit|Floor"
_COUNTED: Final = "One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Eleven|Twelve"
_SQUARES: Final = "Plaza|Square|Place|Street|Avenue|Center|Centre|Circle|Park|Way|Drive|Road|Tower"
_WORD: Final = rf"(?:[{UPPER}][\w'’\-]*\.?|\d{{1,3}}(?:st|nd|rd|th))"
_STREET: Final = re.compile(
    rf"(?:({_BEFORE}) )?(?:((?:{_WORD} ){{1,3}})({_SURE}|{_PERHAPS})(?![\w'’\-])(?! (?!(?:{_DIRECTION})\b)[{UPPER}])"
    rf"|({_ROUTE})(?![\w\-])|((?:{_COUNTED}) (?:[{UPPER}][\w'’\-]*\.? ){{1,3}}(?:{_SQUARES}))(?![\w\-]))"
)
_UNIT: Final = (
    r"(?:(?:Flat|Unit|Suite|Apartment|Apt|Room|Block|Plot|Lot|Shop|Office|Studio|House|Door|Level)\.? "
    r"(?:[Nn]o\.? ?)?(?:[0-9]{1,5}[A-Z]?(?:[-/][0-9]{1,4})?|[A-H])|[0-9]{1,2}(?:st|nd|rd|th) Floor)"
)
_HOUSES: Final = (
    "House|Court|Building|Towers?|Mansions|Wharf|Lodge|Estate|Business Park|Industrial Estate|Plaza|Cent(?:re|er)|Mews"
    "|Close|Villas?|Heights|Residency|Apartments|Gardens|Complex|Arcade|Hall|Enclave|Chambers|Bhavan|Bhawan|Society"
)
_STREETS: Final = f"{_SURE}|Lane|Drive|Terrace|Crescent|Row|Quay|Square|Place|Marg|Nagar|Street"
_FLAT: Final = re.compile(
    rf"{_UNIT}(?:, [0-9]{{1,2}}/F)?(?:, (?:[{UPPER}][\w'’\-]* ){{1,3}}(?:{_HOUSES})(?![\w'’\-]))?"
    rf"(?:, (?:Road|Sector|Street|Phase|Block|Lane)(?: [Nn]o\.?)? \d{{1,4}}[A-Z]?(?!\w)"
    rf"|, (?:\d{{1,5}}[A-Za-z]? )?(?:(?:[{UPPER}][\w'’\-]*|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}(?:{_STREETS})(?![\w'’\-])"
    rf"|, \d{{1,5}}[A-Za-z]?(?:-\d{{1,4}})? [{UPPER}][\w'’\-]*(?: [{UPPER}][\w'’\-]*){{0,3}})?"
)
_FLAT_GATE: Final = questioning(rf"\b{_UNIT}, [A-Z0-9?]")
FLATS_MAY_BE: Final = rf"\b{_UNIT}, [A-Z0-9?]"
_CALLED: Final = (
    "House|Cottage|Lodge|Rectory|Vicarage|Bakehouse|Barn|Mill|Farm|Forge|Grange|Manor|Gatehouse|Croft|Stables|Schoolhouse"
    "|Farmhouse|Bungalow|Coach House|Post Office|Parsonage|Granary|End|Gables"
)
"""What a house is called by that has a name in place of a number."""
_LANES: Final = "Lane|Road|Street|Drive|Avenue|Close|Hill|Way|Row|Crescent|Terrace|Gardens|Walk|Green"
_NAMED: Final = re.compile(
    rf"(?<![\w'’\-])(?:The )?(?:[{UPPER}][\w'’\-]* ){{1,2}}(?:{_CALLED}), ?(?:\d{{1,4}}[A-Za-z]? )?"
    rf"(?:[{UPPER}][\w'’\-]* ){{1,3}}(?:{_LANES})(?![\w'’\-])"
)
_NAMED_GATE: Final = questioning(
    rf"(?:[A-Z?][\w'?\-]* ){{1,3}}(?:{_CALLED}), ?(?:[0-9]{{1,4}}[A-Za-z]? )?(?:[A-Z?][\w'?\-]* ){{1,3}}(?:{_LANES})\b"
)
NAMED_MAY_BE: Final = rf" (?:{_CALLED}), ?[A-Z0-9?]"
_CORNER_BEGINS: Final = "(?:[Cc]orner|[Ii]ntersection|[Jj]unction) of"
_CORNER: Final = re.compile(rf"{_CORNER_BEGINS} ((?:{_WORD} ){{1,3}}(?:and|&) {_WORD}(?: {_WORD}){{0,2}})(?![\w'’\-])")
CORNERS_MAY_BE: Final = rf"{_CORNER_BEGINS} [A-Z0-9?]"
_CORNER_GATE: Final = questioning(CORNERS_MAY_BE)
_FAST_WORD: Final = r"[A-Z0-9?][A-Za-z0-9_'?\-]*\.?"
_GATE: Final = questioning(
    (
        rf"\b(?:(?:{_BEFORE}) )?(?:(?:{_FAST_WORD} ){{1,3}}(?:{_SURE}|{_PERHAPS})\b|(?:{_ROUTE})"
        rf"|(?:{_COUNTED}) (?:{_FAST_WORD} ){{1,3}}(?:{_SQUARES})\b)"
    ).replace(r"\d", "[0-9]")
)
MAY_BE: Final = rf" (?:{_SURE}|{_PERHAPS})\b|(?:Route|Highway|Hwy|Interstate) [0-9]|\bI-[0-9]|\b(?:{_COUNTED}) [A-Z?]"
"""What every such street has, in a copy for RE2."""
_NO_DRIVES: Final = frozenset(
    ["google", "hard", "flash", "one", "shared", "usb", "test", "disk", "team", "thumb", "pen", "external", "network",
     "cloud", "backup", "food", "blood", "fund", "whole", "all", "line", "front", "milky", "united", "st"]
)  # fmt: skip
"""Words in front of ``Drive``, ``Row`` or ``Way`` with which they are no street."""
_LEADS: Final = word_set("org_leads.txt")


def streets(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each such street. Linear in the text."""
    for match in matches_behind(_GATE, _STREET, text):
        before, _, kind, route, counted = match.groups()
        if counted is not None:
            yield match.span(5)
            continue
        if route is not None:
            if before in _ALONG or before in {"from", "near", "closed", "where", "and"}:
                yield match.span(4)
            continue
        start, end = match.start(2), match.end(3)
        first, space, _ = text[start:end].partition(" ")
        while space and (first.lower() in _LEADS or (lookup_key(first) in names().stops and _opens(text, start))):
            start += len(first) + 1
            first, space, _ = text[start:end].partition(" ")
        if not space or text[start:end].lower() in NO_STREETS:
            continue
        if text.endswith(f" {kind} ", start, match.start(3)):
            end = match.start(3) - 1
        if kind in _PERHAPS_KINDS and not _goes_there(before, first):
            continue
        yield start, end


def _goes_there(before: str | None, first: str) -> bool:
    """Whether the word in front and the first of the name leave only a street: "on Mill Lane", not "to Lois Lane"."""
    key = lookup_key(first)
    if before is None or before == "and" or key in _NO_DRIVES:
        return False
    return before in _ALONG or key not in names().given


def _opens(text: str, start: int) -> bool:
    """Whether a sentence, a line or a quotation begins here."""
    return start < 2 or text[start - 2 : start - 1] in ".!?\n:;" or text[start - 1] in "\n\"'(["


def flats(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each flat with the house or the number and the street behind it: "Flat 7, Dovecote House"."""
    for match in matches_behind(_FLAT_GATE, _FLAT, text):
        if "," in match.group():
            yield match.span()


def named(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each house that has a name in front of its lane: "The Old Rectory, Church Lane"."""
    for match in matches_behind(_NAMED_GATE, _NAMED, text):
        yield match.span()
        if match.group().startswith("The "):
            # The model is sure of an article that it is nothing.
            yield match.start(), match.start() + 3


def corners(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of two streets that meet: "the corner of Elm and 3rd"."""
    for match in matches_behind(_CORNER_GATE, _CORNER, text):
        yield match.span(1)
