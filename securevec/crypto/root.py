"""What a key provider hands over: the root key, and an id that says which one it is without telling it.

Which root key a row of the key store is wrapped under, the row says. So :class:`Roots` is asked by that id, and a root
key that was rotated by another process is fetched when the first row that names it is met.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from securevec.crypto.kdf import hmac256
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import WrappingKey
from securevec.errors import KeyUnavailable

ROOT_ID_BYTES: Final = 8


class RootKey(Protocol):
    """The key above all others, kept outside the home. ``key_id`` is 16 hex digits (:func:`root_key_id`)."""

    @property
    def key_id(self) -> str: ...

    def secret(self) -> Secret: ...


class Roots:
    """Root keys by id, fetched from their provider when they are needed and kept for ``ttl_s`` seconds at most.

    ``None`` keeps one as long as the process runs: for a key file or passphrase, which nobody can withdraw. A provider
    that can is asked again after ``ttl_s``, so that a key disabled there stops being used here. When it does not answer
    then, the key serves for ``stale_s`` more seconds (0 to 900), but never after it said that the key is disabled,
    destroyed or not for us.
    """

    __slots__ = ("_fetch", "_held", "_now", "_since", "_stale", "_ttl")

    def __init__(
        self,
        fetch: Callable[[str], RootKey],
        *,
        ttl_s: float | None = None,
        stale_s: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``fetch`` is given a root key's id (16 hex digits) and raises what a provider raises."""
        self._fetch = fetch
        self._ttl = ttl_s
        self._stale = stale_s
        self._now = now
        self._held: WrappingKey | None = None
        self._since = 0.0

    @classmethod
    def of(cls, root: RootKey) -> Roots:
        """The one root key that is there. A row that names another does not open with it."""
        return cls(lambda _: root)

    def wrapping(self, wrapping_id: bytes) -> WrappingKey:
        """The root key of this id in its only role. Raises what the provider does."""
        held, now = self._held, self._now()
        known = held is not None and held.key_id == wrapping_id
        if held is not None and known and (self._ttl is None or now < self._since + self._ttl):
            return held
        try:
            fresh = root_wrapping_key(self._fetch(wrapping_id.hex()))
        except KeyUnavailable:
            if held is not None and known and self._ttl is not None and now < self._since + self._ttl + self._stale:
                return held
            raise
        except BaseException:
            self._held = None  # withdrawn
            raise
        self._held, self._since = fresh, now
        return fresh

    def expire(self) -> None:
        """Drop a root key that may not serve any longer, whether anybody asks for it or not."""
        if self._ttl is not None and self._now() >= self._since + self._ttl + self._stale:
            self._held = None

    def forget(self) -> None:
        """Drop the root key; the next use asks the provider."""
        self._held = None

    def __repr__(self) -> str:
        return "Roots(<hidden>)"


def root_key_id(secret: Secret) -> str:
    """Hex of the first 8 bytes of HMAC(key, "securevec/rootid/v1")."""
    return hmac256(secret.bytes(), b"securevec/rootid/v1")[:ROOT_ID_BYTES].hex()


def root_wrapping_key(root: RootKey) -> WrappingKey:
    """The root key in its only role. Its wrapping key id is the 8 bytes of its id."""
    return WrappingKey(root.secret(), bytes.fromhex(root.key_id))
