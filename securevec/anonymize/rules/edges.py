"""What stands right in front of a value and right behind it: is a match a value, or a piece of something longer?

A pattern sees its own match. ``0.390625 -1.2`` in the path of a drawing, the middle of a UUID, four columns of a table
of code points and the first word of a call (``password = read_password(user)``) match as telephones, cards and
passwords do, and what gives them away stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

Edge = Callable[[str, int, int, int, int], bool]
"""Whether ``text[start:end]`` is whole, of a text that reaches from ``first`` to ``last``."""

_REACH: Final = 24
_FEW: Final = 2
_BEFORE: Final = re.compile(r"(?:^|[^\w])(\w*)\Z")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_NUMBER_BEHIND: Final = re.compile(r"\.\d|-[0-9A-Fa-f]*\d|,-\d+\.\d")
_LINK: Final = re.compile(r"://[^\s\"'<>]*/\Z")
_QUAD_BEFORE: Final = re.compile(r"(?<!\d)\d{4}[ -]\Z")
_QUAD_BEHIND: Final = re.compile(r"[ -]\d{4}(?!\d)")
_ROW_BEFORE: Final = re.compile(r"(?<![\w.])-?\d{1,3}[ \t]+-?\d{1,3}[ \t]+\Z")
_ROW_BEHIND: Final = re.compile(r"[ \t]+-?\d{1,3}[ \t]+-?\d{1,3}(?!\d)")
_TICKET: Final = re.compile(
    r"(?i)(?:\b(?:closes|fixes|addresses|lp|bgo|bz|bugs?|gh|pr|rh|issues?)\s?:?|#\d{4,9}(?:,|, and| and))\s{0,12}#\Z"
)
"""What changes of programs close is a fault of a program and nobody's case."""
_SERIES: Final = frozenset({"CVE", "CAN", "CWE", "so"})
"""What is numbered behind a dash or a dot: weaknesses, versions of libraries."""

_CORNER_BEFORE: Final = re.compile(r"(?:\d[ \t]+|\d,\s*-?\d+\.\d+,\s*|[\])],?\s*[\[(]\s*|[\[(]\s*[\[(]\s*)\Z")
_CORNER_BEHIND: Final = re.compile(r"[ \t]+-?\d|,\s*-?\d+\.\d+,\s*-?\d|\s*[\])],\s*[\[(]")
"""A list of lists of numbers, or numbers in pairs with a space inside: an outline."""
_SHOWN: Final = re.compile(r"(?i)(?:display|friendly)[-_ ]?name[\"']?\s{0,2}[=: ]\s{0,2}[\"']?\Z|name[\"'],\s?[\"']\Z")
_OWN_NAME: Final = re.compile(r"(?i)(?:user_?name|pass_?word\d?|_user|_(?:name|key|id|connection|file|path|token))\Z")
_KEYS: Final = frozenset({":\n", ": ", '":', "':"})

_LETTERS: Final = re.compile(r"[^\W\d_]+")
_SQUARES: Final = frozenset(
    ["rue", "boulevard", "quai", "cours", "pont", "plaza", "plazuela", "calle", "avenida", "paseo", "praca", "largo",
     "rua", "piazza", "viale", "corso", "piata", "bulevard", "bulevardul", "strada", "ulica", "ul", "plac", "aleja",
     "platz", "strasse", "brucke", "allee", "carrer", "placa", "namesti", "trida", "rruga"]
)  # fmt: skip
"""What is called after a day, in folded letters: ``rue du 8-Mai-1945``."""
_SQUARES_OF: Final = _SQUARES | {"place", "avenue", "via"}
"""The same with a small word behind it: things take place on a day."""
_OF: Final = frozenset(
    ["du", "de", "des", "del", "dell", "dello", "della", "delle", "do", "da", "dos", "am", "zum", "la", "el", "le"]
)  # fmt: skip
_OTHER_DAYS: Final = (
    "admi", "adm", "aufnahme", "alta", "appoint", "death", "deceased", "dictat", "died", "dimission", "disch", "dod",
    "dos", "enrol", "entlass", "exp", "gestorben", "hire", "ingreso", "issue", "procedure", "ricovero", "service",
    "sortie", "surger", "transcri", "valid", "visit",
)  # fmt: skip
"""How words for other days in a life begin."""
_DAY: Final = frozenset(["date", "day", "on", "am", "le", "el", "il", "at", "until", "to", "vom", "del", "der", "of"])

