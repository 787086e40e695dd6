"""Texts and patterns over one byte a character, for the pattern engine.

RE2 over UTF-8 builds a pattern of letters of all scripts from some hundred thousand steps, and its positions are bytes.
No rule tells one letter beyond Latin-1 from another, though: what counts is whether it is a capital, another letter,
a number or none of them. So a text is read in Latin-1, with one byte of the unused range 0x80 to 0x9f for each of
these kinds; a class such as ``\\pL`` becomes the bytes of its kind; positions are those of the text. The few
characters beyond Latin-1 that a pattern names have a byte each.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from securevec.anonymize.fold import odd_characters
from securevec.errors import ConfigError

_KINDS: Final = {"Lu": 0x80, "L": 0x81, "N": 0x82, "": 0x83}
"""The byte of all characters beyond Latin-1 that no pattern names: capital, other letter, number, the rest."""
_FIRST_NAMED: Final = 0x84
_LATIN_1: Final = 0xA0
_CLASSES: Final = {"\\p{Lu}": "Lu", "\\pL": "L", "\\p{L}": "L", "\\pN": "N", "\\p{N}": "N"}
_ONLY_WIDE: Final = re.compile(r"\\[pPCX]|\\x\{")
_ANY_CASE: Final = re.compile(r"\(\?[a-zA-Z]*i")
_FEW: Final = 24


class Alphabet:
    """The bytes of characters, for a set of patterns. Immutable but for what it remembers of characters."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises ``ConfigError`` when the patterns name more characters beyond Latin-1 than there are bytes for."""
        named = sorted({char for pattern in patterns for char in pattern if ord(char) > 0xFF})
        if len(named) > _LATIN_1 - _FIRST_NAMED:
            raise ConfigError("The rules name too many different characters beyond Latin-1.")
        self._named = {char: chr(_FIRST_NAMED + number) for number, char in enumerate(named)}
        self._images = dict(self._named)
        kinds = {code: kind for kind, code in _KINDS.items() if kind}
        kinds |= {ord(image): unicodedata.category(char) for char, image in self._named.items()}
        kinds |= {code: unicodedata.category(chr(code)) for code in range(_LATIN_1, 0x100)}
        self._classes = {
            name: base + "".join(f"\\x{code:02x}" for code, kind in sorted(kinds.items()) if kind.startswith(wanted))
            for (name, wanted), base in zip(_CLASSES.items(), ("A-Z", "A-Za-z", "A-Za-z", "0-9", "0-9"), strict=True)
        }

    def narrow(self, pattern: str) -> str:
        """``pattern`` (RE2 syntax) over this alphabet. Raises ``ConfigError`` when it cannot be said in it."""
        made: list[str] = []
        inside = False
        at = 0
        while at < len(pattern):
            name = next((name for name in self._classes if pattern.startswith(name, at)), None)
            if name is not None:
                made.append(self._classes[name] if inside else f"[{self._classes[name]}]")
                at += len(name)
                continue
            piece = pattern[at : at + 2] if pattern[at] == "\\" else pattern[at]
            if piece == "[" and not inside:
                inside = True
            elif piece == "]" and inside and made[-1] != "[" and made[-2:] != ["[", "^"]:
                inside = False
            made.append(self._named.get(piece, piece))
            at += len(piece)
        narrow = "".join(made)
        cased = any(char in pattern and char.lower() != char.upper() for char in self._named)
        if _ONLY_WIDE.search(narrow) or (cased and _ANY_CASE.search(pattern)):
            raise ConfigError(
                "A rule's pattern cannot be read byte by byte.",
                next_step="Of the classes of Unicode use \\pL, \\p{Lu} and \\pN, and name letters in both cases.",
            )
        return narrow

    def encode(self, text: str) -> bytes:
        """``text`` with one byte a character. Raises ``UnicodeEncodeError`` on a lone surrogate."""
        if text.isascii():
            return text.encode()
        changed: dict[str, str] = {}
        for char in odd_characters(text):
            image = self._images.get(char) or self._image(char)
            if image != char:
                changed[char] = image
        if len(changed) <= _FEW and changed.keys().isdisjoint(changed.values()):
            for char, image in changed.items():
                text = text.replace(char, image)
            return text.encode("latin-1")
        return text.translate({ord(char): image for char, image in changed.items()}).encode("latin-1")

    def _image(self, char: str) -> str:
        code = ord(char)
        if _LATIN_1 <= code <= 0xFF:
            image = char
        else:
            char.encode()
            kind = unicodedata.category(char)
            image = chr(_KINDS["Lu"] if kind == "Lu" else _KINDS.get(kind[0], _KINDS[""]))
        self._images[char] = image
        return image
