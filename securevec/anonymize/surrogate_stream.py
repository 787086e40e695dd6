"""The bytes behind a surrogate: a keyed hash, read as numbers, digits and letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from securevec.crypto.kdf import hmac256, lp

_DOMAIN: Final = b"securevec/surrogate/v1"
_Choice = TypeVar("_Choice")


class Stream:
    """Bytes from a keyed hash, read as numbers. Deterministic in key, entity, value and attempt."""

    __slots__ = ("_block", "_buffer", "_key", "_seed")

    def __init__(self, key: bytes, entity: str, normalized: str, attempt: int) -> None:
        self._key = key
        self._seed = _DOMAIN + lp(entity.encode(), normalized.encode()) + attempt.to_bytes(4, "big")
        self._buffer = b""
        self._block = 0

    def below(self, bound: int) -> int:
        """A number in ``[0, bound)``; 64 bits per draw keep the modulo bias below 2**-40 for every bound used."""
        if len(self._buffer) < 8:
            self._buffer += hmac256(self._key, self._seed + self._block.to_bytes(4, "big"))
            self._block += 1
        number = int.from_bytes(self._buffer[:8], "big")
        self._buffer = self._buffer[8:]
        return number % bound

    def choice(self, options: Sequence[_Choice]) -> _Choice:
        return options[self.below(len(options))]

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))

    def filled(self, form: str) -> str:
        """``form`` with a digit for each ``#``."""
        return re.sub("#", lambda _: str(self.below(10)), form)

    def shaped(self, value: str) -> str:
        """Digits to digits, letters to letters of the same case, everything else kept."""
        return "".join(self._like(char) for char in value)

    def shaped_digits(self, value: str) -> str:
        """Digits to digits, everything else kept."""
        return "".join(str(self.below(10)) if char.isdigit() else char for char in value)

    def _like(self, char: str) -> str:
        if char.isdigit():
            return str(self.below(10))
        if char.isalpha():
            letter = chr(97 + self.below(26))
            return letter.upper() if char.isupper() else letter
        return char


def recase(text: str, like: str) -> str:
    """``text`` in the casing of ``like``: upper, lower, or unchanged."""
    if like.isupper() and sum(map(str.isalpha, like)) > 1:
        return text.upper()
    return text.lower() if like.islower() else text


def regrouped(digits: str, value: str) -> str:
    """``digits`` in the grouping of ``value``: places left over fall away, further digits follow at the end."""
    source = iter(digits)
    made: list[str] = []
    for char in value:
        if not char.isdigit():
            made.append(char)
        elif (digit := next(source, "")) != "":
            made.append(digit)
        else:
            break
    return "".join(made).rstrip(" -./(") + "".join(source)
