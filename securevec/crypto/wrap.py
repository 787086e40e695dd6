"""A key wrapped under another key, and the commitment that makes a key id name one key (docs/formats.md section 2).

The key store is a file an attacker may edit. So everything a row says about its key is authenticated when the key is
unwrapped, and the row's key id is recomputed from the key itself: swapped rows, a changed epoch or state and a row
moved to another tenant do not open. Not authenticated are ``leased`` and ``created_ms``.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from securevec.crypto.kdf import hmac256, lp
from securevec.crypto.secret import Secret
from securevec.errors import KeyRejected

ACTIVE: Final = "active"
"""State of a key that new values may be sealed with."""
FULL: Final = "full"
"""State of a DEK whose nonce budget is used up: it opens values and seals none."""
ROLLED: Final = "rolled"
"""State of a DEK that was replaced before that: it opens values and seals none."""

WRAPPED_BYTES: Final = 48
_NONCE: Final = 12


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a key is for. ``tenant`` and ``collection`` are raw ids or empty; ``epoch`` is empty but for DEKs.

    Of a person's or a record's own key ``collection`` is the subject token or the record's ref, and of a record's
    ``epoch`` the generation.
    """

    kind: str
    purpose: str
    tenant: bytes = b""
    collection: bytes = b""
    epoch: str = ""

    def encoded(self) -> bytes:
        return lp(self.kind.encode(), self.tenant, self.collection, self.purpose.encode(), self.epoch.encode())


@dataclass(frozen=True, slots=True, repr=False)
class KeyRow:
    """One row of the key store. ``key_id`` is 16 bytes, ``wrapped`` 48, ``leased`` counts messages."""

    key_id: bytes
    use: KeyUse
    state: str
    wrapping_id: bytes
    wrapped: bytes
    leased: int
    created_ms: int

    def __repr__(self) -> str:
        return f"KeyRow(kind={self.use.kind!r}, purpose={self.use.purpose!r})"


class WrappingKey:
    """A root key or tenant KEK in its one role: wrapping the keys below it. ``key_id`` is 8 or 16 bytes.

    The nonce is not stored: it is a MAC of all that the row says of its key, the key's own id included. Two rows have
    one nonce only if they say the same of the same key, and then they are the same bytes (the argument of RFC 5297).
    """

    __slots__ = ("_aead", "_nonce_key", "key_id")

    def __init__(self, secret: Secret, key_id: bytes) -> None:
        self._aead = AESGCM(hmac256(secret.bytes(), b"securevec/wrapkey/v2"))
        self._nonce_key = hmac256(secret.bytes(), b"securevec/wrapnonce/v2")
        self.key_id: Final = key_id

    def __repr__(self) -> str:
        return "WrappingKey(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a WrappingKey is never pickled or copied")

    def wrap(self, secret: Secret, use: KeyUse, *, created_ms: int, state: str = ACTIVE, leased: int = 0) -> KeyRow:
        """The row that keeps ``secret`` for this use."""
        key_id = commit(secret, use)[:16]
        bound = _wrap_aad(use, key_id, self.key_id, state)
        sealed = self._aead.encrypt(self._nonce(bound), secret.bytes(), bound)
        return KeyRow(key_id, use, state, self.key_id, sealed, leased, created_ms)

    def unwrap(self, row: KeyRow) -> Secret:
        """The key of a row. Raises :class:`KeyRejected` unless every column that says what it is for is untouched."""
        bound = _wrap_aad(row.use, row.key_id, self.key_id, row.state)
        if row.wrapping_id != self.key_id or len(row.wrapped) != WRAPPED_BYTES:
            raise _rejected()
        try:
            secret = Secret(self._aead.decrypt(self._nonce(bound), row.wrapped, bound))
        except InvalidTag:
            raise _rejected() from None
        if not hmac.compare_digest(commit(secret, row.use)[:16], row.key_id):
            secret.wipe()
            raise _rejected()
        return secret

    def _nonce(self, bound: bytes) -> bytes:
        return hmac256(self._nonce_key, bound)[:_NONCE]


def commit(secret: Secret, use: KeyUse) -> bytes:
    """32 bytes that only this secret in this use gives; the key id is their first 16."""
    return hmac256(secret.bytes(), b"securevec/keyid/v1" + use.encoded())


def _wrap_aad(use: KeyUse, key_id: bytes, wrapping_id: bytes, state: str) -> bytes:
    return b"securevec/wrap/v2" + use.encoded() + lp(key_id, wrapping_id, state.encode())


def _rejected() -> KeyRejected:
    return KeyRejected(
        "A key of this installation does not open: the root key is another one, or the key store was altered.",
        next_step="Check the passphrase or key file; if it is right, restore the key store.",
    )
