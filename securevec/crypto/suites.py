"""The four suites of wire format v1 (docs/formats.md section 3): which cipher, and what it puts before the ciphertext.

1  AES-256-GCM (NIST SP 800-38D), random 96-bit nonces: the default; 2^30 messages a key (leases.py)
2  AES-256-GCM under a key derived for each message from a 192-bit nonce, and a commitment to that key: for keys that
   many share or that somebody else chose
3  AES-256-GCM-SIV (RFC 8452): a repeated nonce tells only whether two messages are equal
4  ChaCha20-Poly1305 (RFC 8439): for machines without AES instructions

GCM, GCM-SIV and Poly1305 do not commit to their key by themselves. The envelope's key id does, for keys this library
made; suite 2 does by itself.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, Protocol, get_args

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV, ChaCha20Poly1305

from securevec.crypto.kdf import hmac256
from securevec.errors import ConfigError, UnsupportedPlatform
from securevec.types import Suite

DEFAULT: Final = 1

NONCE_BYTES: Final = {1: 12, 2: 24, 3: 12, 4: 12}
TAG_BYTES: Final = {1: 16, 2: 32 + 16, 3: 16, 4: 16}
"""What a suite adds to a message besides its nonce. In suite 2 the commitment stands before the ciphertext."""

_COMMITMENT: Final = 32
_FIXED_NONCE: Final = bytes(12)
"""Of suite 2's GCM: its key is used for one message."""


class Aead(Protocol):
    """Both raise :class:`InvalidTag` and nothing else for what was altered."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


def number_of(suite: str) -> int:
    """The number in the header. Raises :class:`ConfigError` for another name."""
    names = get_args(Suite)
    if suite not in names:
        raise ConfigError("There is no such suite.", next_step=f"One of: {', '.join(names)}.")
    return names.index(suite) + 1


def aead(number: int, key: bytes) -> Aead:
    """The cipher of a suite under a 32-byte key. Raises :class:`UnsupportedPlatform` where OpenSSL has it not."""
    try:
        return _CIPHERS[number](key)
    except UnsupportedAlgorithm as error:
        raise UnsupportedPlatform(
            "The cryptography library of this machine does not have this suite.",
            next_step="Use another suite, or a build of OpenSSL 3.2 or newer.",
        ) from error


class CommittingGcm:
    """Suite 2. A blob opens under one key only: one that opens under two is a collision of HMAC-SHA-256."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        key, commitment = self._derived(nonce)
        return commitment + AESGCM(key).encrypt(_FIXED_NONCE, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        key, commitment = self._derived(nonce)
        if not hmac.compare_digest(commitment, data[:_COMMITMENT]):
            raise InvalidTag
        return AESGCM(key).decrypt(_FIXED_NONCE, data[_COMMITMENT:], associated_data)

    def _derived(self, nonce: bytes) -> tuple[bytes, bytes]:
        return (
            hmac256(self._key, b"securevec/message-key/v1" + nonce),
            hmac256(self._key, b"securevec/message-commitment/v1" + nonce),
        )


_CIPHERS: Final[dict[int, Callable[[bytes], Aead]]] = {1: AESGCM, 2: CommittingGcm, 3: AESGCMSIV, 4: ChaCha20Poly1305}
