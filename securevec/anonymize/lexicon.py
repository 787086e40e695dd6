"""Word lists of the name detector and of the surrogates: plain text under ``data/``, loaded once, never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from securevec.anonymize.fold import lookup_key

TITLES: Final = frozenset(
    "mr mrs ms miss mx dr doctor prof professor sir madam dame lord lady rev reverend fr father sister brother nurse capt captain"
    " sgt sergeant lt lieutenant col colonel maj officer judge senator president herr frau monsieur madame mme mlle"
    " senor senora señor señora sr sra srta don doña signor signora sig dhr mevr mevrouw mijnheer pan pani shri smt"
    " sheikh hajji matron consultant physician surgeon midwife paramedic therapist".split()
)
"""Words in front of a name. Some of them are names or verbs too, so most count only with a capital letter."""

PARTICLES: Final = frozenset(
    "van von der den de del della di da dos das du la le las los el al bin ibn bint ben abu ter ten zu zur af av y e st"
    " mac mc o' d' l' vander vom 't san santa ap ab na ni nic".split()
)
"""Lower-case words inside a name."""

SUFFIXES: Final = ("jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "dds", "rn", "dvm")

_SURNAME_ENDINGS: Final = (
    "ov", "ova", "ev", "eva", "enko", "chuk", "czyk", "wski", "wska", "cki", "cka", "sky", "skaya", "sson", "sdottir", "dottir",
    "sen", "escu", "eanu", "vic", "vich", "iak", "opoulos", "akis", "idis", "oglu", "shvili", "adze", "idze", "yan",
    "ian", "ainen", "onen", "inen", "berg", "strom", "gren", "qvist", "quist", "stein", "mann", "meier", "meyer", "bauer",
    "etti", "elli", "ucci", "acci", "ini", "ese", "ez", "eira", "eiro", "moto", "mura", "zaki", "saki", "yama", "gawa", "guchi",
    "singh", "walla", "bhai", "nathan", "swamy", "murthy", "worth", "ington", "borough", "son",
)  # fmt: skip
"""Endings that mark a capitalized unknown word as a surname in many languages. Case-folded, without accents."""


_NOUN_ENDINGS: Final = (
    "tion", "sion", "ment", "ness", "ity", "ance", "ence", "ship", "ism", "logy", "graphy", "therapy", "able", "ible", "ally",
    "ously", "ful", "less", "ware", "ings", "tions", "ments", "ology",
)  # fmt: skip
"""Endings of common nouns and adverbs, which sentences open with and people are not called."""


@dataclass(frozen=True, slots=True)
class NameLists:
    """Sets of lookup keys (see :func:`securevec.anonymize.fold.lookup_key`)."""

    given: frozenset[str]
    given_ambiguous: frozenset[str]
    surnames: frozenset[str]
    surnames_ambiguous: frozenset[str]
    stops: frozenset[str]
    organizations: frozenset[str]
    verbs: frozenset[str]
    verbs_human: frozenset[str]

    def is_given(self, word: str) -> bool:
        key = lookup_key(word)
        return key in self.given or key in self.given_ambiguous or key.split("-")[0] in self.given

    def is_surname(self, word: str) -> bool:
        key = lookup_key(word)
        return key in self.surnames or key.rsplit("-", 1)[-1] in self.surnames

    def looks_noun(self, word: str) -> bool:
        """A common noun or adverb by its ending."""
        return lookup_key(word).endswith(_NOUN_ENDINGS)

    def looks_surname(self, word: str) -> bool:
        """In the list, or with an ending of surnames and long enough for that to mean something."""
        key = lookup_key(word)
        if key in self.surnames:
            return True
        if key in self.stops or self.looks_noun(word):
            return False
        return (len(key) >= 6 and key.endswith(_SURNAME_ENDINGS)) or word.endswith(("ić", "ič", "IĆ", "IČ"))


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
        stops=_words("stops.txt"),
        organizations=_words("org_words.txt"),
        verbs=_words("verbs.txt"),
        verbs_human=_words("verbs_human.txt"),
    )


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
    text = files("securevec.anonymize").joinpath("data", name).read_text(encoding="utf-8")
    words = (word for line in text.splitlines() if not line.startswith("#") for word in line.split())
    return tuple(dict.fromkeys(words))


def _words(name: str) -> frozenset[str]:
    return frozenset(lookup_key(word) for word in _ordered(name))
