"""The header of wire format v1: what an envelope says of itself before anything is authenticated.

Strict and bounded: nothing optional by omission, no bit without a meaning, no length that is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from securevec.crypto.suites import NONCE_BYTES, TAG_BYTES
from securevec.errors import EnvelopeRejected, UnknownEnvelope
from securevec.limits import MAX_RECORD_BYTES

MAGIC: Final = b"SV"
VERSION: Final = 1
SCHEMA: Final = 1
ID_BYTES: Final = 16

SUBJECT_BOUND: Final = 1
"""Flag bit 0: a subject's key is needed besides the DEK, and its id follows the key id."""
PADDED: Final = 2
"""Flag bit 1: the plaintext ends with the padding of ISO/IEC 7816-4. Every other bit is refused."""

SHORT: Final = 24
"""Header bytes before the nonce without a subject."""

REJECTED: Final = "A sealed value does not open in this place."


@dataclass(frozen=True, slots=True)
class Header:
    """``size`` is the number of header bytes before the nonce, ``start`` that of everything before the ciphertext."""

    suite: int
    flags: int
    key_id: bytes
    subject_id: bytes
    size: int
    start: int


def header_bytes(suite: int, flags: int, key_id: bytes, subject_id: bytes = b"") -> bytes:
    """The header of a new envelope, 24 bytes or 40 with a subject."""
    return MAGIC + bytes((VERSION, suite, 0, flags, 0, SCHEMA)) + key_id + subject_id


def overhead(suite: int, *, subject: bool = False) -> int:
    """Bytes an envelope is longer than its plaintext and padding: 52 in suite 1."""
    return SHORT + (ID_BYTES if subject else 0) + NONCE_BYTES[suite] + TAG_BYTES[suite]


MAX_BLOB: Final = MAX_RECORD_BYTES + max(overhead(suite, subject=True) for suite in NONCE_BYTES)


def read_header(blob: bytes) -> Header:
    """What a blob says it is. Nothing is authenticated yet.

    Raises :class:`EnvelopeRejected` for what is not an envelope, and its kind :class:`UnknownEnvelope` for a version,
    suite, flag or schema version that this release does not read.
    """
    if len(blob) < SHORT or len(blob) > MAX_BLOB or blob[:2] != MAGIC:
        raise EnvelopeRejected(REJECTED)
    version, suite, high, flags = blob[2], blob[3], blob[4], blob[5]
    if (
        version != VERSION
        or suite not in NONCE_BYTES
        or high
        or flags & ~(SUBJECT_BOUND | PADDED)
        or int.from_bytes(blob[6:8], "big") != SCHEMA
    ):
        raise UnknownEnvelope(
            "A sealed value has a version, suite or flag this release does not read.",
            next_step="Read it with the release that wrote it, or upgrade.",
        )
    subject = bool(flags & SUBJECT_BOUND)
    if len(blob) < overhead(suite, subject=subject):
        raise EnvelopeRejected(REJECTED)
    size = SHORT + (ID_BYTES if subject else 0)
    return Header(suite, flags, blob[8:SHORT], blob[SHORT:size], size, size + NONCE_BYTES[suite])
