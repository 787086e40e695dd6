"""Padding, so that the length of a ciphertext says less about the length of what it holds.

One byte 0x80, then zeros (ISO/IEC 7816-4, clause 9), up to a power of two or a fixed length. It lies inside what is
authenticated, so an alteration of it is seen before it is read.
"""

from __future__ import annotations

from typing import Final, Literal

from securevec.errors import EnvelopeRejected, LimitExceeded, UsageError
from securevec.limits import MAX_RECORD_BYTES

Padding = Literal["power-of-two"] | int
"""Up to the next power of two of at least 64 bytes, or to this many bytes."""

_LEAST: Final = 64
_MARK: Final = b"\x80"


def pad(plaintext: bytes, padding: Padding) -> bytes:
    """``plaintext`` and at least one byte of padding.

    Raises :class:`LimitExceeded` when it does not fit, :class:`UsageError` for a length that is none.
    """
    if padding == "power-of-two":
        # The largest value there is has no power of two above it within the limit; it gets that limit instead.
        target = min(max(_LEAST, 1 << len(plaintext).bit_length()), MAX_RECORD_BYTES)
    elif type(padding) is int and 0 < padding <= MAX_RECORD_BYTES:
        target = padding
    else:
        raise UsageError(
            "Padding goes up to a power of two or to a number of bytes.",
            next_step='Use "power-of-two", or a number up to 16 MiB.',
        )
    if len(plaintext) >= target:
        raise LimitExceeded(
            "A value is longer than what it is to be padded to.",
            next_step="Raise the length, or pad to a power of two.",
        )
    return plaintext + _MARK + bytes(target - len(plaintext) - 1)


def unpad(padded: bytes) -> bytes:
    """What :func:`pad` was given. Raises :class:`EnvelopeRejected` for what has no padding."""
    end = len(padded.rstrip(b"\0"))
    if end == 0 or padded[end - 1 : end] != _MARK:
        raise EnvelopeRejected("A sealed value does not open in this place.")
    return padded[: end - 1]
