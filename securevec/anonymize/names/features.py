"""Tokens of the name model, and what it sees of each: shape, beginning, end, and the word itself.

Everything here depends on the token's letters alone, never on its neighbours, so that the sum of a token's rows can be
kept and looked up. The training script imports this file: training and use cannot drift apart.
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

from securevec.anonymize.fold import lookup_key

TOKEN: Final = re.compile(r"\w+(?:'(?!s\b)[^\W\d_]+)*|\n\s*|'s\b|[^\w\s]", re.IGNORECASE)
"""Words, numbers, mixtures of both, line ends and single signs. White space other than line ends is no token."""

ASCII_TOKEN: Final = re.compile(r"\w+(?:'(?![sS]\b)[A-Za-z]+)*|\n[\s\x1c-\x1f]*|'[sS]\b|[^\w\s\x1c-\x1f]", re.ASCII)
"""What finds the same in ASCII text in two thirds of the time."""

HASHES: Final = 1 << 14
"""Rows of the table that hashed features share."""


LONGEST: Final = 48
_CODE: Final = "\x00"
"""Stands in front of the shape of a mixture of letters and digits, so that it is like no word."""


def canonical(token: str) -> str:
    """The token as the model tells it from others: numbers by length and first digit, codes by their shape."""
    if token.isalpha():
        return token if len(token) <= LONGEST else token[:LONGEST]
    if token.isdecimal():
        return token[0] + "0" * (min(len(token), 12) - 1)
    if token[0] == "\n":
        return "\n"
    if not token[0].isalnum() and token[0] != "_":
        return token
    if "'" in token and not any(char.isdecimal() or char == "_" for char in token):
        return token[:LONGEST]
    return _CODE + "".join("0" if char.isdecimal() else "A" if char.isupper() else char if char == "_" else "a"
                           for char in token[:12])  # fmt: skip


def is_word(token: str) -> bool:
    """Whether a canonical token is a word of letters."""
    return token[0].isalpha()


def hashed_features(token: str, *, known: bool) -> list[int]:
    """Rows of the shared table for a canonical token. ``known``: its word has a row of its own."""
    if not is_word(token):
        if token[0].isdecimal():
            return [_row(f"#{len(token)}"), _row(f"#{token[0]}")]
        if token[0] == _CODE:
            return [_row(f"m{token[1:5]}"), _row(f"m{len(token)}"), _row("m_" if "_" in token else "m")]
        return [_row(f"s{token}")]
    key = lookup_key(token)
    casing = _casing(token)
    rows = [
        _CASINGS[casing],
        _LENGTHS[casing][min(len(key), _LONG)],
        # The hash goes on from that of the sign in front: "<ab", "<abc", "yz>", "xyz>", "wxyz>".
        crc32(key[:2].encode(), _BEGINS) % HASHES,
        crc32(key[:3].encode(), _BEGINS) % HASHES,
        crc32(b">", crc32(key[-2:].encode())) % HASHES,
        crc32(b">", crc32(key[-3:].encode())) % HASHES,
        crc32(b">", crc32(key[-4:].encode())) % HASHES,
    ]
    if not known:
        rows += [crc32(key.encode(), _WHOLE) % HASHES, _UNKNOWN[casing]]
    return rows


def _casing(word: str) -> str:
    if word.islower():
        return "a"
    if word.isupper():
        return "A" if len(word) > 1 else "I"
    if word[0].isupper():
        return "Aa" if word[1:].islower() else "AaA"
    return "aA" if word != word.lower() else "x"


def _row(feature: str) -> int:
    return crc32(feature.encode()) % HASHES


_BEGINS: Final = crc32(b"<")
_WHOLE: Final = crc32(b"w")
_LONG: Final = 12
_KINDS: Final = ("a", "A", "I", "Aa", "AaA", "aA", "x")
"""All that :func:`_casing` answers."""
_CASINGS: Final = {kind: _row(f"c{kind}") for kind in _KINDS}
_UNKNOWN: Final = {kind: _row(f"u{kind}") for kind in _KINDS}
_LENGTHS: Final = {kind: [_row(f"l{size}{kind}") for size in range(_LONG + 1)] for kind in _KINDS}
"""By casing and number of letters, the longest together."""