_BASE64: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_BASE64_LINE: Final = re.compile(r"[ \t>#*\"'\\]{0,12}[A-Za-z0-9+/]{40,}={0,2}[\"',;)\]\\+\r]{0,4}[ \t]*")

_NAME_BEFORE: Final = re.compile(r"([A-Za-z_][\w.\-]*)[\"'\]]{0,2}\s{0,4}(?:=>|:=|==?|:)\s{0,4}[\"'`]?\Z")
_ABOUT: Final = re.compile(
    r"(?:(?<![a-z])(?i:type|name|kind|class|url|uri|path|file|dir|format|length|size|limit|mode|field|param|prefix|label)"
    r"|Type|Name|Kind|Class|Url|Uri|Path|File|Dir|Format|Length|Size|Limit|Mode|Field|Param|Prefix|Label)s?\Z"
)
"""What the name of something about a secret ends with: ``token_type``, ``tokenizer.name``."""
_DESCRIBED: Final = re.compile(r":(?:param|type|arg|return|returns|raises|rtype|keyword)\b[^\n]*\Z")
_WORDS: Final = re.compile(r"[A-Za-z_]+")


def number(text: str, start: int, end: int, first: int, last: int) -> bool:
    """Not cut out of a fraction, a longer code with dashes, the path of a link, or a row of hexadecimal numbers."""
    before = text[start - 1] if start > first else "\n"
    behind = text[end] if end < last else "\n"
    if (before == " " or behind == " ") and _among_codes(text, start, end, first, last):
        return False
    if before in ".-" and _goes_on(text, start, first):
        return False
    if before == "#" and not ticket(text, start, end, first, last):
        return False
    if before == ":" and start - 1 > first and text[start - 2].isdigit():
        return False
    if before == "/" and _LINK.search(text, max(first, start - 8 * _REACH), start) is not None:
        return False
    return behind not in ".-," or _NUMBER_BEHIND.match(text, end, min(last, end + _REACH)) is None


def quads(text: str, start: int, end: int, first: int, last: int) -> bool:
    """:func:`number`, and no piece of more groups of four digits, as cards have four."""
    alone = _QUAD_BEFORE.search(text, max(first, start - _REACH), start) is None
    return alone and _QUAD_BEHIND.match(text, end, last) is None and number(text, start, end, first, last)


def dotted(text: str, start: int, end: int, first: int, last: int) -> bool:
    """No piece of more numbers with dots between them."""
    before, behind = text[max(first, start - 2) : start], text[end : min(last, end + 2)]
    return not (before[-1:] == "." and before[:1].isdigit()) and not (behind[:1] == "." and behind[1:].isdigit())


def ticket(text: str, start: int, end: int, first: int, last: int) -> bool:
    """Not the number of a fault that a list of changes names."""
    del end, last
    return _TICKET.search(text, max(first, start - 3 * _REACH), start) is None


def pair(text: str, start: int, end: int, first: int, last: int) -> bool:
    """Two numbers that are a place by themselves, not one of the corners of an outline."""
    before, behind = text[max(first, start - 2 * _REACH) : start], text[end : min(last, end + 2 * _REACH)]
    return _CORNER_BEFORE.search(before) is None and _CORNER_BEHIND.match(behind) is None


def square(text: str, start: int, end: int, first: int, last: int) -> bool:
    """A day, and not the street or the square that is called after one."""
    del end, last
    if start == first or text[start - 1] != " ":
        return True
    words = _LETTERS.findall(text, max(first, start - _REACH), start)
    called = _SQUARES
    while words and words[-1].lower() in _OF:
        words.pop()
        called = _SQUARES_OF
    return not words or words[-1].lower() not in called


