"""What a key provider hands over: the root key, and an id that says which one it is without telling it."""

from __future__ import annotations

from typing import Protocol

from securevec.crypto.kdf import hmac256
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import WrappingKey


class RootKey(Protocol):
    """The key above all others, kept outside the home. ``key_id`` is 16 hex digits (:func:`root_key_id`)."""

    @property
    def key_id(self) -> str: ...

    def secret(self) -> Secret: ...


def root_key_id(secret: Secret) -> str:
    """Hex of the first 8 bytes of HMAC(key, "securevec/rootid/v1")."""
    return hmac256(secret.bytes(), b"securevec/rootid/v1")[:8].hex()


def root_wrapping_key(root: RootKey) -> WrappingKey:
    """The root key in its only role. Its wrapping key id is the 8 bytes of its id."""
    return WrappingKey(root.secret(), bytes.fromhex(root.key_id))
