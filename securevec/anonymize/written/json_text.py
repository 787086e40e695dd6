"""JSON in a text: all of it, lines of it (logs too), and fenced blocks of Markdown.

Only what a strict parser accepts is JSON here; anything else is plain text. A string reads as its characters, a key as
the head of the line that its value stands on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson

from securevec.anonymize.written.layers import Cell, Layer, Unit

KEY: Final = "key"
STRING: Final = "string"
NUMBER: Final = "number"

_TOKEN: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"([ \t\r\n]*+:)?+|-?[0-9][0-9.eE+-]*+')
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\"\\/bfnrt])"
)
_FENCE: Final = re.compile(r"^[ \t]*(?:```+|~~~+)[^\n]*$", re.MULTILINE)
_LONGEST_HEAD: Final = 60


class Leaf(NamedTuple):
    """A range in which a value may be replaced. ``kind`` says how a replacement is written there."""

    start: int
    end: int
    kind: str


def fences(text: str) -> Iterator[tuple[int, int]]:
    """What stands inside the fenced blocks of Markdown."""
    # A single character is found many times quicker than three.
    if not ("`" in text and "```" in text) and not ("~" in text and "~~~" in text):
        return
    opened: int | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = match.end() + 1
        else:
            if opened < match.start():
                yield opened, match.start()
            opened = None


def regions(text: str) -> list[tuple[int, int]]:
    """Ranges of the text that are JSON objects or arrays, in order and apart."""
    if ('"' not in text and "[" not in text) or ("{" not in text and "[" not in text):
        return []
    if text[0] in "{[" or text[0].isspace():
        start, end = _stripped(text, 0, len(text))
        if text[start] in "{[" and text[end - 1] in "}]" and _valid(text[start:end]):
            return [(start, end)]
    found: list[tuple[int, int]] = []
    blocks = [*fences(text)]
    position = 0
    for begin, finish in [*blocks, (len(text), len(text))]:
        found.extend(_lines(text, position, begin))
        if begin < finish:
            inner = _stripped(text, begin, finish)
            if inner[0] < inner[1] and text[inner[0]] in "{[" and _valid(text[inner[0] : inner[1]]):
                found.append(inner)
            else:
                found.extend(_lines(text, begin, finish))
        position = finish
    return found


def read_json(text: str, start: int, end: int, layer: Layer, leaves: list[Leaf], cells: list[Cell]) -> list[Unit]:
    """Put the JSON between ``start`` and ``end`` into the layer, and say what is escaped in it."""
    escapes: list[Unit] = []
    head = ""
    for match in _TOKEN.finditer(text, start, end):
        if match.group(1) is None:
            leaves.append(Leaf(*match.span(), NUMBER))
            began = layer.length
            layer.copy(*match.span())
        else:
            left, right = match.span(1)
            leaves.append(Leaf(left, right, KEY if match.group(2) else STRING))
            units = [Unit(*each.span(), _character(each.group())) for each in _ESCAPE.finditer(text, left, right)]
            escapes.extend(units)
            began = layer.length
            layer.spell(left, right, units)
            if match.group(2):
                layer.put(": ", right, 1)
                head = match.group(1) if right - left <= _LONGEST_HEAD else ""
                continue
        if layer.length > began and head:
            cells.append(Cell(began, layer.length, head))
        layer.put("\n", match.end() if match.group(1) is None else match.end() - 1, 1)
    return escapes


def is_number(text: str) -> bool:
    """Whether the text is a JSON number."""
    return _NUMBER.fullmatch(text) is not None


_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The object that a line ends with or holds: from its first brace to its last."""
    position = text.find("{", start, end)
    while position >= 0:
        stop = text.find("\n", position, end)
        stop = end if stop < 0 else stop
        last = text.rfind("}", position, stop)
        if last > position and text.find('"', position, last) >= 0 and _valid(text[position : last + 1]):
            yield position, last + 1
        position = text.find("{", stop, end)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    body = text[start:end]
    lead = len(body) - len(body.lstrip())
    size = len(body.strip())
    return (start + lead, start + lead + size) if size else (start, start + 1)


def _valid(text: str) -> bool:
    try:
        orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return False
    return True


def _character(escape: str) -> str:
    return str(orjson.loads(f'"{escape}"'))
