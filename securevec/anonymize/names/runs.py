"""Names among capitalized words: which runs of them are people."""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.names.cues import BELONGING, DIALOGUE, MAILBOX, NEXT_WORD, SIGNATURE, VOCATIVE, Before
from securevec.anonymize.names.syllables import is_syllabic
from securevec.anonymize.names.words import MAYBE, NAMEY, Kind, Word, capitalized_runs

_LONGEST: Final = 5
_NO_NEIGHBOUR: Final = Kind.ORG | Kind.ODD | Kind.CAPS
_KNOWN: Final = NAMEY | MAYBE
_LIST_GAP: Final = re.compile(r"(?:,|,? and|,? or| &|,? und|,? y|,? et| and)[ \n]|/")
_NUMBER_AT_LINE_END: Final = re.compile(r" \d{1,4}(?:\n|,|\Z)")
_NUMBER_BEHIND: Final = re.compile(r",? \d")
_NUMBER_AHEAD: Final = re.compile(r"\d[a-z]? \Z")
_LEADING_PARTICLES: Final = lexicon.names().particles - {"e", "y", "st", "ap"}


def from_runs(text: str, lowered: str) -> tuple[list[Finding], list[tuple[int, int]]]:
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
            elif len(segment) <= 3 and not _kinds(segment)[0] & _NO_NEIGHBOUR:
                undecided.append((segment[0].start, segment[-1].end))
    return found, undecided


def _kinds(words: list[Word]) -> tuple[int, int]:
    """What any of the words may be, and what all of them may be."""
    some, every = 0, -1
    for word in words:
        some |= word.kind
        every &= word.kind
    return some, every


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
        following = 0 if last else run[index + 1].kind
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


def _carries(current: list[Word], kind: int, following: int, titled: bool) -> bool:
    """Whether an ambiguous word (Will, May, Jordan, Church) is part of the name around it."""
    if titled:
        return True
    if current:
        return bool(kind & Kind.SURNAME_MAYBE and current[-1].kind & (Kind.GIVEN | Kind.INITIAL | Kind.GIVEN_MAYBE))
    return bool(kind & Kind.GIVEN_MAYBE and following & (Kind.SURNAME | Kind.SURNAME_SHAPE))


def _judge(text: str, lowered: str, segment: list[Word], titled: bool) -> Finding | None:
    words = segment
    some, every = _kinds(words)
    if some & Kind.ORG and not titled:
        return None
    if some & Kind.ODD:
        words = [word for word in words if not word.kind & Kind.ODD]
        if not words:
            return None
    words = words[:_LONGEST]
    while len(words) > 1 and words[-1].kind & Kind.TITLE and not words[-1].kind & _KNOWN:
        words.pop()
    if len(words) == 1 and words[0].kind & Kind.INITIAL:
        return None
    some, every = _kinds(words)
    letters = all(len(word.text) == 1 for word in words)
    start, end = words[0].start, words[-1].end
    if titled and not letters:
        return person(with_particles(text, start), end, 0.95, "name-title")
    before = Before(lowered, start)
    if before.is_place() or letters or _numbered(text, start, end):
        return None
    noun = lexicon.names().looks_noun(words[0].text)
    if not noun and not (every & Kind.CAPS and not some & _KNOWN) and before.introduces():
        return person(with_particles(text, start), end, 0.85, "name-cue")
    if text[end : end + 1] in {"", "\n", "\r"} and SIGNATURE.search(text, max(0, start - 12), start):
        return person(start, end, 0.85, "name-signature")
    if not every & Kind.STOP and MAILBOX.match(text, end):
        return person(with_particles(text, start), end, 0.8, "name-mailbox")
    if len(words) > 1:
        return _judge_pair(text, words, before, start, end)
    return _judge_single(lowered, words[0], before, noun=noun)


