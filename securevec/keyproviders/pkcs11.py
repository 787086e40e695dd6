"""The root key wrapped inside a PKCS#11 token (an HSM, or SoftHSM): python-pkcs11, extra ``pkcs11``.

Each root key is wrapped under an AES-256 key of its own that the token made and does not give away (CKA_SENSITIVE, not
CKA_EXTRACTABLE). Wrapping is AES-GCM inside the token with the installation as additional data (PKCS#11 v2.40, section
2.10.3). So giving up a root key is destroying an object of the token, and the token can be asked whether it is gone.

The module is machine code that is loaded into this process: its path comes from the caller, never from the home.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from securevec.crypto.kdf import lp
from securevec.crypto.secret import Secret
from securevec.errors import ConfigError, KeyDestroyed, KeyRejected, KeyUnavailable, MissingExtra
from securevec.keyproviders.provider import (
    DESTROYED,
    HeldRoot,
    Params,
    checked_root,
    context,
    text_of,
    to_base64,
    wrapped_of,
)

KIND: Final = "pkcs11"
_NONCE: Final = 12
_TAG_BITS: Final = 128


class Pkcs11Provider:
    """Root keys under keys of one token."""

    kind: ClassVar[str] = KIND
    remote: ClassVar[bool] = True

    def __init__(self, *, module: str | Path, token: str, pin: str, label: str = "securevec") -> None:
        """``label`` begins the labels of the token's keys. Raises :class:`ConfigError`, :class:`MissingExtra`."""
        try:
            import pkcs11
        except ImportError as error:
            raise MissingExtra("python-pkcs11, which talks to tokens,", extra="pkcs11") from error
        if not token or not pin or not label:
            raise ConfigError("A PKCS#11 token is used by its label and its PIN.", next_step="Give both.")
        self._pkcs11: Any = pkcs11
        self._module = str(module)
        self._token = token
        self._pin = pin
        self._label = label
        self._pid = os.getpid()

    def create(self, installation_id: str, *, successor: bool = False) -> tuple[HeldRoot, dict[str, object]]:
        label = f"{self._label}/{os.urandom(8).hex()}"
        secret = Secret.random()
        with self._session(write=True) as session:
            key = session.generate_key(
                self._pkcs11.KeyType.AES,
                256,
                label=label,
                store=True,
                template={
                    self._pkcs11.Attribute.SENSITIVE: True,
                    self._pkcs11.Attribute.EXTRACTABLE: False,
                    self._pkcs11.Attribute.ENCRYPT: True,
                    self._pkcs11.Attribute.DECRYPT: True,
                },
            )
            nonce = os.urandom(_NONCE)
            sealed = nonce + bytes(key.encrypt(secret.bytes(), **self._gcm(nonce, installation_id)))
        root = HeldRoot(secret)
        return root, {
            "kind": KIND,
            "token": self._token,
            "key": label,
            "wrapped": to_base64(sealed),
            "key_id": root.key_id,
        }

    def load(self, params: Params, installation_id: str) -> HeldRoot:
        sealed, label = wrapped_of(params, KIND), text_of(params, "key")
        self._require_token(params)
        with self._session() as session:
            key = self._find(session, label)
            if key is None:
                raise KeyDestroyed("The token holds no such key any more; what it wrapped is gone.")
            nonce = sealed[:_NONCE]
            try:
                secret = bytes(key.decrypt(sealed[_NONCE:], **self._gcm(nonce, installation_id)))
            except self._pkcs11.exceptions.PKCS11Error as error:
                # Tokens answer a wrong tag in different ways; SoftHSM with a general error.
                raise KeyRejected(
                    "The token does not open this home's root key: it was altered, or is another installation's.",
                    next_step="Restore installation.json from a backup.",
                ) from error
        return checked_root(secret, params)

    def promote(self, params: Params, installation_id: str) -> None:
        """Nothing to do: the home's description names the key."""

    def retire(self, params: Params, installation_id: str) -> str:
        label = text_of(params, "key")
        self._require_token(params)
        # What the home remembers is a file that somebody may have edited: only a key that opens the root key is ours.
        with suppress(KeyDestroyed):
            self.load(params, installation_id)
        with self._session(write=True) as session:
            key = self._find(session, label)
            if key is not None:
                key.destroy()
        with self._session() as session:  # asked anew: an object may live on in the session that destroyed it
            if self._find(session, label) is not None:
                raise KeyUnavailable("The token still shows the key after its destruction.", next_step="Try again.")
        return DESTROYED

    def _gcm(self, nonce: bytes, installation_id: str) -> dict[str, Any]:
        bound = lp(*(part.encode() for item in sorted(context(installation_id).items()) for part in item))
        params = self._pkcs11.GCMParams(nonce, aad=bound, tag_bits=_TAG_BITS)
        return {"mechanism": self._pkcs11.Mechanism.AES_GCM, "mechanism_param": params}

    def _require_token(self, params: Params) -> None:
        if params.get("token") != self._token:
            raise KeyRejected(
                "The home's root key is wrapped in another token.", next_step="Name that token: SECUREVEC_PKCS11_TOKEN."
            )

    def _find(self, session: Any, label: str) -> Any:
        found = list(
            session.get_objects(
                {
                    self._pkcs11.Attribute.CLASS: self._pkcs11.ObjectClass.SECRET_KEY,
                    self._pkcs11.Attribute.LABEL: label,
                }
            )
        )
        if len(found) > 1:
            raise KeyRejected("The token holds two keys of one label.", next_step="Remove the one that is not ours.")
        return found[0] if found else None

    @contextmanager
    def _session(self, *, write: bool = False) -> Generator[Any]:
        errors = self._pkcs11.exceptions
        try:
            library = self._pkcs11.lib(self._module)
            if self._pid != os.getpid():  # a forked child has the module, and it is not initialised there
                library.reinitialize()
                self._pid = os.getpid()
            with library.get_token(token_label=self._token).open(user_pin=self._pin, rw=write) as session:
                yield session
        except (
            errors.PinIncorrect,
            errors.PinInvalid,
            errors.PinLenRange,
            errors.PinLocked,
            errors.PinExpired,
        ) as error:
            raise KeyRejected("The token refused the PIN.", next_step="Set SECUREVEC_PKCS11_PIN.") from error
        except errors.NoSuchToken as error:
            raise KeyUnavailable(
                "There is no token of this label.", next_step="Insert it, or set SECUREVEC_PKCS11_TOKEN."
            ) from error
        except (errors.PKCS11Error, OSError, RuntimeError) as error:
            raise KeyUnavailable(
                "The PKCS#11 token did not answer.", next_step="Check the module and the token."
            ) from error

    def __repr__(self) -> str:
        return "Pkcs11Provider(<hidden>)"
