"""Locks that a process holds on files and directories, with ``flock(2)``.

Such a lock belongs to an open file, not to a process: the copy of the descriptor that a forked child gets keeps it when
the parent has closed its own, or is killed. A worker of ``multiprocessing`` that outlives its service kept a home shut
for good. So a child's copies are closed before it runs a line, and what is given back is unlocked before it is closed.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import Final, final

_FORKING: Final = threading.RLock()
"""Held while a process forks, and while a descriptor is opened and noted: no child has a copy that it does not know."""
_OPEN: Final[set[FileLock]] = set()


@final
class FileLock:
    """A file or directory that is opened to be locked: private when it is made, no link followed unless asked for.
    Not locked before :meth:`take`. Raises ``OSError``."""

    __slots__ = ("_descriptor", "_follows")

    def __init__(self, path: Path, flags: int = os.O_RDONLY | os.O_DIRECTORY) -> None:
        with _FORKING:
            self._descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
            self._follows = not flags & os.O_NOFOLLOW
            _OPEN.add(self)

    @property
    def held(self) -> bool:
        """False once it was given back, and in a forked child, whatever the parent does."""
        return self._descriptor >= 0

    def take(self, *, wait: bool = False) -> None:
        """Lock it, or raise ``BlockingIOError`` when somebody else has. Any other ``OSError`` says that this file
        system has no such locks. It stays open in either case."""
        import fcntl  # absent on Windows, where no home is made

        fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))

    def stat(self) -> os.stat_result:
        return os.fstat(self._descriptor)

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def stands_at(self, path: Path) -> bool:
        """Whether ``path`` still is what was opened, or leads to it where a link was followed."""
        with contextlib.suppress(OSError):
            return os.path.samestat(self.stat(), path.stat(follow_symlinks=self._follows))
        return False

    def close(self) -> None:
        """Unlock it and close it. Idempotent, and nothing in a forked child."""
        import fcntl

        with _FORKING:
            descriptor, self._descriptor = self._descriptor, -1
            _OPEN.discard(self)
            if descriptor >= 0:
                with contextlib.suppress(OSError):  # where there are no locks
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)

    def forget(self) -> None:
        """In a child: close its copy, which leaves the parent's lock as it is."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _in_child() -> None:
    for lock in list(_OPEN):
        with contextlib.suppress(OSError):
            lock.forget()
    _OPEN.clear()
    _FORKING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_FORKING.acquire, after_in_parent=_FORKING.release, after_in_child=_in_child)