def _judge_single(lowered: str, word: Word, before: Before, *, noun: bool) -> Finding | None:
    """One capitalized word without an introduction."""
    start, end, first = word.start, word.end, word.kind
    caps = bool(first & Kind.CAPS)
    if first & Kind.GIVEN:
        return person(start, end, 0.7, "name-given")
    if first & Kind.SURNAME:
        return person(start, end, 0.6, "name-surname")
    if caps:
        return None
    if BELONGING.match(lowered, end) and (first & MAYBE or not word.opens):
        return person(start, end, 0.7, "name-kin")
    following = NEXT_WORD.match(lowered, end)
    verbs = lexicon.names().verbs_human if word.opens else lexicon.names().verbs
    if following and following.group(1) in verbs and not first & Kind.STOP and not noun:
        return person(start, end, 0.6, "name-verb")
    if first & Kind.SURNAME_SHAPE and not word.opens:
        return person(start, end, 0.55, "name-shape")
    if word.opens and not first & Kind.STOP and not noun:
        spoken = VOCATIVE.match(lowered, end) and not lowered[:end].endswith("ly")
        if spoken or DIALOGUE.match(lowered, end):
            return person(start, end, 0.55, "name-spoken")
    if first & MAYBE and before.suggests() and not first & Kind.STOP:
        return person(start, end, 0.55, "name-cue")
    return None


def _judge_pair(text: str, words: list[Word], before: Before, start: int, end: int) -> Finding | None:
    kinds = [word.kind for word in words]
    some, every = _kinds(words)
    if is_syllabic([word.text for word in words]):
        return person(start, end, 0.95, "name-syllables")
    if some & Kind.GIVEN:
        index = next(i for i, kind in enumerate(kinds) if kind & Kind.GIVEN)
        # An unknown capitalized word in front of a given name at a sentence start is rarely part of it.
        keep = 0 if index == 0 or not words[0].opens else index
        return person(words[keep].start, end, 0.9 if len(words) > keep + 1 else 0.7, "name-given-surname")
    if some & Kind.SURNAME:
        return person(start, end, 0.75, "name-surname-pair")
    if every & Kind.CAPS:
        return None
    if kinds[0] & Kind.GIVEN_MAYBE and (kinds[-1] & (Kind.SURNAME_MAYBE | Kind.SURNAME_SHAPE) or not words[0].opens):
        return person(start, end, 0.7, "name-given-surname")
    if kinds[0] & Kind.GIVEN_MAYBE and not kinds[0] & Kind.STOP and not lexicon.names().looks_noun(words[1].text):
        return person(start, end, 0.6, "name-given-surname")
    if kinds[-1] & Kind.SURNAME_SHAPE and not words[0].opens:
        return person(start, end, 0.65, "name-shape")
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")" and len(words) <= 3:
        return person(start, end, 0.55, "name-parentheses")
    if kinds[0] & Kind.INITIAL and text[words[0].end : words[0].end + 1] == ".":
        return person(start, end, 0.6, "name-initial")
    if before.suggests():
        return person(start, end, 0.55, "name-cue")
    return None


def _numbered(text: str, start: int, end: int) -> bool:
    """House numbers around a capitalized run mark an address."""
    if _NUMBER_AT_LINE_END.match(text, end):
        return True
    if start < 2 or text[start - 1] != " " or not _NUMBER_AHEAD.search(text, max(0, start - 4), start):
        return False
    return text[end : end + 1] in {"\n", ","} or _NUMBER_BEHIND.match(text, end) is not None


def with_particles(text: str, start: int) -> int:
    """Where a name begins when lower-case particles stand in front of its first capitalized word."""
    while start > 1 and text[start - 1] == " ":
        previous = text.rfind(" ", max(0, start - 8), start - 1) + 1 or (0 if start <= 7 else start)
        if text[previous : start - 1] not in _LEADING_PARTICLES:
            break
        start = previous
    return start


def neighbours(text: str, found: list[Finding], undecided: list[tuple[int, int]]) -> list[Finding]:
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
                extra.append(person(start, end, 0.55, "name-list"))
    return extra


def _touches(gap: str, start: int, end: int, people: dict[int, int], by_end: dict[int, int], forward: bool) -> bool:
    for size in range(1, len(gap) + 1):
        part = gap[-size:] if forward else gap[:size]
        if ((start - size in by_end) if forward else (end + size in people)) and _LIST_GAP.fullmatch(part):
            return True
    return False


def person(start: int, end: int, score: float, rule: str) -> Finding:
    return Finding(start, end, "PERSON", score, rule, PERSON_PRIORITY)
