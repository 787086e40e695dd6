"""Room kept on the home's disk for what frees room: deletions, erasures and retention need some for their journals and
audit records, and on a disk without a free byte not even the control store can be opened.

The reserve is a file of the home with blocks of its own, on a disk that has little left; one with gigabytes free needs
none, and is looked at again every second while a store is open. It is given back to an operation that removes something
while the disk is full, and taken again as soon as there is room. Nothing else may spend it: a search that could would
use it up before anybody deletes. The last of it is for deleting a tenant, which needs the least and frees the most. No
decision rests on the file; whoever removes it loses the reserve and nothing more.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

FILE: Final = "reserve"
SIZE = 8 << 20
"""Bytes: journals of both stores, audit records, a small collection copied without what is deleted. Tests of other
things keep less."""
LAST: Final = 2 << 20
"""Of them, what is left to the deletion of a tenant."""
_SLICE: Final = 1 << 19
"""Of that, what opening the home once more may have."""
FULL: Final = 1 << 20
"""Below so many free bytes an operation may not get through by itself."""
SCARCE = 2 << 30
"""With so many free bytes nothing is kept. Far more than is written to a disk between two looks at it."""
ROOM: Final = 64 << 20
"""With so many nobody is deleting to make room."""
_BLOCK: Final = 512
"""Bytes of a block as ``st_blocks`` counts them, whatever the file system uses."""
_PIECE: Final = 1 << 16
_WORTH: Final = 1 << 18
"""A reserve that is not whole grows by no less."""


def free(home: Path) -> int:
    """Bytes that this user may still write on the home's disk. Raises :class:`OSError`."""
    disk = os.statvfs(home)
    return disk.f_bavail * disk.f_frsize


def held(home: Path) -> int:
    """Bytes of disk that the reserve keeps; 0 when there is none."""
    try:
        status = (home / FILE).lstat()
    except OSError:
        return 0
    return min(status.st_blocks * _BLOCK, status.st_size) if stat.S_ISREG(status.st_mode) else 0


def is_full(home: Path) -> bool:
    """Whether the disk has next to nothing left. False when it cannot be looked at: what follows says so better."""
    try:
        return free(home) < FULL
    except OSError:
        return False


def give_back(home: Path, *, last: bool = False) -> None:
    """Let an operation that removes something have the reserve, if the disk is full; ``last`` for the whole of it. Only
    for callers that may remove something. Never raises: what follows says that the disk is full."""
    _shrink(home, 0 if last else LAST)


def give_back_to_open(home: Path) -> None:
    """The same for a process that has to open the home before it can remove something."""
    have = held(home)
    _shrink(home, LAST if have > LAST else max(have - _SLICE, 0))


def _shrink(home: Path, left: int) -> None:
    if not is_full(home) or held(home) <= left:
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(home / FILE, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.ftruncate(descriptor, left)
        finally:
            os.close(descriptor)


def keep(home: Path) -> None:
    """Take the reserve back, or of a nearly full disk half of what is left; where there is room again in plenty, do
    without one. Never raises: a home works without."""
    with contextlib.suppress(OSError):
        have, left = held(home), free(home)
        if left >= SCARCE:
            if have and left >= 2 * SCARCE:
                (home / FILE).unlink()
            return
        wanted = min(SIZE, (have + left) // 2)
        if wanted == SIZE > have or wanted >= have + _WORTH:
            _take(home, have, wanted)


def keep_ahead(home: Path) -> None:
    """The same, from time to time, while nobody can be deleting to make room: what was given back for that is not taken
    from under it."""
    with contextlib.suppress(OSError):
        if free(home) >= ROOM:
            keep(home)


def _take(home: Path, have: int, size: int) -> None:
    path = home / FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        if held(home) < size:
            # A file system that compresses, or leaves holes, keeps no room for zeros.
            for start in range(0, size, _PIECE):
                os.pwrite(descriptor, os.urandom(min(_PIECE, size - start)), start)
    except OSError:
        # The disk has just become full: what was there is kept, and no more.
        os.ftruncate(descriptor, have)
        raise
    finally:
        os.close(descriptor)
