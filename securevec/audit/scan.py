"""One writer's lines, read as a stream and held against every signed root: the check behind ``audit verify`` and
behind the recovery of a crashed writer. Memory stays constant; one line is parsed, hashed and forgotten.

The signed roots say *that* something is wrong. Which line it is follows from what each line carries: its index, the
name of its log, and a piece of the hash of the line before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, cast

import orjson

from securevec.audit import files
from securevec.audit.tree import Frontier, leaf_hash
from securevec.errors import AuditTampered

LINK: Final = 16
"""Hex digits of the previous line's leaf hash that a line carries."""

_LINK: Final = re.compile(r"[0-9a-f]{16}\Z")


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was read: ``size`` good lines with ``root``; ``torn`` bytes of an unfinished write after them."""

    size: int
    root: bytes
    torn: int


def parse_line(raw: bytes) -> dict[str, object] | None:
    """The object in a raw line, or nothing when the line is torn or is not a JSON object."""
    if not raw.endswith(b"\n"):
        return None
    try:
        value: object = orjson.loads(raw[:-1])
    except orjson.JSONDecodeError:
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def links(record: Mapping[str, object]) -> tuple[object, object, object]:
    """Index, log name and link of a record, whatever they hold."""
    try:
        metadata = cast("Mapping[str, object]", record["metadata"])
        own = cast("Mapping[str, Mapping[str, object]]", record["unmapped"])["securevec"]
        return metadata["sequence"], metadata["log_name"], own["prev"]
    except (KeyError, TypeError):
        return None, None, None


class Scanner:
    """Reads the directory of one writer. ``roots`` maps a size to the 32-byte root signed for it."""

    def __init__(self, directory: Path, *, writer: str, log_id: str, roots: Mapping[int, bytes]) -> None:
        self._directory = directory
        self._writer = writer
        self._log_name = f"audit/{log_id}/{writer}"
        self._roots = roots
        self._needed = max(roots, default=0)
        self._last_root_at = 0
        self._frontier = Frontier()

    def run(self, *, may_be_torn: bool) -> Scanned:
        """Check every line. Raises :class:`AuditTampered` naming the first wrong one.

        ``may_be_torn``: the writer did not close, so bytes after its last signed line may be an unfinished write.
        """
        numbers = files.segment_numbers(self._directory)
        present = [number for place, number in enumerate(numbers) if number == place]
        lines = files.read_lines(self._directory, present)
        link, log_mark = "", f'"log_name":"{self._log_name}"'.encode()
        for raw in lines:
            index = self._frontier.size
            # Under a signed root the three marks are enough, and finding them is ten times faster than parsing.
            marks = b'"sequence":%d,' % index in raw and b'"prev":"%s"' % link.encode() in raw and log_mark in raw
            if not marks or index >= self._needed or not raw.endswith(b"\n"):
                record = parse_line(raw)
                if record is None:
                    if len(present) == len(numbers) and may_be_torn and index >= self._needed:
                        return self._torn(raw, lines)
                    self._tampered(index, "is not a record")
                sequence, log_name, prev = links(record)
                if sequence != index or log_name != self._log_name:
                    self._tampered(index, "is not the record that belongs there")
                if prev != link:
                    self._broken_link(index, raw, link, lines)
            leaf = leaf_hash(raw[:-1])
            self._frontier.append(leaf)
            link = leaf.hex()[:LINK]
            if index + 1 in self._roots and self._frontier.root() != self._roots[index + 1]:
                self._wrong_root(index, link, lines)
            if index + 1 in self._roots:
                self._last_root_at = index + 1
        size = self._frontier.size
        if len(present) != len(numbers):
            self._tampered(size, "and those after it are gone: a segment is missing")
        if size < self._needed:
            self._tampered(size, "and those after it are gone: the log is shorter than a signed checkpoint")
        return Scanned(size, self._frontier.root(), 0)

    def _torn(self, raw: bytes, rest: Iterator[bytes]) -> Scanned:
        """An unfinished write has nothing readable after it; a readable line there means that somebody edited."""
        torn, index = len(raw), self._frontier.size
        for later in rest:
            if parse_line(later) is not None:
                self._tampered(index, "is not a record, and records follow it")
            torn += len(later)
        return Scanned(index, self._frontier.root(), torn)

    def _broken_link(self, index: int, raw: bytes, link: str, rest: Iterator[bytes]) -> NoReturn:
        """The link of line ``index`` does not name the line before: one of the two was edited. Which?"""
        leaf = leaf_hash(raw[:-1])
        following = parse_line(next(rest, b""))
        if following is not None:
            edited_here = links(following)[2] != leaf.hex()[:LINK]
        else:
            # No successor: if the line with its link put right gives the signed root, the line before is sound.
            wrong = links(cast("dict[str, object]", parse_line(raw)))[2]
            edited_here = not isinstance(wrong, str) or _LINK.match(wrong) is None
            if not edited_here and index + 1 in self._roots:
                whole = raw[:-1].replace(f'"prev":"{wrong}"'.encode(), f'"prev":"{link}"'.encode())
                frontier = self._frontier.copy()
                frontier.append(leaf_hash(whole))
                edited_here = frontier.root() == self._roots[index + 1]
        self._tampered(index if edited_here or index == 0 else index - 1, "was edited, or a record before it removed")

    def _wrong_root(self, index: int, link: str, rest: Iterator[bytes]) -> NoReturn:
        following = parse_line(next(rest, b""))
        if following is not None and links(following)[2] != link:
            self._tampered(index, "was edited")
        self._tampered(
            index,
            f"does not give the signed root: it was edited, or everything from an edited one on was rewritten (the last"
            f" good checkpoint covers {self._last_root_at} records)",
        )

    def _tampered(self, index: int, what: str) -> NoReturn:
        raise AuditTampered(
            f"Audit record {index} of writer {self._writer} {what}.", position=f"{self._writer}:{index}"
        )
