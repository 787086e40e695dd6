"""Doubles as integers of the same order, so that Chroma never compares or stores a double.

Chroma rounds (measured on 1.5.9): of 4,000 random doubles 1,203 came back one unit in the last place off, because its
log is JSON read by a fast and inexact parser. And it compares across kinds wrongly: ``$eq 0.5`` finds the integer 0,
``$lt 0.5`` does not, and an integer beyond 2^53 finds the double next to it. Integers of 64 bits it keeps and compares
exactly, so everything is made of those.
"""

from __future__ import annotations

import math
import struct
from typing import Final, Literal

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1
_MAGNITUDE: Final = 2**63 - 1

Order = Literal["lt", "lte", "gt", "gte"]


def rank(number: float) -> int:
    """An integer of 64 bits that orders as ``number`` does among finite doubles; minus zero ranks as zero."""
    bits: int = struct.unpack("<q", struct.pack("<d", number + 0.0))[0]
    return bits if bits >= 0 else -(bits & _MAGNITUDE)


def unrank(value: int) -> float:
    """The double of this rank. Raises :class:`ValueError` for an integer that is no finite double's rank."""
    if not LEAST < value <= MOST:
        raise ValueError("no rank")
    magnitude: float = struct.unpack("<d", struct.pack("<q", abs(value)))[0]
    if not math.isfinite(magnitude):
        raise ValueError("no rank")
    return magnitude if value >= 0 else -magnitude


def as_integer(number: float) -> int | None:
    """The 64-bit integer equal to ``number``, if there is one."""
    whole = int(number)
    return whole if whole == number and LEAST <= whole <= MOST else None


def as_double(number: float) -> float | None:
    """The double equal to ``number``, if there is one."""
    near = float(number)
    return near if near == number else None


def integer_bound(op: Order, number: float) -> tuple[Order, int]:
    """The bound on integers that holds exactly where ``op number`` holds. It may lie beyond 64 bits."""
    if isinstance(number, int):
        return op, number
    return op, math.ceil(number) if op in ("lt", "gte") else math.floor(number)


def rank_bound(op: Order, number: float) -> tuple[Order, int]:
    """The bound on ranks that holds exactly where ``op number`` holds of the ranked double."""
    near = float(number)
    if near == number:
        return op, rank(near)
    if op in ("lt", "lte"):
        return "lte", rank(near if near < number else math.nextafter(near, -math.inf))
    return "gte", rank(near if near > number else math.nextafter(near, math.inf))
