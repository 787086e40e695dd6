"""Organizations by a word that says so: a legal form behind the name, or the kind of house at either end of it.

A legal form ("Kranich GmbH", "Osprey & Wren LLP") makes a firm of whatever stands capitalized in front of it. A kind
("Santa Clara Hospital", "Banco del Sur") makes one of what the model took for a name of whatever sort.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, word_set
from securevec.anonymize.rules.rulebook import engine_options

_FORMS: Final = (
    r"GmbH(?: & Co\.? KG(?:aA)?)?|gGmbH|mbH|AG|KG|KGaA|OHG|e\.V\.|eG|UG|Inc\.?|Incorporated|LLC|L\.L\.C\.|LLP"
    r"|PLLC|P\.C\.|Ltd\.?|Limited|plc|PLC|Corp\.?|Corporation|Pty Ltd|Pvt\.? Ltd\.?|Pte\.? Ltd\.?|Ltda\.?"
    r"|Lda\.?|S\.A\.|SA|S\.A\.S\.|SAS|SARL|S\.A\.R\.L\.|SASU|SCI|S\.L\.U?\.?|S\.r\.l\.|Srl|SRL|S\.p\.A\.|SpA"
    r"|S\.n\.c\.|B\.V\.|BV|N\.V\.|NV|VOF|AB|A/S|AS|ASA|ApS|Oy|Oyj|Sp\. z o\.o\.|sp\. z o\.o\.|S\.K\.A\."
    r"|s\.r\.o\.|a\.s\.|d\.o\.o\.|Kft\.?|Zrt\.?|K\.K\.|Co\.,? Ltd\.?|A\.Ş\.|A\.S\.|& Co\.?"
    r"|(?:&|and) (?:Sons|Daughters|Partners|Associates)"
    r"|INC\.?|CORP\.?|LTD\.?|LIMITED|CORPORATION|GMBH|PVT\.? LTD\.?|PTY LTD|CO\.,? LTD\.?"
    r"|GbR|e\.K\.|e\.G\.|EURL|SNC|SE|S\.C\.P\.|S\.Coop\."
)
HOUSE_LAST: Final = word_set("org_last.txt")
HOUSE_FIRST: Final = word_set("org_first.txt")
_GATE: Final = re2.compile(
    rb"(?:^|[^A-Za-z0-9])(?:" + re.sub(r"[^\x00-\x7f]", r"\\?", _FORMS).encode() + rb")(?:$|[^A-Za-z0-9])",
    engine_options(),
)
_FORM: Final = re.compile(rf",? (?:{_FORMS})(?!\w| (?:Street|Road|Avenue|Lane|Square|Place)\b)")
_WORD: Final = re.compile(r"[^\W\d_][\w'’.\-]*|\d+[A-Za-z]\w*|&")
_JOINS: Final = word_set("org_joins.txt")
_PAIRS: Final = frozenset(["&", "and", "und", "et", "y", "e"])
_SHORT: Final = frozenset(["AG", "KG", "UG", "SA", "AB", "AS", "NV", "BV", "SCI", "ASA", "SE", "SNC"])
"""Forms that are words, places or letters of a code too."""
_LEADS: Final = word_set("org_leads.txt")
"""Words that stand capitalized in front of a name and are no part of it."""
OFFICE_OF: Final = re.compile(
    r"(?:(?:Chief|Senior|Vice|Executive|Managing|Deputy|Former|General|Founding|Assistant|Acting|Interim|Co-|Non-Executive"
    r"|Financial|Operating|Technology|Information|Marketing|Legal|Human|Resources|Regional|National|Global) ?){0,3}"
    r"(?:Officer|[Pp]resident|[Cc]hairman|Chairwoman|Chair|[Dd]irector|[Ff]ounder|[Oo]wner|Partner|Head|Manager|Secretary|Treasurer"
    r"|Counsel|C[EFTIO]O|VP) of (?:the )?(?=\S)"
)
"""An office in front of the firm that it is held in."""
_FAMILY_BEFORE: Final = re.compile(r"(?<![\w'’.])([^\W\d_a-z][\w'’\-]+) ?, \Z")
_LOOK_BACK: Final = 64
_MOST: Final = 6


def by_legal_form(text: str) -> Iterator[tuple[int, int]]:
    """Capitalized words in front of a legal form, with it."""
    data = text.encode("ascii", "replace")
    if _GATE.search(data) is None:
        return
    position = 0
    while (hit := next(_GATE.finditer(data, position), None)) is not None:
        position = hit.start() + 1
        form = _FORM.search(text, max(0, hit.start() - 1), min(len(text), hit.end() + 14))
        if form is None:
            continue
        position = max(position, form.end() - 1)
        if form.group().strip(", ") in _SHORT and not _plain(text, form):
            continue
        start = _name_before(text, form.start())
        office = OFFICE_OF.match(text, start, form.start())
        start = office.end() if office is not None else start
        if form.group().lstrip(", ")[:3] in {"and", "& S"} and (
            more := _FAMILY_BEFORE.search(text, max(0, start - 32), start)
        ):
            start = more.start(1) if _opens_list(text, more.start(1)) else start
        if start < form.start():
            yield start, form.end()


def _opens_list(text: str, start: int) -> bool:
    """Whether the first of three families stands behind a word in small letters, or at the beginning of a line."""
    return start < 2 or text[start - 1] in '\n:("' or (text[start - 1] == " " and text[start - 2].islower())


def _plain(text: str, form: re.Match[str]) -> bool:
    """Whether a short form stands behind a word in usual casing, and no number behind it: not ``ADELAIDE SA 5000``."""
    word = text[max(0, form.start() - 3) : form.start()]
    return any(map(str.islower, word)) and not text[form.end() : form.end() + 2].strip(" ,").isdigit()


def _name_before(text: str, end: int) -> int:
    """Where the capitalized words begin that end at ``end``; ``end`` where none do."""
    low = max(text.rfind("\n", 0, end) + 1, text.rfind("\t", 0, end) + 1, end - _LOOK_BACK)
    words = list(_WORD.finditer(text, low, end))
    start, reached, taken, paired = end, end, 0, False
    stops = names().stops
    for match in reversed(words):
        word = match.group()
        between = text[match.end() : reached]
        joined = between in {" ", ""} or (between == ", " and paired)
        if between == ", " and text[reached : reached + 3] == "of ":
            break
        if not joined or taken == _MOST or (match.start() == low and low and text[low - 1].isalnum()):
            break
        if _FORM.fullmatch(f" {word}") or (word == "Co" and taken):
            break
        if word[0].isupper() or word[0].isdigit():
            if word.endswith(".") and len(word) > 3:
                break
            opens = (
                taken
                and lookup_key(word) in stops
                and (match.start() == 0 or text[match.start() - 2 : match.start() - 1] in ".\n!?:;")
            )
            if opens or lookup_key(word) in _LEADS:
                break
            start, taken = match.start(), taken + 1
        elif word not in _JOINS or between == ", " or not taken:
            break
        paired = paired or word in _PAIRS
        reached = match.start()
    return start


def is_house(value: str) -> bool:
    """Whether a name of several words begins or ends with a kind of house."""
    first, _, rest = value.partition(" ")
    return bool(rest) and (_key(first) in HOUSE_FIRST or _key(rest.rpartition(" ")[2].rstrip(".")) in HOUSE_LAST)


def _key(word: str) -> str:
    return word.lower() if word.isascii() else lookup_key(word)
