"""ASCII text in seven bits a character. Pure.

A code of a fixed rate and no compression: its length says how many characters a text has and that all of them are
ASCII, which the length of UTF-8 says of a text of known length too (docs/adr/0035). Eight characters are seven bytes,
the first character in the lowest bits.
"""

from __future__ import annotations

from typing import Final

_MOST: Final = 1 << 15
"""Characters packed at once; the masks below are as long."""
_STEP: Final = _MOST // 8 * 7


def _lanes(value: int, width: int) -> int:
    """``value`` in every lane of ``width`` bytes."""
    return int.from_bytes(value.to_bytes(width, "little") * (_MOST // width), "little")


_STEPS: Final = tuple(
    (_lanes((1 << bits) - 1, width), _lanes((1 << bits) - 1 << width * 4, width), gap)
    for bits, width, gap in ((7, 2, 1), (14, 4, 2), (28, 8, 4))
)
"""Two neighbours become one of twice the bits: the lower, the upper as it stood, and the bits between them."""
_BACK: Final = tuple((low, high >> gap, gap) for low, high, gap in reversed(_STEPS))


def packed(text: str) -> bytes | None:
    """The text in seven bits a character, or ``None`` for one that is not all ASCII or ends with NUL."""
    if not text.isascii() or text.endswith("\0"):
        return None
    raw = text.encode("ascii")
    if len(raw) <= _MOST:
        return _pack(raw)
    return b"".join([_pack(raw[start : start + _MOST]) for start in range(0, len(raw), _MOST)])


def unpacked(data: bytes) -> str:
    """The text :func:`packed` was given. Raises :class:`ValueError` for bytes it never makes."""
    if len(data) <= _STEP:
        raw = _unpack(data)
    else:
        raw = b"".join([_unpack(data[start : start + _STEP]) for start in range(0, len(data), _STEP)])
    groups, rest = divmod(len(data), 7)
    length = 8 * groups + rest - (rest == 0 and raw.endswith(b"\0"))
    if raw.count(0, length) != len(raw) - length or raw[length - 1 : length] == b"\0":
        raise ValueError("bits behind the last character")
    return raw[:length].decode("ascii")


def _pack(raw: bytes) -> bytes:
    lanes = int.from_bytes(raw, "little")
    for low, high, gap in _STEPS:
        lanes = lanes & low | (lanes & high) >> gap
    spread = bytearray(lanes.to_bytes(-(-len(raw) // 8) * 8, "little"))
    del spread[7::8]
    return bytes(spread[: -(-len(raw) * 7 // 8)])


def _unpack(data: bytes) -> bytes:
    groups = -(-len(data) // 7)
    data = data.ljust(7 * groups, b"\0")
    spread = bytearray(8 * groups)
    for at in range(7):
        spread[at::8] = data[at::7]
    lanes = int.from_bytes(spread, "little")
    for low, high, gap in _BACK:
        lanes = lanes & low | (lanes & high) << gap
    return lanes.to_bytes(8 * groups, "little")
