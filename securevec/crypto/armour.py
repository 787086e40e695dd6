"""Envelopes as text, for stores that keep nothing but text: six bytes of UTF-8 for five (docs/formats.md 3.1).

Both stores keep JSON or UTF-8, so a byte of an envelope costs what its text costs there. Base64 takes 1.333 bytes for
one. Two bytes of UTF-8 are either two of 92 printable ASCII characters or one character from U+00A0 to U+07FF: 10,352
digits that JSON leaves as they are, and three of them hold 40 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from securevec.crypto.header import MAX_BLOB, REJECTED
from securevec.errors import EnvelopeRejected

_ASCII: Final = bytes(number for number in range(0x21, 0x7F) if number not in b'"\\')
"""Without the space, the quotation mark and the backslash."""
_SPELLED: Final = [bytes((first, second)) for first in _ASCII for second in _ASCII] + [
    chr(number).encode() for number in range(0xA0, 0x800)
]
"""The two bytes of each digit."""
_BASE: Final = len(_SPELLED)
_WIDE_BASE: Final = np.uint64(_BASE)
"""Without a sign, as NumPy divides four times as fast."""
_BYTES: Final = 5
_DIGITS: Final = 3
_TWO: Final = 1 << 24
"""Added to a last group of two bytes, which takes as many digits as one of three."""
_FOUR: Final = 1 << 40
"""The same for four bytes and five."""
_AT_ONCE: Final = 1 << 20
"""Bytes of text that are read together, at most: on the way they take eight times as much."""
_SIZES: Final = (0, 1, 2, 2, 3)
"""Digits of a last group, by its bytes; of five bytes, three."""

_TO_DIGIT: Final[NDArray[np.float64]] = np.full(1 << 16, 2.0**45)
"""By two bytes. What is no digit makes more of its group than 40 bits hold, in each place. Doubles: the groups there
are stay below 2^53, so they are exact, and a product of doubles takes an eighth of the time."""
_TO_BYTES: Final = np.frombuffer(b"".join(_SPELLED), dtype=np.uint16)
_TO_DIGIT[_TO_BYTES] = np.arange(_BASE)
_PLACES: Final = np.array([_BASE * _BASE, _BASE, 1], dtype=np.float64)
_LOW_FIVE: Final = np.dtype({"names": ["low"], "formats": ["V5"], "offsets": [3], "itemsize": 8})


def to_text(blob: bytes) -> str:
    """The one text of a blob."""
    return to_texts((blob,))[0]


def to_texts(blobs: Sequence[bytes]) -> list[str]:
    """:func:`to_text` of each: a batch of sixty takes half the time, because every step is taken for all at once."""
    lengths = [max(0, len(blob) - 1) // _BYTES for blob in blobs]
    if sum(lengths) > _AT_ONCE // _BYTES and len(blobs) > 1:
        half = len(blobs) // 2
        return to_texts(blobs[:half]) + to_texts(blobs[half:])
    whole = sum(lengths)
    wide = np.zeros((whole, 8), dtype=np.uint8)
    inner = b"".join([blob[: _BYTES * groups] for blob, groups in zip(blobs, lengths, strict=True)])
    wide[:, 3:] = np.frombuffer(inner, dtype=np.uint8).reshape(whole, _BYTES)
    left = wide.view(">u8").reshape(whole).astype(np.uint64)
    digits = np.empty((whole, _DIGITS), dtype=np.int64)
    for place in reversed(range(_DIGITS)):
        above = left // _WIDE_BASE
        digits[:, place] = left - above * _WIDE_BASE
        left = above
    spelled = _TO_BYTES[digits].tobytes()
    texts: list[str] = []
    start = 0
    for blob, groups in zip(blobs, lengths, strict=True):
        end = start + 2 * _DIGITS * groups
        texts.append((spelled[start:end] + _last(blob[_BYTES * groups :])).decode())
        start = end
    return texts


def text_size(blob_bytes: int) -> int:
    """Bytes of UTF-8 that :func:`to_text` makes of this many."""
    groups, rest = divmod(blob_bytes, _BYTES)
    return 2 * (groups * _DIGITS + _SIZES[rest])


def from_texts(texts: Sequence[object]) -> list[bytes | None]:
    """The blob of each, or ``None`` where it is no :func:`to_text` of any: ten take twice the time of one."""
    raws = [_raw(text) for text in texts]
    if len(raws) > 1 and sum(map(len, raws)) > _AT_ONCE:
        half = len(texts) // 2
        return from_texts(texts[:half]) + from_texts(texts[half:])
    lengths = [max(0, len(raw) // 2 - 1) // _DIGITS for raw in raws]
    # The whole groups of all of them, and behind those the last group of each: one look into the table.
    whole = [raw[: 6 * groups] for raw, groups in zip(raws, lengths, strict=True)]
    rests = [raw[6 * groups :] for raw, groups in zip(raws, lengths, strict=True)]
    digits = _TO_DIGIT.take(np.frombuffer(b"".join(whole + rests), dtype=np.uint16))
    inner = _DIGITS * sum(lengths)
    read: NDArray[np.float64] = digits[:inner].reshape(-1, _DIGITS).dot(_PLACES)
    ends = iter(digits[inner:].tolist())
    sound = not len(read) or float(read.max()) < _FOUR
    held = (read if sound else np.minimum(read, _FOUR)).astype(">i8").view(_LOW_FIVE)["low"].tobytes()
    blobs: list[bytes | None] = []
    start = 0
    for rest, groups in zip(rests, lengths, strict=True):
        end = start + groups
        last = _read_last(list(islice(ends, len(rest) // 2)))
        if last is None or (not sound and groups and float(read[start:end].max()) >= _FOUR):
            blobs.append(None)
        else:
            blobs.append(held[_BYTES * start : _BYTES * end] + last)
        start = end
    return blobs


def from_text(text: object) -> bytes:
    """The blob of :func:`to_text`. Raises :class:`EnvelopeRejected` for anything else, also for other spellings of
    the same bytes: one blob has one text."""
    (blob,) = from_texts((text,))
    if blob is None:
        raise EnvelopeRejected(REJECTED)
    return blob


def _raw(text: object) -> bytes:
    """The UTF-8 of what may be such a text, else nothing."""
    if not isinstance(text, str) or len(text) > MAX_BLOB * 2:
        return b""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return b""
    return raw if len(raw) % 2 == 0 else b""


def _last(rest: bytes) -> bytes:
    """The digits of the last one to five bytes."""
    value = int.from_bytes(rest) + (_TWO if len(rest) == 2 else _FOUR if len(rest) == 4 else 0)
    spelled = b""
    for _ in range((*_SIZES, _DIGITS)[len(rest)]):
        value, digit = divmod(value, _BASE)
        spelled = _SPELLED[digit] + spelled
    return spelled


def _read_last(digits: Sequence[float]) -> bytes | None:
    value = 0
    for digit in digits:
        value = value * _BASE + int(digit)
    size = (0, 1, 3, 5)[len(digits)]
    short = {3: _TWO, 5: _FOUR}.get(size)
    if short is not None and value >= short:
        value, size = value - short, size - 1
    return value.to_bytes(size) if size and value < 1 << 8 * size else None
