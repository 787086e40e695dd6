r"""Characters written as something else, whatever the text around them is.

``&#64;`` ``&#x40;`` ``&commat;`` (HTML), ``\u0040`` ``\u{40}`` ``\x40`` (JSON, source code), ``%40`` (RFC 3986), each
also escaped twice; ``\_`` and ``**`` (Markdown); control characters, which nobody sees. Line breaks as ``\n`` count
outside JSON too, where they may be something else: then the text is also read as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from securevec.anonymize.written.layers import Unit

_HTML: Final = (
    r"&(?:amp;){0,4}+(?:#[0-9]{1,7}+;?|#[xX][0-9a-fA-F]{1,6}+;?"
    r"|[A-Za-z][A-Za-z0-9]{1,31}+;)"
)
_PERCENT: Final = r"%(?:25){0,4}(?:[0-7][0-9a-fA-F]|[c-fC-F][0-9a-fA-F](?:%(?:25){0,4}[89abAB][0-9a-fA-F]){1,3})"
_CODE_UNIT: Final = (
    r"\\\\{0,3}u(?:\{[0-9a-fA-F]{1,6}\}|[dD][89abAB][0-9a-fA-F]{2}\\{1,4}u[dD][c-fC-F][0-9a-fA-F]{2}|[0-9a-fA-F]{4})"
)
_BYTE: Final = r"\\x[0-9a-fA-F]{2}"
_BREAK: Final = r"\\[nrt]"
_SIGN: Final = r"\\[_.@+\-*/~]"
_EMPHASIS: Final = r"\*\*(?:(?<=\w\w\*\*)\*?(?=[ .@:-]?\w)|(?<=\w[ .@:-]\*\*)\*?(?=\w))"
"""Marks inside a value, not powers in a formula. It begins with stars so that a search finds them quickly."""
_CONTROLS: Final = tuple(map(chr, [*range(9), 11, 12, *range(14, 32), 127]))
_SHORT: Final = 512
_CONTROL: Final = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]"
_ANY: Final = re.compile("|".join((_HTML, _CODE_UNIT, _BYTE, _BREAK, _SIGN, _PERCENT, _EMPHASIS, _CONTROL)), re.ASCII)
_GATES: Final = (
    ("&", re.compile(_HTML)),
    ("\\", re.compile(r"\\(?:[ux_.@+\-*/~]|[nrt](?=[\w+(]))")),
    ("%", re.compile(_PERCENT)),
    ("**", re.compile(_EMPHASIS)),
)
_TWICE: Final = re.compile(r"(?<=%)(?:25)+(?=[0-9a-fA-F]{2})")


def escaped(text: str) -> bool:
    """Whether anything in the text may be an escape. A handful of searches for single characters in most texts."""
    for sign, gate in _GATES:
        # A single character is found many times quicker than two.
        if sign[0] in text and sign in text and gate.search(text):
            return True
    if len(text) < _SHORT and text.isprintable():
        return False
    # In a long text a search for a single character is quicker than any look at all characters.
    for control in _CONTROLS:  # noqa: SIM110 - any() takes three times as long
        if control in text:
            return True
    return False


def units(text: str, start: int, end: int) -> Iterator[Unit]:
    """What is escaped between ``start`` and ``end``, in order."""
    for match in _ANY.finditer(text, start, end):
        given = match.group()
        image = _image(given)
        if image != given:
            yield Unit(*match.span(), image)


def is_break(text: str, unit: Unit) -> bool:
    r"""Whether the unit is ``\n`` or the like, which may as well be a part of a path."""
    return unit.end - unit.start == 2 and text[unit.start : unit.end] in {"\\n", "\\r", "\\t"}


def _image(given: str) -> str:
    match given[0]:
        case "&":
            return _named(given)
        case "%":
            return _percent(given)
        case "\\":
            return _backslash(given)
        case _:
            return ""


def _named(given: str) -> str:
    image = given
    for _ in range(6):
        made = unescape(image)
        if made == image:
            break
        image = made
    # Unknown names stay: "&foo;" is text. So does what stands for nothing that may be in a text.
    return image if not any(0xD800 <= ord(char) <= 0xDFFF for char in image) else given


def _percent(given: str) -> str:
    data = bytes.fromhex(_TWICE.sub("", given).replace("%", ""))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return given


def _backslash(given: str) -> str:
    body = given.lstrip("\\")
    if body[:1] == "u" and len(body) > 4:
        if body[1] == "{":
            return _character(int(body[2:-1], 16), given)
        if len(body) > 5:
            high, low = int(body[1:5], 16), int(body[-4:], 16)
            return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        return _character(int(body[1:], 16), given)
    if body[:1] == "x":
        return _character(int(body[1:], 16), given)
    if given in {"\\n", "\\r"}:
        return "\n"
    return "\t" if given == "\\t" else given[1:]


def _character(code: int, given: str) -> str:
    return chr(code) if code < 0xD800 or 0xE000 <= code <= 0x10FFFF else given
