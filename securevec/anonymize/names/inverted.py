"""Names with the family name in front: "Thistlewood, Ada M." in a row of a list, "Okafor, J. R." anywhere.

The model finds the two halves, mostly as two names, and takes a rare half for a place. A line or cell that holds
nothing else in front, a given name of the lists behind the comma, and an end behind it make one name of both; one such
row makes names of the rows around it that look alike.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import word_set
from securevec.anonymize.names.runs import person, with_particles
from securevec.anonymize.names.words import UPPER, Kind, kind_of

_WORD: Final = rf"(?:[{UPPER}]\w+|[{UPPER}](?=['’]))(?:['’\-]\w+)*"
_INITIALS: Final = rf"[{UPPER}]\.(?:[ \-]?[{UPPER}]\.)*"
_DEGREE: Final = re.compile(r"(?:M\.|D\.|O\.|Ph\.)?[MDP]\. ?[DOEA]\.|D\.D\.S\.|[RJ]\.[ND]\.|N\.P\.|[BM]\.[ASE]\.")
_NAMED: Final = re.compile(rf"[{UPPER}][\w'’\-]*\.? \Z")
"""Letters that may be no initials, and are none where a name stands in front: "Nora V. Whelchel, M.D."."""
_COMMA: Final = re.compile(rf",[ ](?=[{UPPER}])")
_LAST: Final = re.compile(rf"(?<![\w'’@.\-])(?:St\.[ ])?{_WORD}(?:[ ]{_WORD})?\Z")
_BEHIND: Final = re.compile(rf"(?P<letters>{_INITIALS})|(?P<first>{_WORD})(?:[ ](?:[{UPPER}]\.?(?!\w)|{_WORD}))?")
_BEGINS: Final = re.compile(r"(?:[\n\t|;:•]|\n\d{1,3}[.)])[ \t>*\-]*\Z")
_ENDS: Final = re.compile(r"[ \t]*(?:$|[\n\t|;(•]|[-–—][ ]|\d|,[ ]*\d)")
_LETTERS_END: Final = re.compile(r"[ ]?(?:$|[\n\t|;:,()&]|(?:and|et|und|y|has|is|was)\b|[-–—][ ])")
_NO_NAME: Final = Kind.ORG | Kind.ODD | Kind.INITIAL | Kind.TITLE | Kind.STOP
_GIVEN: Final = Kind.GIVEN | Kind.GIVEN_MAYBE
_OPENERS: Final = word_set("openers.txt")
_LONGEST: Final = 40
"""Characters of a family name."""
_LOOK_BACK: Final = 12
_SCORE: Final = 0.85


def inverted_names(text: str) -> list[Finding]:
    """Whole names in offsets of ``text``. Linear: a candidate is a few words long."""
    if ", " not in text:
        return []
    found: list[Finding] = []
    alike: list[Finding] = []
    rows = False
    for comma in _COMMA.finditer(text):
        at = comma.start()
        family = _LAST.search(text[max(0, at - _LONGEST) : at])
        match = _BEHIND.match(text, comma.end()) if family else None
        if family is None or match is None:
            continue
        last = family.group().split()
        last = last[1:] if last[0] == "St." else last
        kinds = [kind_of(word) for word in last]
        if any(kind & _NO_NAME for kind in kinds) or lookup_key(last[0]) in _OPENERS:
            continue
        start = with_particles(text, at - len(family.group()))
        made = person(start, match.end(), _SCORE, "name-inverted")
        given_name_first = bool(kinds[0] & Kind.GIVEN) and not kinds[0] & Kind.SURNAME
        if match["letters"]:
            degree = _DEGREE.fullmatch(match["letters"]) and _NAMED.search(text, max(0, start - _LONGEST), start)
            if len(last) == 1 and not given_name_first and not degree and _LETTERS_END.match(text, match.end()):
                found.append(made)
        elif _is_row(text, start, match.end()) and not (first := kind_of(match["first"])) & _NO_NAME:
            alike.append(made)
            rows = rows or bool(first & _GIVEN and not given_name_first)
    return found + alike if rows else found


def _is_row(text: str, start: int, end: int) -> bool:
    """Whether a line, a cell or an entry begins at ``start``, and ends or goes on with a number at ``end``."""
    before = text[max(0, start - _LOOK_BACK) : start]
    whole = len(before) == _LOOK_BACK
    return _BEGINS.search(before if whole else f"\n{before}") is not None and _ENDS.match(text, end) is not None
