"""Words beside a name in English that say what it is: ages, kin, kinds of firm, employers, greetings, states and zips.

Each is evidence for the model, which decides with it ("Jodi Allison, 36, lives", "Lifeline EMS, a private ambulance
service", "Morning Emran,"). All wait behind one pattern of RE2,
which reads a copy in ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import ANYWHERE, questioning

Lift = tuple[int, int, str, float]
"""Start, end, tag, and how much it counts in the model's units."""

_PERSON: Final = 4.0
_FIRM: Final = 4.0
_HOUSE: Final = 2.0
_PLACE: Final = 5.0
_PARTNERS: Final = 8.0
_STATES: Final = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
_NAMED_FIRM: Final = (
    "company|firm|start-?up|agency|non-?profit|charity|brand|publisher|newspaper|magazine|label|band|chain|employer|shop"
    "|nonprofit group|contractor|retailer|manufacturer|insurer|brokerage|consultancy|restaurant"
)
_FIRMS: Final = (
    rf"{_NAMED_FIRM}|bank|provider|subsidiary|supplier|airline|broadcaster|developer|distributor|organi[sz]ation|foundation"
    "|association|union|services?|studio|business|corporation|conglomerate|platform|vendor|wholesaler|hospital|clinic"
    "|school|college|university|store|boutique|dealership|hotel|brewery|bakery|think tank|trade group"
)
_YEARS: Final = "(?:[0-9]{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)<hyphen>years?<hyphen>old"
_AGED: Final = (
    r"(<cap>(?: (?:<upper>\. )?<cap>){0,3})"
    rf"(?: ?, (?:aged )?[0-9]{{1,2}} ?,| ?,? (?:is |was |)an? {_YEARS}| \([0-9]{{2}}\)[ ,])"
)
_HOUSEHOLD: Final = r"\b[Tt]he (<cap>) (?:household|family|brothers|sisters|siblings|twins|couple|residence)\b"
_GREETED: Final = (
    r"(?:^|[.!?>\]\n] ?)(?:Morning|Afternoon|Evening|Hiya|Heya|Hey|Hi|Hello|Yo|Welcome|Congrats|Congratulations"
    r"|Thanks|Cheers|Sorry|Bye|Goodbye|Happy [Bb]irthday|Good (?:morning|afternoon|evening)),? (<cap>(?: <cap>)?)"
    r"[,!.?:]"
)
_IS_FIRM: Final = (
    r"(<name>)(?: ?,|) (?:which is |is |)(?:an?|the|his|her|their|our|my|one of the) "
    rf"(?:[<inner>]+ ){{0,5}}?(?:{_FIRMS})\b"
)
_FIRM_NAMED: Final = rf"\b(?:{_NAMED_FIRM})(?:,| called| named|) (<name>)[,.;](?:\W|$)"
_AT: Final = (
    r"\b(?:(?:stints?|position|role|job|shift|internships?|apprenticeships?|years|decade|months|career|fellowship"
    r"|analyst|engineer|manager|developer|consultant|director|professor|lecturer|researcher|editor|cashier|partner"
    r"|intern|clerk|assistant) (?:at|with)|(?:degree|diploma|bachelor.s|master.s|doctorate|PhD|Ph\.D\.|MBA|BA|BS|BFA"
    r"|MFA|MLS|DVM|certification)(?: in [A-Za-z ]{3,40}?)? (?:at|from)|joined|joining|[Pp]ayment to|employee of"
    r"|subsidiary of|CEO of|founder of|acquired by|graduate of|alumnus of"
    r"|[Oo]fficer (?:of|at|for)"
    r"|(?:[Dd]irector|[Mm]anager|[Ee]conomist|[Aa]nalyst|[Pp]artner|[Cc]ounsel) (?:of|at|with|for)"
    r"|[Tt]hank you for calling"
    r"|(?:line of|comes from) [A-Z][a-z]+ [A-Z][a-z]+ (?:with|from|of)) (?:the )?(<name>)"
)
_TOWN: Final = rf"(<cap>(?: <cap>){{0,2}}),? ({_STATES}),? [0-9]{{5}}\b"
_PARTNERSHIP: Final = (
    r"(<cap>) ?, (<cap>)(?: ?,)? (?:and|&) (<cap>)"
    r" (?:is|was|has|announced|said it|will be|office|offices|lawyers|partner)\b"
)
_NO_FAMILY: Final = frozenset(["Royal", "Holy", "Imperial", "First", "Nuclear"])


def _made(template: str, upper: str, inner: str, hyphen: str) -> str:
    cap = rf"{upper}[{inner}]*"
    name = rf"{cap}(?: (?:(?:&|of|de|van|von|and) )?{cap}){{0,3}}"
    filled = template.replace("<name>", name).replace("<cap>", cap)
    return filled.replace("<upper>", upper).replace("<inner>", inner).replace("<hyphen>", hyphen)


_CUES: Final = tuple(
    (re.compile(_made(template, f"[{UPPER}]", r"\w'’‑\-", "[ ‑-]"), re.MULTILINE), tag, counts)
    for template, tag, counts in (
        (_AGED, "PERSON", _PERSON),
        (_HOUSEHOLD, "PERSON", _PERSON),
        (_GREETED, "PERSON", _PERSON),
        (_IS_FIRM, "ORG", _FIRM),
        (_FIRM_NAMED, "ORG", _FIRM),
        (_AT, "ORG", _HOUSE),
        (_TOWN, "LOCATION", _PLACE),
        (_PARTNERSHIP, "ORG", _PARTNERS),
    )
)
_GATE: Final = questioning(
    "(?m:"
    + "|".join(
        _made(template, "[A-Z?]", r"A-Za-z0-9_'?\-", "[ ?-]")
        for template in (_AGED, _HOUSEHOLD, _GREETED, _IS_FIRM, _FIRM_NAMED, _AT, _TOWN, _PARTNERSHIP)
    )
    + ")"
)
"""Where one of them may begin."""


def by_words_beside(text: str) -> Iterator[Lift]:
    """What these words say. Linear in the text."""
    data = text.encode("ascii", "replace")
    position, size = 0, len(data)
    while (start := _GATE.Match(ANYWHERE, data, position, size)[0][0]) >= 0:
        position = start + 1
        for pattern, tag, counts in _CUES:
            match = pattern.match(text, start)
            if match is None:
                continue
            position = max(position, match.end() - 1)
            if counts == _PARTNERS:
                if not any(lookup_key(name) in names().given for name in match.groups()):
                    yield match.start(1), match.end(3), tag, counts
            elif tag == "ORG" or not _is_word(match.group(1)):
                yield *match.span(1), tag, counts
            if tag == "LOCATION":
                yield *match.span(2), tag, counts


def _is_word(name: str) -> bool:
    """Whether what stands there begins with a small word or one that is no family."""
    return name in _NO_FAMILY or lookup_key(name.partition(" ")[0]) in names().stops
