"""Postcodes that no label names: they stand behind a street, alone or between it and its town."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from securevec.anonymize.findings import Finding

_CODE: Final = r"(?P<code>\d{5}(?:-\d{4})?|\d{3} \d{2}|\d{2}-\d{3}|\d{4} ?[A-Z]{2}|\d{4}-\d{3})"
_BEHIND: Final = re.compile(rf"(?:,|\n|,\n)? ?{_CODE}(?= [^\W\d_a-z][^\W\d_]|[,.;]?(?:\s*$|\n))")
_BEHIND_TOWN: Final = re.compile(rf",? ?[^\W\d_a-z][^\W\d_]+(?:[ -][^\W\d_a-z][^\W\d_]+){{0,2}},? {_CODE}(?![\w\-])")
_RULE: Final = "postcode-behind-street"
_PRIORITY: Final = 42
"""Above what the names model says, which takes such a number for a part of the street."""


def behind_streets(text: str, found: Iterable[Finding]) -> list[Finding]:
    """Postcodes behind the streets of ``found``: ``Hauptstr. 5, 10115 Berlin``, ``5 Mill Lane, Leeds 02612``."""
    codes: list[Finding] = []
    for street in found:
        if street.entity != "ADDRESS":
            continue
        match = _BEHIND.match(text, street.end) or _BEHIND_TOWN.match(text, street.end)
        if match:
            codes.append(Finding(match.start("code"), match.end("code"), "POSTCODE", 0.8, _RULE, _PRIORITY))
    return codes
