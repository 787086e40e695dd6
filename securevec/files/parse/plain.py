"""Text files: which encoding, and is it text at all.

A byte order mark is believed, then strict UTF-8. Only what is neither is guessed, by charset-normalizer, and among
the encodings that are in use: a wrong guess garbles names, and a garbled name is not recognized as one. For the same
reason a file of which some lines are UTF-8 and others are not is refused: no one encoding reads all of it.
"""

from __future__ import annotations

import codecs
from typing import Final

from securevec.files.parse import Parsed, Unparsable

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The longer first: UTF-32 begins as UTF-16 does."""

_ORDERLESS: Final = ("utf-16", "utf-32")
_ORDERS: Final = tuple(mark for mark, name in _MARKS if name != "utf-8-sig")
"""Without one of these marks nobody knows the order of the bytes, and the wrong one is a text of other letters."""

_GUESSED: Final = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
]
_SAMPLE: Final = 64 * 1024
_MAX_CONTROLS: Final = 0.01
"""Share of control characters from which something is not text."""


def parse(data: bytes, encoding: str | None) -> Parsed:
    return Parsed(None, decode(data, encoding))


def decode(data: bytes, encoding: str | None = None, *, declared: str | None = None) -> str:
    """The text of a file. ``encoding`` is the caller's word and decides; ``declared`` is the document's own.

    Raises :class:`Unparsable` with ``encoding``, ``mixed`` or ``binary``.
    """
    if encoding is not None:
        return _text(_strictly(data, encoding))
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return _text(_strictly(data, marked))
    if b"\0" in data:
        raise Unparsable("binary")
    for name in ("utf-8", declared):
        known = _try(data, name) if name is not None else None
        if known is not None:
            return _text(_of_one_encoding(data, known))
    return _text(_guess(data))


def _strictly(data: bytes, encoding: str) -> str:
    text = _try(data, encoding)
    if text is None:
        raise Unparsable("encoding")
    return text.removeprefix("\ufeff")


def _try(data: bytes, encoding: str) -> str | None:
    try:
        if codecs.lookup(encoding).name in _ORDERLESS and not data.startswith(_ORDERS):
            return None
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _text(text: str) -> str:
    controls = sum(text.count(chr(code)) for code in range(32) if chr(code) not in "\t\n\r\f")
    if "\0" in text or controls > _MAX_CONTROLS * len(text):
        raise Unparsable("binary")
    return text


def _guess(data: bytes) -> str:
    try:
        from charset_normalizer import from_bytes
    except ModuleNotFoundError:
        raise Unparsable("missing") from None
    sample = data[:_SAMPLE]
    if len(data) > _SAMPLE:
        # Not in the middle of a character.
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    matches = list(from_bytes(sample, cp_isolation=_GUESSED, preemptive_behaviour=False))
    # Of those that are equally good the one that more people use.
    best = [
        match.encoding
        for match in matches
        if (match.chaos, match.coherence) == (matches[0].chaos, matches[0].coherence)
    ]
    for name in sorted(best, key=_GUESSED.index):
        if (text := _try(data, name)) is not None:
            return _of_one_encoding(data, text)
    raise Unparsable("encoding")


def _of_one_encoding(data: bytes, text: str) -> str:
    """``text``, unless an encoding of one byte a character was taken for a file of which some lines are UTF-8.

    By chance such a line would be one in which every accented letter is a capital and stands before a sign. Where a
    character is two bytes, chance is likelier (the first word of many a Chinese page), and nothing is concluded.

    Raises :class:`Unparsable` with ``mixed``.
    """
    if len(text) == len(data) and any(not line.isascii() and _try(line, "utf-8") for line in data.splitlines()):
        raise Unparsable("mixed")
    return text
