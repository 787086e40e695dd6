"""The operator ``generalise``: less of a value instead of none of it. A year of a date, a band of an age, an area.

What cannot be read is not guessed at: it is replaced by its tag, which says less still. Areas of United States
postcodes follow 45 CFR 164.514(b)(2)(i)(B): three digits, and none where they name fewer than 20,000 people.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from securevec.anonymize.fold import fold

YEARS: Final = ("year", "decade")
BANDS: Final = (5, 10, 20)
_OLDEST: Final = 90
"""From here on ages are one band: there are few enough people to be known by their age (45 CFR 164.514(b)(2)(i)(C))."""

_YEAR: Final = re.compile(r"(?<!\d)(?:18|19|20|21)\d{2}(?!\d)")
_AGE: Final = re.compile(r"(?<!\d)\d{1,3}(?!\d)")
_ZIP: Final = re.compile(r"\d{5}(?:-?\d{4})?")
_UK: Final = re.compile(r"([A-Za-z]{1,2}\d[A-Za-z\d]?) ?\d[A-Za-z]{2}")
_CANADA: Final = re.compile(r"([A-Za-z]\d[A-Za-z])[ \-]?\d[A-Za-z]\d")
_SPARSE: Final = frozenset((36, 59, 63, 102, 203, 556, 692, 790, 821, 823, 830, 831, 878, 879, 884, 890, 893))
"""Areas of fewer than 20,000 people in the census of 2000, as the guidance to that rule lists them."""
_MASK: Final = "*"


def _date(text: str, params: Mapping[str, object]) -> str | None:
    years = _YEAR.findall(text)
    if len(years) != 1:
        return None
    year: str = years[0]
    return f"{year[:3]}0s" if params.get("dates", "year") == "decade" else year


def _age(text: str, params: Mapping[str, object]) -> str | None:
    numbers = _AGE.findall(text)
    if len(numbers) != 1:
        return None
    age, wide = int(numbers[0]), params.get("ages", 10)
    width = wide if isinstance(wide, int) else 10
    if age >= _OLDEST:
        return f"{_OLDEST}+"
    start = age - age % width
    return f"{start}-{min(start + width, _OLDEST) - 1}"


def _postcode(text: str, params: Mapping[str, object]) -> str | None:
    del params
    value = text.strip()
    if _ZIP.fullmatch(value):
        area = value[:3]
        return ("000" if int(area) in _SPARSE else area) + _MASK * 2
    for form in (_UK, _CANADA):
        if match := form.fullmatch(value):
            return match[1].upper()
    kept = 0
    made: list[str] = []
    for char in value:
        made.append(char if not char.isalnum() or kept < 2 else _MASK)
        kept += char.isalnum()
    return "".join(made) if kept >= 4 else None


def _network(text: str, params: Mapping[str, object]) -> str | None:
    del params
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


_HOW: Final[Mapping[str, Callable[[str, Mapping[str, object]], str | None]]] = {
    "DATE": _date,
    "DATE_OF_BIRTH": _date,
    "AGE": _age,
    "POSTCODE": _postcode,
    "IP": _network,
}

GENERALISED: Final = frozenset(_HOW)
"""Entities of which something general can be said."""


def generalised(entity: str, value: str, params: Mapping[str, object]) -> str | None:
    """What may be said of ``value``, or ``None``: another kind of value, or one that cannot be read.

    Never the value itself. Dates: the year, or the decade (``1980s``); ages: a band (``30-39``, ``90+``); postcodes:
    the area; IP addresses: the network. ``params``: ``dates``, one of ``YEARS``; ``ages``, one of ``BANDS``.
    """
    how = _HOW.get(entity)
    text = fold(value, skeleton=True).text
    made = how(text, params) if how is not None else None
    return made if made not in (value, text) else None
