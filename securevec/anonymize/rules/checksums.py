"""Small helpers every check digit needs."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = re.compile(r"[0-9]+")
_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")
"""A digit twice, its digits added."""


def alnum(value: str) -> str:
    return value.upper() if value.isalnum() else "".join(filter(str.isalnum, value)).upper()


def digits_of(value: str) -> str:
    return "".join(_DIGITS.findall(value))


def luhn(digits: str) -> bool:
    """``digits``: the digits 0 to 9 alone."""
    data = digits.encode()
    total = sum(data[-1::-2]) + sum(data[-2::-2].translate(_DOUBLED)) - 48 * len(data)
    return bool(digits) and total % 10 == 0
