"""Tables of comma-separated values (RFC 4180; semicolons and tabs as well).

Counted as one: at least two lines, every line with as many fields as the first, and a first line of short fields, as
heads are. Letters also have a comma at the end of a line; what reads as prose is left alone.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.written.json_text import Leaf
from securevec.anonymize.written.layers import Cell, Layer, Unit

QUOTED: Final = "quoted"
BARE: Final = "bare"

_DELIMITERS: Final = ",;\t"
_FIELD: Final = {
    sign: re.compile(rf'(?:"((?:[^"]++|"")*+)"|((?:[^"{sign}\r\n][^{sign}\r\n]*+)?))({sign}|\r?\n|\Z)')
    for sign in _DELIMITERS
}
_LONGEST_HEAD: Final = 60
_MOST_WORDS: Final = 5


class Table:
    """The fields of a table, and what separates them."""

    def __init__(self, delimiter: str, rows: list[list[Leaf]]) -> None:
        self.delimiter = delimiter
        self.rows = rows


def table(text: str, start: int, end: int) -> Table | None:
    """The table that stands between ``start`` and ``end``, if all of that is one."""
    first = text.find("\n", start, end)
    if first < 0 or first + 1 >= end:
        return None
    second = text.find("\n", first + 1, end)
    second = end if second < 0 else second
    best: tuple[int, str] | None = None
    for sign in _DELIMITERS:
        count = text.count(sign, start, first)
        if sign == ";" and text.find("&", start, first) >= 0:
            # The ends of entities.
            continue
        if count and first - start > (_LONGEST_HEAD + 3) * (count + 1):
            continue
        if count and (text.count(sign, first + 1, second) >= count or text.find('"', start, second) >= 0):
            best = max(best, (count, sign)) if best else (count, sign)
    return _parsed(text, start, end, best[1]) if best else None


def read_csv(text: str, found: Table, layer: Layer, leaves: list[Leaf], cells: list[Cell], end: int) -> list[Unit]:
    """Put a table into the layer, a tab between fields, and say what is escaped in it."""
    escapes: list[Unit] = []
    heads = [_head(text[leaf.start : leaf.end]) for leaf in found.rows[0]]
    for number, row in enumerate(found.rows):
        for column, leaf in enumerate(row):
            leaves.append(leaf)
            units: list[Unit] = []
            if leaf.kind == QUOTED and '"' in text[leaf.start : leaf.end]:
                units = [Unit(each.start(), each.end(), '"') for each in re.finditer('""', text[leaf.start : leaf.end])]
                units = [Unit(unit.start + leaf.start, unit.end + leaf.start, '"') for unit in units]
            escapes.extend(units)
            began = layer.length
            layer.spell(leaf.start, leaf.end, units)
            if number and heads[column] and layer.length > began:
                cells.append(Cell(began, layer.length, heads[column]))
            if leaf.end < end:
                layer.put("\n" if column == len(row) - 1 else "\t", leaf.end, 1)
    return escapes


def _parsed(text: str, start: int, end: int, delimiter: str) -> Table | None:
    field = _FIELD[delimiter]
    rows: list[list[Leaf]] = []
    row: list[Leaf] = []
    position = start
    while position < end:
        match = field.match(text, position, end)
        if match is None:
            return None
        quoted = match.group(1) is not None
        row.append(Leaf(*match.span(1 if quoted else 2), QUOTED if quoted else BARE))
        position = match.end()
        if match.group(3) == delimiter and position < end:
            continue
        if match.group(3) == delimiter:
            row.append(Leaf(end, end, BARE))
        if len(row) == 1 and row[0].start == row[0].end and not quoted:
            row = []
            continue
        if rows and len(row) != len(rows[0]):
            return None
        rows.append(row)
        if len(rows) == 1 and not _heads(text, row, delimiter):
            return None
        row = []
    return Table(delimiter, rows) if len(rows) > 1 else None


def _heads(text: str, row: list[Leaf], delimiter: str) -> bool:
    """Whether a first line may be the heads of columns, or a row of values; a line of a letter is neither."""
    values = [text[leaf.start : leaf.end] for leaf in row]
    if any(len(value) > _LONGEST_HEAD or len(value.split()) > _MOST_WORDS for value in values):
        return False
    spaced = sum(value[:1] == " " for value in values[1:])
    return len(row) > 1 and any(values) and (bool(values[-1]) or len(row) > 2) and 2 * spaced <= len(row) - 1


def _head(value: str) -> str:
    value = value.strip()
    named = any(map(str.isalpha, value)) and not any(map(str.isdigit, value))
    return value if named and len(value) <= _LONGEST_HEAD else ""
