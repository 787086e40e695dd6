"""ASCII text in seven bits a character. Pure.

A code of a fixed rate and no compression: its length says how many characters a text has and that all of them are
ASCII, which the length of UTF-8 says of a text of known length too (docs/adr/0035). Eight characters are seven bytes,
the first character in the lowest bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

_MOST: Final = 1 << 15
"""Characters packed at once; the masks below are as long."""
_GROUP: Final = (1 << 64) - 1


def _lanes(value: int, width: int) -> int:
    """``value`` in every lane of ``width`` bytes."""
    return int.from_bytes(value.to_bytes(width, "little") * (_MOST // width), "little")


_STEPS: Final = tuple(
    (_lanes((1 << bits) - 1, width), _lanes((1 << bits) - 1 << width * 4, width), gap)
    for bits, width, gap in ((7, 2, 1), (14, 4, 2), (28, 8, 4))
)
"""Two neighbours become one of twice the bits: the lower, the upper as it stood, and the bits between them."""
_BACK: Final = tuple(
    (np.uint64(low & _GROUP), np.uint64(high >> gap & _GROUP), np.uint64(gap)) for low, high, gap in reversed(_STEPS)
)
"""The same backwards, in the 64 bits of a group."""
_SEVEN: Final = np.uint64((1 << 56) - 1)
_PADS: Final = tuple(bytes(-over % 7) for over in range(7))
"""What makes groups of seven of a length, by what it is over."""


def packed(text: str) -> bytes | None:
    """The text in seven bits a character, or ``None`` for one that is not all ASCII or ends with NUL."""
    if not text.isascii() or text.endswith("\0"):
        return None
    raw = text.encode("ascii")
    if len(raw) <= _MOST:
        return _pack(raw)
    return b"".join([_pack(raw[start : start + _MOST]) for start in range(0, len(raw), _MOST)])


def all_unpacked(several: Sequence[bytes]) -> list[str]:
    """The texts that :func:`packed` was given. Twenty at once take a third of the time of one after the other.

    Raises :class:`ValueError` for bytes it never makes.
    """
    joined = b"".join([data + _PADS[len(data) % 7] for data in several])
    # Groups of seven bytes, read as eight each and rid of the eighth: no copy puts them apart.
    lanes = np.ndarray((len(joined) // 7,), "<u8", joined + b"\0", strides=(7,)) & _SEVEN
    for low, high, gap in _BACK:
        upper = lanes & high
        upper <<= gap
        lanes &= low
        lanes |= upper
    held = lanes.tobytes().decode("ascii")
    texts: list[str] = []
    start = 0
    for data in several:
        size = len(data)
        end = start + 8 * -(-size // 7)
        stop = start + size * 8 // 7
        if stop == end > start and held[stop - 1] == "\0":
            stop -= 1
        text = held[start:stop]
        if (stop != end and held[stop:end].strip("\0")) or text.endswith("\0"):
            raise ValueError("bits behind the last character")
        texts.append(text)
        start = end
    return texts


def _pack(raw: bytes) -> bytes:
    lanes = int.from_bytes(raw, "little")
    for low, high, gap in _STEPS:
        lanes = lanes & low | (lanes & high) >> gap
    spread = bytearray(lanes.to_bytes(-(-len(raw) // 8) * 8, "little"))
    del spread[7::8]
    return bytes(spread[: -(-len(raw) * 7 // 8)])
