"""The vector index's files, cleared of bytes that are none of the index's.

Chroma's index makes its files with room for a hundred elements and writes that room out as it came from the allocator:
whatever the process freed before. In an application that is text before anonymization, keys, another tenant's rows
(measured on 1.5.9: sealed bodies of other namespaces in six of sixteen new indexes). Later writes put single elements
in place and grow the files by nothing else. So the room behind the last element is overwritten with zeros after each
call that may have made an index, and before files are opened that a killed process left.

The header (hnswlib, persistence version 1, little-endian): version i32, level offset u64, capacity u64, elements u64,
bytes of an element u64, and what is not used here. ``data_level0.bin`` holds elements, ``length.bin`` four bytes each.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

from securevec.errors import BackendError

_HEADER: Final = struct.Struct("<iQQQQ")
_VERSION: Final = 1
_LENGTH: Final = 4
_MOST: Final = 2**40
"""No sane index file is longer; a header that says so is not one."""

Stamp = tuple[int, int, int]


class IndexFiles:
    """The index files below one database's directory. Call :meth:`clear` only while the engine does nothing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamps: dict[Path, Stamp] = {}

    def clear(self) -> None:
        """Overwrite what lies behind the last element, where files changed since the last call.

        Raises :class:`BackendError` for an index of a layout this release does not know.
        """
        for header in self._headers():
            stamp = _stamp(header)
            if self._stamps.get(header) != stamp:
                _clear(header)
                self._stamps[header] = stamp

    def _headers(self) -> list[Path]:
        # A database of ours has one index, made with the first point.
        return list(self._stamps) or list(self._directory.glob("*/header.bin"))


def _clear(header: Path) -> None:
    with header.open("rb") as file:
        raw = file.read(_HEADER.size)
    if not raw:
        return  # made, and nothing written yet: an index cut short at its first step
    if len(raw) < _HEADER.size:
        raise BackendError("A shard's vector index cannot be read.")
    version, _, capacity, elements, size = _HEADER.unpack(raw)
    if version != _VERSION or elements > capacity or capacity * max(size, _LENGTH) > _MOST:
        raise BackendError("A shard's vector index has a layout this release does not know.")
    _zero(header.with_name("data_level0.bin"), elements * size)
    _zero(header.with_name("length.bin"), elements * _LENGTH)


def _zero(path: Path, start: int) -> None:
    """Overwrite from ``start`` to the end, in place: the engine keeps the file open and counts on its length."""
    try:
        with path.open("r+b") as file:
            length = file.seek(0, os.SEEK_END) - start
            if length > 0:
                file.seek(start)
                file.write(bytes(length))
    except FileNotFoundError:
        return


def _stamp(path: Path) -> Stamp:
    held = path.stat()
    return held.st_ino, held.st_mtime_ns, held.st_size
