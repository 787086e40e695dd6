"""Person names from context: titles, greetings, signatures, introductions, field labels, word lists and neighbours.

No model: every decision can be read off the text. Lists alone decide only for words that are nothing but names;
a word that is also a month, a place or a common noun needs a cue. What is found here is a floor, not a promise that every
name is found; docs/threat-model.md gives the measured figures.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.words import (
    ANY_WORD,
    MAYBE,
    NAMEY,
    Kind,
    Word,
    capitalized_runs,
    kind_of,
    without_possessive,
)

PERSON_PRIORITY: Final = 30
_LONGEST: Final = 5
_LOOK_BACK: Final = 48

_KINSHIP: Final = (
    "wife husband son daughter mother mum mom father dad brother sister partner friend colleague neighbour neighbor aunt uncle"
    " cousin nephew niece grandmother grandfather grandson granddaughter child baby boss manager carer caregiver fiance fiancee"
    " fiancé fiancée doctor nurse therapist patient client customer guardian flatmate roommate relative secretary assistant lawyer"
    " dentist hygienist surgeon physician consultant midwife receptionist agent caller resident employee member visitor technician"
    " provider godmother godfather godson goddaughter stepmother stepfather stepson stepdaughter grandma grandpa"
    " operator director producer author actor actress singer professor teacher driver"
).replace(" ", "|")

_STRONG: Final = re.compile(
    r"(?:\bmy name is|\bname's|\bname is|\bnames? (?:are|was)|\bcalled|\bcalls? (?:me|him|her)|\bthis is|\bi am|\bi'm|\bit's|\bit is|\bwe are"
    r"|\bhere is|\b(?:spoke|spoken|speak|speaking|talk|talked|talking|chatted) (?:with|to)|\bask(?:ed)? for|\bon behalf of"
    rf"|\b(?:{_KINSHIP})(?:,|'s name is| is| named| called|:)?"
    r"|\b(?:(?:full|first|last|sur|given|family|contact|patient|customer|account)[ _-]?)?name\s?[:=]"
    r"|\b(?:contact|attn|from|to|cc|by|requester|reporter|assignee|next of kin|emergency contact|clinician|signed|sender|recipient"
    r"|witness|user|owner)\s?[:=]"
    r"|\bnamed|\bintroduc(?:e|ing)|\bmeet with|\bappointment with|\bregistered as|\bknown as|\bformerly|\bn[eé]e|\bforwarded to"
    r"|\breferr(?:ed|al) (?:from|to|by)|\bassigned to|\bbooked (?:for|with|by)|\bstarring|\btribute to|\bsigned|\battn|\bc/o"
    r"|\b[a-z]{2,10}(?:ed|en|wn|ung) by|\b(?:tell|told|ask|asked|thank|inform|remind|let|calling|call|texted|emailed|phoned|shouted at|yelled at|met)"
    r"|,\\?[\"'] (?:says?|said|asks?|asked|replied|writes?|wrote|added|explains?|explained|shouts?|shouted))"
    r"(?:[,:] ?\"?| \"?)\Z"
)
"""Text that ends like this introduces a person; an unknown capitalized word after it is a name."""

_GREETING: Final = re.compile(
    r"(?:^|[\n.!?\"] ?)(?:dear|hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|greetings)(?: there)? ?\Z"
    r"|\b(?:regards|sincerely|cheers|wishes|faithfully|truly|yours|thanks(?: again| a lot| so much| in advance)?|thank you(?: very much)?|best|respectfully|cordially"
    r"|love|greetings|grüße|gruß|cordialement|saludos|saluti)[,.!]?\s{1,4}\Z"
)
"""A greeting in front, or a closing line above."""

_WEAK: Final = re.compile(
    r"\b(?:by|emailed|texted|phoned|saw|informed|contact|contacted|meet|visit|see|join(?:ed)?|for)\s\Z"
)
_PLACE: Final = re.compile(
    r"\b(?:saint|sainte|santa|san|são|st\.?|via|rue|avenue|rua|calle|plaza|avenida|mount|lake|port|north|south|east|west|new|the princess"
    r"|university of|city of|republic of)\s\Z"
)
_VOCATIVE: Final = re.compile(r", (?:can|could|would|please|i|i'm|will|you|we|how|what|why|where|when|is|are|do)\b")
_DIALOGUE: Final = re.compile(r":\s?\\?\"")
"""After these two unknown capitalized words are a name, and so is one word that is a name among other things."""

_SIGNATURE: Final = re.compile(r"(?:^|\n)[ \t]*(?:-{1,2}|~|/)[ \t]*$")
_KIN: Final = re.compile(
    r"'s? (?:son|daughter|wife|husband|mother|father|mum|mom|dad|brother|sister|partner|account|address|appointment|results?"
    r"|record|file|birthday|phone|number|email|e-mail|prescription|medication|insurance|chart|room|bed|surgery|doctor|carer|discharge|assistant|secretary|desk|office|letter|message|call|house|name)\b"
)
_AFTER_WORD: Final = re.compile(r"[ \t]+([a-z']+)")
_LIST_GAP: Final = re.compile(r"(?:,|,? and|,? or| &|,? und|,? y|,? et| and)[ \n]|/")
_LOWER_CUE: Final = re.compile(
    r"\b(?:(?P<sure>my (?:full )?name is|name is|name's|i am called|call me|(?:mr|mrs|ms|miss|dr|prof)\.?|registered as|referral came from)"
    r"|(?P<line>dear|hi|hello|hey|good (?:morning|afternoon|evening)|regards,?|sincerely,?|cheers,?|thanks,?|wishes,?|best,?|yours,?)"
    rf"|spoke (?:with|to)|on behalf of|tell|ask|(?:{_KINSHIP})|(?:patient|customer|full|contact) name ?[:=]?|name ?[:=])[ \n]+"
)
_FIELD_WORDS: Final = frozenset(
    "name fullname firstname lastname surname customer patient contact agent caller requester reporter assignee author guardian"
    " from sender recipient employee member client person nurse doctor physician clinician user owner kin username".split()
)
_FIELD_SPLIT: Final = re.compile(r"[^a-z]+|(?<=[a-z])(?=[A-Z])")
_NAME_VALUE: Final = re.compile(r"[^\W\d_][^\d_@<>:;!?/\\()\[\]{}=+*#\"\n]{0,79}")


def looks_like_name(value: str) -> bool:
    """Whether a whole value can be a person's name: one to six words of letters. Casing does not matter."""
    stripped = value.strip()
    return bool(_NAME_VALUE.fullmatch(stripped)) and 1 <= len(stripped.split()) <= 6 and len(stripped) >= 2


