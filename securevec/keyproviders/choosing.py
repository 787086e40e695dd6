"""A provider from environment variables. Never from a home or a settings file: the module of a token is machine code,
and a file that travels with the data must not be able to name what this process loads (docs/keys.md).

    SECUREVEC_PKCS11_MODULE     path of the PKCS#11 library
    SECUREVEC_PKCS11_TOKEN      label of the token
    SECUREVEC_PKCS11_PIN        its user PIN, or SECUREVEC_PKCS11_PIN_FILE
    SECUREVEC_AWS_KMS_KEY       ARN, id or alias; without it a KMS key is made for each root key
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from securevec.errors import ConfigError
from securevec.keyproviders.provider import Provider

PKCS11_MODULE: Final = "SECUREVEC_PKCS11_MODULE"
PKCS11_TOKEN: Final = "SECUREVEC_PKCS11_TOKEN"  # noqa: S105  # the variable's name
PKCS11_PIN: Final = "SECUREVEC_PKCS11_PIN"
PKCS11_PIN_FILE: Final = "SECUREVEC_PKCS11_PIN_FILE"
AWS_KMS_KEY: Final = "SECUREVEC_AWS_KMS_KEY"

VARIABLES: Final = (PKCS11_MODULE, PKCS11_TOKEN, PKCS11_PIN, PKCS11_PIN_FILE, AWS_KMS_KEY)


def provider_from(kind: str, env: Mapping[str, str]) -> Provider | None:
    """The provider of this kind as the environment describes it; ``None`` for a key file or passphrase.

    Raises :class:`ConfigError` for a variable that is missing, and what the provider raises.
    """
    if kind == "pkcs11":
        from securevec.keyproviders.pkcs11 import Pkcs11Provider

        return Pkcs11Provider(module=_needed(env, PKCS11_MODULE), token=_needed(env, PKCS11_TOKEN), pin=_pin(env))
    if kind == "aws-kms":
        from securevec.keyproviders.aws_kms import AwsKmsProvider

        return AwsKmsProvider(key=env.get(AWS_KMS_KEY) or None)
    return None


def _needed(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise ConfigError("A PKCS#11 token needs its module, its label and its PIN.", next_step=f"Set {name}.")
    return value


def _pin(env: Mapping[str, str]) -> str:
    file = env.get(PKCS11_PIN_FILE)
    if not file:
        return _needed(env, PKCS11_PIN)
    if env.get(PKCS11_PIN):
        raise ConfigError(f"Both {PKCS11_PIN} and {PKCS11_PIN_FILE} are set.", next_step="Keep one.")
    pin = b""
    try:
        descriptor = os.open(Path(file), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if os.fstat(descriptor).st_mode & 0o077 or not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError("The PIN file is open to others.", next_step="Run chmod 600 on it.")
            pin = stream.read(1024).rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError("The PIN file cannot be read.") from error
    if not pin or not pin.isascii():
        raise ConfigError("The PIN file is empty, or holds no PIN.")
    return pin.decode("ascii")
