"""A large shard's mapped pages, brought in before they are asked for.

The engine maps its files and, told that they are cold, reads a page when a search first touches it. Behind an opening
each question touches some hundred pages of vectors, links and payloads, and each of those is a page fault: 2.9 ms of
processor time a search at 50,000 points, 8.4 in the slowest of twenty, where a shard that has been asked for a while
takes 1.0 (docs/adr/0061). So once a shard was asked a few times its pages are brought in by a thread that holds neither
the interpreter's lock nor the shard's, in steps of some megabytes.

``MADV_POPULATE_READ`` reads and changes nothing: of a range that is no longer mapped, or is mapped by somebody else by
now, it does no more than that. Holes of sparse files, which are most of a small shard, are left out. What is brought in
belongs to the page cache, which the kernel takes back when it needs to. Where there is no such call (Linux before 5.14,
other systems) nothing is done.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ASKED: Final = 8
"""Searches that an open shard has answered before its pages are brought in: a command that asks once is not held up,
and a shard that makes room for another after every search is not read whole each time."""
MOST: Final = 256 << 20
"""Bytes of one shard, vectors and their links first."""
_SHARE: Final = 4
"""And no more than one part in so many of the memory that is free."""
_STEP: Final = 4 << 20
_POPULATE_READ: Final = 22
_LINE: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r\S* ([0-9a-f]+) \S+ \d+ +(/.*)\n")
_FREE: Final = re.compile(r"^MemAvailable: +(\d+) kB$", re.MULTILINE)


class _Mapped(NamedTuple):
    """Addresses that a part of a file is mapped at, and where the part begins."""

    start: int
    end: int
    offset: int
    path: Path


class Warming:
    """Brings shards' pages in, one shard after another. ``most`` bounds the bytes of each."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[Path] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    def ask(self, directory: Path) -> None:
        """Have the mapped files below ``directory`` brought in soon. Returns at once."""
        with self._lock:
            self._waiting.append(directory)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="securevec-warm", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop within a step. Idempotent."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def finish(self) -> None:
        """Return when nothing waits."""
        while (thread := self._thread) is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._closed or not self._waiting:
                    self._thread = None
                    return
                directory = self._waiting.pop(0)
            self.bring_in(directory)

    def bring_in(self, directory: Path) -> int:
        """How many bytes were brought in. A file that goes away meanwhile ends it: the shard was closed."""
        left, done = min(self._most, _free() // _SHARE), 0
        try:
            for start, end in _ranges(directory):
                for address in range(start, min(end, start + left), _STEP):
                    size = min(_STEP, end - address, left)
                    if self._closed or size <= 0 or not _populate(address, size):
                        return done
                    left, done = left - size, done + size
        except OSError:
            return done
        return done


def _ranges(directory: Path) -> Iterator[tuple[int, int]]:
    """Addresses of what the process has mapped below ``directory`` and is no hole, in the order of its worth."""
    held = sorted(_mappings(directory), key=lambda each: (_worth(each.path), each.start))
    for each in held:
        # The file is not held open meanwhile: one that is removed would keep its bytes on the disk.
        for start, end in _extents(each.path):
            first, last = max(start, each.offset), min(end, each.offset + each.end - each.start)
            if first < last:
                yield each.start + first - each.offset, each.start + last - each.offset


def _mappings(directory: Path) -> list[_Mapped]:
    below = f"{directory}/"
    try:
        lines = Path("/proc/self/maps").read_text("utf-8", "surrogateescape")
    except OSError:
        return []
    return [
        _Mapped(int(start, 16), int(end, 16), int(offset, 16), Path(path))
        for start, end, offset, path in _LINE.findall(lines)
        if path.startswith(below)
    ]


def _worth(path: Path) -> int:
    """A search touches thousands of vectors and links and ten payloads; the log is for writers."""
    kinds = {part.split("-")[0] for part in path.parts}
    return 0 if kinds & {"vector_storage", "vector_index"} else 2 if "wal" in kinds else 1


def _extents(path: Path) -> list[tuple[int, int]]:
    page = os.sysconf("SC_PAGE_SIZE")
    found: list[tuple[int, int]] = []
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = 0
        while True:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            found.append((start // page * page, -(-end // page) * page))
    except OSError as error:
        if error.errno != errno.ENXIO:  # nothing but a hole from here on
            raise
    finally:
        os.close(descriptor)
    return found


def _free() -> int:
    try:
        found = _FREE.search(Path("/proc/meminfo").read_text("ascii"))
    except OSError:
        return 0
    return int(found[1]) << 10 if found else 0


def _populate(address: int, size: int) -> bool:
    """Bring pages in. ``ctypes`` gives the interpreter's lock back for the time of the call."""
    call = ctypes.CDLL(None).madvise
    return int(call(ctypes.c_void_p(address), ctypes.c_size_t(size), ctypes.c_int(_POPULATE_READ))) == 0
