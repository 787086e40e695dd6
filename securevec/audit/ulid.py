"""Time-ordered ids of 26 characters in the ULID layout: 48 bits of UTC milliseconds, then 80 random bits.

Crockford's base 32 sorts like the number it writes, so ids sort by time. Nothing in an id comes from a caller.
"""

from __future__ import annotations

import os
import time
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
PATTERN: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
"""Regular expression of an id."""


def ulid() -> str:
    """A new id, of this moment."""
    value = ((time.time_ns() // 1_000_000 & (2**48 - 1)) << 80) | int.from_bytes(os.urandom(10), "big")
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])
