"""Durable files of the log: appended to, never rewritten; what was half written is cut back before the next attempt.

Layout (docs/formats.md section 7): ``seg-00000000.jsonl``... hold the lines, ``checkpoints.log`` every signed note
with a blank line after each, ``checkpoint`` the newest note, replaced by rename.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

SEGMENT: Final = re.compile(r"seg-([0-9]{8})\.jsonl\Z")
CHECKPOINT: Final = "checkpoint"
CHECKPOINT_NEW: Final = "checkpoint.new"
CHECKPOINTS_LOG: Final = "checkpoints.log"
MAX_LINE: Final = 1024 * 1024
"""The longest line a reader takes; writers stay far below (1,000 references are 80 kB)."""

_NOTE_TAIL: Final = 16 * 1024
_SIGNATURE: Final = "— ".encode()
# macOS has no fdatasync; fsync does at least as much.
_flush = getattr(os, "fdatasync", os.fsync)


def segment_name(number: int) -> str:
    return f"seg-{number:08d}.jsonl"


def segment_numbers(directory: Path) -> list[int]:
    """Numbers of the segments present, ascending. A gap is for the caller to judge."""
    matches = (SEGMENT.match(name) for name in os.listdir(directory))
    return sorted(int(match[1]) for match in matches if match)


def open_plain(path: Path) -> BinaryIO:
    """A file of the log to read. Raises ``OSError`` for a link in its place, which is not followed, and for a pipe or
    anything else that is no file: a pipe would be waited for without end, and nobody would ever hear of it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def sync_directory(directory: Path) -> None:
    """Make created, renamed and removed names of ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Create ``directory`` (0700) and its missing parents, durably. One that exists is left as it is."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    sync_directory(directory.parent)


class AppendFile:
    """One append-only file, 0600. ``append`` returns when the bytes are on disk, or raises ``OSError`` and leaves the
    file as it was (if that fails too, the cut is made before the next append)."""

    __slots__ = ("_descriptor", "_dirty", "path", "size")

    def __init__(self, path: Path) -> None:
        # Without O_NONBLOCK a pipe in its place is waited for without end.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        self.path = path
        self._descriptor = os.open(path, flags, 0o600)
        self._dirty = False
        self.size = os.fstat(self._descriptor).st_size
        if self.size == 0:
            # The name of a new file must survive a power cut as well as its bytes.
            try:
                sync_directory(path.parent)
            except OSError:
                self.close()
                raise

    def append(self, data: bytes) -> None:
        if self._dirty:
            self.cut(self.size)
        self._refuse_if_touched()
        self._dirty = True
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
            _flush(self._descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                self.cut(self.size)
            raise
        self.size += len(data)
        self._dirty = False

    def cut(self, size: int) -> None:
        """Shorten the file to ``size`` bytes, durably."""
        os.ftruncate(self._descriptor, size)
        _flush(self._descriptor)
        self.size = size
        self._dirty = False

    def _refuse_if_touched(self) -> None:
        """A file moved, replaced or resized by another hand would take records that nobody ever finds."""
        status = os.fstat(self._descriptor)
        if status.st_size != self.size or not os.path.samestat(status, os.stat(self.path, follow_symlinks=False)):
            raise OSError(errno.ESTALE, "the file was moved, removed or resized while it was being written")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def publish_note(directory: Path, note: bytes) -> None:
    """Append ``note`` to ``checkpoints.log`` (from then on it is issued), then make it the ``checkpoint``."""
    cut_torn_note(directory)
    log = AppendFile(directory / CHECKPOINTS_LOG)
    try:
        log.append(note + b"\n")
    finally:
        log.close()
    replace_checkpoint(directory, note)


def replace_checkpoint(directory: Path, note: bytes) -> None:
    new = directory / CHECKPOINT_NEW
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(note)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(directory / CHECKPOINT)
    sync_directory(directory)


def cut_torn_note(directory: Path) -> None:
    """Remove a half-written note from the end of ``checkpoints.log``: it was never issued."""
    path = directory / CHECKPOINTS_LOG
    try:
        with open_plain(path) as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - _NOTE_TAIL))
            tail = file.read()
    except FileNotFoundError:
        return
    whole = _whole_notes(tail)
    if whole != len(tail):
        log = AppendFile(path)
        try:
            log.cut(start + whole)
        finally:
            log.close()


def _whole_notes(data: bytes) -> int:
    """Length of ``data`` up to the end of its last complete note: signature lines followed by a blank line."""
    end = len(data)
    while (end := data.rfind(b"\n\n", 0, end)) >= 0:
        line = data.rfind(b"\n", 0, end) + 1
        if data.startswith(_SIGNATURE, line):
            return end + 2
        end += 1
    return 0


def read_notes(directory: Path) -> tuple[list[bytes], bytes]:
    """Every issued note, oldest first, and what stands after the last complete one. Not verified."""
    try:
        with open_plain(directory / CHECKPOINTS_LOG) as file:
            data = file.read()
    except FileNotFoundError:
        return [], b""
    whole = _whole_notes(data)
    parts = data[:whole].split(b"\n\n")[:-1]
    notes: list[bytes] = []
    text: list[bytes] = []
    for part in parts:
        text.append(part)
        if part.startswith(_SIGNATURE):
            notes.append(b"\n\n".join(text) + b"\n")
            text = []
    return notes, data[whole:]


def newest_issued(directory: Path) -> bytes:
    """The last complete note of ``checkpoints.log``, or nothing. Not verified."""
    try:
        with open_plain(directory / CHECKPOINTS_LOG) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _NOTE_TAIL))
            tail = file.read()
    except FileNotFoundError:
        return b""
    tail = tail[: _whole_notes(tail)]
    signature = tail.rfind(b"\n\n", 0, len(tail) - 2)
    text = tail.rfind(b"\n\n", 0, signature)
    return tail[text + 2 if text >= 0 else 0 : -1] if tail else b""


def read_checkpoint(directory: Path) -> bytes:
    """The note in ``checkpoint``, or nothing. Not verified."""
    try:
        with open_plain(directory / CHECKPOINT) as file:
            return file.read()
    except FileNotFoundError:
        return b""


def read_lines(directory: Path, numbers: list[int]) -> Iterator[bytes]:
    """Raw lines of the segments ``numbers`` with their newline. A piece without one is torn, or longer than
    :data:`MAX_LINE`."""
    for number in numbers:
        with open_plain(directory / segment_name(number)) as file:
            while raw := file.readline(MAX_LINE):
                yield raw
