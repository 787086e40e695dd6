"""The bytes behind a surrogate: a keyed hash, read as numbers, digits and letters."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Final, TypeVar

from securevec.crypto.kdf import Keyed, lp

_DOMAIN: Final = b"securevec/surrogate/v1"
_BLOCK: Final = struct.Struct(">4Q").unpack
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_CAPITALS: Final = _LETTERS.upper()
_Choice = TypeVar("_Choice")


class Stream:
    """Bytes from a keyed hash, read as numbers. Deterministic in key, entity, value and attempt."""

    __slots__ = ("_block", "_key", "_numbers", "_seed")

    def __init__(self, key: Keyed, entity: str, normalized: str, attempt: int) -> None:
        self._key = key
        self._seed = _DOMAIN + lp(entity.encode(), normalized.encode()) + attempt.to_bytes(4, "big")
        # What is left of the last block, its first number last.
        self._numbers: list[int] = []
        self._block = 0

    def below(self, bound: int) -> int:
        """A number in ``[0, bound)``; 64 bits per draw keep the modulo bias below 2**-40 for every bound used."""
        return (self._numbers or self._more()).pop() % bound

    def choice(self, options: Sequence[_Choice]) -> _Choice:
        return options[(self._numbers or self._more()).pop() % len(options)]

    def digits(self, count: int) -> str:
        return "".join([str((self._numbers or self._more()).pop() % 10) for _ in range(count)])

    def filled(self, form: str) -> str:
        """``form`` with a digit for each ``#``."""
        return re.sub("#", lambda _: str(self.below(10)), form)

    def shaped(self, value: str) -> str:
        """Digits to digits, letters to letters of the same case, everything else kept."""
        made: list[str] = []
        for char in value:
            if char.isdigit():
                made.append(str((self._numbers or self._more()).pop() % 10))
            elif char.isalpha():
                letters = _CAPITALS if char.isupper() else _LETTERS
                made.append(letters[(self._numbers or self._more()).pop() % 26])
            else:
                made.append(char)
        return "".join(made)

    def spelled(self, value: str, alphabet: str) -> str:
        """As many signs of an alphabet."""
        return "".join([self.choice(alphabet) for _ in value])

    def hexadecimal(self, value: str) -> str:
        """Letters and digits to hexadecimal ones in the case of each, everything else kept."""
        made = [self.choice("0123456789abcdef") if char.isalnum() else char for char in value]
        return "".join([new.upper() if old.isupper() else new for new, old in zip(made, value, strict=True)])

    def shaped_digits(self, value: str) -> str:
        """Digits to digits, everything else kept."""
        return "".join([str(self.below(10)) if char.isdigit() else char for char in value])

    def _more(self) -> list[int]:
        first, second, third, fourth = _BLOCK(self._key.hmac256(self._seed + self._block.to_bytes(4, "big")))
        self._block += 1
        self._numbers = [fourth, third, second, first]
        return self._numbers


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
