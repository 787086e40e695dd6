"""Names written without capitals, as people in a hurry do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from operator import itemgetter
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.names.cues import NEXT_WORD, PEOPLE
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.runs import person
from securevec.anonymize.names.words import ANY_WORD, Kind, any_word, kind_of, without_possessive
from securevec.anonymize.rules.matching import questioning

_CUE: Final = re.compile(
    r"\b(?:(?P<sure>my (?:full )?name is|name is|name's|i am called|call me|registered as"
    r"|(?:mr|mrs|ms|miss|dr|prof)\.?)"
    r"|(?P<line>dear|hi|hello|hey|good (?:morning|afternoon|evening)|regards,?|sincerely,?|cheers,?|thanks,?"
    r"|in advance,?|wishes,?|best,?|yours,?)"
    rf"|(?P<self>i am|i'm|this is|myself)|spoke (?:with|to)|on behalf of|tell|ask|(?:{PEOPLE})|name ?[:=]?)[ \n]+"
)


_FAST_CUE: Final = questioning(re.sub(r"\?P<\w+>", "", _CUE.pattern))
_FEW: Final = 8
_SHORTEST: Final = 4
"""Letters of a name that no list knows."""
_NO_FIRST: Final = lexicon.word_set("small_english.txt") | lexicon.word_set("no_first_names.txt")
"""What may stand between "i am" and a listed surname and is no name."""
_NO_SURNAMES: Final = frozenset(
    ["said", "says", "say", "sold", "bought", "got", "gets", "gave", "took", "went", "goes", "came", "comes", "lost",
     "won", "paid", "made", "put", "let", "told", "tells", "asked", "asks", "called", "calls", "sent", "texted",
     "text", "needs", "need", "wants", "want", "has", "had", "have", "was", "is", "are", "were", "ok", "okay", "can",
     "could", "will", "would", "should", "might", "did", "does", "do", "ur", "u", "r", "n", "and", "or", "broke",
     "moved", "posted", "left", "met", "saw", "knows", "thinks", "likes", "loves", "hates", "works", "worked",
     "lives", "lived", "just", "still", "already", "never", "also", "really", "won't", "can't", "didn't", "doesn't",
     "isn't", "from", "at", "in", "on", "to", "for", "with", "about", "up", "out", "over", "off", "there", "here",
     "now", "today", "tonight", "tomorrow", "please", "pls", "plz", "thanks", "lol", "omg", "tho", "too", "again",
     "back", "home", "if", "when", "what", "why", "how", "who", "bring", "sends", "started", "stopped", "keeps",
     "kept", "ran", "runs", "makes", "forgot", "thought"]
)  # fmt: skip
"""Words behind a given name, where nobody writes capitals, that go on with the sentence."""
_BEFORE_NAME: Final = re.compile(
    r"(?:^|[\n,!?>] ?|\w\w\w\. |\b(?:w|with|n|and|or|but|hey|hi|yo|ty|thx|thanks|ok|is|was|did|does"
    r"|can|could|will|should|told|tell"
    r"|ask|asked|asking|call|called|named|text|texted|know|about|by|from|for|love|miss|meet|met|saw|see|said|says|if|because|when"
    r"|where|that|thank|sorry|bye|im|i'm|iam|am|think|guess|heard|hear|invite|invited|visit|poor|my|and me|mr|mrs|ms|dr"
    r"|sir|uncle|aunt|auntie|cousin|coach|doctor|grandma|grandpa|nurse) )\Z"
)
_LOOK_BACK: Final = 12
"""Characters in front of a given name in which such a word is looked for."""
SPOKEN: Final = "name-caseless-spoken"
"""The rule of a given name in such a sentence."""
_INSIDE_WORDS: Final = "'-"
_LETTERS: Final = bytes(code if chr(code).isalpha() and code < 128 else 32 for code in range(256))


@lru_cache(maxsize=1)
def _pieces() -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Runs of letters in the given names of the list, and in its names of both kinds; those of ASCII names."""
    lists = lexicon.names()
    given = _runs(lists.given)
    return given, given | _runs(lists.surnames)


def _runs(listed: Iterable[str]) -> frozenset[bytes]:
    return frozenset(run for name in listed if name.isascii() for run in name.encode().translate(_LETTERS).split())


def _may_name(text: str, *, caseless: bool) -> bool:
    """Whether a listed name stands in the text in small letters; ``True`` also when only a part of one does."""
    return not text.isascii() or not _pieces()[caseless].isdisjoint(text.encode().translate(_LETTERS).split())


