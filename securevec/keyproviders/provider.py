"""What every key provider can do, and the form in which one that never gives its key away keeps the root key.

A home has one root key; a provider makes it, and finds it again from what ``installation.json`` remembers of it (no
secret: kind, id, salt, or the root key wrapped under a key that the provider keeps). One contract suite runs against
every provider (:mod:`securevec.testing.keyproviders`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import ClassVar, Final, Protocol

from securevec.crypto.root import RootKey, root_key_id
from securevec.crypto.secret import SECRET_BYTES, Secret
from securevec.errors import HomeRefused, KeyRejected

Params = Mapping[str, object]
"""The ``key_provider`` object of ``installation.json``."""

REMOVED: Final = "removed from live files"
DESTROYED: Final = "destroyed (provider evidence)"
NOT_OURS: Final = "kept by its owner"
"""What :meth:`Provider.retire` says of a key that this library does not manage."""


class Provider(Protocol):
    """A place for root keys. Errors: :class:`KeyUnavailable` (it does not answer; ask again), :class:`KeyRejected`
    (it refuses, or its answer is not the key), :class:`KeyDestroyed` (gone for good), :class:`ConfigError`."""

    kind: ClassVar[str]
    remote: ClassVar[bool]
    """Whether the root key lives elsewhere and can be withdrawn there, so that it is asked for again in time."""

    def create(self, installation_id: str, *, successor: bool = False) -> tuple[RootKey, dict[str, object]]:
        """A new root key, and what to remember of it. Nothing that is there is overwritten.

        ``successor`` is one that takes the place of the installation's present one; both can be loaded until
        :meth:`promote` and :meth:`retire`.
        """
        ...

    def load(self, params: Params, installation_id: str) -> RootKey:
        """The root key of what :meth:`create` said to remember. Raises :class:`HomeRefused` for damaged parameters."""
        ...

    def promote(self, params: Params, installation_id: str) -> None:
        """The successor is the root key from now on, the one before it stays until it is retired. Idempotent."""
        ...

    def retire(self, params: Params, installation_id: str) -> str:
        """Give up a root key that nothing is wrapped under any more; says what became of it, and claims no more.

        ``removed from live files``, ``destroyed (provider evidence)``, ``effective at <date>`` or :data:`NOT_OURS`.
        """
        ...


class HeldRoot:
    """A root key in memory, whoever keeps it."""

    __slots__ = ("_secret", "key_id")

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self.key_id: Final = root_key_id(secret)

    def secret(self) -> Secret:
        return self._secret

    def __repr__(self) -> str:
        return "HeldRoot(<hidden>)"


def context(installation_id: str) -> dict[str, str]:
    """What a wrapped root key is bound to. A provider authenticates it and does not keep it secret."""
    return {"securevec": "root/v1", "installation": installation_id}


def wrapped_of(params: Params, kind: str) -> bytes:
    """The wrapped root key. Raises :class:`HomeRefused` for parameters of another kind or that were damaged."""
    wrapped = params.get("wrapped")
    try:
        if params.get("kind") != kind or not isinstance(wrapped, str):
            raise ValueError
        return base64.b64decode(wrapped, validate=True)
    except (binascii.Error, ValueError) as error:
        raise HomeRefused(
            "The home's key provider is of another kind, or its description is damaged.",
            next_step="Restore installation.json from a backup.",
        ) from error


def require_kind(params: Params, kind: str) -> None:
    """Raises :class:`HomeRefused` for parameters of another kind of provider."""
    if params.get("kind") != kind:
        raise HomeRefused("The home's key provider is of another kind.", next_step="Restore installation.json.")


def text_of(params: Params, name: str) -> str:
    """One text of the parameters. Raises :class:`HomeRefused`."""
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise HomeRefused(
            f"The key provider's `{name}` is missing.", next_step="Restore installation.json from a backup."
        )
    return value


def checked_root(secret: object, params: Params) -> HeldRoot:
    """The root key that a provider unwrapped, if it is the one remembered. Raises :class:`KeyRejected`."""
    if isinstance(secret, bytes) and len(secret) == SECRET_BYTES:
        root = HeldRoot(Secret(secret))
        if root.key_id == params.get("key_id"):
            return root
    raise KeyRejected(
        "The key provider's answer is not this home's root key.", next_step="Point it at the right key or token."
    )


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
