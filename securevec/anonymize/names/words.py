"""Words of a text as the name detector sees them: where they are, and what the lists say about them."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize import lexicon
from securevec.anonymize.fold import lookup_key


class Kind:
    """What a capitalized word may be; several at once. Plain integers: this is the hot path of the detector."""

    TITLE: Final = 1
    GIVEN: Final = 2
    GIVEN_MAYBE: Final = 4
    SURNAME: Final = 8
    SURNAME_MAYBE: Final = 16
    SURNAME_SHAPE: Final = 32
    STOP: Final = 64
    ORG: Final = 128
    INITIAL: Final = 256
    CAPS: Final = 512
    ODD: Final = 1024


NAMEY: Final = Kind.GIVEN | Kind.SURNAME
MAYBE: Final = Kind.GIVEN_MAYBE | Kind.SURNAME_MAYBE | Kind.SURNAME_SHAPE


def _upper_class() -> str:
    """A character class of all upper- and title-case letters of the basic plane."""
    ranges: list[str] = []
    first = last = -2
    for code in range(min(sys.maxunicode, 0xFFFF) + 1):
        if unicodedata.category(chr(code)) not in {"Lu", "Lt"}:
            continue
        if code != last + 1:
            if first >= 0:
                ranges.append(f"{chr(first)}-{chr(last)}")
            first = code
        last = code
    ranges.append(f"{chr(first)}-{chr(last)}")
    return "".join(ranges)


UPPER: Final = _upper_class()
CAPITALIZED: Final = re.compile(rf"[{UPPER}](?<![\w@#/\\].)\w*(?:['\-]\w+)*")
"""What must not stand in front is looked at behind the first letter, or it would be looked at everywhere."""
_CAMEL: Final = re.compile(
    rf"(?<!\bMc)(?<!\bMac)(?<!\bDe)(?<!\bDi)(?<!\bLe)(?<!\bLa)(?<!\bDu)(?<!\bVan)(?<!\bFitz)[^\W\d_{UPPER}][{UPPER}]"
)
"""A capital inside a word, other than after the prefixes of surnames: a product or an identifier."""
ANY_WORD: Final = re.compile(r"(?<![\w@#/\\])[^\W\d_]+(?:['\-][^\W\d_]+)*")
_ASCII_WORD: Final = re.compile(r"[A-Za-z](?<![\w@#/\\].)[A-Za-z]*(?:['\-][A-Za-z]+)*", re.ASCII)
_LABEL: Final = re.compile(r"(?: [A-Za-z]{1,12})?:")
"""What makes a label of the word in front of it, behind two spaces."""


class Word(NamedTuple):
    """A word without its possessive ending. ``opens`` is True at the start of a sentence, line or quotation."""

    start: int
    end: int
    text: str
    kind: int
    opens: bool


def any_word(text: str) -> re.Pattern[str]:
    """``ANY_WORD``, or what finds the same in the text in half the time."""
    return _ASCII_WORD if text.isascii() else ANY_WORD


def without_possessive(word: str) -> str:
    if len(word) > 3 and word[-2:] in {"'s", "'S"}:
        return word[:-2]
    return word


def opens_sentence(text: str, start: int) -> bool:
    """Whether what comes before ``start`` ends a sentence, or nothing does."""
    index = start - 1
    while index >= 0 and text[index] in " \t\"'([*-":
        if text[index] in '"([':
            return True
        index -= 1
    return index < 0 or text[index] in ".!?\n:;\r"


@lru_cache(maxsize=65_536)
def kind_of(word: str) -> int:
    """What the lists say about a capitalized word."""
    lists = lexicon.names()
    key = lookup_key(word)
    kind = 0
    if any(char.isdigit() or char == "_" for char in word) or _CAMEL.search(word):
        return Kind.ODD
    if len(key) == 1:
        return Kind.INITIAL
    if key in lists.titles:
        kind |= Kind.TITLE
    if key in lists.given or key in lists.given_wide or ("-" in key and key.split("-")[0] in lists.given):
        kind |= Kind.GIVEN
    elif key in lists.given_ambiguous:
        kind |= Kind.GIVEN_MAYBE
    if key in lists.surnames or ("-" in key and key.rsplit("-", 1)[1] in lists.surnames):
        kind |= Kind.SURNAME
    elif key in lists.surnames_ambiguous or key in lists.surnames_wide:
        kind |= Kind.SURNAME_MAYBE
    elif lists.looks_surname(word):
        kind |= Kind.SURNAME_SHAPE
    if key in lists.stops or key.split("'")[0] in lists.stops or word.lower() in lists.stops:
        kind |= Kind.STOP
    if key in lists.organizations:
        kind |= Kind.ORG
    if word.isupper():
        kind |= Kind.CAPS
    return kind


def capitalized_runs(text: str) -> list[list[Word]]:
    """Capitalized words that stand together: separated by a space, by name particles, or by the dot of an initial."""
    runs: list[list[Word]] = []
    current: list[Word] = []
    previous_end = -1
    for match in CAPITALIZED.finditer(text):
        start = match.start()
        raw = match.group()
        word = without_possessive(raw)
        end = start + len(word)
        joined = bool(current) and start - previous_end < 24 and _joins(text[previous_end:start], current[-1])
        if joined and start - previous_end == 2 and _LABEL.match(text, match.end()) is not None:
            joined = text[previous_end] != " "
        item = Word(start, end, word, kind_of(word), not joined and opens_sentence(text, start))
        if joined:
            current.append(item)
        else:
            current = [item]
            runs.append(current)
        previous_end = end
    return runs


def _joins(gap: str, before: Word) -> bool:
    if gap in {" ", "  "}:
        return True
    if "\n" in gap or "'" in gap[:1]:
        return False
    if gap[0] == ".":
        return gap.strip() == "." and (len(before.text) <= 2 or bool(before.kind & Kind.TITLE))
    inner = gap.split()
    return gap[0] == " " and 0 < len(inner) <= 3 and all(word in lexicon.names().particles for word in inner)
