"""New records as they are appended, over all writers, without a lock and without a word to the writers.

A writer only appends. It goes on in a new segment when one is full or an hour old, and a new process is a new writer:
both are found by their names. What is half written waits for its end. A record is read as soon as its bytes are in the
file, which can be a moment before the disk confirmed them: a writer whose disk refuses takes back what nobody was told
is written, and then its segment is read again from its beginning. So a record is given at least once; ``metadata.uid``
tells two sightings of one from two records.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from securevec.audit import files
from securevec.audit.directory import WRITER
from securevec.audit.scan import parse_line
from securevec.errors import AuditUnavailable

_CHUNK: Final = 4 * 1024 * 1024
"""Bytes read of one writer at a time; longer than any line."""


@dataclass(slots=True)
class _Place:
    """How far a writer was read: a segment, bytes of it, and the line that ends there."""

    segment: int = 0
    offset: int = 0
    last: bytes = b""


class Follower:
    """Reads one log from where it stands now. One thread."""

    def __init__(self, directory: Path, *, log_id: str) -> None:
        """``directory`` is the home's ``audit``. Records that are there already are not given. Raises
        :class:`AuditUnavailable`."""
        self._root = directory / log_id
        self._places: dict[str, _Place] = {}
        try:
            for name in self._writers():
                self._places[name] = _end(self._root / name)
        except OSError as error:
            raise _unreadable() from error

    def new(self) -> list[bytes]:
        """What was appended since the last call, by time, each line as it stands in the log, without its end.

        Empty when nothing was. Raises :class:`AuditUnavailable`.
        """
        found: list[tuple[int, bytes]] = []
        try:
            for name in self._writers():
                place = self._places.setdefault(name, _Place())
                for raw in _appended(self._root / name, place):
                    when = (parse_line(raw) or {}).get("time")
                    if isinstance(when, int):
                        found.append((when, raw[:-1]))
        except OSError as error:
            raise _unreadable() from error
        found.sort(key=lambda entry: entry[0])
        return [raw for _, raw in found]

    def _writers(self) -> list[str]:
        return sorted(name for name in os.listdir(self._root) if WRITER.match(name)) if self._root.is_dir() else []


def _end(path: Path) -> _Place:
    """Behind the last whole line of a writer."""
    numbers = files.segment_numbers(path)
    if not numbers:
        return _Place()
    with files.open_plain(path / files.segment_name(numbers[-1])) as file:
        size = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, size - 2 * files.MAX_LINE))
        tail = file.read(size - start)
    whole = tail.rfind(b"\n") + 1
    before = tail.rfind(b"\n", 0, max(0, whole - 1)) + 1
    return _Place(numbers[-1], start + whole, tail[before:whole])


def _appended(path: Path, place: _Place) -> list[bytes]:
    """Whole lines behind ``place``, which moves behind them: to the end of what is there, or a chunk of it."""
    lines: list[bytes] = []
    left = _CHUNK
    for number in files.segment_numbers(path):
        if number < place.segment:
            continue
        with files.open_plain(path / files.segment_name(number)) as file:
            if number > place.segment:
                place.segment, place.offset, place.last = number, 0, b""
            elif place.last and not _stands(file.fileno(), place):
                place.offset, place.last = 0, b""
            file.seek(place.offset)
            chunk = file.read(left)
        fresh = [line + b"\n" for line in chunk.split(b"\n")[:-1]]
        if fresh:
            lines += fresh
            place.offset += sum(map(len, fresh))
            place.last = fresh[-1]
        elif len(chunk) == _CHUNK:
            # Longer than any line a writer appends: not a record.
            place.offset, place.last = place.offset + _CHUNK, b""
        left -= len(chunk)
        if left <= 0:
            break
    return lines


def _stands(descriptor: int, place: _Place) -> bool:
    """Whether the line read last still ends where it did."""
    return os.pread(descriptor, len(place.last), place.offset - len(place.last)) == place.last


def _unreadable() -> AuditUnavailable:
    return AuditUnavailable("The audit log cannot be read.", next_step="Check the home's owner and its disk.")
