"""Telephone numbers behind a loose digit-group gate.

``phonenumbers`` (Google's metadata) is accurate and slow, so only candidates that pass cheap shape rules reach it, and
answers are cached by their digits. It is imported at the first candidate.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "AU", "CA", "IE", "CH", "AT", "BE", "SE", "PL", "BR")
"""Where a number without a country code may belong."""

_DATE: Final = re.compile(
    r"^\D*(?:(?:\d{1,2} )?(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}\b|\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d\b"
    r"|(?:19|20)\d\d[-/.]\d{1,2}$|(?:0?[1-9]|[12]\d|3[01])([/-])(?:0?[1-9]|[12]\d|3[01])\1\d\d$)"
)
_EXTENSION: Final = re.compile(r"\s*(?:x|ext\.?|extension)\s*\d+$", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"[1-9]\d?(?:\.\d{3}){2,}|[1-9]\d?(?: \d{3}){2,}")
"""A number in thousands, as the continent writes it: 12.345.678."""
_GROUPS: Final = re.compile(r"\d+")
_QUAD: Final = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)")
"""An IPv4 address is one whatever the words around it say: no plan groups its numbers like that."""
_LONE_DIGIT: Final = re.compile(r"\d\.\d(?:[.\-]|$)")
"""A digit alone behind a dot: of a version (``120.0.6099.109``), where numbering plans make groups of two at least."""
_NO_NUMBER: Final = re.compile(
    r"\d{3}\.\d{3}-\d{4}|\d{2}\.\d{3}\.\d{2}|(?:19|20)\d\d-(?:19|20)\d\d|0?(?:0|\d{1,3})(?: 0){3,}"
    r"|(?!\d\d \d\d \d\d$)(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?: +(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])){2}"
    r"|\d{3}-\d{4}-\d|[1-9]0{5,}|\+ \d{8,}|\d{1,3}(?: 000){2,}|(?:00\d\d )?0\d{3} 0\d{3}"
    r"|(?:19|20)\d\d-\d{5,7}|0[1-7]0{4,}|[0-6]\d (?:19|20)\d\d -?\d{4}|192\.168\.\d{1,3}|\d{1,3}\.\d{3}-\d{1,2}"
    r"|(?=(?:\d\d )*00\b)0\d(?: \d\d){3}|\d\d (?:\d\d )?00 00(?: \d\d)?|(\d\d)(?: \1){3,}"
    r"|\d{1,3} \((?:19|20)\d\d\) \d.*|.*/-.*|\d+(?:  +\d+){2,}"
)
_MINUS: Final = re.compile(r" -\d")
_LONGEST_OTHER: Final = 16
"""Clauses of contracts, years, colours (three groups of two are telephones too), counting, articles behind
their DOI, round numbers and sums, code points, weaknesses by year and number, rights of files, bytes of a dump, a time
with its zone, private networks, volumes with their year and pages, columns."""
_DAY: Final = re.compile(r"(?<!\d)(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01])(?!\d)")
"""Behind a size or a port, in listings and logs."""
_FEWEST: Final = 4
"""Different digits in a number without signs."""
_LONGEST: Final = 14
_COUNTED: Final = ("012345678", "01234567")
"""How made-up numbers of accounts count up."""
_NANP: Final = re.compile(r"^(?:(?:\+|00)?1[-. ]?|001[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}$")


def plausible(value: str) -> bool:
    """Shaped like a telephone number; used where context already speaks of one."""
    main = _without_extension(value)
    return _shaped(main, _GROUPS.findall(main))


def valid(value: str) -> bool:
    """A number that exists in the numbering plan of its country code or of one of ``REGIONS``."""
    main = _without_extension(value).strip()
    groups = _GROUPS.findall(main)
    if not (_shaped(main, groups) if "x" not in main and "X" not in main else plausible(main)):
        return False
    digits = "".join(groups)
    if main[0] == "+" or main.startswith("00"):
        known = _international(digits.removeprefix("00") if main.startswith("00") else digits)
        # A plus in front of three groups is a telephone's, whatever country has the number.
        return known or (main[0] == "+" and "." not in main and len(groups) > 2 and 9 <= len(digits) <= _LONGEST)
    if _NANP.match(main):
        return True
    separated = len(groups) > 1
    if separated and main[0] not in "0(" and _AMOUNT.fullmatch(main) is not None:
        return False
    if len(groups) == 2 and main[0] not in "0(":
        # Two bare groups are more often a range, a version or an amount.
        return False
    if not separated and (digits.startswith(_COUNTED[0]) or digits == _COUNTED[1]):
        return False
    if len(digits) < (7 if separated else 8) or (separated and "." in main and "-" not in main and main.count(".") < 2):
        return False
    return _national(digits, separated)


def _without_extension(value: str) -> str:
    """Most values have none, and every way of writing one has an x in it."""
    return _EXTENSION.sub("", value) if "x" in value or "X" in value else value


def _shaped(main: str, groups: list[str]) -> bool:
    digits = "".join(groups)
    if not 6 <= len(digits) <= 15 or len(groups) > 7 or len({*digits}) < (_FEWEST if main.isdigit() else 2):
        return False
    if len(groups) == 4 and "." in main and _QUAD.fullmatch(main.strip()):
        return False
    if "." in main and _LONE_DIGIT.search(main):
        return False
    if main[0] != "(" and len(main) <= _LONGEST_OTHER and _NO_NUMBER.fullmatch(main):
        return False
    if main[0] not in "+(" and _measured(main, groups):
        return False
    # A search for signs is quicker than the pattern of a date.
    dated = ("19" in main or "20" in main or "/" in main or main.count("-") == 2) and (
        _DATE.match(main) is not None or _DAY.search(main) is not None
    )
    return not dated and _balanced(main)


def _measured(main: str, groups: list[str]) -> bool:
    """Numbers side by side: fractions ("67.3467 183.6574", "15.825-339.77"), a minus in front of one (" -1.25"),
    digits alone ("4 8 29 17"), a version ("4.04.82.917")."""
    if "." in main:
        if main[0] != "0":
            lead = len(groups[0]) == 1 and main[1] == "." and not _NANP.match(main)
            return lead or " " in main or ("-" in main and main.count(".") > 1)
        return main[1] in ".- " or _MINUS.search(main) is not None
    if " " not in main or main[0] == "0":
        return False
    lone = sum(len(group) == 1 for group in groups)
    return _MINUS.search(main) is not None or 1 < lone < len(groups)


def _balanced(value: str) -> bool:
    return "\n\n" not in value and value.count("(") == value.count(")")


@lru_cache(maxsize=8192)
def _international(digits: str) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse("+" + digits)))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=8192)
def _national(digits: str, separated: bool) -> bool:
    import phonenumbers

    if not separated and not digits.startswith("0") and len(digits) not in {10, 11}:
        return False
    if separated and digits.startswith("0") and 10 <= len(digits) <= 12:
        # A trunk prefix and grouping say enough; numbering plans exclude numbers that were set aside for fiction.
        return True
    regions = REGIONS if separated or digits.startswith("0") else ("US",)
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
