"""Ed25519 (RFC 8032) for checkpoints and receipts, and its public key file (RFC 8410, PEM)."""

from __future__ import annotations

from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from securevec.crypto.secret import Secret
from securevec.errors import CheckFailed, KeyRejected, UsageError

PUBLIC_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
SUCCESSION: Final = "-----BEGIN SECUREVEC KEY SUCCESSION-----"
"""Begins a block that may follow the key in its file (securevec.audit.succession)."""
_MAX_PEM_BYTES: Final = 4 * 1024 * 1024


class SigningKey:
    """An Ed25519 key made from a 32-byte seed. ``public`` is the raw public key. Not picklable; ``repr`` is fixed."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: Secret) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed.bytes())
        self.public: Final = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature."""
        return self._private.sign(message)

    def in_force(self, public: bytes | None) -> SigningKey:
        """This key, where no other may be asked for. Raises :class:`KeyRejected` when another is."""
        if public not in (None, self.public):
            raise KeyRejected("The log is signed with another key by now.", next_step="Use the key it was handed to.")
        return self

    def public_pem(self) -> bytes:
        """The public key as PEM SubjectPublicKeyInfo."""
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def __repr__(self) -> str:
        return "SigningKey(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SigningKey is never pickled or copied")


def verify(public: bytes, signature: bytes, message: bytes) -> None:
    """Return if ``signature`` is that of the raw 32-byte key over ``message``. Raises :class:`CheckFailed`."""
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        raise CheckFailed("A signature or public key has the wrong length.")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise CheckFailed("A signature does not hold.") from None


def load_public_pem(data: bytes) -> bytes:
    """The raw 32 bytes of a public key file. Raises :class:`UsageError` for anything but an Ed25519 public key."""
    message, next_step = "This is not an Ed25519 public key file.", "Write one with: securevec keys export-public."
    if len(data) > _MAX_PEM_BYTES:
        raise UsageError(message, next_step=next_step)
    # The first block is the key; exchanges of keys may follow.
    head, end, rest = data.partition(b"-----END PUBLIC KEY-----")
    if rest.count(b"-----BEGIN ") != rest.count(SUCCESSION.encode()):
        raise UsageError(message, next_step=next_step)  # two keys: which one is meant?
    try:
        key = load_pem_public_key(head + end)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(message, next_step=next_step) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(message, next_step=next_step)
    return key.public_bytes_raw()
