"""What happens to a found value: ``operate(text, params) -> str``, the calling convention of presidio-anonymizer.

Our own operators are here; every operator of presidio-anonymizer can be named as ``presidio:<name>`` and is applied
span by span, so that span tables and originals stay exact. The engine adds ``entity``, ``key`` (the tenant's
pseudonym key) and ``begun`` (its hash, begun) to ``params``; what the policy's author wrote comes along unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Protocol

from securevec.anonymize.findings import Finding
from securevec.anonymize.generalise import BANDS, YEARS, generalised
from securevec.anonymize.keys import normalize
from securevec.anonymize.surrogates.values import surrogate
from securevec.crypto.kdf import Keyed, hmac256, lp
from securevec.errors import ConfigError, DetectorError, MissingExtra

PRESIDIO: Final = "presidio:"

DROP: Final = "drop"
"""The only operator whose values are nowhere afterwards: the vault holds an empty text in their place."""

ENCRYPT: Final = "presidio:encrypt"
"""The only one of which two replacements of the same value differ."""

KEYED: Final = frozenset({"surrogate", "token", "hash", "presidio:hash", ENCRYPT})
"""Operators that replace under the tenant's pseudonym key: their values are others under another key."""

NEEDS_VAULT: Final = frozenset({"vault"})
"""Operators that promise a way back: a collection without a vault refuses them."""

_REFUSED: Final = {
    "custom": "presidio:custom takes code, and a policy is data.",
    "surrogate_ahds": "presidio:surrogate_ahds sends values to a cloud service.",
}


_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://")


class Operator(Protocol):
    """Replaces one value. ``params`` holds at least ``entity`` (str) and ``key`` (bytes)."""

    def operate(self, text: str, params: Mapping[str, object]) -> str: ...

    def validate(self, params: Mapping[str, object]) -> None:
        """Raises ``ConfigError`` when the policy's parameters cannot be used."""
        ...


class _Simple:
    """An operator without parameters."""

    def __init__(self, name: str, replace: Callable[[str, str, bytes], str]) -> None:
        self._name = name
        self._replace = replace

    def validate(self, params: Mapping[str, object]) -> None:
        if params:
            raise ConfigError(f"The operator {self._name} takes no parameters.")

    def operate(self, text: str, params: Mapping[str, object]) -> str:
        return self._replace(text, str(params["entity"]), _key(params))


class _Surrogate(_Simple):
    """A value of the same shape. The engine begins the hash under the tenant's key once for a text."""

    def __init__(self) -> None:
        super().__init__("surrogate", lambda text, entity, key: surrogate(key, entity, text))

    def operate(self, text: str, params: Mapping[str, object]) -> str:
        begun = params.get("begun")
        if isinstance(begun, Keyed):
            return surrogate(begun, str(params["entity"]), text)
        return super().operate(text, params)


class _Mask:
    """Letters and digits become ``char``; the last ``keep_last`` of them stay, and the scheme of a URL."""

    def validate(self, params: Mapping[str, object]) -> None:
        char, keep = params.get("char", "*"), params.get("keep_last", 0)
        if set(params) - {"char", "keep_last"}:
            raise ConfigError("The operator mask takes the parameters char and keep_last.")
        if not isinstance(char, str) or len(char) != 1 or char.isalnum():
            raise ConfigError("The parameter char of mask is one character, not a letter or digit.")
        if not isinstance(keep, int) or isinstance(keep, bool) or not 0 <= keep <= 4:
            raise ConfigError("The parameter keep_last of mask is a number from 0 to 4.")

    def operate(self, text: str, params: Mapping[str, object]) -> str:
        char, keep = str(params.get("char", "*")), params.get("keep_last", 0)
        total = sum(map(str.isalnum, text))
        # A short value keeps nothing: four characters of five would be the value.
        kept = keep if isinstance(keep, int) and total >= 2 * keep + 4 else 0
        scheme = _SCHEME.match(text) if params.get("entity") == "URL" else None
        made: list[str] = [scheme.group()] if scheme else []
        seen = sum(map(str.isalnum, made[0])) if made else 0
        for character in text[scheme.end() if scheme else 0 :]:
            if character.isalnum():
                seen += 1
                made.append(character if seen > total - kept else char)
            else:
                made.append(character)
        return "".join(made)


class _Generalise:
    """A year, a band, an area, a network (:mod:`securevec.anonymize.generalise`); the tag where nothing can be said."""

    def validate(self, params: Mapping[str, object]) -> None:
        dates, ages = params.get("dates", YEARS[0]), params.get("ages", 10)
        if set(params) - {"dates", "ages"}:
            raise ConfigError("The operator generalise takes the parameters dates and ages.")
        if dates not in YEARS:
            raise ConfigError("The parameter dates of generalise is year or decade.")
        if isinstance(ages, bool) or ages not in BANDS:
            raise ConfigError("The parameter ages of generalise is 5, 10 or 20 years.")

    def operate(self, text: str, params: Mapping[str, object]) -> str:
        entity = str(params["entity"])
        return generalised(entity, text, params) or tag(entity)


class _Token:
    """The kind of the value and letters of a keyed hash, such as ``Person WQKZMTRB``."""

    def validate(self, params: Mapping[str, object]) -> None:
        letters = params.get("letters", _LETTERS)
        if set(params) - {"letters"}:
            raise ConfigError("The operator token takes the parameter letters.")
        if not isinstance(letters, int) or isinstance(letters, bool) or not 5 <= letters <= 16:
            raise ConfigError("The parameter letters of token is a number from 5 to 16.")

    def operate(self, text: str, params: Mapping[str, object]) -> str:
        letters = params.get("letters", _LETTERS)
        return keyed_token(text, str(params["entity"]), _key(params), letters if isinstance(letters, int) else _LETTERS)


