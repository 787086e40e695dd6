"""Word lists of the name detector and of the surrogates: plain text under ``data/``, loaded once, never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from securevec.anonymize.fold import lookup_key

SUFFIXES: Final = ("jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "dds", "rn", "dvm")
"""Words behind a name."""


@dataclass(frozen=True, slots=True)
class NameLists:
    """Sets of lookup keys (see :func:`securevec.anonymize.fold.lookup_key`)."""

    given: frozenset[str]
    given_ambiguous: frozenset[str]
    surnames: frozenset[str]
    surnames_ambiguous: frozenset[str]
    given_wide: frozenset[str]
    """Names of some ninety countries that are no other word that we know of; those of ``given`` are not among them."""
    surnames_wide: frozenset[str]
    stops: frozenset[str]
    organizations: frozenset[str]
    verbs: frozenset[str]
    verbs_human: frozenset[str]
    titles: frozenset[str]
    particles: frozenset[str]
    people_nouns: frozenset[str]
    introduction_ends: frozenset[str]
    letter_ends: frozenset[str]
    place_words: frozenset[str]
    field_words: frozenset[str]
    surname_endings: tuple[str, ...]
    noun_endings: tuple[str, ...]

    def is_given(self, word: str) -> bool:
        key = lookup_key(word)
        return key in self.given or key in self.given_ambiguous or key.split("-")[0] in self.given

    def is_surname(self, word: str) -> bool:
        key = lookup_key(word)
        return key in self.surnames or key.rsplit("-", 1)[-1] in self.surnames

    def lists_given(self, key: str) -> bool:
        """Whether a list knows a folded word as a given name, and as nothing else."""
        return key in self.given or key in self.given_wide

    def lists_surname(self, key: str) -> bool:
        """The same of a family's."""
        return key in self.surnames or key in self.surnames_wide

    def looks_noun(self, word: str) -> bool:
        """A common noun or adverb by its ending."""
        return lookup_key(word).endswith(self.noun_endings)

    def looks_surname(self, word: str) -> bool:
        """In the list, or with an ending of surnames and long enough for that to mean something."""
        key = lookup_key(word)
        if key in self.surnames:
            return True
        if key in self.stops or self.looks_noun(word):
            return False
        return (len(key) >= 6 and key.endswith(self.surname_endings)) or word.endswith(("ić", "ič", "IĆ", "IČ"))


@lru_cache(maxsize=1)
def names() -> NameLists:
    given = _words("given.txt")
    given_ambiguous = _words("given_ambiguous.txt")
    surnames_ambiguous = _words("surnames_ambiguous.txt")
    return NameLists(
        given=given - given_ambiguous,
        given_ambiguous=given_ambiguous,
        surnames=_words("surnames.txt") - surnames_ambiguous,
        surnames_ambiguous=surnames_ambiguous,
        given_wide=frozenset(_ordered("given_wide.txt")),
        surnames_wide=frozenset(_ordered("surnames_wide.txt")),
        stops=_words("stops.txt"),
        organizations=_words("org_words.txt"),
        verbs=_words("verbs.txt"),
        verbs_human=_words("verbs_human.txt"),
        titles=_words("titles.txt"),
        particles=frozenset(_ordered("particles.txt")),
        people_nouns=frozenset(_ordered("people_nouns.txt")),
        introduction_ends=frozenset(_ordered("introduction_ends.txt")),
        letter_ends=frozenset(_ordered("letter_ends.txt")),
        place_words=frozenset(_ordered("place_words.txt")),
        field_words=frozenset(_ordered("field_words.txt")),
        surname_endings=_ordered("surname_endings.txt"),
        noun_endings=_ordered("noun_endings.txt"),
    )


@lru_cache(maxsize=1)
def places() -> frozenset[str]:
    """Lookup keys of countries, states, counties of the USA and towns; of several words, with their spaces."""
    return frozenset(list_lines("places.txt"))


def list_lines(name: str) -> list[str]:
    """The lines of a list in ``data/``, without its comments."""
    text = files("securevec.anonymize").joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def barred(name: str) -> list[str]:
    """The entries of a list that has several words in one: what stands between bars, in its order."""
    return [entry for line in list_lines(name) for entry in line.split("|") if entry]


def word_set(name: str) -> frozenset[str]:
    """The words of one list as they stand there."""
    return frozenset(_ordered(name))


@lru_cache(maxsize=1)
def surrogate_names() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Given names, and first and second halves of surnames: over ten million full names."""
    return _ordered("surrogate_given.txt"), _ordered("surrogate_stems.txt"), _ordered("surrogate_endings.txt")


@lru_cache(maxsize=1)
def digest() -> str:
    """Hex SHA-256 over every list, by name and content."""
    folder = files("securevec.anonymize").joinpath("data")
    total = hashlib.sha256()
    for item in sorted((item for item in folder.iterdir() if item.name.endswith(".txt")), key=lambda item: item.name):
        total.update(item.name.encode() + b"\0" + hashlib.sha256(item.read_bytes()).digest())
    return total.hexdigest()


def _ordered(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for line in list_lines(name) for word in line.split()))


def _words(name: str) -> frozenset[str]:
    return frozenset(lookup_key(word) for word in _ordered(name))
