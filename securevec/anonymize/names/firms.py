"""Firms called after families: "CFO of Bright, Lawson and Kerr", "at Weeks-Rivas", "a member of Kessler - Borer".

Three surnames, or two with a hyphen, are people as often as a firm; what stands in front or behind says which. It is
evidence for the model. A pair that stands behind a given name or a title anywhere in the text is somebody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import questioning

COUNTS: Final = 8.0
"""How much it counts that these are a firm, in the model's units."""
_CAP: Final = rf"[{UPPER}][\w'’]+"
_THREE: Final = rf"({_CAP}) ?, ({_CAP}) (?:and|&) ({_CAP})"
_TWO: Final = rf"({_CAP})( - |-)({_CAP})"
_FAMILIES: Final = re.compile(rf"(?<![\w'’\-])(?:{_THREE}|{_TWO})(?![\w'’\-]|,? (?:and|&) [{UPPER}]| [{UPPER}])")
_FAST: Final = r"[A-Z?][A-Za-z0-9_'?]+"
_GATE: Final = questioning(rf"{_FAST}(?: ?, {_FAST} (?:and|&) [A-Z?]| - [A-Z?]|-[A-Z?])")
MAY_BE: Final = r", [A-Z?][A-Za-z0-9_'?]+ (?:and|&) [A-Z?]|[a-z?]-[A-Z?][a-z?]|[a-z?] - [A-Z?]"
"""What every such firm has, in a copy for RE2."""
_OF_FIRM: Final = re.compile(
    r"(?:\b(?:at|[Jj]oin(?:s|ed|ing)?|[Tt]he|be(?:came|come)|firm|company|lender|insurer|employer|[Ll]awyers (?:at|for)"
    r"|(?:C[EFTIO]O|[Pp]resident|[Dd]irector|[Ff]ounder|[Pp]artner|[Oo]wner|[Cc]hair(?:man|woman)?|[Ee]mployees?"
    r"|[Mm]embers?|[Oo]ffices?|[Ss]tatements?|[Bb]ehalf|[Ss]ubsidiary|[Cc]lients?|[Cc]ustomers?|[Ss]hares|address"
    r"|[Aa]ccountant|[Mm]anager) of"
    r"|(?:polic(?:y|ies)|accounts?|contracts?|agreements?|loan|invoice|position|job|interview|internship|order|career"
    r"|mortgage|shift|payments?) (?:with|at|from|to|by)"
    r"|(?:opened|employed|insured|issued|managed|owned|acquired|sold|founded|signed|hired|represented)"
    r" (?:by|at|with|to)"
    r"|[Bb]etween|choosing)) \Z"
)
_LOOK_BACK: Final = 24
_FIRM_BEHIND: Final = re.compile(
    r"(?:'s|’s)? (?:\((?:the |hereinafter )?[\"“]|(?:offices?|scholarship|polic(?:y|ies)|shares|stock|customers?|branch"
    r"|headquarters|hired|employs|building|is hiring|has lapsed)\b)"
)
_SMALL_BEFORE: Final = re.compile(r"[a-zà-ÿ] \Z")
_NAMED: Final = rf"(?:[{UPPER}][\w.'’]*|[{UPPER}]\.) "


def firms(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each such firm. Linear in the text but for pairs, which are looked for once each."""
    for match in matches_behind(_GATE, _FAMILIES, text):
        start, end = match.span()
        three, sign = match[1] is not None, match[5]
        families = sum(map(_is_family, match.groups()[:3] if three else (match[4], match[6])))
        if families < (2 if three or sign == "-" else 1):
            continue
        if sign == " - ":
            if _SMALL_BEFORE.search(text, max(0, start - 2), start):
                yield start, end
        elif (
            _OF_FIRM.search(text, max(0, start - _LOOK_BACK), start)
            or _FIRM_BEHIND.match(text, end)
            or (three and _is_line(text, start, end))
        ) and (three or not _is_somebodys(text, match.group())):
            yield start, end


def _is_family(name: str) -> bool:
    """Whether a list has it as a surname, and not as a place or a given name alone."""
    key = lookup_key(name)
    lists = names()
    if key in lists.surnames or key in lists.surnames_ambiguous:
        return True
    return key in lists.surnames_wide and key not in places() and key not in lists.given


def _is_line(text: str, start: int, end: int) -> bool:
    """Whether it is a whole line of several, as in the head of a letter."""
    before = text.rfind("\n", 0, start)
    return (
        len(text) > end - start
        and not text[before + 1 : start].strip(" >*|\t")
        and text[end : end + 1] in {"", "\n", "\r"}
    )


def _is_somebodys(text: str, pair: str) -> bool:
    """Whether it stands behind a capitalized word somewhere that opens no sentence: "Dr. Verna Magee-Shepherd"."""
    for named in re.finditer(_NAMED + re.escape(pair), text):
        first = named.group().partition(" ")[0].rstrip(".")
        if lookup_key(first) not in names().stops and first.lower() not in {"the", "at"}:
            return True
    return False
