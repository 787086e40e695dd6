"""Places in the cases of Polish, Czech, Finnish, Hungarian and Turkish: "w Krakowie", "Oulussa", "Trabzon'da".

The list of places has the form of dictionaries. What is left when an ending is taken off must be listed; in Slavic
languages a word that rules a case stands in front. For texts in other languages than English; evidence for the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.known_places import own_names
from securevec.anonymize.names.scripts.lists import pairs
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import questioning

COUNTS: Final = 12.0
"""How much such a place counts, in the model's units."""
_SHORTEST: Final = 4
_SHORT_ENDING: Final = 2
_SLAVIC: Final = re.compile(
    rf"(?<!\w)(?:[wvzsku]|we|ve|ze|ke|[Dd]o|[Nn]a|[Oo]d|[Kk]oło|[Pp]od|[Pp]rzez|[Ww]|[Vv]|[Zz]|[Pp]o|[Uu]|obcí|městě|mieście"
    rf"|miasta|města) ([{UPPER}]\w{{3,}})(?!\w)"
)
_SLAVIC_GATE: Final = questioning(
    r"\b(?:[wvzskuWVZU]|we|ve|ze|ke|[Dd]o|[Nn]a|[Oo]d|[Kk]o\?o|[Pp]od|[Pp]rzez|[Pp]o|obc\?|m\?st\?|mie\?cie|miasta|m\?sta)"
    r" [A-Z?][A-Za-z0-9_?]{3}"
)
_SLAVIC_ENDINGS: Final = pairs(
    "iu> ia> ie> ie>a cie>t cie>ta dzie>da dzie>d rze>ra rze>r dze>ga ze>ha ni>n ni>nia ni>en ne>no ne>en ci>ec"
    " ce>ec ach>e ach>y ich>e ic>ice c>ce y>a e>a e> e>o u> u>o a> a>o i> i>a a>e em> iem> owie>ow owa>ow u>a ou>a"
    " ku>ek ka>ek ku>k"
)
"""Endings in lookup keys, and what the list has instead."""
_CASES: Final = re.compile(
    rf"(?<![\w'’@#/.\-])([{UPPER}]\w{{2,}}?)(?:ss[aä]|st[aä]|ll[aä]|lt[aä]|lle|[aou]on|iin|ee?seen|ban|ben|ból|ből|ról|ről|nak|nek"
    rf"|hoz|hez|tól|től|[oeö]n)(?![\w'’])"
)
_CASES_GATE: Final = questioning(
    r"[A-Z?][A-Za-z0-9_?]{2,}(?:ss[a?]|st[a?]|ll[a?]|lt[a?]|lle|[aou]on|iin|seen|ban|ben|b[o?]l|r[o?]l|nak|nek|hoz|hez|t[o?]l"
    r"|[oe?]n)(?:[^A-Za-z0-9_?']|$)"
)
_GRADES: Final = (("ng", "nk"), ("de", "ti"), ("nne", "nsi"), ("mme", "mpi"))
"""What a consonant of a Finnish stem is in the form of dictionaries."""
_TURKISH: Final = re.compile(
    rf"(?<![\w'’])([{UPPER}]\w+)['’](?:[dt][ae](?:n|ki|kiler)?|y?[aeıiuü]|n?[ıiuü]n|l[ae]r)(?![\w'’])"
)


def declined(text: str) -> Iterator[tuple[int, int, float]]:
    """Start and end of each such place, and how much it counts. Linear in the text."""
    listed, lists = _listed(), names()
    for match in matches_behind(_SLAVIC_GATE, _SLAVIC, text):
        key = lookup_key(match.group(1))
        if key not in lists.given and any(base in listed for base in _bases(key)):
            yield *match.span(1), COUNTS
    for match in matches_behind(_CASES_GATE, _CASES, text):
        stem = lookup_key(match.group(1))
        if len(stem) - (match.end() - match.end(1) <= _SHORT_ENDING) < _SHORTEST:
            continue
        if any(base in listed and base not in lists.given for base in _stems(stem)):
            yield *match.span(), COUNTS
    for match in _TURKISH.finditer(text) if "'" in text or "’" in text else ():
        key = lookup_key(match.group(1))
        if key in listed and key not in lists.given:
            yield *match.span(), COUNTS


@lru_cache(maxsize=1)
def _listed() -> frozenset[str]:
    return places() | own_names()


def _bases(key: str) -> Iterator[str]:
    for ending, instead in _SLAVIC_ENDINGS:
        if key.endswith(ending) and len(base := key.removesuffix(ending) + instead) >= _SHORTEST:
            yield base


def _stems(stem: str) -> Iterator[str]:
    yield stem
    yield from (stem + letter for letter in "aei")
    if stem[-1] in "aeiou":
        yield stem[:-1] + "k" + stem[-1]
        yield stem[:-1] + "i"
        if stem[-2:-1] == stem[-1]:
            yield stem[:-1]
    for weak, strong in _GRADES:
        if weak in stem[-4:]:
            yield strong.join(stem.rsplit(weak, 1))
            yield strong.join(stem.rsplit(weak, 1))[:-1] + "i"
