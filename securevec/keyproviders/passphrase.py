"""The root key from a passphrase, stretched by Argon2id (RFC 9106; docs/formats.md section 1.1).

Salt and cost are kept in ``installation.json``, which an attacker may edit. A floor keeps the cost from being lowered
before a passphrase is caught on its way in; a ceiling keeps an edited file from exhausting memory.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import ClassVar, Final

from securevec.crypto.kdf import argon2id
from securevec.crypto.root import root_key_id
from securevec.crypto.secret import Secret
from securevec.errors import ConfigError, HomeRefused, KeyRejected
from securevec.keyproviders.provider import Params

SALT_BYTES: Final = 16
MEMORY_KIB: Final = 65_536
ITERATIONS: Final = 3
LANES: Final = 4
SHORTEST: Final = 12
"""Characters of a passphrase that a root key is made from: who has the home's files tries others at leisure."""

STILL_DERIVED: Final = "removed from live files; the passphrase still opens a copy of its salt"

_RANGES: Final = {
    "memory_kib": (65_536, 4 * 1024 * 1024),
    "iterations": (3, 64),
    "lanes": (1, 64),
}
"""Floor and ceiling, inclusive, of what is read back."""


class PassphraseRoot:
    """A root key derived from a passphrase."""

    __slots__ = ("_secret", "key_id")

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self.key_id: Final = root_key_id(secret)

    @classmethod
    def create(cls, passphrase: str) -> tuple[PassphraseRoot, dict[str, object]]:
        """A root key under a new salt, and the ``key_provider`` object to keep in ``installation.json``.

        Raises as :meth:`load`, and :class:`ConfigError` for a passphrase that is too short.
        """
        if passphrase and len(passphrase) < SHORTEST:
            raise ConfigError(
                f"A passphrase has at least {SHORTEST} characters.", next_step="Take several words, or use a key file."
            )
        params: dict[str, object] = {
            "kind": "passphrase",
            "kdf": "argon2id",
            "salt": base64.b64encode(os.urandom(SALT_BYTES)).decode("ascii"),
            "memory_kib": MEMORY_KIB,
            "iterations": ITERATIONS,
            "lanes": LANES,
        }
        return cls.load(passphrase, params), params

    @classmethod
    def load(cls, passphrase: str, params: Mapping[str, object]) -> PassphraseRoot:
        """The root key of a passphrase. Whether it is the right one shows when the key store is opened with it.

        Takes about half a second and 64 MiB. Raises :class:`ConfigError` for an empty passphrase or one that is not
        valid Unicode, and :class:`HomeRefused` for parameters that are incomplete, foreign or below the floor.
        """
        if not passphrase:
            raise ConfigError("The passphrase is empty.", next_step="Give one, or use a key file.")
        if params.get("kind") != "passphrase" or params.get("kdf") != "argon2id" or len(params) != 6:
            raise HomeRefused("The key provider's parameters are of a foreign format.", next_step="Upgrade securevec.")
        salt = _salt(params.get("salt"))
        costs = {name: _cost(name, params.get(name)) for name in _RANGES}
        return cls(argon2id(passphrase, salt=salt, **costs))

    def secret(self) -> Secret:
        return self._secret

    def __repr__(self) -> str:
        return "PassphraseRoot(<hidden>)"


class PassphraseProvider:
    """Root keys of one passphrase; a successor has a new salt and, if one is given, another passphrase."""

    kind: ClassVar[str] = "passphrase"
    remote: ClassVar[bool] = False

    def __init__(self, passphrase: str, *, successor: str | None = None) -> None:
        self._passphrase = passphrase
        self._successor = successor

    def create(self, installation_id: str, *, successor: bool = False) -> tuple[PassphraseRoot, dict[str, object]]:
        return PassphraseRoot.create((self._successor or self._passphrase) if successor else self._passphrase)

    def load(self, params: Params, installation_id: str) -> PassphraseRoot:
        """Of a key that a rotation made the id is known, and a passphrase that does not give it is refused."""
        own = {name: value for name, value in params.items() if name != "key_id"}
        for passphrase in (self._passphrase, self._successor):
            if passphrase is not None:
                root = PassphraseRoot.load(passphrase, own)
                if params.get("key_id", root.key_id) == root.key_id:
                    return root
        raise KeyRejected("The passphrase is not the one of this root key.", next_step="Set SECUREVEC_PASSPHRASE.")

    def promote(self, params: Params, installation_id: str) -> None:
        if self._successor is not None:
            self._passphrase, self._successor = self._successor, None

    def retire(self, params: Params, installation_id: str) -> str:
        return STILL_DERIVED

    def __repr__(self) -> str:
        return "PassphraseProvider(<hidden>)"


def _salt(text: object) -> bytes:
    try:
        salt = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        salt = b""
    if len(salt) != SALT_BYTES:
        raise HomeRefused("The passphrase's salt is damaged.", next_step="Restore installation.json from a backup.")
    return salt


def _cost(name: str, value: object) -> int:
    floor, ceiling = _RANGES[name]
    if not isinstance(value, int) or isinstance(value, bool) or not floor <= value <= ceiling:
        raise HomeRefused(
            f"The passphrase's {name} is outside {floor} to {ceiling}: the home's settings were weakened or damaged.",
            next_step="Restore installation.json from a backup.",
        )
    return value
