"""Tables in running text: a cell is read as a field that is named by the head of its column.

Parsers of HTML and DOCX put tabs between the cells of a row, Markdown and pasted reports bars. ``Account`` over eight
digits says as much as the same word in front of them would; a form of two columns names the right cell in the left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from securevec.anonymize.findings import Finding

LONGEST_CELL: Final = 200
_LONGEST_HEAD: Final = 60
_FIRST_NAME: Final = re.compile(r"[^\n:=]{2,60}+[:=]")
_NAME: Final = re.compile(rf"\n{_FIRST_NAME.pattern}")
"""Begins with the break: a search for a character takes half the time that one for the beginnings of lines does."""
_PAIR_NAME: Final = re.compile(r"=([\w.\-]{2,41}+(?<=[A-Za-z]))(?![\w.\-])")
"""Of a text read from its end, where a name begins with the sign behind it, which there are few of."""
_PAIR_VALUE: Final = re.compile(r"""["']([^"'\n]*+)["']|([^\s"',;&|(){}\[\]<>]++)""")
_INSERT: Final = re.compile(r"(?i)\binsert into [\w.\"`]{1,64} ?\(([^()]{1,400})\) ?values ?(\([^;]{1,4000})")
_MAY_INSERT: Final = re.compile(r"\) ?[vV]")
_COLUMN: Final = re.compile(r"\w+")
_ROW: Final = re.compile(r"\(([^()]{1,1000})\)")
_SQL: Final = re.compile(r"'((?:[^']|'')*)'|[^,\s][^,]*")
_AROUND_NAME: Final = " \t\r-*\"'`>|"
_AROUND_VALUE: Final = " \t\r=:>\"'`,;"
_LINE: Final = re.compile(r"^(?:[^\n\t|]*[\t|].*|\+[\-+=]{2,})$", re.MULTILINE)
_COPY: Final = re.compile(
    r"(?i)^COPY [\w.\"]{1,64} ?\(([^()\n]{1,400})\) FROM stdin;?\n((?:[^\n\t]*\t[^\n]*(?:\n|\Z))+)", re.MULTILINE
)
_RULE: Final = re.compile(r"[\s|:+=-]*")
_CELL: Final = re.compile(r"[^\t|]+")
_BARS: Final = " \t|"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's place in the text, and the words that name it."""

    start: int
    end: int
    head: str


def has_table(text: str) -> bool:
    return "\t" in text or "|" in text


def cells(text: str) -> Iterator[Cell]:
    """Named cells of every block of at least two neighbouring lines with the same number of cells, two or more."""
    block: list[list[tuple[int, int]]] = []
    last = -1
    for match in _LINE.finditer(text):
        start, end = match.span()
        row = _row(start, match.group())
        if row is None and start == last + 1:
            last = end
            continue
        if block and (row is None or start != last + 1 or len(row) != len(block[0])):
            yield from _named(text, block)
            block = []
        if row is not None and len(row) >= 2:
            block.append(row)
        last = end
    yield from _named(text, block)
    if "stdin" in text:
        yield from _copied(text)


def _copied(text: str) -> Iterator[Cell]:
    """Rows of a dump of PostgreSQL under the names of their columns."""
    for match in _COPY.finditer(text):
        heads = [head.strip(' "') for head in match.group(1).split(",")]
        start = match.start(2)
        for line in match.group(2).splitlines(keepends=True):
            at = start
            for head, value in zip(heads, line.rstrip("\n").split("\t"), strict=False):
                if value and value != "\\N":
                    yield from _cell((at, at + len(value)), head)
                at += len(value) + 1
            start += len(line)


def scan_cells(text: str, scan: Callable[[str, str], list[Finding]]) -> list[Finding]:
    """``scan(cell, head)`` on every named cell; findings in offsets of ``text``."""
    return [
        finding.shifted(cell.start) for cell in cells(text) for finding in scan(text[cell.start : cell.end], cell.head)
    ]


def has_insert(text: str) -> bool:
    """Whether a text may hold an INSERT: a bracket, and behind it the first letter of its word for values.

    A pattern that begins with a rare sign is looked for faster than a word in small letters.
    """
    return _MAY_INSERT.search(text) is not None


def inserted(text: str) -> Iterator[tuple[tuple[int, int], Cell]]:
    """Values of an SQL INSERT under the names of their columns, and where the names stand."""
    if not has_insert(text):
        return
    for insert in _INSERT.finditer(text):
        columns = [(match.span(), match.group()) for match in _COLUMN.finditer(text, *insert.span(1))]
        for row in _ROW.finditer(text, *insert.span(2)):
            values = [
                match.span(1) if match.group(1) is not None else match.span()
                for match in _SQL.finditer(text, *row.span(1))
            ]
            for (label, name), value in zip(columns, values, strict=False):
                yield label, Cell(*value, name)


def settings(text: str, known: Callable[[str], object]) -> Iterator[Cell]:
    """Lines that hold one name and one value (YAML, ``.env``, properties, forms), as cells under their names.

    ``known``: whether a name says anything.
    """
    for begin, sign in _named_lines(text):
        name = text[begin:sign].strip(_AROUND_NAME)
        if not known(name):
            continue
        end = text.find("\n", sign)
        value = text[sign + 1 : end if end >= 0 else len(text)]
        bare = value.lstrip(_AROUND_VALUE)
        start = sign + 1 + len(value) - len(bare)
        if 0 < len(bare := bare.rstrip(_AROUND_VALUE)) <= LONGEST_CELL:
            yield Cell(start, start + len(bare), name)


def pairs(text: str, known: Callable[[str], object]) -> Iterator[Cell]:
    """``name=value`` anywhere in a line (logs, queries, options), the value up to white space or its closing quote."""
    if "=" not in text:
        return
    size = len(text)
    names = [(size - match.start(), match.group(1)[::-1]) for match in _PAIR_NAME.finditer(text[::-1])]
    for at, name in reversed(names):
        if known(name) and (value := _PAIR_VALUE.match(text, at)) is not None:
            group = 1 if value.group(1) else 2
            start, end = value.span(group)
            # The sign that ends a sentence is none of it.
            if group > 1 and text[end - 1] in ".:!?":
                end -= 1
            if 0 < end - start <= LONGEST_CELL:
                yield Cell(start, end, name)


def _named_lines(text: str) -> Iterator[tuple[int, int]]:
    """Where a line begins and where its first sign stands, of lines whose name has two characters or more."""
    if (first := _FIRST_NAME.match(text)) is not None:
        yield 0, first.end() - 1
    for match in _NAME.finditer(text):
        begin, end = match.span()
        yield begin + 1, end - 1


def _row(start: int, line: str) -> list[tuple[int, int]] | None:
    """The cells of a line; ``None`` for the rule under a Markdown head, which belongs to no row."""
    inside = line.strip(_BARS)
    if "|" not in inside and "\t" not in inside:
        # A margin of bars, as manuals have it: one cell is no row.
        return None if _RULE.fullmatch(inside) else []
    if _RULE.fullmatch(line):
        return None
    row: list[tuple[int, int]] = []
    for match in _CELL.finditer(line):
        piece = match.group()
        lead = len(piece) - len(piece.lstrip())
        size = len(piece.strip())
        if size:
            row.append((start + match.start() + lead, start + match.start() + lead + size))
    return row


def _named(text: str, block: list[list[tuple[int, int]]]) -> Iterator[Cell]:
    if len(block) < 2:
        return
    heads = [text[start:end] for start, end in block[0]]
    for number, row in enumerate(block):
        if len(row) == 2:
            # A form: every left cell names the right one, also in the first line.
            yield from _cell(row[1], text[row[0][0] : row[0][1]])
        if number:
            for place, head in zip(row, heads, strict=True):
                yield from _cell(place, head)


def _cell(place: tuple[int, int], head: str) -> Iterator[Cell]:
    named = len(head) <= _LONGEST_HEAD and any(map(str.isalpha, head)) and not any(map(str.isdigit, head))
    if named and place[1] - place[0] <= LONGEST_CELL:
        yield Cell(*place, head)
