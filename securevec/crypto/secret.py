"""Thirty-two secret bytes that do not show themselves.

The buffer can be wiped, which is best effort: OpenSSL contexts and the ``bytes`` handed to it are copies out of reach
of Python. What this class does hold is that a secret never reaches a log, a traceback's ``repr`` or a pickle.
"""

from __future__ import annotations

import hmac
import os
from typing import Final, NoReturn

from securevec.errors import KeyUnavailable

SECRET_BYTES: Final = 32


class Secret:
    """A 32-byte key. Equality takes constant time; ``repr`` is fixed; pickling and copying raise ``TypeError``."""

    __slots__ = ("_buffer", "_wiped")

    def __init__(self, value: bytes | bytearray) -> None:
        if len(value) != SECRET_BYTES:
            raise ValueError("a secret is 32 bytes")
        self._buffer = bytearray(value)
        self._wiped = False

    @classmethod
    def random(cls) -> Secret:
        """A new secret from the operating system's generator."""
        return cls(os.urandom(SECRET_BYTES))

    def bytes(self) -> bytes:
        """The 32 bytes. Raises :class:`KeyUnavailable` after :meth:`wipe`: zeros must never be used as a key."""
        if self._wiped:
            raise KeyUnavailable("A key was used after it was wiped from memory.", next_step="Open the store again.")
        return bytes(self._buffer)

    def wipe(self) -> None:
        """Overwrite the buffer. Idempotent."""
        self._wiped = True
        self._buffer[:] = bytes(SECRET_BYTES)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.bytes(), other.bytes())

    __hash__ = None  # type: ignore[assignment]  # a hash of key material would travel further than the key

    def __repr__(self) -> str:
        return "Secret(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled or copied")
