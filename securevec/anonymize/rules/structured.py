"""What the rules find in texts: as they stand, across their line breaks, and in the cells of their tables.

All of these are parts for the scanner, which takes many at a time: those of one text, or of a batch of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from securevec.anonymize.findings import Finding, mapped
from securevec.anonymize.fold import Folded, fold
from securevec.anonymize.rules.heads import label_of, spoken, under_code_head
from securevec.anonymize.rules.rulebook import RuleBook
from securevec.anonymize.rules.scan import PatternScanner, hint
from securevec.anonymize.rules.second import PatternEngine
from securevec.anonymize.rules.sheet import Part
from securevec.anonymize.rules.tables import LONGEST_CELL, Cell, cells, has_insert, has_table, inserted, pairs, settings
from securevec.anonymize.rules.unspaced import latin_addresses
from securevec.anonymize.rules.wraps import GUESSED, joints
from securevec.anonymize.windows import WINDOW, scan_windows

_TOGETHER: Final = 1 << 15
"""Characters on one sheet, about: it stays in the processor's cache, as do the rules' automata."""
_FEWEST_DIGITS: Final = 4
"""A cell with fewer is not read again under its head: what a head gives away is mostly a number."""
_TELLING: Final = re.compile(r"(?i)pass|pwd|secret|token|user|login|plate|kennzeichen|\b(?:key|pin|cvv|cvc)\b")
"""Heads of columns whose values may hold few digits or none."""

_PUBLIC: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]++ )*?(?:PUBLIC KEY|CERTIFICATE|CERTIFICATE REQUEST|SIGNATURE|X509 CRL)(?: BLOCK)?-----\s*+"
    r"(?:[A-Za-z-]{1,40}+: [^\n]{1,200}+\n)*+\s*+(?:[A-Za-z0-9+/=]{1,80}+[ \t\r]*+(?:\n[ \t]*+|\Z))++"
)
"""Keys and certificates that everybody may have, as far as their lines of base64 go."""

Place = Callable[[list[Finding]], list[Finding]]
"""From findings of a part to those of its text."""


class Structured:
    """The rules of a book, ready for texts. Thread-safe, linear in the text."""

    def __init__(self, book: RuleBook, engine: PatternEngine = "re2") -> None:
        """Raises what :func:`securevec.anonymize.rules.second.require` does."""
        self._scanner = PatternScanner(book, engine)
        self._crossing = self._scanner.crossing(without=GUESSED)

    def find(self, text: str, field_name: str) -> list[Finding]:
        """Findings in offsets of ``text``, unresolved. Raises ``DetectorError``."""
        view = fold(text, skeleton=True)
        found = _without_public(self._scan(view.text, field_name), view.text)
        if "\n" in text or ":" in view.text or "=" in view.text or has_table(text) or field_name or has_insert(text):
            asked = _Asked(self._scanner)
            self._read_again(asked, text, view.text, found, field_name)
            asked.finish()
        return mapped(latin_addresses(found, view.text), view)

    def find_each(self, texts: Iterable[tuple[str, str]]) -> list[list[Finding]]:
        """:meth:`find` in each ``(field name, text)``. Raises ``DetectorError`` when it does for one of them."""
        asked = _Asked(self._scanner)
        found: list[tuple[list[Finding], Folded]] = []
        for field_name, text in texts:
            view = fold(text, skeleton=True)
            here: list[Finding] = []
            found.append((here, view))
            if len(view.text) <= _TOGETHER:
                asked.add(Part(view.text, hint(field_name)), here)
            else:
                here += self._scan(view.text, field_name)
            self._read_again(asked, text, view.text, here, field_name)
        asked.finish()
        return [mapped(latin_addresses(_without_public(here, view.text), view.text), view) for here, view in found]

    def _scan(self, body: str, field_name: str) -> list[Finding]:
        if len(body) <= WINDOW:
            return self._scanner.scan(body, field_name=field_name)
        return scan_windows(body, partial(self._scanner.scan, field_name=field_name))

    def _read_again(self, asked: _Asked, text: str, body: str, here: list[Finding], field_name: str) -> None:
        """Asks for what lies across line breaks, in the cells of tables, and what the name of the field tells.

        ``body``: the folded text.
        """
        if field_name and len(body) <= LONGEST_CELL:
            self._add_cell(asked, body, Cell(0, len(body), field_name), here, declared=True)
        if "\n" in text:
            crossing = self._crossing
            for joint in joints(body):
                # Which rules may hold the signs around the break is asked of those that occur near any break at all.
                among = partial(crossing.holders, joint.signs)
                asked.add(Part(joint.line, "", joint.across, crossing.numbers, among), here, joint.unbroken)
        if ":" in body or "=" in body:
            for cell in (*settings(body, label_of), *pairs(body, label_of)):
                named = under_code_head(body[cell.start : cell.end], cell.head)
                # Rules of their own read passwords there, and tell them from code.
                here += [found.shifted(cell.start) for found in named if found.entity != "SECRET"]
        for _, cell in inserted(body):
            if cell.end - cell.start <= LONGEST_CELL:
                self._add_cell(asked, body[cell.start : cell.end], cell, here)
        if has_table(text):
            for cell in cells(body):
                self._add_cell(asked, body[cell.start : cell.end], cell, here)

    def in_cell(self, value: str, head: str) -> list[Finding]:
        """Findings in a value that ``head`` names."""
        view = fold(value, skeleton=True)
        found: list[Finding] = []
        asked = _Asked(self._scanner)
        self._add_cell(asked, view.text, Cell(0, len(view.text), head), found)
        asked.finish()
        return mapped(found, view)

    def _add_cell(self, asked: _Asked, value: str, cell: Cell, here: list[Finding], *, declared: bool = False) -> None:
        """The rules on ``head: value``, so that what looks for a label in front of a value finds one.

        ``declared``: the head is the name of a declared field.
        """
        here += [found.shifted(cell.start) for found in under_code_head(value, cell.head, declared=declared)]
        if sum(map(str.isdigit, value)) >= _FEWEST_DIGITS or _TELLING.search(cell.head):
            head = spoken(cell.head)
            lead = len(head) + 2

            def place(found: list[Finding]) -> list[Finding]:
                return [finding.shifted(cell.start - lead) for finding in found if finding.start >= lead]

            asked.add(Part(f"{head}: {value}"), here, place)


def _without_public(found: list[Finding], body: str) -> list[Finding]:
    """Without what only looks random, where a block of text says that it is for everybody."""
    if not found or "-----BEGIN " not in body:
        return found
    blocks = [block.span() for block in _PUBLIC.finditer(body)]
    return [
        each
        for each in found
        if each.rule != "high-entropy" or not any(start <= each.start < end for start, end in blocks)
    ]


class _Asked:
    """Parts that wait for the scanner, and where what is found in each belongs."""

    def __init__(self, scanner: PatternScanner) -> None:
        self._scanner = scanner
        self._parts: list[Part] = []
        self._places: list[tuple[list[Finding], Place | None]] = []
        self._size = 0

    def add(self, part: Part, here: list[Finding], place: Place | None = None) -> None:
        self._parts.append(part)
        self._places.append((here, place))
        self._size += len(part.text)
        if self._size >= _TOGETHER:
            self.finish()

    def finish(self) -> None:
        if not self._parts:
            return
        for (here, place), found in zip(self._places, self._scanner.scan_each(self._parts), strict=True):
            if found:
                here += found if place is None else place(found)
        self._parts, self._places, self._size = [], [], 0
