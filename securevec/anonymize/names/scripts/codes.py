"""Telephone and identity numbers of East Asia and Thailand that their form and check digit give away without a label.

Sources: GB 11643-1999 (Chinese identity numbers, check by ISO 7064 MOD 11-2), the Taiwanese and Thai identity numbers
(weights 1 and 9 to 1; 13 to 2), the Korean resident number (six digits of a date, the seventh says sex and century).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.findings import Finding

_CHECKED: Final = 70
_PHONE: Final = 43
_DAY: Final = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_CHINESE_ID: Final = re.compile(r"(?<![\dA-Za-z])[1-8]\d{5}(?:19|20)\d\d" + _DAY + r"\d{3}[\dXx](?![\dA-Za-z])")
_TAIWANESE_ID: Final = re.compile(r"(?<![\dA-Za-z])[A-Z][12]\d{8}(?![\dA-Za-z])")
_KOREAN_ID: Final = re.compile(r"(?<![\d-])\d\d" + _DAY + r"[ ]?-[ ]?[1-8]\d{6}(?![\d-])")
_THAI_ID: Final = re.compile(r"(?<![\d-])[1-8](?:[ -]?\d{4})[ -]?\d{5}[ -]?\d{2}[ -]?\d(?![\d-])")
_EMIRATES_ID: Final = re.compile(r"(?<![\d-])784-?\d{4}-?\d{7}-?\d(?![\d-])")
_CHINESE_PHONE: Final = re.compile(
    r"(?<![\dA-Za-z.])(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?![\dA-Za-z])"
    r"|(?<![\d.-])(?:\(0\d{2,3}\)|0\d{2,3}-)[ ]?\d{7,8}(?:-\d{1,5})?(?!\d)"
)
_TAIWANESE_PHONE: Final = re.compile(r"(?<![\dA-Za-z.])09\d{2}[ -]?\d{3}[ -]?\d{3}(?!\d)")
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_AREAS: Final = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
"""Letters of Taiwanese identity numbers in the order of their values, from 10 on."""


def chinese_id(value: str) -> bool:
    return "10X98765432"[sum(int(d) * w for d, w in zip(value, _ID_WEIGHTS, strict=False)) % 11] == value[17].upper()


def taiwanese_id(value: str) -> bool:
    area = _AREAS.index(value[0]) + 10
    total = (
        area // 10
        + area % 10 * 9
        + sum(int(d) * w for d, w in zip(value[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True))
    )
    return total % 10 == 0


def thai_id(value: str) -> bool:
    digits = [int(char) for char in value if char.isdigit()]
    return (11 - sum(d * w for d, w in zip(digits, range(13, 1, -1), strict=False)) % 11) % 10 == digits[12]


def numbers(text: str, scripts: frozenset[str]) -> Iterator[Finding]:
    """Numbers in offsets of ``text``. Forms of a country count in texts of its script."""
    if "hani" in scripts:
        for match in _CHINESE_ID.finditer(text):
            if chinese_id(match.group()):
                yield _number(match, "NATIONAL_ID", "cn-id", _CHECKED)
        for match in _TAIWANESE_ID.finditer(text):
            if taiwanese_id(match.group()):
                yield _number(match, "NATIONAL_ID", "tw-id", _CHECKED)
        for pattern in (_CHINESE_PHONE, _TAIWANESE_PHONE):
            for match in pattern.finditer(text):
                yield _number(match, "PHONE", "cn-phone", _PHONE)
    if "hang" in scripts:
        for match in _KOREAN_ID.finditer(text):
            yield _number(match, "NATIONAL_ID", "kr-rrn", _CHECKED)
    if "thai" in scripts:
        for match in _THAI_ID.finditer(text):
            if thai_id(match.group()):
                yield _number(match, "NATIONAL_ID", "th-id", _CHECKED)
    if "arab" in scripts:
        for match in _EMIRATES_ID.finditer(text):
            yield _number(match, "NATIONAL_ID", "ae-id", _CHECKED)


def _number(match: re.Match[str], entity: str, rule: str, priority: int) -> Finding:
    return Finding(match.start(), match.end(), entity, 0.9, rule, priority)
