"""Names written without capitals, as people in a hurry do."""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.name_cues import NEXT_WORD, PEOPLE
from securevec.anonymize.name_runs import person
from securevec.anonymize.words import ANY_WORD, Kind, kind_of, without_possessive

_CUE: Final = re.compile(
    r"\b(?:(?P<sure>my (?:full )?name is|name is|name's|i am called|call me|registered as"
    r"|(?:mr|mrs|ms|miss|dr|prof)\.?)"
    r"|(?P<line>dear|hi|hello|hey|good (?:morning|afternoon|evening)|regards,?|sincerely,?|cheers,?|thanks,?"
    r"|in advance,?|wishes,?|best,?|yours,?)"
    rf"|spoke (?:with|to)|on behalf of|tell|ask|(?:{PEOPLE})|name ?[:=]?)[ \n]+"
)


def lower_case_names(text: str, lowered: str) -> list[Finding]:
    """Names written without capitals: after a cue, as a known given name with a known surname, or in caseless text."""
    lists = lexicon.names()
    found: list[Finding] = []
    caseless = text == lowered
    for cue in _CUE.finditer(lowered):
        end = _lower_extent(
            lowered if caseless else text, cue.end(), whole=bool(cue["sure"]) or (caseless and bool(cue["line"]))
        )
        if end and (not cue["line"] or lowered[end : end + 1] in {",", "\n", "", "!", ".", ":"}):
            found.append(person(cue.end(), end, 0.75, "name-cue-lower"))
    body = lowered if caseless else text
    words = ANY_WORD.findall(body)
    if body.isascii() and lists.given.isdisjoint(words) and (not caseless or lists.surnames.isdisjoint(words)):
        # Nearly every text without lower-case names ends here, at the speed of a set operation.
        return found
    for match in ANY_WORD.finditer(body):
        word = match.group()
        if word not in lists.given and ((word.isascii() and "-" not in word) or kind_of(word) & Kind.GIVEN == 0):
            if caseless and word in lists.surnames and not _part_of_place(lowered, match.end()):
                found.append(person(match.start(), match.end(), 0.5, "name-caseless"))
            continue
        start, end = match.span()
        following = ANY_WORD.match(lowered, end + 1) if lowered[end : end + 1] == " " else None
        second = without_possessive(following.group()) if following else ""
        if second and (lookup_key(second) in lists.surnames or (caseless and _lower_surname(second, following))):
            found.append(person(start, end + 1 + len(second), 0.7, "name-lower-pair"))
        elif caseless:
            found.append(person(start, end, 0.55, "name-caseless"))
    return found


def _lower_surname(word: str, match: re.Match[str] | None) -> bool:
    """Whether an unknown word behind a given name, in text without capitals, reads like the surname."""
    lists = lexicon.names()
    key = lookup_key(word)
    if lists.looks_surname(word) or key in lists.surnames_ambiguous:
        return True
    if match is None or len(key) < 4 or key in lists.stops or key in lists.verbs or lists.looks_noun(key):
        return False
    after = match.string[match.end() : match.end() + 1]
    following = NEXT_WORD.match(match.string, match.end())
    return after in {",", "\n", "", ".", ";", ")"} or (
        following is not None and (following.group(1) in lists.verbs or following.group(1) in lists.stops)
    )


def _part_of_place(lowered: str, end: int) -> bool:
    following = ANY_WORD.match(lowered, end + 1)
    return following is not None and following.group() in lexicon.names().organizations


def _lower_extent(text: str, start: int, *, whole: bool) -> int:
    """End of the lower-case name that begins at ``start``, or 0. ``whole``: the cue itself says a name follows."""
    lists = lexicon.names()
    position, end, count = start, 0, 0
    if (first := ANY_WORD.match(text, start)) and first.group() in lists.titles:
        return 0
    while count < 3 and (match := ANY_WORD.match(text, position)):
        word = without_possessive(match.group())
        key = lookup_key(word)
        known = key in lists.given or key in lists.surnames or (count > 0 and lists.looks_surname(word))
        particle = word in lists.particles and count > 0
        if word[0].isupper() and count == 0:
            return 0
        if not known and not particle and (not whole or key in lists.stops or key in lists.verbs or len(key) < 2):
            break
        if not particle:
            end = match.start() + len(word)
        count += 1
        if text[match.end() : match.end() + 1] != " ":
            break
        position = match.end() + 1
    return end
