"""Keyed hashing, unambiguous concatenation and passphrase stretching.

Sources: HMAC, RFC 2104 with SHA-256 of FIPS 180-4; Argon2id, RFC 9106.
"""

from __future__ import annotations

import contextlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from securevec.crypto.secret import SECRET_BYTES, Secret
from securevec.errors import ConfigError


def hmac256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256, 32 bytes."""
    return hmac.digest(key, message, "sha256")


def h16(key: bytes, message: bytes) -> bytes:
    """The first 16 bytes of HMAC-SHA-256."""
    return hmac.digest(key, message, "sha256")[:16]


class Keyed:
    """Keyed hashes of many messages under one key, which is hashed in once: a third of the time from the second on."""

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        self._begun = HMAC(key, SHA256())

    def hmac256(self, message: bytes) -> bytes:
        """:func:`hmac256` of the message."""
        begun = self._begun.copy()
        begun.update(message)
        return begun.finalize()

    def h16(self, message: bytes) -> bytes:
        """:func:`h16` of the message."""
        return self.hmac256(message)[:16]


def h16_hex(key: bytes, message: bytes) -> str:
    """The first 16 bytes of HMAC-SHA-256 as 32 hex digits."""
    return h16(key, message).hex()


def lp(*parts: bytes) -> bytes:
    """Every part behind its length in 4 big-endian bytes: two different lists never give the same bytes."""
    if len(parts) == 1:
        return len(parts[0]).to_bytes(4, "big") + parts[0]
    if len(parts) == 2:
        first, second = parts
        return len(first).to_bytes(4, "big") + first + len(second).to_bytes(4, "big") + second
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def argon2id(passphrase: str, *, salt: bytes, memory_kib: int, iterations: int, lanes: int) -> Secret:
    """A secret from a passphrase (RFC 9106, Argon2id, 32-byte output, UTF-8 without normalization).

    The caller enforces floors and ceilings of the cost. Raises :class:`ConfigError` on lone surrogates.
    """
    encoded = None
    with contextlib.suppress(UnicodeEncodeError):
        encoded = passphrase.encode()
    if encoded is None:
        # Raised outside the handler: the codec's error carries the passphrase, as the cause or as the context.
        raise ConfigError("The passphrase is not valid Unicode text.")
    stretched = Argon2id(salt=salt, length=SECRET_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
    return Secret(stretched.derive(encoded))