def birthday(text: str, start: int, end: int, first: int, last: int) -> bool:
    """A day near a word for birth that no other word claims right in front of it: ``DOB: ..., admitted ...``."""
    del end, last
    for word in reversed(_LETTERS.findall(text, max(first, start - _REACH), start)):
        if word.lower().startswith(_OTHER_DAYS):
            return False
        if word.lower() not in _DAY:
            return True
    return True


def login(text: str, start: int, end: int, first: int, last: int) -> bool:
    """What stands where a user's name belongs and is none: what a program shows in place of one, a field, a call."""
    if (end < last and text[end] in "([=") or text[end : min(last, end + 2)] in _KEYS:
        return False
    if end + 1 < last and text[end] == "." and text[end + 1].isalpha():
        return False
    if _OWN_NAME.search(text, start, end) is not None:
        return False
    return _SHOWN.search(text, max(first, start - _REACH), start) is None


def token(text: str, start: int, end: int, first: int, last: int) -> bool:
    """Not cut out of a longer run of base64, nor one of several lines of it."""
    if (start > first and text[start - 1] in _BASE64) or (end < last and text[end] in _BASE64):
        return False
    begin = text.rfind("\n", first, start) + 1 or first
    behind = text.find("\n", end, last)
    finish = behind if behind >= 0 else last
    if not _BASE64_LINE.fullmatch(text, begin, finish):
        return True
    before = text.rfind("\n", first, max(begin - 1, first)) + 1 or first
    if begin > first and _BASE64_LINE.fullmatch(text, before, begin - 1):
        return False
    stop = text.find("\n", finish + 1, last)
    return finish == last or not _BASE64_LINE.fullmatch(text, finish + 1, stop if stop >= 0 else last)


def code(text: str, start: int, end: int, first: int, last: int) -> bool:
    """No call or lookup (``read(``, ``settings[``), not the name that stands in front of it, no word of a docstring."""
    if end < last and text[end] in "([":
        return False
    name = _NAME_BEFORE.search(text, max(first, start - 2 * _REACH), start)
    if name is None:
        return True
    if name.group(1).rpartition(".")[2] == text[start:end] or _ABOUT.search(name.group(1)) is not None:
        return False
    if "\n\n" in text[name.end(1) : start]:
        return False
    plain = _WORDS.fullmatch(text, start, end) is not None
    return not (plain and _DESCRIBED.search(text, max(first, start - 4 * _REACH), name.start()))


def _goes_on(text: str, start: int, first: int) -> bool:
    """Whether digits, or nothing at all, stand in front of the sign before a number."""
    run = text[max(first, start - _REACH) : start - 1]
    match = _BEFORE.search(run)
    word = match.group(1) if match is not None else run
    if word:
        return any(map(str.isdigit, word)) or word in _SERIES
    # ".390625" anywhere, "-12.3" inside of a list: the dash of a telephone has a space behind it.
    return text[start - 1] == "." or run[-1:] in {",", "("}


def _among_codes(text: str, start: int, end: int, first: int, last: int) -> bool:
    """Whether a row of small numbers goes on, or a word beside one has the digits a to f, as long as its first."""
    gap = text.find(" ", start, end)
    if gap < 0:
        return False
    if _ROW_BEFORE.search(text, max(first, start - _REACH), start) or _ROW_BEHIND.match(
        text, end, min(last, end + _REACH)
    ):
        return True
    size = gap - start
    before, behind = text[max(first, start - size - 2) : start], text[end : min(last, end + size + 2)]
    return (before[-1:] == " " and _code_point(before[-size - 1 : -1], size, before[: -size - 1])) or (
        behind[:1] == " " and _code_point(behind[1 : size + 1], size, behind[size + 1 :])
    )


def _code_point(word: str, size: int, beyond: str) -> bool:
    mixed = not word.isdigit() and not word.isalpha()
    return len(word) == size >= _FEW and mixed and _HEX.issuperset(word) and not beyond.isalnum()


EDGES: Final[Mapping[str, Edge]] = {
    "number": number, "quads": quads, "dotted": dotted, "ticket": ticket, "token": token, "code": code,
    "login": login, "pair": pair, "square": square, "birthday": birthday,
}  # fmt: skip
"""By the word a rule says."""
