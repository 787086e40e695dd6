"""Person names from context: titles, greetings, signatures, introductions, field labels, word lists and neighbours.

No model: every decision can be read off the text. Lists alone decide only for words that are nothing but names;
a word that is also a month, a place or a common noun needs a cue. What is found here is a floor, not a promise that
every name is found; docs/threat-model.md gives the measured figures.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.names.lower import lower_case_names
from securevec.anonymize.names.runs import from_runs, neighbours, person

_FIELD_WORDS: Final = lexicon.names().field_words
_OTHER_FIELDS: Final = frozenset(
    ("id", "email", "mail", "phone", "number", "product", "company", "file", "type", "count", "date")
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOT_LETTERS: Final = re.compile(r"[^a-z]+")
_NAME_VALUE: Final = re.compile(r"[^\W\d_][^\d_@<>:;!?/\\()\[\]{}=+*#\"\n]{0,79}")


def looks_like_name(value: str) -> bool:
    """Whether a whole value can be a person's name: one to six words of letters. Casing does not matter."""
    stripped = value.strip()
    return len(stripped) >= 2 and bool(_NAME_VALUE.fullmatch(stripped)) and len(stripped.split()) <= 6


def names_a_person(field_name: str) -> bool:
    """Whether a field of this name holds a person's name."""
    words = set(_NOT_LETTERS.split(_CAMEL.sub(" ", field_name).lower()))
    return bool(words & _FIELD_WORDS) and not words & _OTHER_FIELDS


def find_names(text: str, *, field_name: str = "") -> list[Finding]:
    """Person findings in offsets of ``text`` (the plain folded view), possibly overlapping."""
    if field_name and names_a_person(field_name) and looks_like_name(text):
        stripped = text.strip()
        stops = lexicon.names().stops
        if not all(lookup_key(word.strip(".,'")) in stops for word in stripped.split()):
            start = text.index(stripped)
            return [person(start, start + len(stripped), 0.95, "name-field")]
    lowered = text.lower()
    if len(lowered) != len(text):
        # A few letters change length in lower case; offsets would drift.
        lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    found, undecided = from_runs(text, lowered)
    found.extend(neighbours(text, found, undecided))
    found.extend(lower_case_names(text, lowered))
    return found
