"""Which process works on a job: a lock that its kernel keeps for as long as the process is at it.

A lease in the control store says how long a worker may be silent. It cannot say that a worker is gone: one that was
stopped (a paused machine, a debugger, a long wait for a disk) between its last look at the lease and what it then does
at a store goes on with it when it wakes, whoever has done what since. A compare-and-set in the control store comes too
late for that, and a store knows no leases. So whoever works on a job holds ``flock(2)`` on a file of the home: a
stopped process keeps it, a killed one does not, and nobody goes on with a job while another may still be at it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

from securevec.errors import ControlUnavailable

DIRECTORY: Final = "jobs"
_HELD: Final[set[int]] = set()


@contextlib.contextmanager
def process_lock(home: Path, job_id: str) -> Generator[bool]:
    """Whether this call has the job's lock; it does not wait. Only for a ``job_id`` of the control store's making.

    Raises :class:`ControlUnavailable` when the lock's file cannot be made.
    """
    path = home / DIRECTORY / f"{job_id}.lock"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = _taken(path)
    except OSError as error:
        raise ControlUnavailable(
            "A job's lock cannot be made in the home.", next_step="Run: securevec doctor. It looks at the disk."
        ) from error
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            path.unlink()  # while it is locked: whoever opened it meanwhile sees that it is no longer the file
        _HELD.discard(descriptor)
        os.close(descriptor)


def _taken(path: Path) -> int | None:
    """A descriptor that holds the lock of the file at ``path``; nothing when somebody else does."""
    import fcntl  # absent on Windows, where no home is made

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        _HELD.add(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False)):
                    return descriptor
        except BlockingIOError:
            _given_back(descriptor)
            return None
        except BaseException:
            _given_back(descriptor)
            raise
        _given_back(descriptor)


def _given_back(descriptor: int) -> None:
    _HELD.discard(descriptor)
    os.close(descriptor)


def _forget() -> None:
    """In a forked child: its copies would keep the locks when the parent is killed."""
    for descriptor in list(_HELD):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
