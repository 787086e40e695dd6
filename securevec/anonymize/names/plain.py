"""Given names that are plain words: "when Grace poured", "told May", "Mark said".

With a capital inside a sentence, small words on both sides and no article in front such a word is somebody. Months and
seasons want a verb in front that people are the object of; what opens a sentence wants one behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.words import opens_sentence
from securevec.anonymize.rules.matching import ANYWHERE, questioning

COUNTS: Final = 6.0
"""How much such a word counts, in the model's units."""
_WORDS: Final = (
    "Amber|Art|Ash|Basil|Bill|Bob|Brook|Brooke|Bud|Candy|Carol|Cash|Cherry|Clay|Cliff|Coral|Crystal|Daisy|Dale"
    "|Dawn|Dean|Destiny|Drew|Earl|Eve|Faith|Fern|Flint|Flora|Frank|Gene|Ginger|Glen|Grace|Grant|Guy|Hank|Hazel|Heath"
    "|Heather|Hope|Hunter|Iris|Ivy|Jack|Jade|Jasmine|Jay|Jewel|Joy|Lily|Mark|Mason|Melody|Mercy|Miles|Misty|Nick|Olive"
    "|Pat|Patience|Patty|Pearl|Penny|Piper|Ray|Reed|Rich|Rick|Rob|Robin|Rod|Rose|Ruby|Rusty|Sandy|Sky|Sonny|Sterling|Sue"
    "|Sunny|Victor|Viola|Violet|Wade|Walker|Warren|Will|Willow|Woody|Rowan|Clover|Angel|Gay|Hale"
)
_SEASONS: Final = "April|May|June|August|Summer|Autumn|Winter"
_TO: Final = (
    "told|tell|tells|asked|ask|emailed|texted|phoned|rang|thanked|thank|married|marries|hugged|kissed|paged|messaged"
    "|reminded|remind|warned|introduced|promised|and me and|my sister|my brother|my wife|my husband|my daughter|my son"
    "|my friend|named|called|transfer me to|speak (?:to|with)|spoke (?:to|with)|talk(?:ed)? (?:to|with)"
)
_BEHIND: Final = r"(?=['’]s\b| [a-z]|[.,;:?!)]|\Z|\n)"
_INSIDE: Final = re.compile(rf"([a-z]+),? ({_WORDS}){_BEHIND}")
_SPOKEN_TO: Final = re.compile(rf"\b(?:{_TO}) ({_SEASONS}){_BEHIND}")
_SAYS: Final = (
    "said|says|asked|asks|told|tells|replied|thinks|thought|knows|knew|wants|wanted|laughed|smiled|nodded|shouted|whispered"
    "|cried|yelled|phoned|emailed|texted|called|thanked|promised|apologi[sz]ed|explained|complained|insisted|spoke|wrote"
    "|poured|sat|stood|left|went|came|returned|arrived|joined|met|gave|took|paid|picked|walked|woke|agreed|refused|forgot"
    "|remembered|admitted|loves|loved|hates|likes|lives|lived|works at|works for|married|kissed|hugged|shrugged|sighed"
    "|grinned"
    "|is (?:off|on leave|out|away|coming|leaving|running late|sick)|and I"
)
_SAYING: Final = re.compile(rf"({_WORDS}|{_SEASONS}) (?:{_SAYS})\b")
_INSIDE_GATE: Final = questioning(rf"\b[a-z]+,? (?:{_WORDS})\b")
_SPOKEN_GATE: Final = questioning(rf"\b(?:{_TO}) (?:{_SEASONS})\b")
_SAYING_GATE: Final = questioning(rf"\b(?:{_WORDS}|{_SEASONS}) (?:{_SAYS})\b")
MAY_BE: Final = rf"[a-z],? (?:{_WORDS})\b|\b(?:{_TO}) (?:{_SEASONS})\b|\b(?:{_WORDS}|{_SEASONS}) (?:{_SAYS})\b"
_ANY: Final = questioning(MAY_BE)
"""Most texts are done here."""
_NO_NAME_BEHIND: Final = frozenset(
    ["a", "an", "the", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our", "their", "no", "any",
     "each", "every", "some", "another", "of", "in", "on", "as", "is", "are", "was", "were", "be", "click", "press",
     "select", "choose", "tap", "hit", "open", "use", "set", "enable", "disable", "new", "old", "green", "blue", "red",
     "called", "type"]
)  # fmt: skip
"""Small words behind which a capital makes a title, a button or a thing of such a word."""
_JOINS: Final = frozenset(["and", "or", "nor"])
"""Behind these the sentence has to go on: herbs and flowers end a list as often as people do."""
_BEFORE: Final = "@#/_-.'’"


def plain_words(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each such word."""
    data = text.encode("ascii", "replace")
    if _ANY.Match(ANYWHERE, data, 0, len(data))[0][1] < 0:
        return
    for match in matches_behind(_INSIDE_GATE, _INSIDE, text):
        word = match.group(1)
        if word not in _NO_NAME_BEHIND and (word not in _JOINS or text[match.end() : match.end() + 1] == " "):
            yield match.span(2)
    for match in matches_behind(_SPOKEN_GATE, _SPOKEN_TO, text):
        yield match.span(1)
    for match in matches_behind(_SAYING_GATE, _SAYING, text):
        start = match.start()
        if (not start or text[start - 1] not in _BEFORE) and opens_sentence(text, start):
            yield match.span(1)
