"""One file below a root, opened without following a link anywhere on the way, read whole or as a stream."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from securevec import limits
from securevec.errors import FileUnreadable, FileUnsafe, LimitExceeded
from securevec.files.system import attempt
from securevec.files.walk import Found

_STEP: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Contents:
    """All bytes of a file, and when it was last changed."""

    data: bytes
    modified: datetime

    def __repr__(self) -> str:
        return f"Contents({len(self.data)} bytes)"


def read_whole(found: Found) -> Contents:
    """Every byte of a document.

    Raises :class:`FileUnsafe` (a link, or no regular file any more), :class:`FileUnreadable` (permissions, an input
    error, or changed while it was read) and :class:`LimitExceeded`.
    """
    with opened(found) as descriptor:
        before = os.fstat(descriptor)
        parts: list[bytes] = []
        size = 0
        while part := _read(descriptor):
            size += len(part)
            if size > limits.MAX_FILE_BYTES:
                raise LimitExceeded(
                    f"The file is larger than {limits.MAX_FILE_BYTES >> 20} MiB.", next_step="Split it into parts."
                )
            parts.append(part)
        require_unchanged(descriptor, before)
        if size != before.st_size:
            raise _changed()
    return Contents(b"".join(parts), modified_of(before))


@contextlib.contextmanager
def opened(found: Found) -> Generator[int]:
    """A descriptor on the file. Raises :class:`FileUnsafe` and :class:`FileUnreadable`."""
    *folders, name = found.relative.split("/")
    held: list[int] = []
    try:
        parent = found.root.descriptor
        for folder in folders:
            parent = _descend(folder, os.O_DIRECTORY, parent)
            held.append(parent)
        # Without blocking: a pipe put in the file's place would otherwise wait for a writer for ever.
        descriptor = _descend(name, os.O_NONBLOCK, parent)
        held.append(descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileUnsafe("A device, a pipe or a socket is not a file to read.")
        yield descriptor
    finally:
        for descriptor in reversed(held):
            os.close(descriptor)


def require_unchanged(descriptor: int, before: os.stat_result) -> None:
    """Raise :class:`FileUnreadable` when the file was written to since ``before``."""
    now = os.fstat(descriptor)
    if (now.st_size, now.st_mtime_ns, now.st_ctime_ns) != (before.st_size, before.st_mtime_ns, before.st_ctime_ns):
        raise _changed()


def modified_of(status: os.stat_result) -> datetime:
    """The time of the last change in whole milliseconds. A time outside the calendar becomes the first of 1970."""
    try:
        return datetime.fromtimestamp(status.st_mtime_ns // 1_000_000 / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, tz=UTC)


def _changed() -> FileUnreadable:
    return FileUnreadable("The file changed while it was read.", next_step="Run the ingest again.")


def _read(descriptor: int) -> bytes:
    part = attempt(lambda: os.read(descriptor, _STEP))
    if isinstance(part, OSError):
        raise FileUnreadable("The file cannot be read.") from part
    return part


def _descend(name: str, flags: int, parent: int) -> int:
    opened = attempt(lambda: os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=parent))
    if not isinstance(opened, OSError):
        return opened
    if opened.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR, errno.ENXIO):
        raise FileUnsafe("A link or a device took the place of the file.") from opened
    raise FileUnreadable("The file cannot be opened.", next_step="Check its permissions.") from opened