class _Presidio:
    """One operator of presidio-anonymizer."""

    def __init__(self, name: str) -> None:
        self._name = name

    def validate(self, params: Mapping[str, object]) -> None:
        if {"key", "begun", "salt", "entity", "entity_type"} & set(params):
            raise ConfigError(
                "Keys and salts are not written in a policy.", next_step="They are derived from the tenant's key."
            )
        operator = _presidio_operator(self._name)
        try:
            operator.validate(self._complete(params, bytes(32)))
        except Exception as error:
            raise ConfigError(
                f"The parameters of presidio:{self._name} are not valid.",
                next_step='Give all that presidio-anonymizer asks for: {"operator": "presidio:mask", "params": '
                '{"masking_char": "*", "chars_to_mask": 8, "from_end": False}}.',
            ) from error

    def operate(self, text: str, params: Mapping[str, object]) -> str:
        own = {name: value for name, value in params.items() if name not in {"key", "begun", "entity"}}
        operator = _presidio_operator(self._name)
        completed = self._complete(own, _key(params)) | {"entity_type": str(params["entity"])}
        try:
            return str(operator.operate(text, completed))
        except Exception as error:  # noqa: BLE001 - whatever failed, the value was not replaced
            # The cause is named and not chained: its message may quote the value.
            kind = type(error).__name__
            raise DetectorError(f"The operator presidio:{self._name} failed ({kind}); nothing was stored.") from None

    def _complete(self, params: Mapping[str, object], key: bytes) -> dict[str, object]:
        """Salt and key come from the tenant: equal values link inside a tenant and nowhere else."""
        completed = dict(params)
        if self._name == "hash":
            completed["salt"] = hmac256(key, b"securevec/presidio-salt/v1")
        if self._name == "encrypt":
            completed["key"] = _encryption_key(key)
        return completed


def _encryption_key(key: bytes) -> bytes:
    return hmac256(key, b"securevec/presidio-encrypt/v1")


def encrypted_under(key: bytes, text: str, value: str) -> bool:
    """Whether ``text`` is what :data:`ENCRYPT` made of the value under the tenant's key."""
    from presidio_anonymizer.operators import AESCipher

    cipher: Any = AESCipher
    try:
        return bool(cipher.decrypt(_encryption_key(key), text) == value)
    except ValueError:
        return False


def tag(entity: str) -> str:
    return f"[{entity}]"


def redacted(text: str, found: Iterable[Finding]) -> str:
    """``text`` with each finding replaced by its tag. ``found``: sorted, not overlapping, as a detector answers."""
    pieces: list[str] = []
    position = 0
    for finding in found:
        pieces += (text[position : finding.start], tag(finding.entity))
        position = finding.end
    return "".join([*pieces, text[position:]])


def keyed_hash(text: str, entity: str, key: bytes) -> str:
    """32 hex digits of HMAC-SHA-256 over entity and normalized value."""
    return hmac256(key, b"securevec/hash/v1" + lp(entity.encode(), normalize(entity, text).encode())).hex()[:32]


_LETTERS: Final = 8
_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants, so that no word comes out."""


def keyed_token(text: str, entity: str, key: bytes, letters: int = _LETTERS) -> str:
    """``entity`` in words, and ``letters`` consonants of HMAC-SHA-256 over entity and normalized value.

    20 to the power of ``letters`` tokens of an entity: 2.6e10 with 8.
    """
    digest = hmac256(key, b"securevec/token/v1" + lp(entity.encode(), normalize(entity, text).encode()))
    number = int.from_bytes(digest, "big")
    made: list[str] = []
    for _ in range(letters):
        number, rest = divmod(number, len(_ALPHABET))
        made.append(_ALPHABET[rest])
    return f"{entity.replace('_', ' ').capitalize()} {''.join(made)}"


_BUILTIN: Final[Mapping[str, Operator]] = {
    "surrogate": _Surrogate(),
    "tag": _Simple("tag", lambda text, entity, key: tag(entity)),
    "redact": _Simple("redact", lambda text, entity, key: ""),
    DROP: _Simple(DROP, lambda text, entity, key: ""),
    "vault": _Simple("vault", lambda text, entity, key: tag(entity)),
    "token": _Token(),
    "generalise": _Generalise(),
    "keep": _Simple("keep", lambda text, entity, key: text),
    "hash": _Simple("hash", keyed_hash),
    "mask": _Mask(),
}


def operator_named(name: str) -> Operator:
    """The operator of that name. Raises ``ConfigError`` on an unknown one, ``MissingExtra`` without presidio."""
    if name in _BUILTIN:
        return _BUILTIN[name]
    if not name.startswith(PRESIDIO):
        known = ", ".join(sorted(_BUILTIN))
        raise ConfigError("Unknown operator.", next_step=f"Use {known}, or presidio:<name>.")
    short = name.removeprefix(PRESIDIO)
    if short in _REFUSED:
        raise ConfigError(_REFUSED[short])
    _presidio_operator(short)
    return _Presidio(short)


@lru_cache(maxsize=32)
def _presidio_operator(name: str) -> Any:
    try:
        from presidio_anonymizer.operators import OperatorsFactory, OperatorType
    except ImportError as error:
        raise MissingExtra("presidio-anonymizer", extra="presidio") from error
    factory: Any = OperatorsFactory
    if name not in factory().get_anonymizers():
        raise ConfigError("presidio-anonymizer has no operator of that name.")
    return factory().create_operator_class(name, OperatorType.Anonymize)


def _key(params: Mapping[str, object]) -> bytes:
    key = params.get("key")
    if not isinstance(key, bytes) or len(key) != 32:
        raise DetectorError("An operator was called without the tenant's pseudonym key.")
    return key
