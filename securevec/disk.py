"""A file that an ended process left, kept by the disk before it is believed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PIECE: Final = 1 << 20


def write_again(path: Path) -> None:
    """Have the disk keep what reading the file gives, which may be in memory only. A flush is not enough after one that
    failed: the system takes what it could not write for written.

    Nobody else writes to the file meanwhile. Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        offset = 0
        while piece := os.pread(descriptor, _PIECE, offset):
            offset += os.pwrite(descriptor, piece, offset)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