def names_a_person(field_name: str) -> bool:
    """Whether a field of this name holds a person's name."""
    words = set(_FIELD_SPLIT.split(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", field_name).lower()))
    return bool(words & _FIELD_WORDS) and not words & {
        "id",
        "email",
        "phone",
        "number",
        "product",
        "company",
        "file",
        "type",
        "count",
    }


def find_names(text: str, *, field_name: str = "") -> list[Finding]:
    """Person findings in offsets of ``text`` (the plain folded view), possibly overlapping."""
    if field_name and names_a_person(field_name) and looks_like_name(text):
        stripped = text.strip()
        if not all(lookup_key(word.strip(".,'")) in lexicon.names().stops for word in stripped.split()):
            start = text.index(stripped)
            return [_person(start, start + len(stripped), 0.95, "name-field")]
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    found, undecided = _from_runs(text, lowered)
    found.extend(_neighbours(text, found, undecided))
    found.extend(_lower_case(text, lowered))
    return found


def _from_runs(text: str, lowered: str) -> tuple[list[Finding], list[tuple[int, int]]]:
    """Findings among capitalized runs, and stretches that would be names if a neighbour in a list is one."""
    found: list[Finding] = []
    undecided: list[tuple[int, int]] = []
    for run in capitalized_runs(text):
        if len(run) == 1 and run[0].kind & (Kind.STOP | Kind.ODD | Kind.INITIAL) and not run[0].kind & (NAMEY | MAYBE):
            continue
        for segment, titled in _segments(run):
            finding = _judge(text, lowered, segment, titled)
            if finding:
                found.append(finding)
            elif len(segment) <= 3 and not any(word.kind & (Kind.ORG | Kind.ODD | Kind.CAPS) for word in segment):
                undecided.append((segment[0].start, segment[-1].end))
    return found, undecided


def _segments(run: list[Word]) -> list[tuple[list[Word], bool]]:
    """Cut a run at words that are no part of a name. The flag says that a title stood in front."""
    segments: list[tuple[list[Word], bool]] = []
    current: list[Word] = []
    titled = False

    def close() -> None:
        nonlocal current, titled
        if current:
            segments.append((current, titled))
        current, titled = [], False

    for index, word in enumerate(run):
        kind = word.kind
        last = index + 1 == len(run)
        following = Kind(0) if last else run[index + 1].kind
        if kind & Kind.TITLE and not (current and kind & (NAMEY | MAYBE)) and not last:
            close()
            titled = True
        elif (
            kind & Kind.STOP
            and not (kind & NAMEY)
            and not (kind & MAYBE and _carries(current, kind, following, titled))
        ):
            # An organization word stays in, so that the judge sees what kind of run this is.
            if kind & Kind.ORG and current:
                current.append(word)
            else:
                close()
        else:
            current.append(word)
    close()
    return segments


def _carries(current: list[Word], kind: Kind, following: Kind, titled: bool) -> bool:
    """Whether an ambiguous word (Will, May, Jordan, Church) is part of the name around it."""
    if titled:
        return True
    if current:
        return bool(kind & Kind.SURNAME_MAYBE and current[-1].kind & (Kind.GIVEN | Kind.INITIAL | Kind.GIVEN_MAYBE))
    return bool(kind & Kind.GIVEN_MAYBE and following & (Kind.SURNAME | Kind.SURNAME_SHAPE))


def _judge(text: str, lowered: str, segment: list[Word], titled: bool) -> Finding | None:
    words = segment[:]
    if any(word.kind & Kind.ORG for word in words) and not titled:
        return None
    if any(word.kind & Kind.ODD for word in words):
        words = [word for word in words if not word.kind & Kind.ODD]
        if not words:
            return None
    words = words[:_LONGEST]
    while len(words) > 1 and words[-1].kind & Kind.TITLE and not words[-1].kind & (NAMEY | MAYBE):
        words.pop()
    if len(words) == 1 and words[0].kind & Kind.INITIAL:
        return None
    start, end = words[0].start, words[-1].end
    if titled and any(len(word.text) > 1 for word in words):
        return _person(_with_particles(text, start), end, 0.95, "name-title")
    before = lowered[max(0, start - _LOOK_BACK) : start]
    if _numbered(text, start, end, before) or _PLACE.search(before) or all(len(word.text) == 1 for word in words):
        return None
    first = words[0].kind
    noun = lexicon.names().looks_noun(words[0].text)
    cue = _STRONG.search(before) is not None or _GREETING.search(before) is not None
    caps = all(word.kind & Kind.CAPS for word in words)
    if cue and not noun and not (caps and not any(word.kind & (NAMEY | MAYBE) for word in words)):
        return _person(_with_particles(text, start), end, 0.85, "name-cue")
    if _SIGNATURE.search(text[max(0, start - 12) : start]) and text[end : end + 1] in {"", "\n", "\r"}:
        return _person(start, end, 0.85, "name-signature")
    if len(words) > 1:
        return _judge_pair(text, words, before, start, end)
    if first & Kind.GIVEN:
        return _person(start, end, 0.7, "name-given")
    if first & Kind.SURNAME:
        return _person(start, end, 0.6, "name-surname")
    if _KIN.match(lowered, end) and (first & MAYBE or not words[0].opens) and not caps:
        return _person(start, end, 0.7, "name-kin")
    following = _AFTER_WORD.match(lowered, end)
    verbs = lexicon.names().verbs_human if words[0].opens else lexicon.names().verbs
    if following and following.group(1) in verbs and not caps and not first & Kind.STOP and not noun:
        return _person(start, end, 0.6, "name-verb")
    if first & Kind.SURNAME_SHAPE and not words[0].opens and not caps:
        return _person(start, end, 0.55, "name-shape")
    if words[0].opens and not caps and not first & Kind.STOP and not noun:
        spoken = _VOCATIVE.match(lowered, end) and not lowered[:end].endswith("ly")
        if spoken or _DIALOGUE.match(lowered, end):
            return _person(start, end, 0.55, "name-spoken")
    if first & MAYBE and _WEAK.search(before) and not caps and not first & Kind.STOP:
        return _person(start, end, 0.55, "name-cue")
    return None


def _judge_pair(text: str, words: list[Word], before: str, start: int, end: int) -> Finding | None:
    kinds = [word.kind for word in words]
    caps = all(kind & Kind.CAPS for kind in kinds)
    known = [bool(kind & NAMEY) for kind in kinds]
    if any(kind & Kind.GIVEN for kind in kinds):
        index = next(i for i, kind in enumerate(kinds) if kind & Kind.GIVEN)
        # An unknown capitalized word in front of a given name at a sentence start is rarely part of it.
        keep = 0 if index == 0 or not words[0].opens else index
        return _person(words[keep].start, end, 0.9 if len(words) > keep + 1 else 0.7, "name-given-surname")
    if any(kind & Kind.SURNAME for kind in kinds):
        return _person(start, end, 0.75, "name-surname-pair")
    if caps:
        return None
    if kinds[0] & Kind.GIVEN_MAYBE and (kinds[-1] & (Kind.SURNAME_MAYBE | Kind.SURNAME_SHAPE) or not words[0].opens):
        return _person(start, end, 0.7, "name-given-surname")
    if kinds[0] & Kind.GIVEN_MAYBE and not kinds[0] & Kind.STOP and not lexicon.names().looks_noun(words[1].text):
        return _person(start, end, 0.6, "name-given-surname")
    if kinds[-1] & Kind.SURNAME_SHAPE and not words[0].opens:
        return _person(start, end, 0.65, "name-shape")
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")" and len(words) <= 3:
        return _person(start, end, 0.55, "name-parentheses")
    if kinds[0] & Kind.INITIAL and not any(known) and text[words[0].end : words[0].end + 1] == ".":
        return _person(start, end, 0.6, "name-initial")
    if _WEAK.search(before):
        return _person(start, end, 0.55, "name-cue")
    return None


def _numbered(text: str, start: int, end: int, before: str) -> bool:
    """House numbers around a capitalized run mark an address."""
    after = text[end : end + 8]
    behind = bool(re.match(r",? \d", after))
    ahead = bool(re.search(r"\d[a-z]? $", before))
    return (ahead and (behind or after[:1] in {"\n", ","})) or bool(re.match(r" \d{1,4}(?:\n|,|$)", after))


def _with_particles(text: str, start: int) -> int:
    """Where a name begins when lower-case particles stand in front of its first capitalized word."""
    while match := re.search(
        r"(?:^|(?<=\s))(van|von|der|den|de|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ter|ten) $",
        text[max(0, start - 8) : start],
    ):
        start -= len(match.group(1)) + 1
    return start


def _neighbours(text: str, found: list[Finding], undecided: list[tuple[int, int]]) -> list[Finding]:
    """A capitalized word in a list of people is one of them: "Kovalev, Lee and Phillips"."""
    if not undecided or not found:
        return []
    people = {finding.start: finding.end for finding in found}
    by_end = {finding.end: finding.start for finding in found}
    extra: list[Finding] = []
    for ordered, forward in ((undecided, True), (undecided[::-1], False)):
        for start, end in ordered:
            if start in people:
                continue
            gap = text[end : end + 6] if not forward else text[max(0, start - 6) : start]
            near = _touches(gap, start, end, people, by_end, forward)
            if near:
                people[start] = end
                by_end[end] = start
                extra.append(_person(start, end, 0.55, "name-list"))
    return extra


def _touches(gap: str, start: int, end: int, people: dict[int, int], by_end: dict[int, int], forward: bool) -> bool:
    for size in range(1, len(gap) + 1):
        part = gap[-size:] if forward else gap[:size]
        if _LIST_GAP.fullmatch(part) and ((start - size in by_end) if forward else (end + size in people)):
            return True
    return False


def _lower_case(text: str, lowered: str) -> list[Finding]:
    """Names written without capitals: after a cue, as a known given name with a known surname, or in caseless text."""
    lists = lexicon.names()
    found: list[Finding] = []
    caseless = text == lowered
    for cue in _LOWER_CUE.finditer(lowered):
        end = _lower_extent(
            lowered if caseless else text, cue.end(), whole=bool(cue["sure"]) or (caseless and bool(cue["line"]))
        )
        if end and (not cue["line"] or lowered[end : end + 1] in {",", "\n", "", "!", ".", ":"}):
            found.append(_person(cue.end(), end, 0.75, "name-cue-lower"))
    for match in ANY_WORD.finditer(lowered):
        word = match.group()
        if word not in lists.given and (word.isascii() and "-" not in word or kind_of(word) & Kind.GIVEN == 0):
            if caseless and word in lists.surnames and not _part_of_place(lowered, match.end()):
                found.append(_person(match.start(), match.end(), 0.5, "name-caseless"))
            continue
        start, end = match.span()
        if not caseless and text[start] != lowered[start]:
            continue
        following = ANY_WORD.match(lowered, end + 1) if lowered[end : end + 1] == " " else None
        second = without_possessive(following.group()) if following else ""
        if second and (lookup_key(second) in lists.surnames or (caseless and _lower_surname(second, following))):
            found.append(_person(start, end + 1 + len(second), 0.7, "name-lower-pair"))
        elif caseless:
            found.append(_person(start, end, 0.55, "name-caseless"))
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
    following = _AFTER_WORD.match(match.string, match.end())
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
    if (first := ANY_WORD.match(text, start)) and first.group() in lexicon.TITLES:
        return 0
    while count < 3 and (match := ANY_WORD.match(text, position)):
        word = without_possessive(match.group())
        key = lookup_key(word)
        known = key in lists.given or key in lists.surnames or (count > 0 and lists.looks_surname(word))
        particle = word in lexicon.PARTICLES and count > 0
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


def _person(start: int, end: int, score: float, rule: str) -> Finding:
    return Finding(start, end, "PERSON", score, rule, PERSON_PRIORITY)