def lower_case_names(text: str, lowered: str) -> list[Finding]:
    """Names written without capitals: after a cue, as a known given name with a known surname, or in caseless text."""
    lists = lexicon.names()
    found: list[Finding] = []
    caseless = text == lowered
    for cue in matches_behind(_FAST_CUE, _CUE, lowered):
        end = _lower_extent(
            lowered if caseless else text, cue.end(), whole=bool(cue["sure"]) or (caseless and bool(cue["line"]))
        )
        if not end and caseless and cue["self"]:
            end = _introduced(lowered, cue.end())
        if end and (not cue["line"] or lowered[end : end + 1] in {",", "\n", "", "!", ".", ":"}):
            found.append(person(cue.end(), end, 0.75, "name-cue-lower"))
    if not _may_name(text, caseless=caseless):
        # Nearly every text without lower-case names ends here, at the speed of a set operation.
        return found
    words = set(any_word(text).findall(text))
    names = lists.given & words
    surnames = lists.surnames & words if caseless else frozenset[str]()
    if text.isascii() and not names and not surnames:
        return found
    # A given name by its key, which differs from the word only beyond plain letters, or by the first of two.
    names |= {word for word in words if (not word.isascii() or "-" in word) and kind_of(word) & Kind.GIVEN}
    if not names and not surnames:
        return found
    for match in _places(text, names | surnames):
        word = match.group()
        if word not in names:
            if word in surnames and not _part_of_place(lowered, match.end()):
                found.append(person(match.start(), match.end(), 0.5, "name-caseless"))
            continue
        start, end = match.span()
        following = ANY_WORD.match(lowered, end + 1) if lowered[end : end + 1] == " " else None
        second = without_possessive(following.group()) if following else ""
        if caseless and second in _NO_SURNAMES and not _ends_place(lowered, start, end):
            found.append(person(start, end, 0.85, SPOKEN))
        elif second and (lookup_key(second) in lists.surnames or (caseless and _lower_surname(second, following))):
            found.append(person(start, end + 1 + len(second), 0.7, "name-lower-pair"))
        elif caseless:
            spoken = _BEFORE_NAME.search(lowered, max(0, start - _LOOK_BACK), start)
            found.append(person(start, end, 0.85, SPOKEN) if spoken else person(start, end, 0.6, "name-caseless"))
    return found


def _places(text: str, wanted: AbstractSet[str]) -> Iterator[re.Match[str]]:
    """Where these words of a text stand in it, as words, from left to right."""
    if len(wanted) <= _FEW:
        found: list[tuple[int, re.Match[str]]] = []
        for word in wanted:
            at = text.find(word)
            while at >= 0 and (at == 0 or text[at - 1] not in _INSIDE_WORDS):
                match = ANY_WORD.match(text, at)
                if match is not None and match.end() == at + len(word):
                    found.append((at, match))
                at = text.find(word, at + 1)
            if at >= 0:
                break
        else:
            yield from (match for _, match in sorted(found, key=itemgetter(0)))
            return
    # Too many, or one that may be the second half of another word.
    yield from (match for match in any_word(text).finditer(text) if match.group() in wanted)


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


def _ends_place(lowered: str, start: int, end: int) -> bool:
    """Whether the word in front makes a place of this one: "el salvador"."""
    before = lowered.rfind(" ", 0, max(0, start - 1)) + 1
    return lookup_key(lowered[before:end]) in lexicon.places()


def _part_of_place(lowered: str, end: int) -> bool:
    following = ANY_WORD.match(lowered, end + 1)
    return following is not None and following.group() in lexicon.names().organizations


def _introduced(text: str, start: int) -> int:
    """End of two words in front of which somebody says "i am", if a list knows the second as a surname, or 0."""
    lists = lexicon.names()
    first = ANY_WORD.match(text, start)
    second = ANY_WORD.match(text, first.end() + 1) if first and text[first.end() : first.end() + 1] == " " else None
    if first is None or second is None:
        return 0
    given, family = lookup_key(first.group()), lookup_key(without_possessive(second.group()))
    if len(given) < _SHORTEST or given in lists.stops or given in lists.verbs or lists.looks_noun(given):
        return 0
    known = family in lists.surnames or (family in lists.surnames_wide and len(family) > _SHORTEST)
    return second.start() + len(without_possessive(second.group())) if known and given not in _NO_FIRST else 0


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
